"""The durable engine behind a narrow door: named workflows, named steps, messages, waits.

Rules for a workflow's body, which make `kill -9` harmless: effects happen in `step` only; between
steps there is no clock and no randomness; what goes in and out of the journal is JSON. A step runs
at least once, so what it does must be safe to do again. The application version is pinned: a change
of the order of steps in a kind of workflow that may be running needs `patched`.
"""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos import Serializer as JournalSerializer

from bot.domain.codec import decode, encode
from bot.domain.errors import Permanent, SreBotError, Transient, Unavailable

T = TypeVar("T")
Body = Callable[..., Coroutine[Any, Any, Any]]

APPLICATION_VERSION = "1"
ALIVE = frozenset(("PENDING", "ENQUEUED", "DELAYED"))
ATTEMPTS = 10  # of a step whose trouble is transient: 0.5 s, 1 s, 2 s, … about 4 minutes in all


class JsonSerializer(JournalSerializer):
    """The journal in plain JSON: readable, and no code in the database."""

    def name(self) -> str:
        """Return the name that is stored beside each value."""
        return "sre_bot_json"

    def serialize(self, data: Any) -> str:
        """Return JSON; an exception becomes its type's name and text."""
        if isinstance(data, BaseException):
            data = {"$error": type(data).__name__, "text": str(data)}
        return json.dumps(data, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        """Return the value, or the error that was stored."""
        data = json.loads(serialized_data)
        if isinstance(data, dict) and "$error" in data:
            return Permanent(data["text"])
        return data


class Engine:
    """Starts, feeds and stops workflows. One per process."""

    def __init__(self, journal: str, *, executor_id: str, poll_s: float = 0.1) -> None:
        _prefer_wal(journal)
        config: DBOSConfig = {
            "name": "sre-bot",
            "system_database_url": journal,
            "executor_id": executor_id,
            "application_version": APPLICATION_VERSION,
            "serializer": JsonSerializer(),
            "notification_listener_polling_interval_sec": poll_s,
            "log_level": "WARNING",
        }
        self._dbos = DBOS(config=config)
        self._bodies: dict[str, Body] = {}
        self._poll_s = poll_s
        self._under_way: set[asyncio.Future[Any]] = set()

    def register(self, name: str, body: Body) -> None:
        """Make `body` a workflow of that name. All of them, before `launch`."""

        async def run(*arguments: Any) -> Any:  # a plain function: the engine marks it
            return await body(*arguments)

        self._bodies[name] = DBOS.workflow(name=name, max_recovery_attempts=None)(run)

    def launch(self) -> None:
        """Start, and take up again what a crash left. Call it inside the running event loop."""
        DBOS.launch()

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
        """Return how many workflows are not at their end."""
        found = await DBOS.list_workflows_async(status="PENDING", load_input=False)
        return len(found)

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
        DBOS.destroy(destroy_registry=True)


async def step(
    name: str, kind: type[T], work: Callable[[], Awaitable[T]], *, attempts: int = ATTEMPTS
) -> T:
    """Run `work` as a step and return its result; after a crash, what the journal says it returned.

    `Transient` and unforeseen errors are tried again, other domain errors end the workflow: work
    that can be refused returns that as a value.
    """

    async def body() -> Any:
        return encode(await work())

    options: Any = {
        "name": name,
        "retries_allowed": attempts > 1,
        "max_attempts": attempts,
        "interval_seconds": 0.5,
        "backoff_rate": 2.0,
        "should_retry": _is_transient,
    }
    return decode(kind, await DBOS.run_step_async(options, body))


async def do(name: str, work: Callable[[], Awaitable[None]], *, attempts: int = ATTEMPTS) -> None:
    """Run `work` as a step that returns nothing."""

    async def body() -> bool:
        await work()
        return True

    await step(name, bool, body, attempts=attempts)


async def receive(topic: str, *, timeout_s: float) -> Any:
    """Wait for a message on a topic; None after the timeout. The deadline survives a restart."""
    return await DBOS.recv_async(topic, timeout_seconds=max(0.0, timeout_s))


async def pause(seconds: float) -> None:
    """Wait; the end of the wait survives a restart."""
    await DBOS.sleep_async(seconds)


async def patched(change: str) -> bool:
    """Whether this run takes the changed path; runs that began before the change don't."""
    return bool(await DBOS.patch_async(change))


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, Transient) or not isinstance(error, SreBotError)


def _prefer_wal(journal: str) -> None:
    """Set write-ahead logging once in the file: three times the throughput, still durable."""
    if not journal.startswith("sqlite:///"):
        return
    path = Path(journal.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
