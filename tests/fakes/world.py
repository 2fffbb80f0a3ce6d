"""The sandbox's production on a real port, for tests that want to speak to it over HTTP."""

import ctypes
import gc
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette

from bot.domain.time import ScaledClock
from bot.sandbox.world.routes import routes
from bot.sandbox.world.running import World


@dataclass(frozen=True)
class OwnClock(ScaledClock):
    """A clock that shows `origin` when it is made, whatever the wall shows."""

    made: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.origin + (datetime.now(UTC) - self.made) * self.rate


@dataclass(frozen=True, kw_only=True)
class RunningWorld:
    """Where it listens, and the world itself for looking at its state."""

    url: str  # "http://127.0.0.1:PORT"
    world: World
    clock: ScaledClock

    def system(self, environment: str, system: str) -> str:
        """Return the base URL of kubernetes, prometheus, loki, jaeger, changes or flags."""
        return f"{self.url}/world/{environment}/{system}"


@contextmanager
def running_world(
    incident: str | None = None,
    seed: int = 0,
    rate: float = 1.0,
    environment: str = "prod",
    origin: datetime | None = None,
) -> Iterator[RunningWorld]:
    """Serve the world on loopback while the context lasts; its clock starts at `origin`, or now."""
    clock = OwnClock(origin=origin or datetime.now(UTC), rate=rate)
    world = World(clock, seed)
    if incident is not None:
        from bot.sandbox.world import catalog

        catalog.start(world, incident, seed, environment)
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:  # else asyncio sets no TCP_NODELAY
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        config = uvicorn.Config(Starlette(routes=routes(world)), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield RunningWorld(url=f"http://127.0.0.1:{port}", world=world, clock=clock)
        finally:
            server.should_exit = True
            thread.join(5.0)
            _give_back()


def _give_back() -> None:
    """Hand memory back to the system: glibc keeps what threads freed that are gone.

    A world takes some 300 MB for a moment; without this each one adds a hundred to its process.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
