"""The workflow from a mention to a report, and on to what is proposed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.codec import decode
from bot.domain.conversation import Head, Mark, Notice
from bot.domain.diagnosis import Concluded, Diagnosis, Progress, Question, Report, Symptom
from bot.domain.errors import Permanent, SreBotError
from bot.domain.needs import Need
from bot.domain.ports import Collect, IncidentStore, Notify
from bot.domain.snapshot import Alert, PastIncident, Snapshot
from bot.perception.case import Case
from bot.perception.recording import Recording
from bot.workflows.engine import do, step
from bot.workflows.inquiry import (
    Found,
    Inquiry,
    Meter,
    anchored,
    progress_of,
    report_of,
    with_past,
)
from bot.workflows.orders import InvestigationOrder
from bot.workflows.planning import Planning

RECORDER = "sre-bot"
PROGRESS_WITHIN_S = 2.0  # wall; a head message that takes longer is left for the next round


Alerted = Callable[[str], Awaitable[Sequence[Alert]]]  # an investigation's alerts so far, by its id
Keep = Callable[[Case, Report], None]  # must not raise: a full disk stops no investigation


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A mention understood, or why not."""

    question: Question | None
    answer: str = ""


class Investigation:
    """Runs investigations as durable workflows."""

    def __init__(
        self,
        inquiry: Inquiry,
        incidents: IncidentStore,
        notify: Notify,
        planning: Planning,
        *,
        keep: Keep | None = None,
        alerted: Alerted | None = None,
    ) -> None:
        self._inquiry, self._incidents, self._notify = inquiry, incidents, notify
        self._planning, self._keep, self._alerted = planning, keep, alerted
        self._clock = inquiry.clock

    async def body(self, order_data: Any) -> str:
        """Understand, greet, look in rounds, conclude, report, propose."""
        order = decode(InvestigationOrder, order_data)
        previous = await step("previous question", Previous, lambda: self._previous(order))
        asked = await step("understand", Asked, lambda: self._understand(order, previous.question))
        if asked.question is None:
            if not asked.answer:
                return "overheard"
            await do("ask back", lambda: self._answer(order, asked.answer))
            return "asked back"
        question = asked.question
        await do("greet", lambda: self._head(order, question, START))
        concluded, meter, case = await self._look(order, question)
        report = report_of(order.investigation_id, question, concluded, meter)
        await do("save the report", lambda: self._save(report, case))
        await do("report", lambda: self._tell(order, report))
        await self._planning.propose(order, concluded)
        return concluded.diagnosis.status.value

    async def _look(
        self, order: InvestigationOrder, question: Question
    ) -> tuple[Concluded, Meter, Case]:
        past = await step("recall", Past, lambda: self._past(question))
        meter = Meter(question.asked_at, self._clock)
        recording = Recording(with_past(past.incidents, self._collecting(order, question, meter)))
        inquiry = self._inquiry.deepened(order.depth)
        concluded = await inquiry.run(question, recording.collect, meter, order.refuted)
        return concluded, meter, recording.case(question, tool=RECORDER)

    async def _save(self, report: Report, case: Case) -> None:
        await self._incidents.save_report(report)
        if self._keep is not None:
            await asyncio.to_thread(self._keep, case, report)

    def _collecting(self, order: InvestigationOrder, question: Question, meter: Meter) -> Collect:
        """Return a collect whose every round is one step of the workflow."""
        collector = self._inquiry.collectors[question.environment].fresh()
        rounds = 0
        seen = Snapshot(
            environment=question.environment, window=question.window, now=question.asked_at
        )

        async def collect(needs: Sequence[Need]) -> Snapshot:
            nonlocal rounds, seen
            rounds += 1

            async def round_of_queries() -> Collected:
                began = self._clock.now()
                head = progress_of(seen, needs, meter.spent.seconds)
                collected, _ = await asyncio.gather(
                    collector.collect(needs), self._progress(order, question, head)
                )
                snapshot = await self._with_alerts(order, seen, collected.snapshot)
                found = Found(snapshot=snapshot, steps=collected.steps)
                return Collected(found=found, began=began, ended=self._clock.now())

            collected = await step(f"look {rounds}", Collected, round_of_queries, large=True)
            collector.recall(collected.found.snapshot)  # after a crash it is the journal's
            meter.count(collected.found, began=collected.began, ended=collected.ended)
            fresh = collected.found.snapshot
            seen = replace(
                seen, looked_at=seen.looked_at + fresh.looked_at, alerts=seen.alerts + fresh.alerts
            )
            return collected.found.snapshot

        return collect

    async def _with_alerts(
        self, order: InvestigationOrder, seen: Snapshot, found: Snapshot
    ) -> Snapshot:
        """Add what alerted so far, also after the investigation began: evidence like the rest."""
        if self._alerted is None or order.question is None:
            return found
        alerts = await self._alerted(order.investigation_id)
        known = {alert.source.query for alert in seen.alerts}
        fresh = tuple(alert for alert in alerts if alert.source.query not in known)
        return replace(found, alerts=found.alerts + fresh)

    async def _understand(self, order: InvestigationOrder, previous: Question | None) -> Asked:
        mention, question, answer = order.mention, None, ""
        try:
            question = await self._question(order, previous)
        except Permanent as unclear:
            answer = str(unclear)
        if not mention.addressed and not _tells_of_trouble(question):
            return Asked(question=None)
        await self._incidents.open_investigation(
            order.investigation_id, mention.thread, mention.user, mention.text, self._clock.now()
        )
        if question is None:
            await self._incidents.set_state(order.investigation_id, "unclear")
        return Asked(question=question, answer=answer)

    async def _question(self, order: InvestigationOrder, previous: Question | None) -> Question:
        if order.question is not None:
            return anchored(order.question, self._clock.now())
        mention = order.mention
        return await self._inquiry.understand(
            mention.text, channel=mention.thread.channel, previous=previous
        )

    async def _previous(self, order: InvestigationOrder) -> "Previous":
        before = await self._incidents.investigation_of(order.mention.thread)
        report = await self._incidents.report(before) if before else None
        return Previous(question=report.question if report else None)

    async def _past(self, question: Question) -> "Past":
        return Past(incidents=tuple(await self._incidents.past(question.environment)))

    async def _answer(self, order: InvestigationOrder, text: str) -> None:
        notice = Notice(mark=Mark.UNKNOWN, text=text)
        await self._notify.say(order.mention.thread, notice, key=f"answer:{order.investigation_id}")

    async def _progress(
        self, order: InvestigationOrder, question: Question, progress: Progress
    ) -> None:
        """Edit the head; a Slack that is slow or down must not hold up the looking."""
        with contextlib.suppress(SreBotError, TimeoutError):
            async with asyncio.timeout(PROGRESS_WITHIN_S):
                await self._head(order, question, progress)

    async def _head(
        self,
        order: InvestigationOrder,
        question: Question,
        progress: Progress,
        diagnosis: Diagnosis | None = None,
    ) -> None:
        head = Head(
            investigation_id=order.investigation_id, question=question, progress=progress,
            diagnosis=diagnosis,
        )  # fmt: skip
        await self._notify.head(order.mention.thread, head)

    async def _tell(self, order: InvestigationOrder, report: Report) -> None:
        progress = Progress(
            elapsed_s=report.spent.seconds,
            looked_at=report.looked_at,
            waiting_for=(),
            observation="",
        )
        await self._head(order, report.question, progress, report.diagnosis)
        await self._notify.report(order.mention.thread, report)
        await self._incidents.set_state(order.investigation_id, report.diagnosis.status.value)


def _tells_of_trouble(overheard: Question | None) -> bool:
    """Whether what was said to others is worth an answer: a service, or a complaint."""
    return overheard is not None and (
        bool(overheard.services) or overheard.symptom is not Symptom.ANY
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One journaled round."""

    found: Found
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The question before in the same thread."""

    question: Question | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What earlier incidents turned out to be."""

    incidents: tuple[PastIncident, ...]


START = Progress(elapsed_s=0.0, looked_at=(), waiting_for=(), observation="")
