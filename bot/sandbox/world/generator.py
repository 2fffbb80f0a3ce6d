"""Makes topologies of any size up to five hundred services, in layers as companies grow them."""

from dataclasses import replace

from bot.sandbox.world import noise
from bot.sandbox.world.topology import Call, Role, Service, Topology

MOST = 500
NOUNS = (
    "account", "address", "basket", "billing", "catalog", "claim", "coupon", "courier",
    "credit", "discount", "feed", "gateway", "image", "invoice", "ledger", "loyalty", "media",
    "offer", "order", "parcel", "partner", "price", "product", "profile", "quote", "rating",
    "refund", "return", "review", "stock", "store", "tax", "ticket", "token", "voucher",
    "wishlist",
)  # fmt: skip
DATABASE_EVERY = 8


def generate(seed: int, services: int) -> Topology:
    """Return a topology with so many services. Raises: ValueError: not 5 to 500."""
    if not 5 <= services <= MOST:
        raise ValueError(f"a topology has 5 to {MOST} services, not {services}")
    stores = max(1, services // DATABASE_EVERY)
    inner = services - stores
    names = [_name(i) for i in range(inner)]
    databases = [f"db-{i + 1}" for i in range(stores)]
    made = [_service(seed, i, names, databases) for i in range(inner)]
    return Topology.of((*_reached(made), *(_database(n) for n in databases)))


def _name(i: int) -> str:
    noun, turn = NOUNS[i % len(NOUNS)], i // len(NOUNS)
    return f"{noun}-service" if not turn else f"{noun}-service-{turn + 1}"


def _service(seed: int, i: int, names: list[str], databases: list[str]) -> Service:
    """Return a service that calls up to three later ones, and perhaps a database."""
    calls: dict[str, Call] = {}
    later = len(names) - i - 1
    for k in range(min(later, 1 + noise.number(seed, i, "fan") % 3)):
        reach = min(later, 40)
        callee = names[i + 1 + noise.number(seed, i, k, "callee") % reach]
        share = noise.between(0.15, 0.6, seed, i, k, "share")
        calls[callee] = Call(callee=callee, per_request=share, operation=f"GET /{callee}")
    database = databases[i % len(databases)]
    calls[database] = Call(callee=database, per_request=0.5, operation="SELECT")
    return Service(
        name=names[i], role=Role.HTTP, median_s=noise.between(0.003, 0.03, seed, i, "median"),
        cpu_s=noise.between(0.002, 0.012, seed, i, "cpu"), replicas=2 + noise.number(seed, i) % 3,
        calls=tuple(calls.values()), entry_share=1.0 if i == 0 else 0.0, pool=10,
        language=noise.choice(("go", "java", "python", "node"), seed, i, "language"),
        version=f"v{1 + i % 7}.{i % 10}.{1 + i % 5}", owner=f"team-{i % 12 + 1}",
    )  # fmt: skip


def _reached(made: list[Service]) -> list[Service]:
    """Return the services, those that nobody calls entered from outside."""
    called = {c.callee for s in made for c in s.calls}
    return [s if s.name in called or s.entry_share else _entered(s) for s in made]


def _entered(service: Service) -> Service:
    return replace(service, entry_share=0.5)


def _database(name: str) -> Service:
    return Service(
        name=name, role=Role.DATABASE, median_s=0.002, cpu_s=0.0008, replicas=1, port=5432,
        language="postgres", version="15.6", memory_limit=8192, memory_base=4200, threads=200,
        shape=2.9,
    )  # fmt: skip
