"""Examples of schema changes that something does not fit, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

EXAMPLES: Mapping[str, Examples] = {
    "table_first_used": four(
        diff(
            "tolls.sql",
            "-SELECT id FROM tolls WHERE gate = 4;",
            "+SELECT id FROM toll_totals WHERE gate = 4;",
        ),
        diff(
            "tolls.go", " \trow := db.QueryRow(", '+\t\t"SELECT fee FROM fee_rules WHERE id = $1",'
        ),
        diff(
            "tolls.sql",
            "+CREATE TABLE toll_totals (id bigint);",
            "+INSERT INTO toll_totals VALUES (1);",
        ),
        diff("tolls.py", "+from fees import rules", "+# SELECT fee FROM fee_rules", " x = 1"),
    ),
    "mapped_column_renamed": four(
        diff(
            "Toll.java",
            '-  @Column(name = "gate")',
            '+  @Column(name = "gate_id")',
            "   Gate gate;",
        ),
        diff("toll.go", '-\tGate int `db:"gate"`', '+\tGate int `db:"gate_id"`'),
        diff("Toll.java", '-  @Column(name = "gate")', '+  @Column(name = "gate", length = 8)'),
        diff("toll.go", '-\tGate int `db:"gate"`', '+\tPassage int `db:"gate"`'),
    ),
    "queried_column_renamed": four(
        diff(
            "tolls.sql",
            "-SELECT paid_at FROM tolls;",
            "+SELECT settled_at FROM tolls;",
        ),
        diff(
            "tolls.py",
            '-    q = "UPDATE tolls SET paid_by = %s"',
            '+    q = "UPDATE tolls SET payer_id = %s"',
        ),
        diff("tolls.sql", "-SELECT paid_at FROM tolls;", "+SELECT paid_at, payer_id FROM tolls;"),
        diff(
            "tolls.sql",
            "+ALTER TABLE tolls ADD COLUMN settled_at timestamptz;",
            "-SELECT paid_at FROM tolls;",
            "+SELECT settled_at FROM tolls;",
        ),
    ),
    "column_dropped": four(
        diff("migrations/0007.sql", "+ALTER TABLE tolls DROP COLUMN gate;"),
        diff("db/migrate/7_x.rb", " def change", "+  remove_column :tolls, :gate", " end"),
        diff("migrations/0007.down.sql", "+ALTER TABLE tolls DROP COLUMN gate;"),
        diff("migrations/0007.sql", "+ALTER TABLE tolls ALTER COLUMN gate DROP DEFAULT;"),
    ),
    "column_renamed": four(
        diff("migrations/0008.sql", "+ALTER TABLE tolls RENAME COLUMN gate TO gate_id;"),
        diff("alembic/8.py", " def upgrade():", '+    op.execute("ALTER TABLE t RENAME TO u")'),
        diff("alembic/8.py", " def downgrade():", '+    op.execute("ALTER TABLE t RENAME TO u")'),
        diff("migrations/0008.sql", "+ALTER INDEX tolls_gate RENAME TO tolls_gate_id;"),
    ),
    "table_dropped": four(
        diff("migrations/0009.sql", "+DROP TABLE tolls;"),
        diff(
            "shop/migrations/9.py", " operations = [", '+    migrations.DeleteModel(name="Toll"),'
        ),
        diff("migrations/0009.sql", "+DROP TABLE IF EXISTS tolls_old;"),
        diff("migrations/0009.down.sql", "+DROP TABLE tolls;"),
    ),
    "not_null_added": four(
        diff("migrations/0010.sql", "+ALTER TABLE tolls ALTER COLUMN gate SET NOT NULL;"),
        diff("db/migrate/10_x.rb", " def change", "+  change_column_null :tolls, :gate, false"),
        diff("migrations/0010.sql", "+ALTER TABLE tolls ADD COLUMN lane int NOT NULL DEFAULT 0;"),
        diff("migrations/0010.sql", "+ALTER TABLE tolls ALTER COLUMN gate DROP NOT NULL;"),
    ),
    "constraint_added": four(
        diff("migrations/0011.sql", "+ALTER TABLE tolls ADD CONSTRAINT one UNIQUE (gate);"),
        diff("models.py", "-    code = CharField()", "+    code = CharField(unique=True)"),
        diff("migrations/0011.sql", "+ALTER TABLE tolls DROP CONSTRAINT one;"),
        diff("models.py", "-    code = CharField(unique=True)", "+    code = CharField()"),
    ),
    "type_narrowed": four(
        diff("migrations/0012.sql", "+ALTER TABLE tolls ALTER COLUMN fee TYPE integer;"),
        diff("db/migrate/12_x.rb", " def change", "+  change_column :tolls, :fee, :integer"),
        diff("migrations/0012.down.sql", "+ALTER TABLE tolls ALTER COLUMN fee TYPE integer;"),
        diff("migrations/0012.sql", "+ALTER TABLE tolls ALTER COLUMN fee SET DEFAULT 0;"),
    ),
    "type_shrunk": four(
        diff("toll.proto", "-  int64 fee = 3;", "+  int32 fee = 3;"),
        diff("tolls.sql", "-  note text,", "+  note varchar(40),"),
        diff("toll.proto", "-  int32 fee = 3;", "+  int64 fee = 3;"),
        diff("tolls.sql", "-  note varchar(40),", "+  note text,"),
    ),
    "enum_value_removed": four(
        diff("tolls.sql", "-  kind enum('car', 'bus'),", "+  kind enum('car'),"),
        diff(
            "tolls.sql",
            "-  CHECK (kind IN ('car', 'bus'))",
            "+  CHECK (kind IN ('car', 'lorry'))",
        ),
        diff("tolls.sql", "-  kind enum('car'),", "+  kind enum('car', 'bus'),"),
        diff("tolls.sql", "-  kind ENUM('car', 'bus'),", "+  kind enum('car','bus') ,"),
    ),
    "table_rewritten": four(
        diff("migrations/0013.sql", "+CREATE INDEX tolls_gate ON tolls (gate);"),
        diff("migrations/0014.sql", "+VACUUM FULL tolls;"),
        diff("migrations/0013.sql", "+CREATE INDEX CONCURRENTLY tolls_gate ON tolls (gate);"),
        diff("migrations/0014.sql", "-VACUUM FULL tolls;", "+ANALYZE tolls;"),
    ),
    "concurrently_removed": four(
        diff(
            "migrations/0015.sql",
            "-CREATE INDEX CONCURRENTLY tolls_gate ON tolls (gate);",
            "+CREATE INDEX tolls_gate ON tolls (gate);",
        ),
        diff("db/migrate/15_x.rb", "-  disable_ddl_transaction!", "   def change"),
        diff(
            "migrations/0015.sql",
            "-CREATE INDEX tolls_gate ON tolls (gate);",
            "+CREATE INDEX CONCURRENTLY tolls_gate ON tolls (gate);",
        ),
        diff("Toll.java", '-    log.info("posts concurrently");', "     post(toll);"),
    ),
    "whole_table_updated": four(
        diff("migrations/0016.sql", "+UPDATE tolls SET lane = 0;"),
        diff("db/migrate/16_x.rb", " def up", "+  Toll.update_all(lane: 0)"),
        diff("migrations/0016.sql", "+UPDATE tolls SET lane = 0 WHERE id < 500;"),
        diff("migrations/0016.sql", "+UPDATE tolls SET lane = 0", "+WHERE id BETWEEN 1 AND 500;"),
    ),
    "column_added_with_default": four(
        diff("migrations/0017.sql", "+ALTER TABLE tolls ADD COLUMN lane int;"),
        diff("alembic/17.py", " def upgrade():", '+    op.add_column("tolls", lane)'),
        diff("alembic/17.py", " def downgrade():", '+    op.add_column("tolls", lane)'),
        diff("migrations/0017.sql", "+ALTER TABLE tolls DROP COLUMN lane;"),
    ),
    "model_field_required": four(
        diff("models.py", "-    gate = CharField(null=True)", "+    gate = CharField()"),
        diff("models.py", "-    Column(gate, nullable=True)", "+    Column(gate, nullable=False)"),
        diff("models.py", "-    gate = CharField()", "+    gate = CharField(null=True)"),
        diff(
            "models.py",
            "-    gate = CharField(null=True)",
            "+    gate = CharField(null=True, blank=True)",
        ),
    ),
    "migration_dependency_changed": four(
        diff("alembic/versions/18.py", '-down_revision = "17"', '+down_revision = "16"'),
        diff(
            "shop/migrations/18.py", '-dependencies = [("a", "17")]', '+dependencies = [("a", "9")]'
        ),
        diff("alembic/versions/18.py", '+down_revision = "17"', "+def upgrade():"),
        diff("package.py", '-dependencies = ["fares"]', '+dependencies = ["fares", "gates"]'),
    ),
}
