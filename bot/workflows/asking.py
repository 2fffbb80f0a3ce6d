"""A question answered on the spot, without the durable engine: for the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.action import Proposal
from bot.domain.diagnosis import Question, Report
from bot.domain.needs import Need
from bot.domain.ports import Collect
from bot.domain.snapshot import Snapshot
from bot.perception.case import Case
from bot.perception.recording import Recording
from bot.remediation.planner import propose
from bot.workflows.inquiry import Found, Inquiry, Meter, report_of
from policies.catalog import Runbooks

COMMAND_LINE = "ask"
RECORDER = "sre-bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The report, what could be done, and everything that was told, to be replayed."""

    report: Report
    proposals: tuple[Proposal, ...]
    snapshot: Snapshot
    case: Case


async def answer_live(
    inquiry: Inquiry, runbooks: Runbooks, text: str, environment: str
) -> Answered:
    """Investigate now. Raises: UnknownName, Ambiguous, Malformed: the text tells the way out."""
    question = await inquiry.understand(text, environment=environment, previous=None)
    meter = Meter(question.asked_at, inquiry.clock)
    collector = inquiry.collectors[question.environment].fresh()

    async def collect(needs: Sequence[Need]) -> Snapshot:
        began = inquiry.clock.now()
        collected = await collector.collect(needs)
        found = Found(snapshot=collected.snapshot, steps=collected.steps)
        meter.count(found, began=began, ended=inquiry.clock.now())
        return collected.snapshot

    return await answer(inquiry, runbooks, question, collect, meter)


async def answer(
    inquiry: Inquiry, runbooks: Runbooks, question: Question, collect: Collect, meter: Meter
) -> Answered:
    """Investigate with what `collect` finds: live systems, or a recorded case."""
    recording = Recording(collect)
    concluded = await inquiry.run(question, recording.collect, meter)
    plan = propose(
        concluded,
        environment=inquiry.environments[question.environment],
        runbooks=runbooks,
        investigation_id=COMMAND_LINE,
    )
    return Answered(
        report=report_of(COMMAND_LINE, question, concluded, meter),
        proposals=plan.proposals,
        snapshot=concluded.snapshot,
        case=recording.case(question, tool=RECORDER),
    )
