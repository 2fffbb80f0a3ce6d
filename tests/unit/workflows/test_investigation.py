"""A mention becomes one investigation with one report, whatever fails or dies in between."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app.keeping import keeper
from bot.domain.codec import decode, encode
from bot.domain.conversation import Mark
from bot.domain.diagnosis import Status, Step
from bot.domain.snapshot import Snapshot, Source
from bot.domain.time import ScaledClock
from bot.perception.case import load_case
from bot.workflows import running
from bot.workflows.engine import Engine
from bot.workflows.inquiry import LONGEST_THOUGHT_S, Found, Meter
from bot.workflows.investigation import Collected
from tests.unit.workflows.house import MENTION, QUESTION, START, House

Make = Callable[..., House]
INVESTIGATION = "inv-Ev1"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, investigate=True)
    yield house
    house.close()


async def test_a_mention_ends_in_a_report(house: House) -> None:
    await house.bot.mentioned(MENTION)
    assert await house.ended(INVESTIGATION) == "unknown"
    (report,) = house.notify.reports
    assert report.diagnosis.status is Status.UNKNOWN
    assert house.notify.heads[0].diagnosis is None
    assert house.notify.heads[-1].diagnosis == report.diagnosis
    assert house.incidents.reports == {INVESTIGATION: report}


async def test_what_a_look_brought_is_written_and_read_beside_the_loop(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be megabytes; webhooks would wait for it."""
    threads: list[int] = []

    def reading(kind: Any, data: Any) -> Any:
        threads.extend([threading.get_ident()] if kind is Collected else [])
        return decode(kind, data)

    def writing(value: Any) -> Any:
        threads.extend([threading.get_ident()] if isinstance(value, Collected) else [])
        return encode(value)

    monkeypatch.setattr(running, "decode", reading)
    monkeypatch.setattr(running, "encode", writing)
    await house.bot.mentioned(MENTION)
    await house.ended(INVESTIGATION)
    assert len(threads) >= 2
    assert threading.get_ident() not in threads


async def test_the_same_event_twice_is_one_investigation(house: House) -> None:
    await asyncio.gather(house.bot.mentioned(MENTION), house.bot.mentioned(MENTION))
    await house.ended(INVESTIGATION)
    await house.bot.mentioned(MENTION)
    await house.ended(INVESTIGATION)
    assert len(house.notify.reports) == len(house.collector.asked) == 1


async def test_a_question_that_is_not_clear_is_asked_back_once(house: House) -> None:
    await house.bot.mentioned(replace(MENTION, text="why is chekout slow"))
    assert await house.ended(INVESTIGATION) == "asked back"
    ((_, notice),) = house.notify.said
    assert notice.mark is Mark.UNKNOWN
    assert "Did you mean checkout" in notice.text
    assert house.notify.heads == []
    assert house.incidents.states == {INVESTIGATION: "unclear"}


@pytest.mark.parametrize("text", ["good morning everybody", "why is chekout slow", "lunch?"])
async def test_what_is_only_overheard_and_tells_of_no_trouble_is_left_alone(
    house: House, text: str
) -> None:
    await house.bot.mentioned(replace(MENTION, text=text, addressed=False))
    assert await house.ended(INVESTIGATION) == "overheard"
    assert house.incidents.opened == []
    assert (house.notify.said, house.notify.heads) == ([], [])


async def test_what_is_overheard_of_a_service_in_trouble_is_investigated(house: House) -> None:
    overheard = replace(MENTION, text="checkout is failing for customers", addressed=False)
    await house.bot.mentioned(overheard)
    assert await house.ended(INVESTIGATION) == "unknown"
    assert len(house.notify.reports) == 1


async def test_a_slack_that_is_down_for_a_moment_delays_the_report_only(house: House) -> None:
    house.notify.down = 2
    await house.bot.mentioned(MENTION)
    await house.ended(INVESTIGATION)
    assert len(house.notify.reports) == 1


async def test_a_stop_while_it_looks_loses_nothing_and_reports_once(house: House) -> None:
    forever = asyncio.Event()
    house.collector.before = forever.wait
    await house.bot.mentioned(MENTION)
    await house.until(lambda: house.collector.asked)
    house.close()
    house.collector.before = lambda: None
    house.open()
    assert await house.ended(INVESTIGATION) == "unknown"
    assert len(house.notify.reports) == 1
    assert house.incidents.opened == [INVESTIGATION]


async def test_a_start_whose_caller_gave_up_is_carried_out(house: House) -> None:
    starting = asyncio.create_task(house.bot.mentioned(MENTION))
    await asyncio.sleep(0)  # under way
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await house.until(lambda: house.notify.reports)


async def test_what_the_journal_does_not_know_is_not_alive(house: House) -> None:
    engine: Engine = house.engine
    assert not await engine.alive("inv-of-another-database")
    seen = asyncio.Event()
    house.collector.before = seen.wait
    await house.bot.mentioned(MENTION)
    assert await engine.alive(INVESTIGATION)
    seen.set()
    await house.ended(INVESTIGATION)
    assert not await engine.alive(INVESTIGATION)


def found(queries: int) -> Found:
    step = Step(number=1, source=Source(system="x", query="q"), took_s=0.1, found="1")
    empty = Snapshot(environment="prod", window=QUESTION.window, now=START)
    return Found(snapshot=empty, steps=(step,) * queries)


def test_downtime_is_not_spent() -> None:
    meter = Meter(START, ScaledClock(origin=START))
    meter.count(found(2), began=later(1), ended=later(3))
    meter.count(found(1), began=later(4000), ended=later(4002))  # an hour after the crash
    assert meter.spent.seconds == pytest.approx(3 + LONGEST_THOUGHT_S + 2)
    assert meter.spent.queries == 3
    assert [step.number for step in meter.steps] == [1, 2, 3]


def test_seconds_are_those_of_the_wall() -> None:
    meter = Meter(START, ScaledClock(origin=START, rate=60.0))
    meter.count(found(1), began=later(60), ended=later(180))
    assert meter.spent.seconds == pytest.approx(3.0)


def later(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


async def test_an_investigation_is_kept_as_a_case_that_replays(tmp_path: Path) -> None:
    kept = tmp_path / "cases"
    house = House(tmp_path, investigate=True, keep=keeper(kept))
    try:
        await house.bot.mentioned(MENTION)
        await house.ended(INVESTIGATION)
    finally:
        house.close()
    case = load_case(kept / INVESTIGATION)
    assert case.question is not None
    assert case.question.text == QUESTION.text
    assert {a.need for a in case.answers} == {n for asked in house.collector.asked for n in asked}


async def test_a_case_that_cannot_be_kept_stops_no_investigation(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    house = House(tmp_path, investigate=True, keep=keeper(tmp_path / "file"))
    try:
        await house.bot.mentioned(MENTION)
        assert await house.ended(INVESTIGATION) == "unknown"
    finally:
        house.close()
    assert len(house.notify.reports) == 1
