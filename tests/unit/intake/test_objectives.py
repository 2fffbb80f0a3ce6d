"""Error budgets that burn too fast are told once, and so is their end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.domain.errors import Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.signal import Phase, Severity, Signal
from bot.domain.snapshot import Objective, Snapshot, Source
from bot.intake.objectives import CALM_LOOKS, ObjectiveWatch
from tests.unit.intake.doorway import NOW
from tests.unit.intake.test_kubernetes_events import Box
from tests.unit.remediation.office import FakeClock


@dataclass
class World:
    """Burn rates by window in seconds; None: no objective is there."""

    rates: dict[float, float | None] = field(default_factory=dict)
    down: bool = False
    asked: int = 0

    async def __call__(self, needs: Sequence[Need]) -> Snapshot:
        (need,) = needs
        assert need.fact is Fact.OBJECTIVES
        self.asked += 1
        if self.down:
            raise Unavailable("metrics", "gone")
        source = Source(system="prometheus", query="q", window=need.window)
        rate = self.rates.get(round(need.window.seconds))
        found = Objective(
            service="checkout", signal="error_ratio", threshold=0.001, target_ratio=0.999,
            burn_rate=rate, source=source,
        )  # fmt: skip
        there = (found,) if self.rates else ()
        return Snapshot(environment="prod", window=need.window, now=NOW, objectives=there)


FAST = {300.0: 40.0, 3600.0: 20.0, 1800.0: 30.0, 21600.0: 3.0}
SLOW = {300.0: 8.0, 3600.0: 8.0, 1800.0: 8.0, 21600.0: 7.0}


@dataclass
class Watched:
    world: World = field(default_factory=World)
    box: Box = field(default_factory=Box)
    clock: FakeClock = field(default_factory=lambda: FakeClock(moment=NOW))

    def __post_init__(self) -> None:
        self.watch = self.anew()

    def anew(self) -> ObjectiveWatch:
        return ObjectiveWatch("prod", self.world, self.box, wall=self.clock, world=self.clock)  # type: ignore[arg-type]

    async def look(self, rates: dict[float, float], times: int = 1) -> list[Signal]:
        self.world.rates = dict(rates)
        before = len(self.box.kept)
        for _ in range(times):
            self.clock.moment += timedelta(seconds=60)
            await self.watch.step()
        return self.box.kept[before:]


@pytest.mark.parametrize(("rates", "severity"), [(FAST, Severity.CRITICAL), (SLOW, Severity.HIGH)])
async def test_a_budget_that_burns_too_fast_is_told_once(
    rates: dict[float, float], severity: Severity
) -> None:
    (signal,) = await Watched().look(rates, times=5)
    assert (signal.phase, signal.severity, signal.services) == (
        Phase.FIRING, severity, ("checkout",),
    )  # fmt: skip
    assert signal.subject == "objective:prod:checkout:error_ratio"
    assert "99.9000% good" in signal.text


@pytest.mark.parametrize(
    "rates",
    [{}, {300.0: 40.0, 3600.0: 2.0}, {300.0: 1.0, 3600.0: 40.0}, {300.0: 14.4, 3600.0: 14.4}],
)
async def test_one_window_alone_is_not_enough(rates: dict[float, float]) -> None:
    assert await Watched().look(rates, times=3) == []


async def test_a_calm_budget_costs_two_queries() -> None:
    watched = Watched()
    await watched.look({300.0: 0.5})
    assert watched.world.asked == 2


async def test_its_end_is_told_once_after_some_calm_and_it_can_begin_again() -> None:
    watched = Watched()
    (began,) = await watched.look(FAST)
    assert await watched.look({300.0: 0.1}, times=CALM_LOOKS - 1) == []
    assert await watched.look(FAST) == []
    (over,) = await watched.look({300.0: 0.1}, times=CALM_LOOKS + 3)
    assert (over.phase, over.subject) == (Phase.RESOLVED, began.subject)
    (again,) = await watched.look(FAST)
    assert len({began.key, over.key, again.key}) == 3


async def test_what_gets_worse_is_told_again() -> None:
    watched = Watched()
    assert [s.severity for s in await watched.look(SLOW)] == [Severity.HIGH]
    assert [s.severity for s in await watched.look(FAST)] == [Severity.CRITICAL]
    assert await watched.look(SLOW) == []


async def test_what_could_not_be_kept_is_told_at_the_next_look() -> None:
    watched = Watched(box=Box(failures=1))
    with pytest.raises(Unavailable):
        await watched.look(FAST)
    assert len(await watched.look(FAST)) == 1


async def test_a_look_that_fails_ends_nothing() -> None:
    watched = Watched()
    await watched.look(FAST)
    watched.world.down = True
    for _ in range(CALM_LOOKS + 1):
        with pytest.raises(Unavailable):
            await watched.watch.step()
    watched.world.down = False
    assert await watched.look(FAST) == []


async def test_after_a_restart_the_end_is_told_too() -> None:
    watched = Watched()
    (began,) = await watched.look(FAST)
    watched.watch = watched.anew()
    watched.watch.resume([began])
    assert await watched.look(FAST) == []
    (over,) = await watched.look({300.0: 0.1}, times=CALM_LOOKS)
    assert over.phase is Phase.RESOLVED
