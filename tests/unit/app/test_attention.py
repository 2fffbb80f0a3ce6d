"""The process stays attentive: its modules are out of the garbage collector's rounds."""

import gc
import sys
from collections.abc import Iterator

import pytest

from bot.app.attention import SWITCH_S, THRESHOLDS, attend, settle


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval)
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_loaded_is_looked_at_no_more_and_what_comes_later_is() -> None:
    settle()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == THRESHOLDS
    ring: list[object] = []
    ring.append(ring)
    marked = id(ring)
    assert any(id(one) == marked for one in gc.get_objects())
    del ring
    assert gc.collect() >= 1


def test_threads_take_turns_quickly() -> None:
    attend()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
