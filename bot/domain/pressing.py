"""A button of an incident's message as a person pressed it: what they saw and decided."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.conversation import Click
from bot.domain.paging import TRIGGERED, Page, Press
from bot.domain.wish import Verb

LETTERS = 12  # of a fingerprint: 48 bits
MOST_PAGES = 10  # that one press is about; its dialog names each


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A press about one page, and how the page was when its button was shown."""

    click: Click  # on the incident's message; its subject is the incident
    press: Press
    page_id: str
    status: str
    assignees: tuple[str, ...]  # names
    at: datetime  # wall

    def shows(self, status: str, assignees: Sequence[str]) -> bool:
        """Whether the page still is what was shown."""
        return (status, sorted(assignees)) == (self.status, sorted(self.assignees))


def fingerprint(pages: Sequence[Page]) -> str:
    """Return a short hash of which pages are open, how they stand, and who has them."""
    shown = sorted([page.id, page.status, *sorted(page.assignees)] for page in pages if page.open)
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:LETTERS]


def fitting(pages: Sequence[Page], verb: Verb) -> list[Page]:
    """Return the open pages that a press can be about, in one order: it is about the first ten."""
    waiting = (p for p in pages if p.status == TRIGGERED or verb is not Verb.ACKNOWLEDGE)
    return sorted((p for p in waiting if p.open), key=lambda p: (p.number, p.id))
