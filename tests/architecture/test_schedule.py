"""Stories stay in two processes, and what takes longest starts first."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.schedule import (
    COMPANIES,
    LEVELS,
    LONGEST_FIRST,
    STORIES,
    LongestFirst,
    OneCompany,
)

ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    "tests/unit/a.py::test_one", "tests/unit/a.py::test_two", "tests/unit/a.py::TestIt::test_it",
    "tests/scenarios/page/test_text.py::test_x", f"{LEVELS}::test_l[3]",
    f"{STORIES}test_plan.py::test_p", f"{STORIES}test_trust.py::test_t", "tests/unit/b.py::test_b",
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
    """Return three processes that have run everything, a test in turn."""
    return shared(LongestFirst)


def shared(scheduler: Any) -> tuple[Worker, ...]:
    option = SimpleNamespace(loadscopereorder=True)
    config: Any = SimpleNamespace(option=option, getvalue=lambda name: ["popen"] * 3)
    scheduling: Any = scheduler(config)
    workers, ran = (Worker("a"), Worker("b"), Worker("c")), set[str]()
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
    assert [p for p in (*LONGEST_FIRST, *COMPANIES) if not (ROOT / p).exists()] == []


def test_of_the_long_tests_companies_are_one_after_the_other_and_first() -> None:
    workers = shared(OneCompany)
    assert sorted(t for w in workers for t in w.given) == sorted(TESTS)
    (teller,) = [w for w in workers if any(t.startswith(COMPANIES) for t in w.given)]
    assert teller.given[:3] == [t for t in TESTS if t.startswith(COMPANIES)]


def test_every_test_runs_once(workers: tuple[Worker, ...]) -> None:
    assert sorted(t for w in workers for t in w.given) == sorted(TESTS)


def test_the_stories_are_together_and_first(workers: tuple[Worker, ...]) -> None:
    others = [t for t in TESTS if t.startswith(STORIES) and not t.startswith(LEVELS)]
    (storyteller,) = [w for w in workers if set(others) & set(w.given)]
    assert storyteller.given[:2] == others


def test_the_levels_run_beside_the_other_stories(workers: tuple[Worker, ...]) -> None:
    (climber,) = [w for w in workers if any(t.startswith(LEVELS) for t in w.given)]
    assert climber.given[0].startswith(LEVELS)
    assert not climber.given[1].startswith(STORIES)


def test_what_takes_long_is_before_what_does_not(workers: tuple[Worker, ...]) -> None:
    (other,) = (w for w in workers if not w.given[0].startswith(STORIES))
    assert other.given[0] == "tests/scenarios/page/test_text.py::test_x"
