"""A storm in one process: every alert kept, a thread for each cause, which is named."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.incident import Limits
from bot.domain.signal import Severity, Signal
from bot.triage.timing import Settling
from tests.fakes.storm import Storm, StormAlert, storm
from tests.unit.triage.samples import NOW
from tests.unit.workflows.ward import Ward

ALERTS = 600
MOST_THREADS = 8


@dataclass
class Driven:
    """A clock that only the test moves."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def wall_seconds(self, seconds: float) -> float:
        return seconds


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    made = Ward(tmp_path, settling=Settling(), limits=Limits(running=8), driven=Driven())
    yield made
    made.close()


def signal(ward: Ward, alert: StormAlert) -> Signal:
    return ward.signal(
        alert.service, subject=f"am:{alert.service}:{alert.rule}:{alert.pod}",
        title=f"{alert.rule}: {alert.pod}", at=NOW + timedelta(seconds=alert.at),
        severity=Severity.CRITICAL if alert.severity == "critical" else Severity.HIGH,
    )  # fmt: skip


async def blow(ward: Ward, made: Storm, *, crash_at: frozenset[int] = frozenset()) -> None:
    """Let the alerts come in second by second, and be triaged as they come."""
    assert isinstance(ward.clock, Driven)
    ward.graph.calls = made.calls
    left = list(made.alerts)
    for second in range(80):
        ward.clock.at = NOW + timedelta(seconds=second)
        due = [a for a in left if a.at <= second]
        left = left[len(due) :]
        await ward.arrive(*(signal(ward, a) for a in due))
        await ward.turn()
        if second in crash_at:
            ward.close()
            ward.open()
    await ward.until(lambda: len(ward.orders) == len(ward.tell.posted))
    await ward.until(lambda: sum(f.incident.alerts for f in ward.tell.faces) == subjects(made))


def subjects(made: Storm) -> int:
    return len({(a.service, a.rule, a.pod) for a in made.alerts})


def named(ward: Ward) -> set[str]:
    return {name for face in ward.tell.faces for name in face.origins}


async def test_a_storm_of_six_causes_is_a_thread_for_each_and_names_them(ward: Ward) -> None:
    made = storm(2026, alerts=ALERTS)
    await blow(ward, made)
    assert len(ward.tell.posted) <= MOST_THREADS
    assert named(ward) == set(made.causes)
    assert await ward.inbox.waiting() == 0
    assert {o.question.services[0] for o in ward.orders if o.question} == set(made.causes)


async def test_crashes_in_the_middle_of_it_lose_nothing_and_tell_nothing_twice(ward: Ward) -> None:
    made = storm(7, alerts=150)
    await blow(ward, made, crash_at=frozenset({4, 11, 23}))
    assert len(ward.tell.posted) == len(set(ward.tell.posted)) <= MOST_THREADS
    assert set(made.causes) <= named(ward)
    since = NOW - timedelta(days=1)
    standing = await ward.store.standing("prod", since)
    assert sum(s.incident.alerts for s in standing) == subjects(made)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
async def test_a_graph_with_holes_costs_threads_but_hides_no_cause(ward: Ward, seed: int) -> None:
    made = storm(seed, alerts=150)
    known = tuple(call for n, call in enumerate(made.calls) if n % 5)
    await blow(ward, Storm(calls=known, causes=made.causes, hit=made.hit, alerts=made.alerts))
    assert len(ward.tell.posted) <= MOST_THREADS
    assert set(made.causes) <= named(ward)
