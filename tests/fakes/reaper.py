"""Follows the bot's workflows from moment to moment, and kills it with SIGKILL at some of them.

Its door is a process forked from it, and what dies there takes the bot along.

Nothing of the bot is replaced; what it calls is wrapped to say where it is. A moment inside a step
is one at which something outside of the process has just changed: a transaction that wrote, a
message that Slack took, an object of the cluster that was written.
"""

import functools
import hashlib
import json
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dbos
import sqlalchemy

from bot.intake.committing import GroupCommit
from bot.slack.web import Web
from bot.storage.database import Database
from bot.workflows.page_buttons import PageClicks
from bot.workflows.paging import Paging
from bot.workflows.showing import Showing
from bot.workflows.teammate import SreBot
from bot.workflows.triaging import Triage
from tools.clients.http import HttpSource
from tools.clients.kubernetes import Kubernetes
from tools.clients.pagerduty import PagerDuty

BEFORE, DONE, KEPT = "before its work", "after its effect", "after its checkpoint"
WRITING = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+\W?(\w+)", re.I)
PACE = "paces"  # when the next call may go: no record of anything
TELLING = ("chat.", "files.", "views.", "reactions.", "pins.", "bookmarks.")


@dataclass(frozen=True, kw_only=True)
class Point:
    """A moment in the life of a workflow: a step of its kind, and where in or around it.

    `number` counts the moments of the same name inside the step; 0 for what is around it.
    """

    kind: str
    step: str
    where: str
    number: int = 0

    def __str__(self) -> str:
        where = f"inside, after {self.where} ({self.number})" if self.number else self.where
        return f"{self.kind} · {self.step} · {where}"

    def died(self, home: Path) -> Path:
        """Return the file that is there once the bot died here in that home."""
        return home / f"died-{hashlib.sha256(str(self).encode()).hexdigest()[:16]}"


@dataclass
class Step:
    """A step that runs, and how often each kind of moment has passed inside it."""

    kind: str
    name: str
    passed: Counter[str] = field(default_factory=Counter)
    over: bool = False


RUNNING: ContextVar[Step | None] = ContextVar("running", default=None)
WORK = threading.local()  # `tables`: those that the unit of work on this thread has written


