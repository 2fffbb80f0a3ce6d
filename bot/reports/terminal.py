"""A report in plain words, for a terminal: the answer first, then the evidence."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.domain.action import Proposal
from bot.domain.conversation import Mark
from bot.domain.diagnosis import Diagnosis, Report, Status

MARKS = {
    Status.ROOT_CAUSE: (Mark.ROOT_CAUSE, "root cause found"),
    Status.HEALTHY: (Mark.HEALTHY, "healthy"),
    Status.UNKNOWN: (Mark.UNKNOWN, "unknown"),
}
GUESSES = 3
RULED_OUT = 8


def words(report: Report, proposals: Sequence[Proposal] = ()) -> str:
    """Return the report as lines of text."""
    diagnosis = report.diagnosis
    lines = [_headline(report), diagnosis.summary, ""]
    lines += _evidence(diagnosis)
    if diagnosis.status is Status.UNKNOWN:
        lines += _guesses(diagnosis)
    lines += [f"Not the cause: {r.what}: {r.why}" for r in diagnosis.ruled_out[:RULED_OUT]]
    lines += [f"Could not see: {s.wanted} ({s.system}: {s.reason})" for s in diagnosis.blind_spots]
    for proposal in proposals:
        lines += _proposal(proposal)
    seconds, queries = report.spent.seconds, report.spent.queries
    lines += ["", f"{queries} queries in {seconds:.1f} s; looked at: {', '.join(report.looked_at)}"]
    return "\n".join(lines)


def _headline(report: Report) -> str:
    mark, word = MARKS[report.diagnosis.status]
    sure = f", {_percent(report.diagnosis.confidence)} sure"
    if report.diagnosis.status is Status.UNKNOWN:
        sure = ""
    where = report.question.environment
    return f"{mark.value} {report.question.text or 'everything'} · {where} · {word}{sure}"


def _evidence(diagnosis: Diagnosis) -> Iterator[str]:
    for number, ranked in enumerate(diagnosis.causes, start=1):
        found = ranked.hypothesis
        if len(diagnosis.causes) > 1:
            yield f"Cause {number}: {found.summary} ({_percent(ranked.confidence)})"
        for index, evidence in enumerate(found.evidence, start=1):
            against = "" if evidence.supports else "against: "
            yield f"  {index}  {against}{evidence.statement}"
            yield f"     {evidence.source.system}: {_one_line(evidence.source.query)}"
        if found.forecast_at:
            yield f"  It will break at about {_clock(found.forecast_at)}."


def _guesses(diagnosis: Diagnosis) -> Iterator[str]:
    for ranked in diagnosis.ranked[:GUESSES]:
        found = ranked.hypothesis
        yield f"  perhaps {found.cause} at {found.object} ({_percent(ranked.confidence)})"


def _proposal(proposal: Proposal) -> Iterator[str]:
    arguments = ", ".join(f"{k}={v}" for k, v in proposal.call.arguments.items())
    yield ""
    yield f"Proposed: {proposal.title}"
    yield f"  {proposal.reason}"
    yield f"  {proposal.call.action}({arguments}) in {proposal.call.environment}"
    if proposal.trade_off:
        yield f"  Trade-off: {proposal.trade_off}"
    if proposal.short_term:
        yield f"  Short-term. What lasts: {proposal.lasting_fix}"
    for warning in proposal.warnings:
        yield f"  Careful: {warning}"


def _percent(ratio: float) -> str:
    return f"{max(1, min(99, round(ratio * 100)))} %"


def _one_line(query: str, limit: int = 160) -> str:
    flat = " ".join(query.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
