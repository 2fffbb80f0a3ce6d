"""The modals: show steps, why a proposal is rejected, what was wrong, a further question."""

from collections.abc import Iterator
from functools import partial

from bot.domain.conversation import Notice
from bot.domain.diagnosis import Report, Step
from bot.slack.views.blocks import (
    MAX_VIEW_BLOCKS,
    Block,
    View,
    context,
    modal,
    section,
    sections,
    text_input,
)
from bot.slack.views.report import (
    answer,
    blind_line,
    evidence_line,
    ordered,
    ruled_out_line,
    shown_hypotheses,
)
from bot.slack.views.text import code, data, duration, link, listed, mrkdwn, span

_MOST = 60  # lines of each kind in the full text
_MOST_STEPS = 200
REASON_BLOCK = "reason"  # the input of every modal; its element is "text"
_TOO_MANY = "… and more than fits here. The whole list: `sre-bot ask --json`."


def loading() -> View:
    """Return what "Show steps" opens at once, before the report is read."""
    return modal("Steps", [section("Reading what I did …")])


def message_modal(title: str, notice: Notice) -> View:
    """Return a modal that only says something."""
    return modal(title, [section(mrkdwn(f"{notice.mark} {notice.text}".strip()))])


def steps(report: Report) -> View:
    """Return every query that was run, after the full text of the report."""
    blocks = [*_full_text(report), *_step_blocks(report.steps)]
    if len(blocks) > MAX_VIEW_BLOCKS:
        blocks = [*blocks[: MAX_VIEW_BLOCKS - 1], context(_TOO_MANY)]
    return modal("Steps", blocks)


def _full_text(report: Report) -> Iterator[Block | None]:
    diagnosis, near = report.diagnosis, report.question.asked_at
    lines = [*answer(diagnosis, near)]
    shown = [e for ranked in shown_hypotheses(diagnosis) for e in ordered(ranked.hypothesis)]
    for number, evidence in enumerate(shown[:_MOST], 1):
        lines.append(evidence_line(number, evidence, near, 2_500))
    ruled_out = listed(diagnosis.ruled_out, partial(ruled_out_line, near=near), _MOST)
    lines += [f"Not the cause: {line}" for line in ruled_out]
    lines += [f"Could not see: {s}" for s in listed(diagnosis.blind_spots, blind_line, _MOST)]
    yield from sections(lines)[:30]
    yield {"type": "divider"}


def _step_blocks(steps: tuple[Step, ...]) -> list[Block]:
    lines = listed(steps, step_line, _MOST_STEPS)
    return sections(["*Every query I ran*", *lines] if steps else ["No query."])


def step_line(step: Step) -> str:
    """Return one query: where, what, over which time, how long it took, what it found."""
    source = step.source
    shown = link(source.link, "open")
    parts = [span(source.window), duration_words(step.took_s), data(step.found, 200), shown]
    tail = " · ".join(part for part in parts if part)
    return f"{step.number}  *{data(source.system, 40)}* {code(source.query, 600)}\n      {tail}"


def duration_words(seconds: float) -> str:
    """Return "120 ms" or "2 s"."""
    return f"{round(seconds * 1000)} ms" if seconds < 1 else duration(seconds)


def reject_reason(metadata: str) -> View:
    """Return the modal that asks why a proposal is rejected."""
    hint = "For example: we are in a freeze; I am fixing it by hand"
    return modal(
        "Reject",
        [text_input("Why?", block_id=REASON_BLOCK, hint=hint, optional=True)],
        callback_id="reject_reason",
        submit="Reject",
        private_metadata=metadata,
    )


def wrong_verdict(metadata: str) -> View:
    """Return the modal that asks what was wrong with a diagnosis."""
    hint = "For example: it was the cache, its TTL was removed last week"
    return modal(
        "What was it?",
        [text_input("What was the cause?", block_id=REASON_BLOCK, hint=hint, optional=True)],
        callback_id="verdict_comment",
        submit="Send",
        private_metadata=metadata,
    )


def ask_something(metadata: str) -> View:
    """Return the modal that takes a further question."""
    hint = "For example: is it only the new pods?"
    return modal(
        "Ask something",
        [text_input("Your question", block_id=REASON_BLOCK, hint=hint, optional=False)],
        callback_id="ask_something",
        submit="Ask",
        private_metadata=metadata,
    )
