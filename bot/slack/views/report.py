"""The report in the thread: the answer, numbered evidence, what it was not, what was not seen."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from bot.domain.diagnosis import Diagnosis, Evidence, Hypothesis, Ranked, Report, RuledOut, Status
from bot.domain.snapshot import BlindSpot, Source
from bot.slack.views.blocks import (
    MESSAGE_BUDGET,
    Block,
    Message,
    actions,
    button,
    context,
    message,
    sections,
)
from bot.slack.views.text import (
    data,
    duration,
    link,
    listed,
    percent,
    sentence,
    span,
    told,
)
from bot.slack.views.words import guesses, mark_of, title, verdict

EVIDENCE_SHOWN = 8  # lines per cause; the rest is in Show steps
CAUSES_SHOWN = 3
RULED_OUT_SHOWN = 6
BLIND_SHOWN = 6

_LABELS = {
    "prometheus": "graph",
    "metrics": "graph",
    "loki": "logs",
    "logs": "logs",
    "jaeger": "traces",
    "traces": "traces",
    "changes": "change",
    "kubernetes": "object",
}


def report(report: Report) -> Message:
    """Return the report, the answer first, with the buttons that judge and question it."""
    near = report.question.asked_at
    diagnosis = report.diagnosis
    lines = [
        *answer(diagnosis, near),
        *_evidence(diagnosis, near),
        *_ruled_out(diagnosis.ruled_out, near),
        *_blind(diagnosis),
    ]
    spoken = f"{mark_of(diagnosis)} {title(report.question)}: {verdict(diagnosis)}."
    return message(
        f"{spoken} {told(diagnosis.summary, near, 1_000)}".rstrip(),
        [
            *sections(lines, MESSAGE_BUDGET),
            context(_spent(report)),
            *_buttons(report.investigation_id),
        ],
    )


def answer(diagnosis: Diagnosis, near: datetime) -> list[str]:
    """Return the first lines: what it is and how sure, or that it is not known."""
    summary = told(diagnosis.summary, near, 1_200)
    if diagnosis.status is Status.HEALTHY:
        return [summary if summary.startswith("🟢") else f"🟢 *Nothing is wrong now.* {summary}"]
    if diagnosis.status is Status.UNKNOWN:
        named = guesses(diagnosis.ranked)
        return [
            f"⚪ *I don't know yet.* {summary}".rstrip(),
            f"Most likely {named}." if named else "",
        ]
    if diagnosis.confidence < 1 and mark_of(diagnosis) == "🟡":
        return [f"🟡 *Not sure*, {percent(diagnosis.confidence)}: {sentence(summary)}"]
    return [f"*Why*: {sentence(summary)} {percent(diagnosis.confidence)} sure."]


def shown_hypotheses(diagnosis: Diagnosis) -> tuple[Ranked, ...]:
    """Return the hypotheses whose evidence a reader gets: the causes, or else the best guesses."""
    return diagnosis.causes or tuple(r for r in diagnosis.ranked if r.hypothesis.evidence)[:2]


def evidence_line(number: int, evidence: Evidence, near: datetime, limit: int = 500) -> str:
    """Return "4  against: the database's CPU is normal <graph> · 13:30-14:05"."""
    against = "" if evidence.supports else "against: "
    return f"{number}  {against}{told(evidence.statement, near, limit)}{where(evidence.source)}"


def _linked(source: Source) -> str:
    shown = link(source.link, _LABELS.get(source.system.lower(), "source"))
    return f" [{shown}]" if shown else ""


def where(source: Source) -> str:
    """Return where it was seen: a link if there is one, and the time window."""
    label = _LABELS.get(source.system.lower(), "source")
    shown = link(source.link, label) or data(source.system, 40)
    window = span(source.window)
    return f" [{shown}{', ' if shown and window else ''}{window}]" if shown or window else ""


def ordered(hypothesis: Hypothesis) -> list[Evidence]:
    """Return the evidence as it is numbered: what supports first, the strongest first."""
    return sorted(hypothesis.evidence, key=lambda e: (not e.supports, -abs(e.weight)))


def _evidence(diagnosis: Diagnosis, near: datetime) -> Iterator[str]:
    number = 0
    shown = shown_hypotheses(diagnosis)
    for index, ranked in enumerate(shown[:CAUSES_SHOWN]):
        if len(shown) > 1 and (index or diagnosis.status is not Status.ROOT_CAUSE):
            yield f"*{_also(diagnosis)}*: {told(ranked.hypothesis.summary, near, 400)}"
        found = ordered(ranked.hypothesis)
        for evidence in found[:EVIDENCE_SHOWN]:
            number += 1
            yield evidence_line(number, evidence, near)
        if len(found) > EVIDENCE_SHOWN:
            yield f"… and {len(found) - EVIDENCE_SHOWN} more in Show steps"
    if len(shown) > CAUSES_SHOWN:
        yield f"… and {len(shown) - CAUSES_SHOWN} more causes in Show steps"


def _also(diagnosis: Diagnosis) -> str:
    return "Also" if diagnosis.status is Status.ROOT_CAUSE else "Perhaps"


def ruled_out_line(item: RuledOut, near: datetime) -> str:
    """Return "frontend v9.3: touches no backend call <change>"."""
    return f"{told(item.what, near, 200)}: {told(item.why, near, 300)}{_linked(item.source)}"


def _ruled_out(items: tuple[RuledOut, ...], near: datetime) -> list[str]:
    lines = listed(items, partial(ruled_out_line, near=near), RULED_OUT_SHOWN)
    return [f"*Not the cause*: {lines[0]}", *(f"• {line}" for line in lines[1:])] if lines else []


def blind_line(spot: BlindSpot) -> str:
    """Return "traces of checkout (Tempo timed out)"."""
    return f"{data(spot.wanted or spot.system, 150)} ({data(spot.reason, 150)})"


def _blind(diagnosis: Diagnosis) -> list[str]:
    spots = tuple(dict.fromkeys(diagnosis.blind_spots))
    named = ", ".join(listed(spots, blind_line, BLIND_SHOWN))
    lines = [f"*Could not see*: {named}."] if spots else []
    if spots and diagnosis.status is Status.UNKNOWN:
        wanted = data(diagnosis.blind_spots[0].wanted or diagnosis.blind_spots[0].system, 150)
        lines.append(f"*What would tell*: {wanted}.")
    return lines


def _spent(report: Report) -> str:
    looked = ", ".join(data(s, 30) for s in report.looked_at[:10])
    queries = len(report.steps) or report.spent.queries
    ran = f"{queries} {'query' if queries == 1 else 'queries'}"
    return f"Looked at {looked or 'nothing'} · {ran} · {duration(report.spent.seconds)}"


def _buttons(investigation_id: str) -> list[Block | None]:
    return [
        context("Was this right?"),
        actions(
            button("Right", "verdict_right", investigation_id),
            button("Wrong…", "verdict_wrong", investigation_id),
            button("Show steps", "show_steps", investigation_id),
            button("Ask something", "ask", investigation_id),
        ),
    ]
