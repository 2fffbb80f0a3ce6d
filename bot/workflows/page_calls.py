"""The workflow that calls a person on the bot's own behalf: only with evidence, and only once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.domain.codec import decode
from bot.domain.conversation import Mark, Notice
from bot.domain.diagnosis import Report, Status
from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, Transient
from bot.domain.paging import (
    ACKNOWLEDGED,
    HIGH,
    SIGNED,
    Called,
    Escalation,
    Page,
    Pager,
    PageStore,
    Quiet,
)
from bot.domain.paging import reference as reference_of
from bot.domain.people import SELF
from bot.domain.policy import Ruling
from bot.domain.ports import Audit, AuditEntry, IncidentStore, Notify
from bot.domain.time import Clock
from bot.reports.note import note
from bot.workflows.engine import do, pause, step
from bot.workflows.page_looks import Looking
from bot.workflows.page_tries import USUAL, Tried, tell_thread, until_done
from bot.workflows.patience import Patience
from policies.escalating import NOT_YET, SOON, escalation

HOUR = timedelta(hours=1)
MOST_LOOKS = 5
RULING, CALL = "ruling", "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """What policy said of calling somebody for an incident, and through which page."""

    call: bool
    words: str  # with the rules, for the record
    why: str = ""  # without, for people
    environment: str = ""
    service: str = ""
    title: str = ""
    page_id: str = ""  # "" when a new page is needed
    again_s: float = 0.0  # wall; rule again then: it breaks, but not soon


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The wall's clock, and the watched world's."""

    wall: Clock
    world: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """Rules on quiet incidents, and calls people for those that will be an outage."""

    pages: PageStore
    pagers: Mapping[str, Pager]
    environments: Mapping[str, Environment]
    incidents: IncidentStore
    notify: Notify
    audit: Audit
    clocks: Clocks
    looking: Looking  # PagerDuty does not tell that a page became urgent
    patience: Patience = USUAL

    async def body(self, order_data: Any) -> str:
        """Rule; audit, call, say so; record the ruling."""
        order = decode(Quiet, order_data)
        ruled = await step("rule", Ruled, lambda: self._rule(order))
        for look in range(1, MOST_LOOKS):
            if not ruled.again_s:
                break
            await pause(ruled.again_s)
            ruled = await step(f"rule {look}", Ruled, lambda: self._rule(order))
        if ruled.call:
            await self._call_somebody(order, ruled)
        await do("record the ruling", lambda: self._record(order, ruled))
        return "called" if ruled.call else "not called"

    async def _call_somebody(self, order: Quiet, ruled: Ruled) -> None:
        async def late(tried: Tried) -> None:
            await self._say(order, f"A person is needed: {ruled.why}. I could not call anybody "
                            f"yet: {tried.text}. I go on trying.", "late")  # fmt: skip

        audit = await until_done("audit", lambda: self._audited(order, ruled), self.patience, late)
        if audit.failed:
            return  # what cannot be audited is not done
        called = await until_done("call", lambda: self._call(order, ruled), self.patience, late)
        if called.failed:
            words = f"A person is needed: {ruled.why}. I can call nobody: {called.text}"
            await do("say that nobody was called", lambda: self._say(order, words, "failed"))
            return
        words = f"I called {called.text}: {ruled.why}."
        await do("say who was called", lambda: self._say(order, words, CALL))

    async def _rule(self, order: Quiet) -> Ruled:
        report = await self.incidents.report(order.investigation_id)
        environment = self.environments.get(report.question.environment) if report else None
        if report is None or environment is None:
            return Ruled(call=False, words="there is no report")
        if not await self.pages.is_open(order.incident_id):
            return Ruled(call=False, words="it is over")
        pages = [p for p in await self.pages.of_incident(order.incident_id) if p.open]
        pages = [await self._fresh(page) for page in pages]
        ruling = escalation(await self._case(order, report, environment, pages))
        cause = report.diagnosis.cause
        low = next((p.id for p in pages), "")
        return Ruled(
            call=not ruling.denied,
            words=ruling.words,
            why="; ".join(reason.text for reason in ruling.reasons),
            environment=environment.name,
            service=cause.service if cause else "",
            title=" ".join(report.diagnosis.summary.split())[:200],
            page_id=low,
            again_s=self._again_s(report, ruling),
        )

    def _again_s(self, report: Report, ruling: Ruling) -> float:
        """Return in how long it will be soon, if nothing else is against calling somebody."""
        cause, world = report.diagnosis.cause, self.clocks.world
        if [r.rule for r in ruling.reasons] != [NOT_YET] or not cause or not cause.forecast_at:
            return 0.0
        left = (cause.forecast_at - SOON - world.now()).total_seconds()
        return world.wall_seconds(max(1.0, left))

    async def _case(
        self, order: Quiet, report: Report, environment: Environment, pages: list[Page]
    ) -> Escalation:
        diagnosis, cause = report.diagnosis, report.diagnosis.cause
        answered = [p for p in pages if p.status == ACKNOWLEDGED or p.urgency == HIGH]
        now = self.clocks.wall.now()
        return Escalation(
            tier=environment.tier,
            known=diagnosis.status is Status.ROOT_CAUSE,
            confidence=diagnosis.confidence,
            supports=sum(1 for e in cause.evidence if e.supports) if cause else 0,
            breaks_at=cause.forecast_at if cause else None,
            now=self.clocks.world.now(),
            answered=", ".join(answered[0].assignees) or "somebody" if answered else "",
            called_before=await self.pages.done(_key(order)) is not None,
            calls_last_hour=await self.pages.calls_since(now - HOUR),
        )

    async def _fresh(self, page: Page) -> Page:
        """Return the page as it is just now; as it was last told of, if it cannot be read."""
        pager = self.pagers.get(page.environment)
        if pager is None:
            return page
        try:
            look = await pager.look(page.id)
        except Transient:
            return page
        return replace(page, status=look.status, urgency=look.urgency, assignees=look.assignees)

    async def _audited(self, order: Quiet, ruled: Ruled) -> Tried:
        await self.audit.write(
            AuditEntry(
                at=self.clocks.wall.now(), actor=SELF.id, event="paged",
                environment=ruled.environment, subject=order.incident_id,
                text=f"calls a person by itself: {ruled.words}",
                details=json.dumps({"investigation": order.investigation_id,
                                    "page": ruled.page_id, "service": ruled.service}),
            )
        )  # fmt: skip
        return Tried(done=True, text="written")

    async def _call(self, order: Quiet, ruled: Ruled) -> Tried:
        """Make the page urgent, or open one; say on it why; note that somebody was called."""
        pager = self.pagers.get(ruled.environment)
        if pager is None:
            raise NotConfigured(f"{ruled.environment} has no PagerDuty")
        page_id = ruled.page_id or await self._open(pager, order, ruled)
        if ruled.page_id:
            await pager.urge(page_id)
        report = await self.incidents.report(order.investigation_id)
        found = note(report).removeprefix(SIGNED) if report else ""
        why = f"{SIGNED}I called you: {ruled.why}.\n{found}"
        await pager.note(page_id, why, reference_of(_key(order)))
        look, now = await pager.look(page_id), self.clocks.wall.now()
        await self.pages.called(
            Called(
                key=_key(order),
                kind=CALL,
                page_id=page_id,
                incident_id=order.incident_id,
                at=now,
                text=ruled.words,
            )
        )
        await self.pages.escalated(order.incident_id, now)
        page = await self.pages.page(page_id)
        if page is not None:
            await self.looking.saw(page, look)
        return Tried(done=True, text=", ".join(look.assignees) or f"who is on call ({page_id})")

    async def _open(self, pager: Pager, order: Quiet, ruled: Ruled) -> str:
        page = await pager.open(ruled.service, ruled.title, f"sre-bot/{order.incident_id}")
        opened = replace(page, incident_id=order.incident_id)
        await self.pages.opened(opened, self.clocks.wall.now())
        return page.id

    async def _record(self, order: Quiet, ruled: Ruled) -> None:
        await self.pages.called(
            Called(
                key=f"{RULING}/{order.investigation_id}", kind=RULING, page_id=ruled.page_id,
                incident_id=order.incident_id, at=self.clocks.wall.now(), text=ruled.words,
            )
        )  # fmt: skip

    async def _say(self, order: Quiet, text: str, why: str) -> None:
        notice = Notice(mark=Mark.STOPPED, text=text)
        key = f"{_key(order)}/{why}"
        await tell_thread(self.incidents, self.notify, order.investigation_id, notice, key)


def _key(order: Quiet) -> str:
    """Return the key under which somebody is called for an incident once."""
    return f"{CALL}/{order.incident_id}"
