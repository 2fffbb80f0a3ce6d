"""The workflow that writes a report on a page: once, however often PagerDuty has to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.codec import decode
from bot.domain.conversation import Mark, Notice
from bot.domain.paging import Called, NoteDue, Pager, PageStore, reference
from bot.domain.ports import IncidentStore, Notify
from bot.domain.time import Clock
from bot.reports.note import note
from bot.workflows.engine import do
from bot.workflows.page_tries import USUAL, Tried, tell_thread, until_done
from bot.workflows.patience import Patience

NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noting:
    """Writes reports on pages. `clock` is the wall."""

    pages: PageStore
    pagers: Mapping[str, Pager]
    incidents: IncidentStore
    notify: Notify
    clock: Clock
    patience: Patience = USUAL

    async def body(self, order_data: Any) -> str:
        """Write until it is there, then record that it is."""
        order = decode(NoteDue, order_data)

        async def late(tried: Tried) -> None:
            await self._say(order, f"The report is not on {order.page_id} yet: {tried.text}. "
                            "I go on trying.", "late")  # fmt: skip

        wrote = await until_done("note", lambda: self._write(order), self.patience, late)
        if wrote.failed:
            words = f"The report is not on {order.page_id}: {wrote.text}"
            await do("say that it failed", lambda: self._say(order, words, "failed"))
        await do("record", lambda: self._record(order, wrote))
        return wrote.text

    async def _write(self, order: NoteDue) -> Tried:
        page = await self.pages.page(order.page_id)
        report = await self.incidents.report(order.investigation_id)
        pager = self.pagers.get(page.environment) if page else None
        if page is None or report is None or pager is None:
            return Tried(done=True, text="there is nothing to write, or nowhere")
        wrote = await pager.note(page.id, note(report), reference(key_of(order)))
        return Tried(done=True, text="written" if wrote else "it was there")

    async def _record(self, order: NoteDue, wrote: Tried) -> None:
        page = await self.pages.page(order.page_id)
        await self.pages.called(
            Called(
                key=key_of(order), kind=NOTE, page_id=order.page_id, at=self.clock.now(),
                incident_id=page.incident_id if page else "", text=wrote.text,
            )
        )  # fmt: skip

    async def _say(self, order: NoteDue, text: str, why: str) -> None:
        notice = Notice(mark=Mark.NONE, text=text)
        key = f"{key_of(order)}/{why}"
        await tell_thread(self.incidents, self.notify, order.investigation_id, notice, key)


def key_of(order: NoteDue) -> str:
    """Return the key under which a report is on a page once."""
    return f"{NOTE}/{order.investigation_id}/{order.page_id}"
