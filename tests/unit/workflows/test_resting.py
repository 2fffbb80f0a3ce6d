"""Triage leaves the processor to others: the longer a round took, the longer it rests."""

import asyncio

import pytest

from bot.workflows import triaging
from bot.workflows.triaging import EVERY_S, LONGEST_REST_S, REST, Triage


class Rounds(Triage):
    """Rounds that take as long as the test says; then it is stopped."""

    def __init__(self, rounds: list[tuple[float, bool]]) -> None:
        self.rounds, self.clock = rounds, 0.0

    async def round(self) -> bool:
        if not self.rounds:
            raise asyncio.CancelledError
        took, more = self.rounds.pop(0)
        self.clock += took
        return more


async def test_it_rests_in_proportion_but_never_long_and_not_at_all_before_a_backlog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rested: list[float] = []

    async def sleep(seconds: float) -> None:
        rested.append(seconds)

    triage = Rounds([(0.01, False), (0.8, False), (60.0, False), (5.0, True)])
    monkeypatch.setattr(triaging.time, "monotonic", lambda: triage.clock)
    monkeypatch.setattr(triaging.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await triage.run()
    assert rested == pytest.approx([EVERY_S, REST * 0.8, LONGEST_REST_S, 0.0])
