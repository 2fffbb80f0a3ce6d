"""All that the world serves, as Starlette routes under `/world/{env}` and `/control`."""

from starlette.routing import BaseRoute

from bot.sandbox.world.kubernetes import api as kubernetes
from bot.sandbox.world.prometheus import api as prometheus
from bot.sandbox.world.running import World


def routes(world: World) -> list[BaseRoute]:
    """Return every route of the world."""
    return [*kubernetes.routes(world), *prometheus.routes(world)]
