"""Limits that replicas keep together: whoever asks, no more get through than one may."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import Transient
from bot.domain.pacing import Rate
from bot.storage.database import Database
from bot.storage.pacing import LONGEST_HOLD_S, Paces

RATE = Rate(per_s=1.0, burst=3.0)


@dataclass
class Moved:
    """A clock that the test moves."""

    at: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def wall_seconds(self, seconds: float) -> float:
        return seconds


async def test_a_burst_goes_at_once_and_then_one_after_the_other(database: Database) -> None:
    clock = Moved()
    paces = Paces(database, clock)
    turns = [await paces.turn("k", RATE, longest_s=60) for _ in range(6)]
    assert turns == [0, 0, 0, 1, 2, 3]
    clock.at += timedelta(seconds=100)
    assert [await paces.turn("k", RATE, longest_s=60) for _ in range(4)] == [0, 0, 0, 1]
    assert await paces.turn("other", RATE, longest_s=60) == 0


async def test_replicas_share_one_budget(database: Database) -> None:
    clock = Moved()
    replicas = [Paces(database, clock) for _ in range(3)]
    turns = await asyncio.gather(
        *(replicas[n % 3].turn("k", RATE, longest_s=60) for n in range(12))
    )
    assert sorted(turns) == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]


async def test_a_turn_that_is_too_far_off_is_not_taken(database: Database) -> None:
    paces = Paces(database, Moved())
    for _ in range(3):
        await paces.turn("k", RATE, longest_s=0)
    for _ in range(2):
        with pytest.raises(Transient) as late:
            await paces.turn("k", RATE, longest_s=0.5)
        assert late.value.retry_after_s == 1
    assert await paces.turn("k", RATE, longest_s=1) == 1


async def test_what_slack_asks_of_one_replica_holds_for_all(database: Database) -> None:
    clock = Moved()
    one, other = Paces(database, clock), Paces(database, clock)
    await one.hold("k", RATE, 30)
    assert await other.turn("k", RATE, longest_s=60) == 30
    clock.at += timedelta(seconds=60)
    assert await other.turn("k", RATE, longest_s=60) == 0


async def test_a_clock_that_jumped_back_does_not_silence_the_bot(database: Database) -> None:
    clock = Moved()
    paces = Paces(database, clock)
    await paces.turn("k", RATE, longest_s=60)
    clock.at -= timedelta(days=30)
    with pytest.raises(Transient):
        await paces.turn("k", RATE, longest_s=60)
    clock.at += timedelta(seconds=LONGEST_HOLD_S + 60)
    assert await paces.turn("k", RATE, longest_s=60) < 1


@pytest.mark.parametrize(("per_s", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_that_lets_nothing_through_is_refused(per_s: float, burst: float) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Rate(per_s=per_s, burst=burst)
