"""A freeze in words: where, until when, and why; all three or nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import Malformed
from bot.remediation.freeze_words import freeze_of

NOW = datetime(2026, 11, 21, 14, 3, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "place", "start", "end", "reason"),
    [
        ("prod for 4h because we release", "prod", NOW, NOW + timedelta(hours=4), "we release"),
        ("prod for 2 days, Black Friday", "prod", NOW, NOW + timedelta(days=2), "Black Friday"),
        ("all until 18:00 because of a move", "", NOW, at(21, 18), "of a move"),
        ("staging until 9:30 because night", "staging", NOW, at(22, 9, 30), "night"),
        ("prod until 2026-11-30 06:00 UTC because holiday", "prod", NOW, at(30, 6), "holiday"),
        ("prod from 18:00 until 02:00 because a change", "prod", at(21, 18), at(22, 2), "a change"),
        ("prod from 2026-11-25 18:00 for 30 minutes because x", "prod", at(25, 18),
         at(25, 18, 30), "x"),
    ],
)  # fmt: skip
def test_a_window_is_read_to_the_minute(
    said: str, place: str, start: datetime, end: datetime, reason: str
) -> None:
    found = freeze_of(said, NOW)
    assert (found.place, found.reason) == (place, reason)
    assert (found.window.start, found.window.end) == (start, end)


@pytest.mark.parametrize(
    "said",
    ["", "prod", "prod for 4h", "prod because we release", "for 4h because x",
     "prod for 4 because x", "prod until tomorrow because x", "prod until 25:00 because x",
     "prod until 2026-13-40 10:00 because x", "prod until 2026-11-20 10:00 because x",
     "prod for 0h because x", "prod for 400 days because x", "prod for 9999w because x",
     "prod from 2026-11-25 18:00 until 2026-11-25 17:00 because x", "x" * 5000],
)  # fmt: skip
def test_what_lacks_a_part_or_has_no_end_ahead_is_refused(said: str) -> None:
    with pytest.raises(Malformed):
        freeze_of(said, NOW)
