"""Examples of queries that read more than before, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

EXAMPLES: Mapping[str, Examples] = {
    "index_dropped": four(
        diff("migrations/0042.sql", "+DROP INDEX parcels_by_depot;"),
        diff("db/migrate/42_x.rb", " def change", "+  remove_index :parcels, :depot_id", " end"),
        diff("migrations/0042.down.sql", "+DROP INDEX parcels_by_depot;"),
        diff("alembic/x.py", " def downgrade():", '+    op.drop_index("parcels_by_depot")'),
    ),
    "index_declaration_removed": four(
        diff(
            "models.py",
            "-    depot = models.CharField(max_length=8, db_index=True)",
            "+    depot = models.CharField(max_length=8)",
        ),
        diff("Parcel.java", '-@Table(indexes = @Index(columnList = "depot"))', " class Parcel {"),
        diff(
            "models.py",
            "-    depot = models.CharField(max_length=8)",
            "+    depot = models.CharField(max_length=8, db_index=True)",
        ),
        diff(
            "schema.sql",
            "-CREATE INDEX parcels_by_depot ON parcels (depot);",
            "+CREATE INDEX parcels_by_depot ON parcels (depot, day);",
        ),
    ),
    "index_hint_changed": four(
        diff(
            "parcels.sql", "-SELECT id FROM parcels", "+SELECT id FROM parcels IGNORE INDEX (depot)"
        ),
        diff(
            "parcels.js",
            "-  return parcels.find(q);",
            "+  return parcels.find(q).hint({ day: 1 });",
        ),
        diff(
            "parcels.sql", "-SELECT id FROM parcels IGNORE INDEX (depot)", "+SELECT id FROM parcels"
        ),
        diff("parcels.py", '+    log.info("no hint was given")', "     return parcels"),
    ),
    "where_removed": four(
        diff(
            "parcels.py",
            "-    return session.query(Parcel).filter(Parcel.depot == depot).all()",
            "+    return session.query(Parcel).all()",
        ),
        diff(
            "parcels.sql",
            " SELECT id FROM parcels",
            "-WHERE depot = 7",
            " ORDER BY id;",
        ),
        diff(
            "parcels.py",
            "-    return session.query(Parcel).filter(Parcel.depot == depot).all()",
            "+    return session.query(Parcel).filter_by(depot=depot).all()",
        ),
        diff(
            "parcels.ts",
            " const found = await repo.find(depot);",
            "-const late = found.filter((p) => p.late);",
            "+const late = lateOf(found);",
        ),
    ),
    "limit_removed": four(
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels ORDER BY id LIMIT 50;",
            "+SELECT id FROM parcels ORDER BY id;",
        ),
        diff(
            "Parcels.java",
            "-    return repo.findAll(PageRequest.of(page, 50));",
            "+    return repo.findAll();",
        ),
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels LIMIT 50;",
            "+SELECT id FROM parcels FETCH FIRST 50 ROWS ONLY;",
        ),
        diff("parcels.go", "-\tlimiter := rate_limit(50)", "+\tlimiter := newBrake(50)"),
    ),
    "query_limit_raised": four(
        diff("conf/parcels.yaml", " list:", "-  page_size: 50", "+  page_size: 5000"),
        diff("parcels.py", "-DEFAULT_LIMIT = 100", "+DEFAULT_LIMIT = 10000"),
        diff("conf/parcels.yaml", " list:", "-  page_size: 5000", "+  page_size: 50"),
        diff("conf/parcels.yaml", " limits:", "-  memory: 50Mi", "+  memory: 5000Mi"),
    ),
    "leading_wildcard": four(
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE code = :code;",
            "+SELECT id FROM parcels WHERE code LIKE '%' || :code;",
        ),
        diff(
            "parcels.py",
            "-    return Parcel.objects.filter(code=code)",
            "+    return Parcel.objects.filter(code__icontains=code)",
        ),
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE code LIKE '%' || :code;",
            "+SELECT id FROM parcels WHERE code = :code;",
        ),
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE code = :code;",
            "+SELECT id FROM parcels WHERE code LIKE 'AB%';",
        ),
    ),
    "function_on_column": four(
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE code = :code;",
            "+SELECT id FROM parcels WHERE LOWER(code) = :code;",
        ),
        diff(
            "parcels.py",
            "-    found = Parcel.objects.filter(code=code)",
            "+    found = Parcel.objects.filter(code__iexact=code)",
        ),
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE LOWER(code) = :code;",
            "+SELECT id FROM parcels WHERE code = :code;",
        ),
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE code = :code;",
            "+SELECT UPPER(name) FROM parcels WHERE code = :code;",
        ),
    ),
    "order_changed": four(
        diff("parcels.sql", " SELECT id FROM parcels", "+ORDER BY weight DESC"),
        diff("parcels.js", " db.parcels.find(q)", "+  .sort({ weight: -1 })"),
        diff("parcels.sql", " SELECT id FROM parcels", "-ORDER BY weight DESC"),
        diff("parcels.js", " const found = rows.slice();", "+found.sort((a, b) => a.id - b.id);"),
    ),
    "order_replaced": four(
        diff("parcels.sql", " SELECT id FROM parcels", "-ORDER BY id", "+ORDER BY weight"),
        diff(
            "parcels.py",
            '-    return parcels.order_by("id")',
            '+    return parcels.order_by("weight")',
        ),
        diff("parcels.sql", " SELECT id FROM parcels", "-ORDER BY id", "+order by id;"),
        diff("parcels.py", '-    # .order_by("id")', '+    # .order_by("weight")', "     x()"),
    ),
    "order_by_random": four(
        diff("parcels.sql", "-SELECT id FROM parcels", "+SELECT id FROM parcels ORDER BY RANDOM()"),
        diff("parcels.py", "-    return found.first()", '+    return found.order_by("?").first()'),
        diff("parcels.sql", "-SELECT id FROM parcels ORDER BY RANDOM()", "+SELECT id FROM parcels"),
        diff("parcels.py", "-    return found[0]", "+    return random.choice(found)"),
    ),
    "select_all_columns": four(
        diff("parcels.sql", "-SELECT id, code FROM parcels", "+SELECT * FROM parcels"),
        diff(
            "parcels.go",
            "-\tq := `SELECT p.id FROM parcels p`",
            "+\tq := `SELECT p.* FROM parcels p`",
        ),
        diff("parcels.sql", "-SELECT * FROM parcels", "+SELECT id, code FROM parcels"),
        diff("parcels.sql", "-SELECT id FROM parcels", "+SELECT count(*) FROM parcels"),
    ),
    "projection_removed": four(
        diff(
            "parcels.py",
            '-    return Parcel.objects.only("id", "code")',
            "+    return Parcel.objects.all()",
        ),
        diff("parcels.rb", "-    Parcel.where(depot: d).pluck(:id)", "+    Parcel.where(depot: d)"),
        diff(
            "parcels.py",
            "-    return Parcel.objects.all()",
            '+    return Parcel.objects.only("id", "code")',
        ),
        diff("parcels.rb", "-    Parcel.all.pluck(:id)", "+    Parcel.all.select(:id).map(&:id)"),
    ),
    "join_added": four(
        diff("parcels.sql", " SELECT p.id FROM parcels p", "+JOIN depots d ON d.id = p.depot_id"),
        diff(
            "parcels.py",
            "-    return session.query(Parcel)",
            "+    return session.query(Parcel).outerjoin(Depot)",
        ),
        diff("parcels.sql", " SELECT p.id FROM parcels p", "-JOIN depots d ON d.id = p.depot_id"),
        diff("parcels.py", " found = session.query(Parcel)", "+    names = ', '.join(codes)"),
    ),
    "join_condition_lost": four(
        diff(
            "parcels.sql",
            "-SELECT p.id FROM parcels p JOIN depots d ON d.id = p.depot_id",
            "+SELECT p.id FROM parcels p, depots d",
        ),
        diff("parcels.sql", " SELECT p.id FROM parcels p", "+CROSS JOIN depots"),
        diff(
            "parcels.sql",
            "-SELECT p.id FROM parcels p, depots d",
            "+SELECT p.id FROM parcels p JOIN depots d ON d.id = p.depot_id",
        ),
        diff(
            "parcels.sql",
            "-SELECT p.id FROM parcels p, depots d",
            "+SELECT p.id, d.id FROM parcels p, depots d",
        ),
    ),
    "filter_in_memory": four(
        diff(
            "Parcels.java",
            "-    return repo.findByDepot(depot);",
            "+    return repo.findAll().stream().filter(p -> p.at(depot)).toList();",
        ),
        diff(
            "parcels.rb",
            "-    Parcel.where(depot: depot)",
            "+    Parcel.all.select { |p| p.depot == depot }",
        ),
        diff(
            "Parcels.java",
            "-    return repo.findAll().stream().filter(p -> p.at(depot)).toList();",
            "+    return repo.findByDepot(depot);",
        ),
        diff(
            "parcels.py", "-    return objects.filter(a=1)", "+    return objects.filter(a=1, b=2)"
        ),
    ),
    "count_added": four(
        diff(
            "parcels.sql",
            " SELECT id FROM parcels LIMIT 50;",
            "+SELECT count(*) FROM parcels;",
        ),
        diff(
            "parcels.py", " page = Parcel.objects.all()[:50]", "+    total = Parcel.objects.count()"
        ),
        diff(
            "parcels.py", " page = Parcel.objects.all()[:50]", "-    total = Parcel.objects.count()"
        ),
        diff("parcels.py", " page = Parcel.objects.all()[:50]", "+    total = len(page)"),
    ),
    "large_offset": four(
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE id > :last_id LIMIT 50",
            "+SELECT id FROM parcels LIMIT 50 OFFSET :at",
        ),
        diff(
            "parcels.js",
            "-  return db.parcels.find({ _id: { $gt: cursor } });",
            "+  return db.parcels.find().skip(page * size);",
        ),
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels LIMIT 50 OFFSET :at",
            "+SELECT id FROM parcels WHERE id > :last_id LIMIT 50",
        ),
        diff("intake.py", "-    consumer.after(last)", "+    consumer.seek(partition, offset)"),
    ),
    "keys_scanned": four(
        diff("parcels.py", "-    ids = redis.get(INDEX)", '+    ids = redis.keys("parcel:*")'),
        diff("parcels.go", "-\tids := ids(ctx)", "+\tids := rdb.HGetAll(ctx, index)"),
        diff("parcels.py", '-    ids = redis.keys("parcel:*")', "+    ids = redis.get(INDEX)"),
        diff("parcels.py", " found = redis.get(code)", "+    codes = found.keys()"),
    ),
    "query_written": four(
        diff(
            "parcels.sql",
            "-SELECT id FROM parcels WHERE depot = 7",
            "+SELECT id FROM parcels WHERE depot = 7 AND late",
        ),
        diff(
            "parcels.go",
            '-\tq := "SELECT id FROM parcels"',
            '+\tq := "SELECT code FROM parcels"',
        ),
        diff("parcels.go", '-\t// "SELECT id FROM parcels"', '+\t// "SELECT code FROM parcels"'),
        diff("parcels.sql", "-SELECT id FROM parcels", " -- by id", "+SELECT id FROM parcels"),
    ),
    "replica_read_moved": four(
        diff(
            "parcels.py",
            "-    with session(READ_REPLICA) as db:",
            "+    with session(PRIMARY) as db:",
            "         return db.query(Parcel)",
        ),
        diff("Parcels.java", "-  @Transactional(readOnly = true)", "   List<Parcel> query() {"),
        diff(
            "parcels.py",
            "-    with session(PRIMARY) as db:",
            "+    with session(READ_REPLICA) as db:",
            "         return db.query(Parcel)",
        ),
        diff("deploy/db.yaml", " spec:", "-  replicas: 3", "+  replicas: 2"),
    ),
}
