"""The durable engine behind a narrow door: named workflows, named steps, messages, waits.

Rules for a workflow's body, which make `kill -9` harmless: effects happen in `step` only; between
steps there is no clock and no randomness; what goes in and out of the journal is JSON. A step runs
at least once, so what it does must be safe to do again. The version is pinned: a change of the
order of steps in a kind of workflow that may be running needs `patched`, and a higher version.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from dbos import DBOS, DBOSConfig, SetWorkflowID

from bot.domain.codec import decode, encode
from bot.domain.errors import SreBotError, Unavailable
from bot.domain.own_incident import Failed
from bot.domain.telemetry import binding, telemetry, watched
from bot.supervision import supervised
from bot.workflows.cron import Cron
from bot.workflows.endings import ALIVE, Ending, count_alive, failed_since
from bot.workflows.journal import JsonSerializer, prepare_file, sqlite_file
from bot.workflows.naming import names_of, trace_of
from bot.workflows.patience import PATIENCE
from bot.workflows.running import AROUND, Around, do, patched, step
from bot.workflows.schedules import Due, Schedule, Schedules
from bot.workflows.seat import FileSeat, Seat, ServerSeat
from bot.workflows.strays import Strays
from bot.workflows.tidying import Tidying
from bot.workflows.timing import Timekeeper, WallTime
from bot.workflows.waiting import pause, receive

__all__ = ["Due", "Engine", "do", "patched", "pause", "receive", "step"]

T = TypeVar("T")
Body = Callable[..., Coroutine[Any, Any, Any]]

SINCE = "since:"
VERSION = 1  # of the workflows' code; docs/durability.md says when it goes up


class Engine:
    """Starts, feeds and stops workflows. One per process."""

    def __init__(
        self,
        journal: str,
        *,
        executor_id: str = "",
        poll_s: float = 0.1,
        time: Timekeeper | None = None,
        version: int = VERSION,
        seat: Seat | None = None,
    ) -> None:
        executor_id = executor_id or _own_id(journal)
        self._journal, self._executor_id, self._version = journal, executor_id, version
        self._seat = seat or _seat_at(journal, executor_id, version)
        config: DBOSConfig = {
            "name": "sre-bot",
            "system_database_url": journal,
            "executor_id": executor_id,
            "application_version": str(version),
            "serializer": JsonSerializer(),
            "notification_listener_polling_interval_sec": poll_s,
            "log_level": "WARNING",
        }
        self._dbos = DBOS(config=config)
        self._bodies: dict[str, Body] = {}
        self._poll_s = poll_s
        self._patience, self._telemetry = PATIENCE.get(), telemetry()  # of who starts it
        self._under_way: set[asyncio.Future[Any]] = set()
        self._time = time or WallTime()
        self._around = Around(time=self._time, send=self.send, fence=self._seat.check)
        self._schedules = Schedules(self, self._time)
        self._strays = Strays()
        self._tidying = Tidying(self._time, self._forgettable)
        self._beside: list[asyncio.Task[None]] = []  # what runs beside the workflows

    def register(self, name: str, body: Body) -> None:
        """Make `body` a workflow of that name. All of them, before `launch`."""

        async def run(*arguments: Any) -> Any:  # a plain function: the engine marks it
            AROUND.set(self._around)
            PATIENCE.set(self._patience)
            names = names_of(arguments)
            with (
                watched(self._telemetry),
                binding(workflow=str(DBOS.workflow_id), **names),
                self._telemetry.span(name, trace=trace_of(names)),
                Ending(self._telemetry, name),
            ):
                return await self._strays.run(body, *arguments)

        self._bodies[name] = DBOS.workflow(name=name, max_recovery_attempts=None)(run)

    def schedule(
        self, name: str, cron: str, zone: str, body: Callable[[Due], Awaitable[object]]
    ) -> None:
        """Run `body` as a workflow at every due time of `cron` in the time zone `zone`.

        `name` is kept in the journal ("digest:C0SHOP": at most 100 characters, no "@"), `cron` has
        five fields ("0 9 * * 1"). Every due time is started at most once, by whichever replica, and
        runs to its end whatever crashes: `body` is a workflow's body, with effects in steps only.
        Of the due times that passed while no bot ran, the newest alone is made up for, as soon as
        one runs again; `Due.missed` counts the others. Before the first launch with a name nothing
        is due. Call it before `launch`, on every replica alike; to change cron or zone, start again
        with others.

        Raises: NotConfigured: no such time zone, or no cron expression; ValueError: a bad name.
        """
        self._schedules.add(Schedule(name=name, cron=Cron(fields=cron, zone=zone)))

        async def due(data: Any) -> None:
            await body(decode(Due, data))

        async def known_since() -> str:
            return await step("known since", str, self._now)

        self.register(_due_kind(name), due)
        self.register(_since_kind(name), known_since)

    def launch(self) -> None:
        """Start, and take up again what a crash left. Call it inside the running event loop.

        Raises: NotConfigured: another process has this seat; Unavailable: no database.
        """
        self._seat.take()
        path = sqlite_file(self._journal)
        if path is not None:
            prepare_file(path, self._executor_id, self._version)
        DBOS.launch()
        loop = asyncio.get_running_loop()
        beside = (
            supervised("starting what is due", self._schedules.run),
            supervised("taking up strays", self._strays.watch),
            supervised("tidying the journal", self._tidying.watch),
        )
        self._beside = [loop.create_task(work) for work in beside]

    def check(self) -> None:
        """Return if this process may act; one that lost its seat to another ends here."""
        self._seat.check()

    async def start(self, name: str, workflow_id: str, *arguments: Any) -> None:
        """Start a workflow under an id; an id that was started before does nothing.

        Raises: Unavailable: it is not known whether it was; start it again.
        """

        async def begin() -> None:
            with SetWorkflowID(workflow_id):
                await DBOS.start_workflow_async(self._bodies[name], *arguments)

        await self._whole(begin())

    async def send(self, workflow_id: str, topic: str, message: Any, *, key: str) -> None:
        """Send a message once per key to a workflow that waits, or will wait, for it.

        Raises: Unavailable: it is not known whether it was sent; send it again.
        """
        await self._whole(DBOS.send_async(workflow_id, message, topic, idempotency_key=key))

    async def alive(self, workflow_id: str) -> bool:
        """Whether there is such a workflow, and it is not at its end. Raises: Unavailable."""
        status = await self._whole(DBOS.get_workflow_status_async(workflow_id))
        return status is not None and status.status in ALIVE

    async def result(self, workflow_id: str) -> Any:
        """Wait for a workflow's end and return its result."""
        handle: Any = await DBOS.retrieve_workflow_async(workflow_id)
        return await handle.get_result(polling_interval_sec=self._poll_s)

    async def unfinished(self) -> int:
        """Return how many workflows are not at their end: run, wait in a queue, or are put off.

        Raises: Unavailable.
        """
        return await self._whole(count_alive())

    async def failed(self, since: datetime) -> Sequence[Failed]:
        """Return what ended with an error since then, of all replicas. Raises: Unavailable."""
        return await self._whole(failed_since(since))

    async def start_due(self, name: str, run_id: str, due: Due) -> None:
        """Start a schedule's workflow, once per due time. Raises: Unavailable."""
        await self.start(_due_kind(name), run_id, encode(due))

    async def known_since(self, name: str) -> datetime:
        """Return when the schedule was first launched, by any replica. Raises: Unavailable."""
        kind = _since_kind(name)
        await self.start(kind, kind)
        return datetime.fromisoformat(await self._whole(self.result(kind)))

    async def newest_runs(self, name: str, limit: int) -> Sequence[str]:
        """Return the ids of a schedule's newest runs. Raises: Unavailable."""
        found = await self._whole(
            DBOS.list_workflows_async(
                name=_due_kind(name), limit=limit, sort_desc=True, load_input=False,
                load_output=False,
            )
        )  # fmt: skip
        return tuple(status.workflow_id for status in found)

    def _forgettable(self) -> Sequence[str]:
        """Return the kinds of workflows but those that say since when a schedule is known."""
        return [name for name in self._bodies if not name.startswith(SINCE)]

    async def _now(self) -> str:
        return self._time.now().isoformat()

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end even if the caller gives up.

        Cut in two, a start would leave a row in the journal that nobody carries out.
        """
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except SreBotError:
            raise
        except Exception as error:  # the journal's own database raises what it likes
            raise Unavailable("database", type(error).__name__) from error

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen: whoever waited was told

    def close(self) -> None:
        """Stop; what runs is taken up at the next launch."""
        for task in self._beside:
            task.cancel()
        DBOS.destroy(destroy_registry=True)
        self._seat.release()  # last: from now on others may take up what was left


def _due_kind(name: str) -> str:
    return f"due:{name}"


def _since_kind(name: str) -> str:
    return f"{SINCE}{name}"


def _seat_at(journal: str, executor_id: str, version: int) -> Seat:
    path = sqlite_file(journal)
    return FileSeat(path) if path else ServerSeat(journal, executor_id, version=version)


def _own_id(journal: str) -> str:
    """Return an executor id that no other replica has; what it leaves undone others take over."""
    return "local" if sqlite_file(journal) else f"{socket.gethostname()}-{uuid4().hex[:8]}"
