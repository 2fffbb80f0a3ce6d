"""Test modules that take longest start first, so that no process waits for another at the end."""

from pathlib import Path

from tests.fakes.schedule import LONGEST_FIRST, first

ROOT = Path(__file__).resolve().parents[2]


def test_every_place_in_the_order_exists() -> None:
    assert [place for place in LONGEST_FIRST if not (ROOT / place).exists()] == []


def test_the_longest_comes_first_and_the_rest_in_its_own_order() -> None:
    rest = ["tests/unit/b.py", "tests/unit/a.py::TestA"]
    crashes, levels, trust = (
        f"tests/scenarios/story/test_{name}.py" for name in ("crashes", "levels", "trust")
    )
    queue, order = [*rest, trust, crashes, levels], []
    while queue:
        order.append(first(queue))
        queue.remove(order[-1])
    assert order == [levels, crashes, trust, *rest]
