"""The head message: one per investigation, edited as findings arrive, six lines at most."""

from bot.domain.conversation import Head, Mark
from bot.domain.diagnosis import Diagnosis, Status
from bot.slack.views.blocks import Message, message, section
from bot.slack.views.text import cut, data, duration, mrkdwn, told
from bot.slack.views.words import guesses, mark_of, title, verdict

LINE = 220  # characters of a line of the head: two lines on a phone


def head(head: Head) -> Message:
    """Return the head message of an investigation that runs or has ended."""
    lines = _lines(head)
    return message(_spoken(head), [section("\n".join(line for line in lines if line))])


def details(head: Head) -> list[str]:
    """Return what is known, without the first line: for an incident, whose title is its own."""
    return _lines(head)[1:]


def _lines(head: Head) -> list[str]:
    return _running(head) if head.diagnosis is None else _ended(head, head.diagnosis)


def _first(head: Head, mark: Mark, state: str) -> str:
    name, environment = title(head.question), data(head.question.environment, 40)
    place = f" · {environment}" if environment else ""
    return f"{mark} *{name}*{place} · {state}"


def _running(head: Head) -> list[str]:
    progress = head.progress
    looked = [f"{data(s, 30)} ✓" for s in progress.looked_at[:8]]
    waiting = [f"{data(s, 30)} …" for s in progress.waiting_for[:8]]
    return [
        _first(head, Mark.INVESTIGATING, f"investigating, {duration(progress.elapsed_s)}"),
        told(progress.observation, head.question.asked_at, LINE),
        f"Looked at: {'  '.join(looked + waiting)}" if looked or waiting else "",
        f"On call: {mrkdwn(head.on_call, 100)}" if head.on_call else "",
        mrkdwn(head.action_line, LINE),
    ]


def _ended(head: Head, diagnosis: Diagnosis) -> list[str]:
    state = f"{verdict(diagnosis)}, in {duration(head.progress.elapsed_s)}"
    near = head.question.asked_at
    also = diagnosis.causes[1:]
    return [
        _first(head, mark_of(diagnosis), state),
        told(diagnosis.summary, near, LINE * 2),
        _maybe(diagnosis),
        f"Also: {told(also[0].hypothesis.summary, near, LINE)}" if also else "",
        mrkdwn(head.action_line, LINE),
    ]


def _maybe(diagnosis: Diagnosis) -> str:
    named = guesses(diagnosis.ranked) if diagnosis.status is Status.UNKNOWN else ""
    return f"Most likely {cut(named, LINE)}." if named else ""


def _spoken(head: Head) -> str:
    state = verdict(head.diagnosis) if head.diagnosis else "investigating"
    summary = head.diagnosis.summary if head.diagnosis else head.progress.observation
    mark = mark_of(head.diagnosis) if head.diagnosis else Mark.INVESTIGATING
    tail = f" {told(summary, head.question.asked_at, 600)}" if summary else ""
    return f"{mark} {title(head.question)} in {data(head.question.environment, 40)}: {state}.{tail}"
