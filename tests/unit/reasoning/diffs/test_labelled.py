"""The rules name the mechanism of guilty diffs and stay silent on their look-alikes."""

import sys

import pytest

from bot.reasoning.diffs.read import read
from tests.unit.reasoning.diffs.labelled import CASES, guilty
from tests.unit.reasoning.diffs.labelled_more import MORE

ALL = (*CASES, *MORE)


def right(expected: str | None, diff: str) -> bool:
    found = guilty(read(diff))
    return not found if expected is None else bool(found & set(expected.split()))


def test_nineteen_of_twenty_labelled_diffs_are_read_right() -> None:
    wrong = [name for name, expected, diff in ALL if not right(expected, diff)]
    accuracy = 1 - len(wrong) / len(ALL)
    sys.stdout.write(f"\n{len(ALL)} diffs, accuracy {accuracy:.3f}, wrong: {wrong}\n")
    assert len(ALL) >= 60
    assert accuracy >= 0.95, wrong


@pytest.mark.parametrize(
    "diff", [None, "", "+", "@@", "--- a\n+++ b", "\x00\x01", "@@ -1 +1 @@\n+" + "a(" * 9000]
)
def test_malformed_input_is_no_error(diff: str | None) -> None:
    assert all(reading.weight <= 1.6 for reading in read(diff))
