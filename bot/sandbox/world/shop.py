"""The shop itself: its services, and how big each environment is."""

from dataclasses import dataclass

from bot.sandbox.world.topology import Call, Role, Service, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How big an environment is, beside production."""

    traffic: float  # requests per second that enter at noon
    replicas: float  # factor on the production replica count
    nodes: int


SIZES = {
    "dev": Size(traffic=4.0, replicas=0.25, nodes=3),
    "staging": Size(traffic=12.0, replicas=0.5, nodes=3),
    "prod": Size(traffic=160.0, replicas=1.0, nodes=5),
}


def shop() -> Topology:
    """Return the topology of the shop."""
    return Topology.of(_front() + _orders() + _stores() + _outside())


def _front() -> tuple[Service, ...]:
    return (
        Service(
            name="storefront", role=Role.HTTP, median_s=0.012, cpu_s=0.006, replicas=4, shape=4.5,
            entry_share=1.0, language="node", version="v9.3.1", threads=200, memory_limit=768,
            memory_base=340,
            calls=(
                Call(callee="sessions", per_request=1.0, operation="GET /session"),
                Call(callee="catalogue", per_request=1.1, operation="GET /items"),
                Call(callee="search", per_request=0.25, operation="GET /search"),
                Call(callee="recommendations", per_request=0.4, operation="GET /for-you",
                     timeout_s=1.0, soft=True),
                Call(callee="cart", per_request=0.3, operation="GET /cart"),
                Call(callee="checkout", per_request=0.07, operation="POST /checkout",
                     timeout_s=10.0),
            ),
        ),
        Service(
            name="catalogue", role=Role.HTTP, median_s=0.006, cpu_s=0.004, replicas=4, pool=20,
            version="v5.12.0",
            calls=(
                Call(callee="catalogue-cache", per_request=1.0, operation="GET", timeout_s=0.5),
                Call(callee="catalogue-db", per_request=0.25, operation="SELECT items"),
            ),
        ),
        Service(
            name="search", role=Role.HTTP, median_s=0.018, cpu_s=0.011, replicas=3, pool=12,
            language="java", version="v3.7.2", memory_limit=1024, memory_base=560,
            calls=(Call(callee="catalogue-db", per_request=0.6, operation="SELECT search"),),
        ),
        Service(
            name="recommendations", role=Role.HTTP, median_s=0.028, cpu_s=0.014, replicas=3,
            language="python", version="v2.18.4", memory_limit=1024, memory_base=480,
            calls=(
                Call(callee="catalogue", per_request=1.0, operation="GET /items"),
                Call(callee="catalogue-cache", per_request=1.0, operation="MGET", timeout_s=0.5),
            ),
        ),
        Service(
            name="sessions", role=Role.HTTP, median_s=0.003, cpu_s=0.0016, replicas=3,
            version="v4.1.0", entry_share=0.15,
            calls=(
                Call(callee="sessions-cache", per_request=1.4, operation="GET", timeout_s=0.5),
            ),
        ),
    )  # fmt: skip


def _orders() -> tuple[Service, ...]:
    return (
        Service(
            name="cart", role=Role.HTTP, median_s=0.005, cpu_s=0.003, replicas=3, version="v6.0.3",
            calls=(
                Call(callee="sessions-cache", per_request=1.6, operation="HGETALL", timeout_s=0.5),
            ),
        ),
        Service(
            name="checkout", role=Role.HTTP, median_s=0.030, cpu_s=0.016, replicas=4, pool=15,
            language="java", version="v2.40.0", memory_limit=1024, memory_base=520, shape=5.5,
            owner="team-payments",
            calls=(
                Call(callee="cart", per_request=1.0, operation="GET /cart", timeout_s=3.0),
                Call(callee="catalogue", per_request=3.0, operation="GET /items/{id}",
                     timeout_s=3.0),
                Call(callee="inventory", per_request=1.0, operation="POST /reserve", timeout_s=3.0),
                Call(callee="payment", per_request=1.0, operation="POST /charge", timeout_s=6.0),
                Call(callee="shipping", per_request=0.9, operation="POST /quote", timeout_s=3.0),
                Call(callee="orders-db", per_request=2.0, operation="INSERT orders", timeout_s=5.0),
                Call(callee="queue", per_request=1.0, operation="publish orders", soft=True),
            ),
        ),
        Service(
            name="payment", role=Role.HTTP, median_s=0.015, cpu_s=0.008, replicas=3, pool=10,
            language="java", version="v7.4.1", memory_limit=768, memory_base=420, shape=5.0,
            owner="team-payments",
            calls=(
                Call(callee="payment-provider", per_request=1.0, operation="POST /v1/charges",
                     timeout_s=4.0, retries=1),
                Call(callee="orders-db", per_request=1.0, operation="INSERT payments",
                     timeout_s=3.0),
            ),
        ),
        Service(
            name="inventory", role=Role.HTTP, median_s=0.006, cpu_s=0.004, replicas=3, pool=12,
            version="v3.3.0",
            calls=(Call(callee="orders-db", per_request=1.5, operation="UPDATE stock"),),
        ),
        Service(
            name="shipping", role=Role.HTTP, median_s=0.011, cpu_s=0.006, replicas=2, pool=8,
            language="python", version="v1.25.0",
            calls=(Call(callee="orders-db", per_request=0.7, operation="SELECT rates"),),
        ),
        Service(
            name="notifications", role=Role.WORKER, median_s=0.020, cpu_s=0.010, replicas=2,
            language="python", version="v2.2.5",
            calls=(
                Call(callee="email-provider", per_request=1.0, operation="POST /mail/send",
                     timeout_s=5.0, retries=1),
            ),
        ),
        Service(
            name="admin-reports", role=Role.BATCH, median_s=0.400, cpu_s=0.5, replicas=1, pool=4,
            language="python", version="v0.9.8", entry_share=0.004, memory_limit=2048,
            memory_base=700, cpu_limit=2.0, owner="team-data",
            calls=(
                Call(callee="orders-db", per_request=4.0, operation="SELECT report",
                     timeout_s=60.0),
            ),
        ),
        Service(
            name="analytics-export", role=Role.BATCH, median_s=0.700, cpu_s=0.4, replicas=1, pool=4,
            language="python", version="v1.4.2", entry_share=0.003, memory_limit=2048,
            memory_base=640, cpu_limit=2.0, owner="team-data",
            calls=(
                Call(callee="catalogue-db", per_request=3.0, operation="SELECT export",
                     timeout_s=60.0),
            ),
        ),
    )  # fmt: skip


def _stores() -> tuple[Service, ...]:
    return (
        Service(
            name="orders-db", role=Role.DATABASE, median_s=0.0022, cpu_s=0.0011, replicas=1,
            port=5432, language="postgres", version="15.6", cpu_limit=4.0, memory_limit=8192,
            memory_base=5100, threads=200, owner="team-platform", shape=2.9,
        ),
        Service(
            name="catalogue-db", role=Role.DATABASE, median_s=0.0025, cpu_s=0.0012, replicas=1,
            port=5432, language="postgres", version="15.6", cpu_limit=4.0, memory_limit=8192,
            memory_base=4600, threads=200, owner="team-platform", shape=2.9,
        ),
        Service(
            name="sessions-cache", role=Role.CACHE, median_s=0.0006, cpu_s=0.00006, replicas=1,
            port=6379, language="redis", version="7.2.4", cpu_limit=2.0, memory_limit=4608,
            memory_base=1500, threads=10000, owner="team-platform",
        ),
        Service(
            name="catalogue-cache", role=Role.CACHE, median_s=0.0006, cpu_s=0.00006, replicas=1,
            port=6379, language="redis", version="7.2.4", cpu_limit=2.0, memory_limit=2560,
            memory_base=1200, threads=10000, owner="team-platform",
        ),
        Service(
            name="queue", role=Role.QUEUE, median_s=0.0015, cpu_s=0.0003, replicas=1, port=5672,
            language="rabbitmq", version="3.13.1", cpu_limit=2.0, memory_limit=2048,
            memory_base=620, threads=2000, owner="team-platform",
            calls=(Call(callee="notifications", per_request=1.0, operation="deliver", soft=True),),
        ),
    )  # fmt: skip


def _outside() -> tuple[Service, ...]:
    return (
        Service(
            name="payment-provider", role=Role.EXTERNAL, median_s=0.140, cpu_s=0.0, replicas=1,
            port=443, version="", error_ratio=0.0004, shape=4.2,
        ),
        Service(
            name="email-provider", role=Role.EXTERNAL, median_s=0.090, cpu_s=0.0, replicas=1,
            port=443, version="", error_ratio=0.0004, shape=3.6,
        ),
    )  # fmt: skip
