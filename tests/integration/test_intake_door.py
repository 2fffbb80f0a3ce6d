"""The door as a process of its own before a real database: what it accepted is there."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.cli.bench_intake import Load, _request, _status
from bot.cli.bench_intake_door import run
from bot.storage.database import Database
from bot.storage.signal_tables import InboxRow

SECRET = "a-secret-of-24-letters-x"
SENDERS = 16
pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
]  # each starts processes and sends for seconds


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@contextmanager
def door(url: str) -> Iterator[tuple[Any, int]]:
    """Yield the process and its port; at the end it is killed, if it still runs."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run, args=(url, SECRET, theirs), daemon=True)
    process.start()
    try:
        assert ours.poll(60)
        yield process, int(ours.recv())
    finally:
        process.kill()
        process.join(10)
        assert not process.is_alive()


async def send(
    port: int, numbers: list[int], answered: dict[int, int], pause_s: float = 0.0
) -> None:
    """Send each once from several connections; note the status of what is answered."""
    left = list(reversed(numbers))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while left:
                number = left.pop()
                writer.write(_request(Load(rate=0, seconds=0, secret=SECRET, port=port), number))
                answered[number] = await _status(reader)
                await asyncio.sleep(pause_s)
        except (OSError, asyncio.IncompleteReadError):
            return  # the door is gone
        finally:
            writer.close()

    await asyncio.gather(*(one() for _ in range(SENDERS)))


def stored(url: str) -> list[str]:
    database = Database(url)
    try:
        return database.run_now(lambda s: list(s.scalars(select(InboxRow.key))))
    finally:
        database.close()


def key(number: int) -> str:
    if number % 2:
        return f"alertmanager::{number:016x}:2026-03-01T12:00:00Z:firing"
    return f"pagerduty:01BENCH{number}"


@pytest.mark.parametrize("after_s", [0.05, 0.3, 0.8])
async def test_what_was_accepted_before_a_kill_is_there_and_the_rest_can_be_sent_again(
    url: str, after_s: float
) -> None:
    numbers, answered = list(range(6_000)), dict[int, int]()
    with door(url) as (process, port):
        sending = asyncio.create_task(send(port, numbers, answered))
        while not answered:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)
        await asyncio.sleep(after_s)
        process.kill()
        await sending
    accepted = {key(n) for n, status in answered.items() if status == 202}
    assert accepted
    assert len(answered) < len(numbers), "killed too late to tell"
    assert accepted <= set(stored(url))
    with door(url) as (_, port):
        again = dict[int, int]()
        await send(port, numbers[:600], again)
    assert set(again.values()) == {202}
    found = stored(url)
    assert len(found) == len(set(found))
    assert {key(n) for n in numbers[:600]} | accepted <= set(found)


async def test_while_the_database_is_away_nothing_is_accepted_and_then_all_is(
    postgres_url: str,
) -> None:
    import psycopg

    server = postgres_url.replace("postgresql+psycopg://", "postgresql://").rsplit("/", 1)[0]
    name = postgres_url.rsplit("/", 1)[1]

    def set_away(*, away: bool) -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            allow = "false" if away else "true"
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allow}")  # type: ignore[arg-type]
            if away:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (name,),
                )

    numbers, answered = list(range(600)), dict[int, int]()
    with door(postgres_url) as (_, port):
        sending = asyncio.create_task(send(port, numbers, answered, pause_s=0.05))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(set_away, away=True)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(set_away, away=False)
        await sending
        assert set(answered.values()) == {202, 503}
        refused = [n for n, status in answered.items() if status == 503]
        again = dict[int, int]()
        await send(port, refused, again)
    assert set(again.values()) == {202}
    assert sorted(stored(postgres_url)) == sorted(map(key, numbers))
