"""A replica in a process of its own: jobs that begin, wait for an approval, act and end.

What it does is kept in SQL: `effects` has a line for each time that a step was carried out, `acts`
one for each job that was acted on, as an intent row guards an execution.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from bot.workflows.engine import Engine, do, patched, receive
from bot.workflows.journal import libpq_url
from bot.workflows.seat import Lease, ServerSeat

TABLES = """CREATE TABLE effects (job text, step text, replica text, at timestamptz DEFAULT
 clock_timestamp()); CREATE TABLE acts (job text PRIMARY KEY)"""
PATIENCE_S = 60.0
LEASE = Lease(lease_s=6.0, beat_s=0.3, margin_s=1.5)  # long enough for a busy machine
ACTS_FOR_S = 0.3  # how long acting takes: stopped in the middle, it ends after the wake-up


@dataclass(frozen=True, kw_only=True)
class Part:
    """How a replica is to be. `version` 2 tells somebody before it asks for an approval."""

    url: str
    name: str
    version: int = 1


class Jobs:
    """The workflow, as the code of that version has it."""

    def __init__(self, part: Part) -> None:
        self._part = part

    async def body(self, job: str) -> None:
        await self._effect(job, "first")
        if self._part.version > 1 and await patched("tell somebody"):
            await self._effect(job, "tell")
        if await receive("approval", timeout_s=PATIENCE_S) is None:
            return
        await do("act", lambda: self._act(job))
        await self._effect(job, "last")

    async def _effect(self, job: str, step: str) -> None:
        await do(step, lambda: self._note(job, step))

    async def _act(self, job: str) -> None:
        await self._note(job, "begin to act")
        await asyncio.sleep(ACTS_FOR_S)
        done = await self._sql("INSERT INTO acts VALUES (%s) ON CONFLICT DO NOTHING", job)
        if done:
            await self._note(job, "act")

    async def _note(self, job: str, step: str) -> None:
        sql = "INSERT INTO effects (job, step, replica) VALUES (%s, %s, %s)"
        await self._sql(sql, job, step, self._part.name)

    async def _sql(self, statement: str, *values: str) -> int:
        connection = await psycopg.AsyncConnection.connect(
            libpq_url(self._part.url), autocommit=True
        )
        async with connection:
            return (await connection.execute(statement, values)).rowcount


def be(part: Part, orders: Connection) -> None:
    """Be the replica: carry out orders ("start" or "approve", job) until told to leave."""
    asyncio.run(_be(part, orders))


async def _be(part: Part, orders: Connection) -> None:
    seat = ServerSeat(part.url, part.name, version=part.version, lease=LEASE)
    engine = Engine(part.url, executor_id=part.name, poll_s=0.05, version=part.version, seat=seat)
    engine.register("job", Jobs(part).body)
    engine.launch()
    signal.signal(signal.SIGCONT, lambda *_: engine.check())
    left = asyncio.Event()
    loop = asyncio.get_running_loop()
    doing: set[asyncio.Task[None]] = set()

    async def follow(order: str, job: str) -> None:
        if order == "leave":
            left.set()
        elif order == "start":
            await engine.start("job", job, job)
        else:
            await engine.send(job, "approval", "yes", key=f"{job} approved")

    def heard() -> None:
        task = asyncio.create_task(follow(*orders.recv()))
        doing.add(task)
        task.add_done_callback(doing.discard)

    loop.add_reader(orders.fileno(), heard)
    orders.send("ready")
    await left.wait()
    loop.remove_reader(orders.fileno())
    engine.close()


class Replica:
    """A replica, as the test sees it."""

    def __init__(self, part: Part) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.fakes.replica"])
        self.part = part
        self._orders, theirs = context.Pipe()
        self.process = context.Process(target=be, args=(part, theirs), daemon=True)
        self.process.start()
        theirs.close()
        assert self._orders.poll(PATIENCE_S), "the replica did not start"
        assert self._orders.recv() == "ready"

    def order(self, what: str, jobs: Sequence[str] = ("",)) -> None:
        for job in jobs:
            self._orders.send((what, job))

    def signal(self, number: int) -> None:
        import os

        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def ended(self) -> int | None:
        """Wait for its end and return its exit status."""
        self.process.join(PATIENCE_S)
        return self.process.exitcode

    def close(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self._orders.close()


def noted(url: str, question: str, *values: Any) -> list[Any]:
    """Return what SQL says of the effects."""
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        return connection.execute(question, values).fetchall()
