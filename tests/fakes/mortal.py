"""The real bot in a process that kills itself with SIGKILL at named points of its life.

It is forked from a server process that has everything loaded, so that a life costs no start.
Nothing of the bot is replaced. Only the pace at which one message is edited is quicker than in
production, and slow answers are waited for longer.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import bot.app.serving as serving
import tools.catalog
from bot.app.doorkeeper import doorkeeper
from bot.domain.time import ScaledClock
from bot.sandbox import server
from bot.sandbox.app import create_app
from bot.sandbox.pagerduty.routes import sandbox_pagerduty
from bot.sandbox.workspace.state import Workspace
from bot.sandbox.world.routes import routes
from bot.sandbox.world.running import World
from bot.settings import load
from tests.fakes.mischief import mischief
from tests.fakes.reaper import BEFORE, DONE, KEPT, Point, Reaper, moments, traced
from tests.fakes.workspace import QUICK
from tools.clients.http import HttpSource
from tools.clients.kubernetes import Kubernetes

__all__ = ["BEFORE", "DONE", "KEPT", "Life", "Point", "company", "forked", "moments", "traced"]

EDIT_EVERY_S = 0.1
PATIENCE_S = 25.0
READY_WITHIN_S = 60.0


def _be_patient() -> None:
    """Let the systems that are read be slow: on a busy machine they are."""
    for kind in tools.catalog.read_tool_types().values():
        kind.timeout_s = PATIENCE_S
    for client in (HttpSource, Kubernetes):
        init = client.__init__

        def patient(self: Any, *arguments: Any, init: Any = init, **options: Any) -> None:
            init(self, *arguments, **{**options, "timeout_s": PATIENCE_S})

        client.__init__ = patient  # type: ignore[method-assign]


def live(
    variables: Mapping[str, str], log: str, trace: str, deaths: frozenset[Point], told: Connection
) -> None:
    """Be the bot, until the first point of death."""
    os.environ.update(variables)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    Reaper(trace=Path(trace), deaths=deaths).follow()
    _be_patient()
    notifier: Any = partial(serving.SlackNotifier, edit_interval_s=EDIT_EVERY_S)
    serving.SlackNotifier = notifier  # type: ignore[misc]
    settings = load()
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined] # else it may have no door
    with doorkeeper(settings) as door:
        asyncio.run(serving.serve(settings, door, ready=told.send))


def company(origin: str, rate: float, told: Connection) -> None:
    """Be the sandbox company, without limits on how fast one may post."""
    clock = ScaledClock(origin=datetime.fromisoformat(origin), rate=rate)
    workspace, world = Workspace(clock, limits=QUICK), World(clock, 1)
    pager = sandbox_pagerduty(ScaledClock(origin=clock.origin))
    extra = [*routes(world), *pager.routes(), mischief(world)]
    app = create_app(workspace, extra=extra, running=(pager.deliverer.running(),))
    asyncio.run(server.serve(workspace, app, ready=told.send))


def forked(target: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Start `target` in a forked process; its last argument is a pipe, whose end is returned."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.fakes.mortal", "tests.fakes.warm"])
    told, child = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, child), daemon=True)
    process.start()
    child.close()
    return process, told


class Life:
    """One life of the bot."""

    def __init__(
        self, variables: Mapping[str, str], home: Path, deaths: Iterable[Point] = ()
    ) -> None:
        log, trace = str(home / "bot.log"), str(home / "trace.jsonl")
        self.process, self._told = forked(live, dict(variables), log, trace, frozenset(deaths))

    def ready(self) -> dict[str, Any]:
        """Wait until it listens; what it says of itself. {}: it died before."""
        try:
            if self._told.poll(READY_WITHIN_S):
                facts: dict[str, Any] = self._told.recv()
                return facts
        except EOFError:
            return {}
        raise AssertionError("the bot did not start in time; its log says why")

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def end(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.join()
        self._told.close()
        self.process.close()
