"""A replica that lost its seat while it was at the door does not act; who took over does, once."""

import pytest

from bot.domain.action import ExecutionStatus, Level
from tests.unit.remediation.office import KEY, Office


class Left(BaseException):
    """The process ended itself."""


async def test_who_lost_its_seat_ends_before_it_acts() -> None:
    office = Office()
    await office.staged_at(Level.L3)
    await office.approve()

    def leave() -> None:
        raise Left

    office.fence = leave
    with pytest.raises(Left):
        await office.execute()
    assert office.writes == []
    office.fence = tuple  # another replica, which has a seat
    acted = await office.execute()
    assert acted.execution is not None
    assert acted.execution.status is ExecutionStatus.APPLIED
    assert office.writes == [(KEY, "checkout", 40)]
