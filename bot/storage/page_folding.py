"""What one signal changes of a page: the newest word on its state counts, whenever it comes."""

import re
from collections.abc import Mapping

from bot.domain.paging import (
    ACKNOWLEDGED,
    NAME_LENGTH,
    RESOLVED,
    SIGNED,
    TRIGGERED,
    Place,
    names_in,
)
from bot.domain.signal import Signal
from bot.domain.signal_limits import VALUE_LENGTH
from bot.storage.page_tables import PageRow

STATES = frozenset((TRIGGERED, ACKNOWLEDGED, RESOLVED))
NOTE_LENGTH, TITLE_LENGTH = 500, 300
_REFERENCE = re.compile(r"\s*\(ref [0-9a-f]{12}\)$")  # see `bot.domain.paging.reference`


def folded(
    row: PageRow | None,
    name: str,
    signal: Signal,
    places: Mapping[str, Place],
    own: frozenset[str],
) -> PageRow | None:
    """Return the row as it is now, None if nothing changed. `own`: the bot's users there."""
    details = signal.details
    after = row or _new(name, signal)
    changed = row is None
    if details.get("status") in STATES and (row is None or signal.at >= row.told_at):
        changed = _state(after, signal, places) or changed
    if _is_news(after, signal, own):
        after.note = _REFERENCE.sub("", details["note"].strip())[:NOTE_LENGTH]
        after.note_by = details.get("agent", "")[:NAME_LENGTH]
        after.noted_at, changed = signal.at, True
    return after if changed else None


def _is_news(row: PageRow, signal: Signal, own: frozenset[str]) -> bool:
    """Whether a person wrote a note that is newer than the one known; the bot's are no news."""
    details = signal.details
    note = details.get("note", "").strip()
    by_us = {details.get("agent_id", ""), details.get("agent", "")} & own
    if not note or by_us or _is_ours(note):
        return False
    return row.noted_at is None or signal.at >= row.noted_at


def _is_ours(note: str) -> bool:
    """Whether the bot said it on its own behalf; what a person had it note is that person's."""
    may_be_cut = len(note) >= VALUE_LENGTH - 1  # a blank at the cut goes too
    return note.startswith(SIGNED) and (may_be_cut or _REFERENCE.search(note) is not None)


def _new(name: str, signal: Signal) -> PageRow:
    return PageRow(
        id=name, incident_id=None, environment="", service="", policy="", number=0,
        title=signal.title[:TITLE_LENGTH], status=TRIGGERED, urgency="", priority="", assignees=[],
        link=signal.link, opened_at=signal.began or signal.at, told_at=signal.at, note="",
        note_by="", noted_at=None, on_call=None,
    )  # fmt: skip


def _state(row: PageRow, signal: Signal, places: Mapping[str, Place]) -> bool:
    """Set what the signal says of the page's state; return whether that is anything new."""
    before, details = _shown(row), signal.details
    number = details.get("number", "")
    row.status = details["status"]
    row.urgency = details.get("urgency", "")[:NAME_LENGTH]
    row.priority = details.get("priority", "")[:NAME_LENGTH]
    row.policy = details.get("escalation_policy_id", "")[:NAME_LENGTH] or row.policy
    row.number = int(number) if number.isdecimal() and len(number) < 10 else row.number
    row.title = signal.title[:TITLE_LENGTH]
    row.link = signal.link or row.link
    row.assignees = list(names_in(details.get("assignees", "")))
    place = places.get(details.get("service_id", "")) or places.get(details.get("service", ""))
    if place is not None:
        row.environment, row.service = place.environment, place.service
    row.told_at = signal.at
    return _shown(row) != before


def _shown(row: PageRow) -> tuple[object, ...]:
    return (row.status, row.urgency, row.priority, row.title, tuple(row.assignees), row.link)
