"""A long diff takes time in proportion to its length, whatever it is made of."""

import time

import pytest

from bot.reasoning.diffs.read import read

SHAPES = {
    "calls": lambda at: f"{'+-'[at % 2]}    total_{at} = fares.fetch(order_{at}, timeout={at})",
    "settings": lambda at: f"{'+-'[at % 2]}  key{at % 50}: {at}",
    "functions": lambda at: f"+def quote{at}(trip):\n+    return quote{at}(trip)",
    "guards": lambda at: f"{'+-'[at % 2]}@login_required  # {at}\n {at}",
    "loops": lambda at: f"{'+-'[at % 2]}    for seat in seats.where({at}): repo.find(seat)",
}
FACTOR = 4  # of lines; time in proportion to their square would be 16 times as long


def seconds(shape: str, lines: int) -> float:
    diff = "--- a/fares.py\n+++ b/fares.py\n@@\n" + "\n".join(map(SHAPES[shape], range(lines)))
    begun = time.thread_time()
    read(diff)
    return time.thread_time() - begun


@pytest.mark.parametrize("shape", SHAPES)
def test_time_is_in_proportion_to_length(shape: str) -> None:
    seconds(shape, 50)  # compiles the patterns
    short = min(seconds(shape, 250) for _ in range(2))
    long = min(seconds(shape, 250 * FACTOR) for _ in range(2))
    assert long < short * FACTOR * 2 + 0.2
