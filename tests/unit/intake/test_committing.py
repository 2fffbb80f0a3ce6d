"""Requests share transactions; each is answered as its own signals fare."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from bot.domain.errors import Unavailable
from bot.domain.signal import Signal
from bot.intake.committing import GroupCommit, Queue
from tests.unit.intake.doorway import NOW
from tests.unit.storage.test_inbox import a_signal


@dataclass
class Store:
    """Keeps batches; fails as often as it is told to, and waits while it is shut."""

    batches: list[list[str]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)

    def put_now(self, signals: Sequence[tuple[Signal, datetime]]) -> list[int]:
        assert self.open.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append([signal.key for signal, _ in signals])
        return []

    @property
    def kept(self) -> list[str]:
        return [key for batch in self.batches for key in batch]


@pytest.fixture
def store() -> Store:
    store = Store()
    store.open.set()
    return store


@pytest.fixture
async def commits(store: Store) -> AsyncIterator[GroupCommit]:
    commits = GroupCommit(store, Queue(signals=100, batch=10, patience_s=1.0))
    yield commits
    store.open.set()
    await commits.close()
    assert commits.length == 0


def named(*names: str) -> list[Signal]:
    return [a_signal(f"webhook:{name}") for name in names]


async def test_what_lines_up_while_one_commits_goes_together_and_in_order(
    commits: GroupCommit, store: Store
) -> None:
    store.open.clear()
    puts = [asyncio.create_task(commits.put(named(f"{n:02}"), NOW)) for n in range(25)]
    await asyncio.sleep(0.02)
    assert not any(put.done() for put in puts)
    store.open.set()
    await asyncio.gather(*puts)
    assert store.kept == [f"webhook:{n:02}" for n in range(25)]
    assert len(store.batches) <= 4


async def test_a_large_delivery_is_one_transaction(commits: GroupCommit, store: Store) -> None:
    await commits.put(named(*map(str, range(150))), NOW)
    assert [len(batch) for batch in store.batches] == [150]


async def test_a_passing_failure_is_not_noticed(commits: GroupCommit, store: Store) -> None:
    store.failures = [Unavailable("database", "DeadlockDetected")]
    await commits.put(named("1"), NOW)
    assert store.kept == ["webhook:1"]


async def test_a_lasting_failure_is_told_to_everybody_and_the_next_may_try(
    commits: GroupCommit, store: Store
) -> None:
    store.failures = [Unavailable("database", "gone")] * 2
    results = await asyncio.gather(
        *(commits.put(named(n), NOW) for n in "ab"), return_exceptions=True
    )
    assert all(isinstance(r, Unavailable) for r in results)
    await commits.put(named("c"), NOW)
    assert store.kept == ["webhook:c"]


async def test_what_was_not_foreseen_reaches_the_sender_and_blocks_nobody(
    commits: GroupCommit, store: Store
) -> None:
    store.failures = [KeyError("surprise")]
    with pytest.raises(KeyError):
        await commits.put(named("a"), NOW)
    await commits.put(named("b"), NOW)
    assert store.kept == ["webhook:b"]


async def test_a_full_queue_refuses_more(commits: GroupCommit, store: Store) -> None:
    store.open.clear()
    first = asyncio.create_task(commits.put(named(*map(str, range(100))), NOW))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="too much waits"):
        await commits.put(named("more"), NOW)
    store.open.set()
    await first
    await commits.put(named("more"), NOW)
    assert "webhook:more" in store.kept


async def test_who_waits_too_long_is_told_to_come_again(store: Store) -> None:
    commits = GroupCommit(store, Queue(patience_s=0.05))
    store.open.clear()
    with pytest.raises(Unavailable, match="too long"):
        await commits.put(named("1"), NOW)
    store.open.set()
    await commits.close()
    assert store.kept == ["webhook:1"], "kept after all; the next attempt is known by its key"


async def test_nothing_is_committed_at_once(commits: GroupCommit, store: Store) -> None:
    await commits.put([], NOW)
    assert store.batches == []
