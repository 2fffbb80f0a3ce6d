"""A step outlasts what is away for hours, ends at once where trying again cannot help."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import Conflict, SreBotError, Transient, Unavailable
from bot.domain.telemetry import Unwatched, bound, watched
from bot.workflows.engine import Engine, do
from bot.workflows.naming import names_of, trace_of
from bot.workflows.patience import PATIENCE, Patience, persistently

QUICK = Patience(first_s=0.001, longest_s=0.004, most_s=5.0, one_try_s=0.05)


class Stages(Unwatched):
    """Remembers what became of steps."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def stage(self, name: str, outcome: str, seconds: float) -> None:
        self.seen.append((name, outcome))


def failing(times: int, error: Exception) -> tuple[list[int], Callable[[], Awaitable[str]]]:
    """Return the tries so far, and work that fails so often before it succeeds."""
    tries: list[int] = []

    async def work() -> str:
        tries.append(1)
        if len(tries) <= times:
            raise error
        return "done"

    return tries, work


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Be quick here, and leave nothing of it to the tests that come after in this process."""
    before = PATIENCE.set(QUICK)
    yield
    PATIENCE.reset(before)


def test_it_waits_longer_each_time_up_to_half_a_minute_and_never_gives_up_within_a_day() -> None:
    pauses = [Patience().pause_s(failed) for failed in range(1, 13)]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30]
    assert Patience().most_s >= 24 * 3600
    # what is away for five minutes is noticed half a minute after it came back at the latest
    assert Patience().pause_s(10_000) == max(pauses) == 30


@pytest.mark.parametrize(
    ("asked_s", "waited_s"), [(0.0, 2.0), (1.0, 2.0), (7.0, 7.0), (999.0, 30.0)]
)
def test_it_waits_as_long_as_it_is_asked_to(asked_s: float, waited_s: float) -> None:
    assert Patience().pause_s(3, asked_s) == waited_s


async def test_what_is_away_is_tried_until_it_is_back() -> None:
    tries, work = failing(8, Unavailable("Slack", "internal_error"))
    stages = Stages()
    with watched(stages):
        assert await persistently("report", work) == "done"
    assert len(tries) == 9
    assert stages.seen == [("report", "failed")] * 8 + [("report", "done")]


async def test_a_day_later_the_error_is_the_end() -> None:
    PATIENCE.set(replace(QUICK, most_s=0.5))
    tries, work = failing(10_000, Transient("Slack asks to wait"))
    stages = Stages()
    with watched(stages), pytest.raises(Transient):
        await persistently("report", work)
    assert 5 < len(tries) < 1_000
    assert stages.seen[-1] == ("report", "failed")


@pytest.mark.parametrize("error", [Conflict("changed"), SreBotError("no"), KeyError("bug")])
async def test_what_cannot_be_helped_ends_at_once(error: Exception) -> None:
    made, work = failing(10_000, error)
    with pytest.raises(type(error)):
        await persistently("act", work)
    assert len(made) == 1


async def test_attempts_bound_the_tries() -> None:
    made, work = failing(10_000, Transient("away"))
    with pytest.raises(Transient):
        await persistently("act", work, attempts=2)
    assert len(made) == 2


async def test_it_waits_as_long_as_it_is_asked_to_but_never_longer_than_the_longest() -> None:
    _, work = failing(1, Transient("wait", retry_after_s=3600))
    loop = asyncio.get_running_loop()
    began = loop.time()
    await persistently("report", work)
    assert QUICK.longest_s <= loop.time() - began < 1


async def test_a_try_that_hangs_is_cut_off_and_made_again() -> None:
    tries: list[int] = []

    async def work() -> str:
        tries.append(1)
        if len(tries) == 1:
            await asyncio.sleep(30)
        return "done"

    assert await persistently("report", work) == "done"
    assert len(tries) == 2


async def test_a_timeout_of_the_works_own_is_no_deadline_of_ours() -> None:
    tries, work = failing(10_000, TimeoutError())
    with pytest.raises(TimeoutError):
        await persistently("report", work)
    assert len(tries) == 1


async def test_a_workflow_outlasts_five_minutes_of_failures_and_does_it_once(
    tmp_path: Path,
) -> None:
    """Five minutes at one hundredth of the time: Slack answers 500, then 429, then again."""
    PATIENCE.set(Patience(first_s=0.005, longest_s=0.3, most_s=864.0))
    engine = Engine(f"sqlite:///{tmp_path}/j.sqlite", executor_id="a")
    loop = asyncio.get_running_loop()
    back = loop.time() + 3.0
    said: list[object] = []

    async def tell() -> None:
        left = back - loop.time()
        if left > 1.5:
            raise Unavailable("Slack", "chat.postMessage: internal_error")
        if left > 0:
            raise Transient("Slack asks to wait before chat.postMessage", retry_after_s=60)
        said.append(bound())

    async def body(order: object) -> str:
        await do("report", tell)
        return "told"

    engine.register("tell", body)
    engine.launch()
    try:
        order = {"investigation_id": "inv-1", "mention": {"thread": {"channel": "C1", "ts": "1.0"}}}
        await engine.start("tell", "inv-1", order)
        assert await engine.result("inv-1") == "told"
    finally:
        engine.close()
    assert said == [{"workflow": "inv-1", "incident": "inc-C1-1.0", "investigation": "inv-1"}]


THREAD = {"thread": {"channel": "C1", "ts": "1.0"}}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), {}),
        (("x",), {}),
        (("sig-7",), {"incident": "sig-7"}),
        (({"asked": 7, "mention": []},), {}),
        (({"incident_id": "sig-7", "investigation_id": 9},), {"incident": "sig-7"}),
        (
            ({"proposal": {}, "asked": {"investigation_id": "inv-2", "mention": THREAD}},),
            {"incident": "inc-C1-1.0", "investigation": "inv-2"},
        ),
        (
            ({"investigation_id": "inv-sig-8", "mention": {"event_id": "sig-8", **THREAD}},),
            {"incident": "sig-8", "investigation": "inv-sig-8"},
        ),
    ],
)
def test_an_order_tells_what_the_lines_are_named_after(
    arguments: tuple[object, ...], names: dict[str, str]
) -> None:
    assert names_of(arguments) == names


def test_a_second_look_is_in_the_trace_of_the_first() -> None:
    assert trace_of({"investigation": "inv-1-again2"}) == trace_of({"investigation": "inv-1"})
    assert trace_of({}) == ""
