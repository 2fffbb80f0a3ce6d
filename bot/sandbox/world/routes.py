"""All that the world serves, as Starlette routes under `/world/{env}` and `/control`."""

from starlette.routing import BaseRoute

from bot.sandbox.world import changes, control, flags
from bot.sandbox.world.jaeger import api as jaeger
from bot.sandbox.world.kubernetes import api as kubernetes
from bot.sandbox.world.loki import api as loki
from bot.sandbox.world.prometheus import api as prometheus
from bot.sandbox.world.running import World


def routes(world: World) -> list[BaseRoute]:
    """Return every route of the world."""
    return [
        *kubernetes.routes(world),
        *prometheus.routes(world),
        *loki.routes(world),
        *jaeger.routes(world),
        *changes.routes(world),
        *flags.routes(world),
        *control.routes(world),
    ]
