"""What people ask for with an incident's buttons: for each of its pages, as if it were typed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.conversation import Click, Mark, Mention, Notice, Thread
from bot.domain.paging import Page, PageStore, Press
from bot.domain.pressing import MOST_PAGES, Pressed, fingerprint, fitting
from bot.domain.time import Clock
from bot.domain.wish import Wish
from bot.workflows.engine import Engine
from bot.workflows.orders import InvestigationOrder, start_request

NOTHING = "No page of this incident is open, so there is nothing to {verb}."
TAKEN = "Every page of this incident is acknowledged already."


@dataclass(frozen=True, slots=True, kw_only=True)
class PageClicks:
    """`PageButtons` over the workflow that every request takes: policy rules, the clicker acts."""

    engine: Engine
    pages: PageStore
    wall: Clock

    async def open_pages(self, incident_id: str) -> Sequence[Page]:
        """Return the pages of an incident that are not resolved."""
        return [page for page in await self.pages.of_incident(incident_id) if page.open]

    async def press(self, click: Click, press: Press) -> Notice:
        """Prepare it for every open page that it fits; the same click again prepares nothing."""
        found = await self.open_pages(click.subject)
        pages = fitting(found, press.verb)
        if not pages:
            words = TAKEN if found else NOTHING.format(verb=press.verb.value)
            return Notice(mark=Mark.NONE, text=words)
        seen = press.shown == fingerprint(found)  # else it was pressed about what is no more
        at = self.wall.now()
        for page in pages[:MOST_PAGES]:
            pressed = Pressed(
                click=click, press=press, page_id=page.id, status=page.status,
                assignees=page.assignees, at=at,
            )  # fmt: skip
            await self._ask(click, press, page, pressed if seen else None)
        mark = Mark.NONE if seen else Mark.WAITING
        return Notice(mark=mark, text=_said(press, pages, seen=seen))

    async def _ask(self, click: Click, press: Press, page: Page, pressed: Pressed | None) -> None:
        wish = Wish(
            verb=press.verb, name=page.id, kind="page", place=page.environment, goal=press.goal,
            people=press.people, reason=press.reason,
        )  # fmt: skip
        name = _stable(click, press, page)
        mention = Mention(
            event_id=name,
            thread=Thread(team=click.team, channel=click.channel, ts=click.thread_ts),
            user=click.user,
            text=f"{press.verb.value} {page.id}",
            ts=click.message_ts,
            in_thread=True,
        )
        order = InvestigationOrder(investigation_id=f"inv-{name}", mention=mention)
        await start_request(self.engine, order, wish, pressed)


def _stable(click: Click, press: Press, page: Page) -> str:
    """Return an id that is the same for the same click on a page of which nothing was told since.

    An acknowledgement that timed out leaves a page as it was: it must be possible to press again.
    """
    told = page.told_at.isoformat() if page.told_at else ""
    state = [page.id, page.status, *page.assignees, told]
    parts = [click.click_id, *state, press.goal, *press.people]
    return f"page-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:24]}"


def _said(press: Press, pages: Sequence[Page], *, seen: bool) -> str:
    """Return what was asked for; what becomes of it is told in the thread."""
    names = ", ".join(f"#{page.number}" if page.number else page.id for page in pages[:MOST_PAGES])
    left = len(pages) - MOST_PAGES
    more = f", and {left} more that I leave for now" if left > 0 else ""
    if seen:
        return f"Asked: {press.verb.value} {names}{more}. It is done when the thread says so."
    cards = "A card" if len(pages) == 1 else f"{min(len(pages), MOST_PAGES)} cards"
    told = f"{cards} to {press.verb.value} {names}{more} in the thread."
    return f"The pages changed since you saw them, so nothing is decided yet. {told}"
