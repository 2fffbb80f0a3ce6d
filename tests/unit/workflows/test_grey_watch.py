"""The grey watch tells each quiet trouble once, whatever dies, and makes up for what it missed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import Unavailable
from bot.domain.needs import Need
from bot.domain.signal import Origin, Phase, Received, Severity, Signal
from bot.domain.snapshot import BlindSpot, Series, Snapshot, Source
from bot.perception.collector import Collected
from bot.storage.database import Database
from bot.storage.grey import GreyMemory
from bot.storage.inbox import SignalInbox
from bot.storage.migrate import upgrade
from bot.triage.grey.streams import NAMES, Kind, Stream
from bot.workflows.grey_watch import LEASE_S, GreyWatch, Parts
from tests.unit.triage.grey.shop import STREAMS
from tools.read.prometheus.series import aligned, step_for

BEGAN = datetime(2026, 11, 16, tzinfo=UTC)
DAY = 86400.0


@dataclass
class Clock:
    moment: datetime = BEGAN + timedelta(hours=30)

    def now(self) -> datetime:
        return self.moment

    def wall_seconds(self, seconds: float) -> float:
        return seconds

    def pass_(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class Metrics:
    """A collector over a company whose store fails 5 % from `ill` to `well` on."""

    clock: Clock
    ill: float = 1e12
    well: float = 1e12
    down: bool = False
    slow: bool = False  # only the first query is done in time
    asked: list[Need] = field(default_factory=list)

    def fresh(self) -> "Metrics":
        return self

    async def collect(self, needs: Sequence[Need]) -> Collected:
        (need,) = needs
        self.asked.append(need)
        step = step_for(need.window)
        window = aligned(need.window, step)
        first, last = window.start.timestamp(), window.end.timestamp()
        times = [first + step * i for i in range(int((last - first) / step) + 1)]
        now = self.clock.now().timestamp()
        times = [t for t in times if BEGAN.timestamp() <= t <= now and not self.down]
        series = tuple(one for s in STREAMS if times for one in self._series(s, tuple(times)))
        snapshot = Snapshot(environment="prod", window=window, now=window.end, series=series)
        if self.slow:
            spot = BlindSpot(
                system="metrics", reason="timed out", wanted="latency_p99 from metrics"
            )
            snapshot = replace(snapshot, series=series[:1], blind_spots=(spot,))
        return Collected(snapshot=snapshot, steps=())

    def _series(self, stream: Stream, times: tuple[float, ...]) -> list[Series]:
        edge = "edge_" if stream.kind is Kind.CALL else ""
        labels = {"peer": stream.other} if edge else {"pod": stream.other}
        rate = 2.0 if stream.kind is Kind.POD else 8.0
        values = {
            "rate" if edge else "request_rate": [rate] * len(times),
            "error_ratio": [self._failing(stream, t) for t in times],
            "latency_p99": [0.2 + 0.02 * _noise(stream.key, t) for t in times],
        }
        return [
            Series(
                signal=f"{edge}{name}", service=stream.service, times=times, values=tuple(v),
                unit="", source=Source(system="prometheus", query=""),
                labels=labels if stream.other else {},
            )
            for name, v in values.items()
        ]  # fmt: skip

    def _failing(self, stream: Stream, at: float) -> float:
        if "store" not in (stream.service, stream.other):
            return 0.0001
        here = min(max(at - self.ill, 0.0), 120.0) - min(max(at - self.well, 0.0), 120.0)
        return 0.0001 + 0.05 * here / 120.0


def _noise(*parts: object) -> float:
    return hashlib.blake2b(repr(parts).encode()).digest()[0] / 255.0 - 0.5


@dataclass
class Fragile:
    """An inbox that is down when a test says so."""

    inbox: SignalInbox
    down: bool = False

    async def put(self, signals: Sequence[Signal], at: datetime) -> int:
        if self.down:
            raise Unavailable("database", "down")
        return await self.inbox.put(signals, at)

    async def told(self) -> list[Signal]:
        return [r.signal for r in await self.inbox.take(100)]


@dataclass
class House:
    """One environment, its metrics, its database; `bot()` is a replica that has just started."""

    database: Database
    clock: Clock
    metrics: Metrics
    inbox: Fragile
    bots: int = 0

    def bot(self) -> GreyWatch:
        self.bots += 1
        parts = Parts(
            collectors={"prod": self.metrics}, inbox=self.inbox,  # type: ignore[dict-item,arg-type]
            memory=GreyMemory(self.database, f"bot-{self.bots}"), world=self.clock,
            wall=self.clock,
        )  # fmt: skip
        return GreyWatch(parts, "prod")

    async def watch(self, bot: GreyWatch, seconds: float) -> None:
        for _ in range(int(seconds / 30.0)):
            await bot.tick()
            self.clock.pass_(30.0)

    def falls_ill(self, after_s: float = 60.0, for_s: float = 1e9) -> None:
        self.metrics.ill = self.clock.now().timestamp() + after_s
        self.metrics.well = self.metrics.ill + for_s


@pytest.fixture
def house(tmp_path: Path) -> House:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    upgrade(database.engine)
    clock = Clock()
    inbox = Fragile(SignalInbox(database, clock))
    return House(database, clock, Metrics(clock), inbox)


async def test_what_the_metrics_remember_is_learned_at_the_first_start(house: House) -> None:
    await house.bot().tick()
    learned = [n.window.seconds for n in house.metrics.asked[:-1]]
    assert len(learned) == 42
    assert max(learned) <= 4 * 3600.0
    assert {n.names for n in house.metrics.asked} == {NAMES}


async def test_a_quiet_trouble_is_told_once_and_its_end_too(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    house.falls_ill(for_s=900.0)
    await house.watch(bot, 3000.0)
    first, end = await house.inbox.told()
    assert (first.origin, first.phase, first.environment) == (Origin.GREY, Phase.FIRING, "prod")
    assert first.services == ("store",)
    assert first.severity in (Severity.WARNING, Severity.HIGH)
    assert first.began is not None
    assert 0 < first.began.timestamp() - house.metrics.ill <= 150.0
    assert first.at <= house.clock.now()
    assert (end.phase, end.subject) == (Phase.RESOLVED, first.subject)


async def test_what_comes_back_fires_anew_under_the_same_subject(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    house.falls_ill(for_s=600.0)
    await house.watch(bot, 1860.0)
    house.falls_ill(for_s=600.0)
    await house.watch(bot, 600.0)
    told = await house.inbox.told()
    assert [s.phase for s in told] == [Phase.FIRING, Phase.RESOLVED, Phase.FIRING]
    assert len({s.subject for s in told}) == 1
    assert len({s.key for s in told}) == 3


async def test_a_bot_that_dies_at_any_look_tells_once(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    house.falls_ill()
    for _ in range(24):
        await house.watch(bot, 30.0)
        bot = house.bot()  # the one before is gone without a word
        house.clock.pass_(LEASE_S)
    assert [s.phase for s in await house.inbox.told()] == [Phase.FIRING]


async def test_two_replicas_tell_once_and_one_takes_over_from_the_other(house: House) -> None:
    one, other = house.bot(), house.bot()
    await one.tick()
    asked = len(house.metrics.asked)
    await other.tick()
    assert len(house.metrics.asked) == asked  # it does not even look
    house.falls_ill(after_s=LEASE_S + 300.0)
    for _ in range(10):
        await one.tick()
        await other.tick()
        house.clock.pass_(30.0)
    house.clock.pass_(LEASE_S)  # `one` hangs
    await house.watch(other, 600.0)
    await house.watch(one, 60.0)  # and wakes
    assert [s.services for s in await house.inbox.told()] == [("store",)]


async def test_what_the_inbox_did_not_take_is_told_when_it_is_back(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    house.falls_ill()
    house.inbox.down = True
    failures = 0
    for _ in range(12):
        try:
            await bot.tick()
        except Unavailable:
            failures += 1
        house.clock.pass_(30.0)
    assert failures > 0
    house.inbox.down = False
    await house.watch(bot, 60.0)
    assert len(await house.inbox.told()) == 1


async def test_an_outage_of_metrics_or_of_the_bot_is_made_up_for(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    house.falls_ill(after_s=300.0)
    house.metrics.down = True
    await house.watch(bot, 600.0)
    assert await house.inbox.told() == []
    house.metrics.down = False
    await house.watch(bot, 60.0)
    (told,) = await house.inbox.told()
    assert told.began is not None
    assert told.began.timestamp() - house.metrics.ill <= 150.0


async def test_half_an_answer_is_asked_for_again_but_not_for_ever(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    house.falls_ill(after_s=0.0)
    house.metrics.slow = True
    await house.watch(bot, 90.0)
    house.metrics.slow = False
    await house.watch(bot, 90.0)
    (told,) = await house.inbox.told()
    assert told.began is not None
    assert told.began.timestamp() - house.metrics.ill <= 150.0
    house.metrics.slow = True
    await house.watch(bot, 300.0)
    body, _ = await GreyMemory(house.database, "bot-1").load("prod")
    assert house.clock.now().timestamp() - body["looked"] <= 240.0


async def test_after_days_away_it_goes_on_from_now_and_knows_what_is_usual(house: House) -> None:
    bot = house.bot()
    await house.watch(bot, 2400.0)
    house.clock.pass_(2 * DAY)
    asked = len(house.metrics.asked)
    bot = house.bot()
    await bot.tick()
    assert [n.window.seconds <= 4 * 3600.0 for n in house.metrics.asked[asked:]] == [True]
    house.falls_ill()
    await house.watch(bot, 600.0)
    assert len(await house.inbox.told()) == 1


async def test_damage_in_what_is_kept_means_a_new_beginning(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    memory = GreyMemory(house.database, "bot-1")
    assert await memory.save("prod", {"looked": "yesterday"}, house.clock.now())
    house.clock.pass_(LEASE_S + 1.0)
    bot = house.bot()
    await bot.tick()
    house.falls_ill()
    await house.watch(bot, 600.0)
    assert len(await house.inbox.told()) == 1


async def test_what_is_told_is_redacted_and_of_bounded_size(house: House) -> None:
    bot = house.bot()
    await bot.tick()
    house.falls_ill()
    await house.watch(bot, 600.0)
    (received,) = await house.inbox.inbox.take(5)
    assert isinstance(received, Received)
    told = received.signal
    assert len(told.title) <= 300
    assert len(told.text) <= 3000
    assert len(told.key) <= 200
    assert told == replace(told)
