"""A release brings a query without an index: slow from its first pod on, the database busier."""

from bot.sandbox.world import noise
from bot.sandbox.world.incidents import parts
from bot.sandbox.world.records import Modifiers
from bot.sandbox.world.site import Site
from bot.sandbox.world.truth import Incident, Story, call

WORK = (
    (
        "filter by tenant in the list query",
        "store/queries.sql",
        "-SELECT * FROM {table} WHERE id = $1\n"
        "+SELECT * FROM {table} WHERE lower(reference) LIKE '%' || $1 || '%'\n"
        "+ORDER BY created_at DESC",
    ),
    (
        "show archived entries too",
        "store/repository.py",
        "-    WHERE archived = false AND id = :id\n"
        "+    LEFT JOIN {table}_history h ON h.key::text = {table}.id::text\n"
        "+    WHERE {table}.id = :id OR h.id = :id",
    ),
)


def install(site: Site, onset: float, seed: int) -> Story:
    """Release the slow query."""
    service = noise.choice(parts.http_services(site, database=True), "slow-query", seed)
    database = parts.database_of(site, service)
    summary, file, body = noise.choice(WORK, "slow-query", seed, "work")
    table = {"catalogue-db": "items"}.get(database, "orders")
    version = parts.release(
        site, service, onset - 25.0, (summary, file, body.replace("{table}", table))
    )
    strength = parts.on_version(version)
    per = next(c.per_request for c in service.calls if c.callee == database)
    slow = noise.between(0.45, 0.9, "slow-query", seed, "seconds")
    load = parts.busy_rate(site, service) * service.replicas * per
    spare = site.service(database).cpu_limit * 0.30
    modifiers = Modifiers(
        call_add_s={database: slow}, callee_cpu_s={database: min(0.05, spare / max(load, 0.01))}
    )
    parts.add(site, service.name, modifiers, strength, "slow-query")
    parts.log(
        site, service.name, "warn",
        (f"slow query on {table} took {{ms}} ms, rows={{n}}",
         "query exceeded 400 ms (took {ms} ms) on " + database),
        parts.steady(0.25, strength),
    )  # fmt: skip
    parts.log(
        site, database, "log",
        ("duration: {ms}.{n} ms  plan: sequential scan on " + table,),
        parts.steady(0.2, parts.since(onset)),
    )  # fmt: skip
    symptom = parts.symptom_of(site, service.name, seed)
    return Story(
        cause="slow_query", object=f"deployment/{service.name}", service=service.name,
        symptom_service=symptom, question=parts.slow_question(symptom),
        repairs=(parts.undo(site, service.name),),
        worsens=(call("restart_pod", name=f"{database}-0"),),
        detail=f"{service.name} {version} asks {database} without an index",
    )  # fmt: skip


INCIDENT = Incident(name="slow-query", summary="A release brings a slow query.", install=install)
