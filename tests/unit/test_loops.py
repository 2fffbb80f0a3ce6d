"""No loop beside the bot's work ends on something unforeseen: it is said once, and goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot import supervision
from bot.app.intake import Intake, intake_of
from bot.app.watcher import Every, Watcher
from bot.intake.kubernetes_events import EventWatch
from bot.intake.objectives import ObjectiveWatch
from bot.settings import Settings
from bot.storage.inbox import SignalInbox
from bot.storage.migrate import prepared
from bot.workflows import grey_watch, paging, strays, tidying
from bot.workflows.engine import Engine
from bot.workflows.grey_watch import GreyWatch, watch_all
from bot.workflows.paging import Paging
from bot.workflows.schedules import Schedules
from bot.workflows.strays import Strays
from bot.workflows.tidying import Tidying
from tests.unit.app.test_watcher import House
from tests.unit.intake.doorway import NOW
from tests.unit.intake.test_kubernetes_events import Box, Cluster, an_event, seen
from tests.unit.remediation.office import FakeClock

PATIENCE_S = 10.0
SECRET = "password=hunter22"


class Breaks:
    """Something that breaks when it is done the first time, or always, and is counted."""

    def __init__(self, *, always: bool = False) -> None:
        self.times, self.always = 0, always

    async def __call__(self, *_: Any, **__: Any) -> None:
        self.times += 1
        if self.always or self.times == 1:
            raise KeyError(SECRET)

    async def done(self, times: int = 2) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.times < times:  # noqa: ASYNC110 - a number tells nobody
                await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "AGAIN_S", 0.0)


@pytest.fixture(autouse=True)
def said(caplog: pytest.LogCaptureFixture) -> Callable[[str], int]:
    """Return how often it was said that something broke."""

    def times(name: str) -> int:
        assert "hunter22" not in caplog.text
        assert "Traceback" not in caplog.text
        return caplog.text.count(f"{name} broke: KeyError")

    return times


Said = Callable[[str], int]


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run it while the block does; it must end at once when it is cancelled."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        assert not task.done()
        task.cancel()
        async with asyncio.timeout(1.0):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


# What comes in


@pytest.fixture
def intake(tmp_path: Path) -> Any:
    database = prepared(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    yield intake_of(Settings(), database, FakeClock())
    database.close()


async def test_the_inbox_is_tidied_again(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    prune = Breaks()
    monkeypatch.setattr("bot.app.intake.PRUNED_EVERY_S", 0.0)
    monkeypatch.setattr(SignalInbox, "prune", prune)
    async with intake.running():
        await prune.done()
    assert said("tidying the inbox") == 1


async def test_a_source_of_signals_is_run_again(intake: Intake, said: Said) -> None:
    source = Breaks()
    async with intake.running(source):
        await source.done()
    assert said("a source of signals") == 1


async def test_events_are_watched_again_and_other_namespaces_go_on(said: Said) -> None:
    cluster, box = Cluster([KeyError(SECRET), seen("5"), seen("6", an_event("A"))]), Box()
    watch = EventWatch("prod", ["shop", "till"], cluster, box, FakeClock(moment=NOW))  # type: ignore[arg-type]
    async with asyncio.timeout(PATIENCE_S), running(watch.run()):
        while len(cluster.asked) < 5:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.001)
    assert cluster.asked.count("list") == 3, "one of each namespace, and one again"
    assert [s.event for s in box.kept] == ["A"]
    assert said("watching the events of shop") == 1


async def test_objectives_are_looked_at_again(monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    step = Breaks()
    monkeypatch.setattr(ObjectiveWatch, "step", step)
    watch = ObjectiveWatch("prod", Any, Box(), wall=FakeClock(), world=FakeClock())  # type: ignore[arg-type]
    async with running(watch.run(0.0)):
        await step.done()
    assert said("watching the objectives of prod") == 1


# What works beside the workflows


async def test_a_grey_watch_is_run_again_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    looks = {"prod": Breaks(), "dev": Breaks(always=True)}

    async def tick(self: GreyWatch) -> None:
        await looks[self._environment]()

    monkeypatch.setattr(grey_watch, "AGAIN_S", 0.0)
    monkeypatch.setattr(GreyWatch, "_pause", lambda _: 0.0)
    monkeypatch.setattr(GreyWatch, "tick", tick)
    parts: Any = type("Parts", (), {"collectors": looks})
    async with running(watch_all(parts)):
        await looks["prod"].done(5)
        await looks["dev"].done(3)
    assert said("the grey watch of prod") == 1
    assert said("the grey watch of dev") >= 2


async def test_a_grey_watch_that_broke_takes_up_what_was_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = Breaks()
    released.times = 1  # does not break
    memory = type("Memory", (), {"release": released})
    parts: Any = type("Parts", (), {"memory": memory, "wall": FakeClock()})
    watch = GreyWatch(parts, "prod")
    watch._watcher = Any  # type: ignore[assignment]
    monkeypatch.setattr(GreyWatch, "_pause", lambda _: 0.0)
    monkeypatch.setattr(GreyWatch, "tick", Breaks())
    with pytest.raises(KeyError):
        await watch.run()
    assert released.times == 2, "another replica may watch at once"
    assert watch._watcher is None, "and what it saves is not undone"


PAGING = {
    "following pages": "tick",
    "naming who is on call": "name_on_call",
    "looking at silent pages": "looking.round",
    "forgetting old pages": "pages.forget",
}


@pytest.mark.parametrize("broken", PAGING)
async def test_pages_are_followed_again_and_no_part_holds_up_another(
    broken: str, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    parts = {name: Breaks() for name in PAGING}
    for name, part in parts.items():
        part.times = 0 if name == broken else 1  # only one breaks
    monkeypatch.setattr(paging, "LOOK_S", 0.0)
    monkeypatch.setattr(paging, "TIDY_S", 0.0)
    monkeypatch.setattr(Paging, "tick", parts["following pages"])
    monkeypatch.setattr(Paging, "name_on_call", parts["naming who is on call"])
    looking = type("Looking", (), {"round": parts["looking at silent pages"]})
    pages = type("Pages", (), {"forget": parts["forgetting old pages"]})
    found = Paging(
        engine=Any, pages=pages, pagers={}, noting=Any, calling=Any, looking=looking, every_s=0.0,  # type: ignore[arg-type]
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S), found.at_work():
        for part in parts.values():
            await part.done(3)
    assert [said(name) for name in PAGING] == [int(name == broken) for name in PAGING]


@pytest.mark.parametrize(
    ("name", "where", "what"),
    [("starting what is due", Schedules, "serve"), ("taking up strays", Strays, "_take_up"),
     ("tidying the journal", Tidying, "round")],
)  # fmt: skip
async def test_what_the_engine_does_beside_the_workflows_goes_on(
    name: str, where: type, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    work = Breaks()
    monkeypatch.setattr(strays, "AFTER_S", 0.01)
    monkeypatch.setattr(tidying, "SOON_S", 0.01)
    monkeypatch.setattr(tidying, "EVERY_S", 0.01)
    monkeypatch.setattr(where, what, work)
    engine = Engine(f"sqlite:///{tmp_path / 'journal.sqlite'}", executor_id="test", poll_s=0.01)
    engine.schedule("digest:C1", "* * * * *", "UTC", work)
    monkeypatch.setattr(engine._time, "until", lambda _: asyncio.sleep(0.01))
    engine.launch()
    try:
        await work.done()
        assert said(name) == 1
    finally:
        engine.close()


# What watches the bot itself


async def test_the_watcher_goes_round_again(monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    whole, breaks = Watcher.round, Breaks()

    async def a_round(self: Watcher) -> None:
        await breaks()
        await whole(self)

    monkeypatch.setattr(Watcher, "round", a_round)
    watcher = House().watcher()
    before = watcher._round_at
    async with watcher.watching():
        await breaks.done(3)
    assert watcher._round_at > before
    assert said("the watcher") == 1


async def test_a_watcher_of_which_no_round_is_whole_is_not_alive(
    monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    breaks = Breaks(always=True)
    monkeypatch.setattr(Watcher, "round", breaks)
    watcher = House().watcher()
    watcher.every = Every(round_s=0.01, heartbeat_s=0.0)
    asked = TestClient(Starlette(routes=list(watcher.routes())))
    async with watcher.watching():
        await breaks.done(9)
    assert said("the watcher") >= 8
    assert asked.get("/healthz").status_code == 503, "so it is started again"