@dataclass
class Reaper:
    """Writes down the points that are passed, and kills at each of `deaths` once."""

    trace: Path
    deaths: frozenset[Point]
    bot: int = field(default_factory=os.getpid)

    def at(self, point: Point) -> None:
        with self.trace.open("a", encoding="utf-8") as file:
            file.write(json.dumps([point.kind, point.step, point.where, point.number]) + "\n")
        if point in self.deaths and self._first(point):
            os.kill(self.bot, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    def inside(self, what: str) -> None:
        """Note a moment inside the step that runs here, if one does."""
        step = RUNNING.get()
        if step is not None and not step.over:
            step.passed[what] += 1
            self.at(Point(kind=step.kind, step=step.name, where=what, number=step.passed[what]))

    async def around(self, kind: str, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do the work of a step, with a moment before and one after."""
        step = Step(kind=kind, name=name)
        RUNNING.set(step)
        self.at(Point(kind=kind, step=name, where=BEFORE))
        result = await work()
        step.over = True
        self.at(Point(kind=kind, step=name, where=DONE))
        return result

    def _first(self, point: Point) -> bool:
        """Whether nobody died here before: of several replicas, or lives, one does."""
        try:
            point.died(self.trace.parent).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def follow(self) -> None:
        """Wrap what the bot calls."""
        self._follow_steps()
        for name in ("recv_async", "start_workflow_async"):
            self._follow_engine(name)
        self._follow_transactions()
        self._follow_slack()
        self._follow_writes()
        self._follow_people()
        self._follow_loops()

    def _follow_steps(self) -> None:
        run = dbos.DBOS.run_step_async

        async def followed(options: Any, body: Callable[[], Any], *rest: Any) -> Any:
            kind, name = _kind(), options["name"]

            async def mortal() -> Any:
                return await self.around(kind, name, body)

            result = await run(options, mortal, *rest)
            self.at(Point(kind=kind, step=name, where=KEPT))
            return result

        dbos.DBOS.run_step_async = followed

    def _follow_engine(self, name: str) -> None:
        """Follow what a workflow asks of the engine: a message, another workflow."""
        call = getattr(dbos.DBOS, name)

        async def followed(*arguments: Any, **options: Any) -> Any:
            inside = dbos.DBOS.workflow_id is not None
            if inside:
                self.at(Point(kind=_kind(), step=name, where=BEFORE))
            result = await call(*arguments, **options)
            if inside:
                self.at(Point(kind=_kind(), step=name, where=KEPT))
            return result

        setattr(dbos.DBOS, name, followed)

    def _follow_transactions(self) -> None:
        run = Database.run

        async def followed(database: Database, work: Any) -> Any:
            written: set[str] = set()

            def noted(session: Any) -> Any:
                written.clear()
                WORK.tables = written
                return work(session)

            result = await run(database, noted)
            if tables := sorted(written - {PACE}):
                self.inside(f"writing {', '.join(tables)}")
            return result

        Database.run = followed  # type: ignore[method-assign]

        @sqlalchemy.event.listens_for(sqlalchemy.Engine, "after_cursor_execute")
        def executed(_c: Any, cursor: Any, statement: str, *_rest: Any) -> None:
            tables: set[str] | None = getattr(WORK, "tables", None)
            if tables is not None and cursor.rowcount and (found := WRITING.match(statement)):
                tables.add(found[1])

    def _follow_slack(self) -> None:
        call = Web.call

        async def followed(web: Web, method: str, *arguments: Any, **options: Any) -> Any:
            answer = await call(web, method, *arguments, **options)
            if method.startswith(TELLING):
                self.inside(method)
            return answer

        Web.call = followed  # type: ignore[method-assign]

    def _follow_writes(self) -> None:
        """Follow what is written to the watched systems; questions of rights write nothing."""
        call, send, page = Kubernetes.call, HttpSource.send, PagerDuty.send

        async def to_cluster(cluster: Kubernetes, request: Any) -> Any:
            answer = await call(cluster, request)
            reads = request.method == "GET" or request.query.get("dryRun")
            if not reads and "accessreviews" not in request.resource:
                self.inside(f"{request.method} {request.resource}")
            return answer

        async def to_system(source: HttpSource, method: str, path: str, **options: Any) -> Any:
            answer = await send(source, method, path, **options)
            if method in ("PUT", "PATCH", "DELETE"):
                self.inside(f"{method} to {source.system}")
            return answer

        async def to_pagerduty(client: PagerDuty, method: str, *arguments: Any) -> Any:
            answer = await page(client, method, *arguments)
            self.inside(f"{method} to PagerDuty")
            return answer

        PagerDuty.send = to_pagerduty  # type: ignore[method-assign, assignment]
        Kubernetes.call = to_cluster  # type: ignore[method-assign]
        HttpSource.send = to_system  # type: ignore[method-assign, assignment]

    def _follow_people(self) -> None:
        """Follow the taking of mentions and clicks: no steps, but nothing of it may be lost."""
        self._follow_taking(SreBot, "mention", "mentioned")
        self._follow_taking(SreBot, "click", "approve")
        self._follow_taking(PageClicks, "press", "press")

    def _follow_taking(self, taker: Any, kind: str, name: str) -> None:
        take = getattr(taker, name)

        async def followed(*said: Any) -> Any:
            return await self.around(kind, name, functools.partial(take, *said))

        setattr(taker, name, followed)

    def _follow_loops(self) -> None:
        """Follow what no workflow does: intake, and the rounds that go on from what is kept."""
        put = GroupCommit.put

        async def followed(commit: GroupCommit, *arguments: Any) -> None:
            await self.around("intake", "put", functools.partial(put, commit, *arguments))

        GroupCommit.put = followed  # type: ignore[method-assign]
        for kind, name in ((Triage, "round"), (Paging, "tick"), (Showing, "round")):
            self._follow_rounds(kind, name)

    def _follow_rounds(self, kind: Any, name: str) -> None:
        work = getattr(kind, name)

        async def followed(*arguments: Any) -> Any:
            RUNNING.set(Step(kind=kind.__name__.lower(), name=name))
            return await work(*arguments)

        setattr(kind, name, followed)


def _kind() -> str:
    workflow_id = str(dbos.DBOS.workflow_id)
    if workflow_id.startswith("inv-"):
        again = " again" if "-again" in workflow_id else ""
        return f"{'remediate' if '-p' in workflow_id else 'investigate'}{again}"
    return re.split("[-:]", workflow_id)[0]


def traced(home: Path) -> list[Point]:
    """Return the points that were passed, in order, again and again as they were."""
    lines = (home / "trace.jsonl").read_text(encoding="utf-8").splitlines()
    return [Point(kind=k, step=s, where=w, number=n) for k, s, w, n in map(json.loads, lines)]


def moments(trace: Iterable[Point]) -> list[Point]:
    """Return the points of a life that are moments of their own, in order, each once.

    What follows the last effect of a step is "after its effect"; what comes before a step that
    follows a checkpoint is "after its checkpoint".
    """
    points = list(trace)
    kept: dict[Point, None] = {}
    for n, point in enumerate(points):
        before = next((p for p in reversed(points[:n]) if p.kind == point.kind), point)
        after = next((p for p in points[n + 1 :] if p.kind == point.kind), point)
        same_as_after = point.number > 0 and after.where == DONE
        same_as_before = point.where == BEFORE and before.where == KEPT
        if not same_as_after and not same_as_before:
            kept.setdefault(point)
    return list(kept)
