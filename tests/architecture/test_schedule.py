"""Stories stay in one process, and what takes longest starts first."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.schedule import LONGEST_FIRST, STORIES, LongestFirst

ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    "tests/unit/a.py::test_one", "tests/unit/a.py::test_two", "tests/unit/a.py::TestIt::test_it",
    "tests/scenarios/page/test_text.py::test_x", f"{STORIES}test_levels.py::test_l[3]",
    f"{STORIES}test_trust.py::test_t", "tests/unit/b.py::test_b",
)  # fmt: skip


class Worker:
    """Remembers what it was given to run."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[str] = []
        self.shutting_down = False

    def send_runtest_some(self, places: list[int]) -> None:
        self.given += [TESTS[place] for place in places]

    def shutdown(self) -> None:
        self.shutting_down = True


@pytest.fixture
def workers() -> tuple[Worker, ...]:
    """Return two processes that have run everything, a test in turn."""
    option = SimpleNamespace(loadscopereorder=True)
    config: Any = SimpleNamespace(option=option, getvalue=lambda name: ["popen"] * 2)
    scheduling: Any = LongestFirst(config)
    workers, ran = (Worker("a"), Worker("b")), set[str]()
    for worker in workers:
        scheduling.add_node(worker)
    for worker in workers:
        scheduling.add_node_collection(worker, TESTS)
    scheduling.schedule()
    while scheduling.has_pending:
        for worker in workers:
            following = next((t for t in worker.given if t not in ran), None)
            if following:
                ran.add(following)
                scheduling.mark_test_complete(worker, TESTS.index(following))
    return workers


def test_every_place_in_the_order_exists() -> None:
    assert [place for place in LONGEST_FIRST if not (ROOT / place).exists()] == []


def test_every_test_runs_once(workers: tuple[Worker, ...]) -> None:
    assert sorted(t for w in workers for t in w.given) == sorted(TESTS)


def test_the_stories_are_together_and_first(workers: tuple[Worker, ...]) -> None:
    storyteller = next(w for w in workers if w.given[0].startswith(STORIES))
    assert storyteller.given[:2] == [t for t in TESTS if t.startswith(STORIES)]


def test_what_takes_long_is_before_what_does_not(workers: tuple[Worker, ...]) -> None:
    (other,) = (w for w in workers if not w.given[0].startswith(STORIES))
    assert other.given[0] == "tests/scenarios/page/test_text.py::test_x"
