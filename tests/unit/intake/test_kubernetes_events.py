"""Warning events of a cluster become signals: none is lost, none is told at each count."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.errors import Unavailable
from bot.domain.signal import Severity, Signal
from bot.intake.kubernetes_events import EventWatch, signal_of
from tests.unit.intake.doorway import NOW
from tests.unit.remediation.office import FakeClock
from tools.clients.watching import Expired, Seen


def an_event(reason: str = "BackOff", name: str = "cart-7d9f8b6c5-x2x4z", **changes: Any) -> Any:
    return {
        "metadata": {"uid": f"u-{name}-{reason}", "resourceVersion": "7"}, "type": "Warning",
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name}, "reason": reason,
        "message": "Back-off restarting failed container", "count": 3,
        "firstTimestamp": "2026-03-01T11:50:00Z", "lastTimestamp": "2026-03-01T11:59:30Z",
        **changes,
    }  # fmt: skip


class TestSignal:
    def test_an_event_names_its_workload_and_since_when(self) -> None:
        signal = signal_of(an_event(), "prod", NOW)
        assert signal is not None
        assert signal.subject == "kubernetes:prod:shop/Pod/cart:BackOff"
        assert (signal.services, signal.severity) == (("cart",), Severity.WARNING)
        assert signal.title == "BackOff: Pod cart-7d9f8b6c5-x2x4z"
        assert signal.at == NOW - timedelta(seconds=30)
        assert signal.began == NOW - timedelta(minutes=10)

    def test_it_is_told_again_when_its_count_has_doubled(self) -> None:
        keys = [signal_of(an_event(count=n), "prod", NOW).key for n in range(1, 17)]  # type: ignore[union-attr]
        assert len(set(keys)) == 5
        series = signal_of(an_event(count=None, series={"count": 3}), "prod", NOW)
        assert series
        assert series.key == keys[2]

    @pytest.mark.parametrize(
        ("reason", "severity"),
        [
            ("OOMKilling", Severity.HIGH),
            ("DNSConfigForming", Severity.INFO),
            ("X", Severity.WARNING),
        ],
    )
    def test_some_reasons_are_graver_than_others(self, reason: str, severity: Severity) -> None:
        signal = signal_of(an_event(reason), "prod", NOW)
        assert signal
        assert signal.severity is severity

    @pytest.mark.parametrize(
        "event",
        [{}, an_event(type="Normal"), an_event(involvedObject=None), an_event(metadata=[]),
         an_event(reason=""), an_event(involvedObject={"kind": "Pod", "name": 3.5})],
    )  # fmt: skip
    def test_what_names_nothing_is_no_signal(self, event: Any) -> None:
        found = signal_of(event, "prod", NOW)
        assert found is None or found.labels["name"] == "3.5"

    @pytest.mark.parametrize("count", [-1, 0, True, "many", 2**40, None, [], 1e9])
    def test_an_odd_count_is_one(self, count: Any) -> None:
        signal = signal_of(an_event(count=count), "prod", NOW)
        assert signal
        assert signal.details["count"] == "1"


@dataclass
class Cluster:
    """Answers in turn; after the last it hangs. Remembers the versions that were asked for."""

    answers: list[Any]
    asked: list[str] = field(default_factory=list)

    async def listed(self, namespace: str) -> Seen:
        return await self._next("list")

    async def watched(self, namespace: str, version: str) -> Seen:
        return await self._next(version)

    async def _next(self, asked: str) -> Seen:
        self.asked.append(asked)
        if not self.answers:
            await asyncio.sleep(60)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Seen)
        return answer


@dataclass
class Box:
    kept: list[Signal] = field(default_factory=list)
    failures: int = 0

    async def put(self, signals: Sequence[Signal], at: datetime) -> int:
        if self.failures:
            self.failures -= 1
            raise Unavailable("database", "gone")
        self.kept += signals
        return len(signals)


def seen(version: str, *events: Any) -> Seen:
    return Seen(events=events, version=version)


async def watched(cluster: Cluster, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.intake.kubernetes_events.SHORTEST_PAUSE_S", 0.001)
    watch = EventWatch("prod", ["shop"], cluster, box, FakeClock(moment=NOW))  # type: ignore[arg-type]
    task = asyncio.create_task(watch.run())
    async with asyncio.timeout(10):
        while cluster.answers or cluster.asked[-1:] == []:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_goes_on_from_version_to_version(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster([seen("5", an_event("A")), seen("6"), seen("9", an_event("B"))])
    box = Box()
    await watched(cluster, box, monkeypatch)
    assert [s.event for s in box.kept] == ["A", "B"]
    assert cluster.asked == ["list", "5", "6", "9"]


async def test_an_expired_version_is_listed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster([seen("5"), Expired("old"), seen("50", an_event("A"))])
    box = Box()
    await watched(cluster, box, monkeypatch)
    assert cluster.asked == ["list", "5", "list", "50"]
    assert len(box.kept) == 1


async def test_a_cluster_that_is_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    down = Unavailable("Kubernetes", "no connection")
    cluster = Cluster([down, seen("5"), down, seen("6", an_event("A"))])
    box = Box()
    await watched(cluster, box, monkeypatch)
    assert cluster.asked == ["list", "list", "5", "5", "6"]
    assert len(box.kept) == 1


async def test_what_could_not_be_kept_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    again = seen("6", an_event("A"))
    cluster, box = Cluster([seen("5"), again, again, seen("7")]), Box(failures=1)
    await watched(cluster, box, monkeypatch)
    assert cluster.asked == ["list", "5", "5", "6", "7"]
    assert [s.event for s in box.kept] == ["A"]


async def test_old_events_of_a_list_are_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    old = an_event("Old", lastTimestamp="2026-03-01T10:00:00Z")
    box = Box()
    await watched(Cluster([seen("5", old, an_event("New"))]), box, monkeypatch)
    assert [s.event for s in box.kept] == ["New"]


async def test_an_api_without_watches_is_listed_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    real = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await real(0)

    cluster = Cluster([seen("5"), Expired("none")] * 9)
    watch = EventWatch("prod", ["shop"], cluster, Box(), FakeClock(moment=NOW))  # type: ignore[arg-type]
    monkeypatch.setattr("bot.intake.kubernetes_events.asyncio.sleep", noted)
    task = asyncio.create_task(watch.run())
    while cluster.answers:
        await real(0)
    await real(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [p for p in pauses if p < 60.1][:9] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
