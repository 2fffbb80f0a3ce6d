"""An incident's one message, which its thread hangs on: six lines at most, edited."""

from collections.abc import Sequence

from bot.domain.conversation import Mark, Notice
from bot.domain.incident import STORM, Face, Stage, State
from bot.domain.signal import Severity
from bot.slack.views.blocks import Block, Message, actions, button, message, section
from bot.slack.views.head import details
from bot.slack.views.pages import page_buttons, page_lines
from bot.slack.views.text import clock, cut, data, duration, link, listed, mention, mrkdwn
from bot.slack.views.words import mark_of, verdict

NOT_AN_INCIDENT = "not_an_incident"  # the button's action
SHOWN_SERVICES = 3
SHOWN_ORIGINS = 6
LINE, LINES = 220, 6
_WORST = {Severity.CRITICAL: "critical", Severity.HIGH: "high", Severity.WARNING: "warning"}


def root(face: Face) -> Message:
    """Return the message of an incident as it stands."""
    mark, state = _state(face)
    name, place = data(face.incident.title, 150), data(face.incident.environment, 40)
    page, *noted = page_lines(face.pages) or [_pager(face)]
    page = _calling(face, page)
    answer, *rest = [*_told(face)] if _answered(face) else ["", *_told(face)]
    same = f"Same cause as *{data(face.twin, 150)}*" if face.twin else ""
    top = [f"{mark} *{name}* · {place} · {state}", answer, same]
    lines = [line for line in [*top, _alerts(face), _origins(face), page] if line]
    room = LINES - len(lines) - len(noted)
    shown = [*lines, *(rest[-room:] if room > 0 else ()), *noted]
    spoken = f"{mark} {name} in {place}: "
    block = section("\n".join(shown))
    return message(spoken + _bare(state), [block, *_controls(face)])


def _answered(face: Face) -> bool:
    return bool(_told(face)) and face.head is not None and face.head.diagnosis is not None


def _state(face: Face) -> tuple[Mark, str]:
    incident, head = face.incident, face.head
    if incident.state is State.RESOLVED:
        return Mark.HEALTHY, _ended(face)
    if head is not None and head.diagnosis is not None:
        took = duration(head.progress.elapsed_s)
        return mark_of(head.diagnosis), f"{verdict(head.diagnosis)}, in {took}"
    if head is not None:
        return Mark.INVESTIGATING, f"investigating, {duration(head.progress.elapsed_s)}"
    return _not_yet(face)


def _not_yet(face: Face) -> tuple[Mark, str]:
    if face.stage is Stage.SHED:
        return Mark.STOPPED, "not investigated: too much at once, and others are worse. Ask me"
    if face.stage is Stage.WAITING and face.ahead:
        return Mark.INVESTIGATING, f"waiting, {face.ahead} that are worse or older come first"
    return Mark.INVESTIGATING, "looking into it"


def _ended(face: Face) -> str:
    incident = face.incident
    if incident.quiet:
        return mrkdwn(incident.quiet, LINE)
    if incident.closed_at is None:
        return "recovered"
    began = incident.began_at or incident.opened_at
    lasted = duration((incident.closed_at - min(began, incident.closed_at)).total_seconds())
    return f"recovered at {clock(incident.closed_at)}, after {lasted}"


def _alerts(face: Face) -> str:
    members = sorted(face.members, key=lambda m: (m.service != face.incident.service, m.first_at))
    count = sum(m.alerts for m in members)
    if not count:
        return ""
    names = [data(m.service, 60) for m in members if m.service]
    shown = listed(names, str, SHOWN_SERVICES + 1)
    of = f" of {len(names)} services" if len(names) > 1 else ""
    since = f" since {clock(face.incident.began_at)}" if face.incident.began_at else ""
    worst = _WORST.get(face.incident.severity)
    tail = f": {', '.join(shown)}" if shown else ""
    still = f" · {face.flapping} of them on and off" if face.flapping else ""
    severity = f" · {worst}" if worst else ""
    return f"{count:,} alert{'s' if count > 1 else ''}{of}{since}{tail}{severity}{still}"


def _origins(face: Face) -> str:
    """Say where it begins, if calls between the services tell, until the cause is known."""
    diagnosis = face.head.diagnosis if face.head else None
    if diagnosis is not None and diagnosis.causes and face.incident.origin != STORM:
        return ""
    known = [m for m in face.members if m.service]
    if len(known) < 2 or not face.origins:
        return ""
    names = ", ".join(listed([f"`{data(o, 60)}`" for o in face.origins], str, SHOWN_ORIGINS))
    below = "it calls" if len(face.origins) == 1 else "these call"
    return f"Begins at {names}: nothing that {below} alerts"


def _pager(face: Face) -> str:
    said = [data(face.pager.get(name, ""), 60) for name in ("status", "priority")]
    who = data(face.pager.get("assignees", ""), 80)
    parts = [part for part in [*said, f"with {who}" if who else ""] if part]
    if not parts:
        return ""
    label = link(face.link or face.pager.get("html_url"), "PagerDuty") or "PagerDuty"
    return f"{label}: {' · '.join(parts)}"


def _calling(face: Face, page: str) -> str:
    """Return the line about its pages with the mention of who is on call, while it is open.

    The first post of the message calls them; Slack tells nobody of an edit.
    """
    who = called(face)
    if not who:
        return page
    return f"{page} · {who}" if page else f"On call: {who}"


def called(face: Face) -> str:
    """Return the mention of who is called for it, "" for nobody: also once it is over."""
    return mention(face.on_call) if face.incident.state is State.OPEN else ""


def call(face: Face) -> Notice:
    """Return the words that call who is on call, of what became grave after its first post."""
    now = _WORST.get(face.incident.severity, "grave")
    text = f"Now {now}: *{data(face.incident.title, 150)}*. On call: {called(face)}"
    return Notice(mark=Mark.NONE, text=text)


def _told(face: Face) -> Sequence[str]:
    if face.head is None or (face.incident.state is State.RESOLVED and face.incident.quiet):
        return ()
    return [line for line in details(face.head) if line]


def _controls(face: Face) -> Sequence[Block | None]:
    if face.incident.state is not State.OPEN:
        return ()
    not_one = button("Not an incident", NOT_AN_INCIDENT, face.incident.id)
    return (actions(*page_buttons(face.incident.id, face.pages), not_one),)


def _bare(state: str) -> str:
    return cut(state.replace("*", "").replace("`", ""), 300, "…")
