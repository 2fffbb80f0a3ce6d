"""When to say nothing, and why: kept with the incident, and told in the digest."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.environment import Tier
from bot.domain.incident import Alert, Lesson
from bot.domain.signal import Severity
from bot.triage.absorbing import flaps, passes
from bot.triage.alike import alike, signature
from bot.triage.grouping import Group
from bot.triage.places import Place

HEALED_WITHIN_S = 60.0
PASSED_AFTER_S = 180.0
FLAPPING = "flapping"  # the word that a reason of flapping begins with


def why_quiet(group: Group, place: Place, now: datetime) -> str:
    """Return the reason to keep a group from people, "" to speak."""
    return (
        _not_an_incident(group, place.lessons)
        or _information(group)
        or _flapping(group, now)
        or _healed(group)
        or _passed(group, now)
        or _only_development(group, place)
    )


def lesson_for(alert: Alert, lessons: Sequence[Lesson]) -> Lesson | None:
    """Return the newest thing that people taught about such an alert."""
    said = signature(alert.title, alert.service)
    fitting = (x for x in lessons if x.service == alert.service and _fits(said, x.signature))
    return max(fitting, key=lambda lesson: (lesson.at, lesson.id), default=None)


def _fits(said: str, known: str) -> bool:
    return said == known or alike(said, known)


def _not_an_incident(group: Group, lessons: Sequence[Lesson]) -> str:
    """Quiet if every alert is known to be nothing, and none is worse than what was known."""
    if not lessons:
        return ""
    found = [lesson_for(alert, lessons) for alert in group.alerts]
    known = [
        lesson
        for lesson, alert in zip(found, group.alerts, strict=True)
        if lesson is not None and lesson.noise and alert.severity <= lesson.worst
    ]
    if len(known) < len(group.alerts):
        return ""
    newest = max(known, key=lambda lesson: lesson.at)
    return f"not an incident, as {newest.by} said on {newest.at:%Y-%m-%d} of alerts like this"


def _information(group: Group) -> str:
    return "information only" if group.severity is Severity.INFO else ""


def _flapping(group: Group, now: datetime) -> str:
    if group.severity >= Severity.CRITICAL or not all(flaps(a, now) for a in group.alerts):
        return ""
    alert = max(group.alerts, key=lambda a: a.flips)
    minutes = max(1, round((alert.last_at - alert.first_at).total_seconds() / 60))
    return f"{FLAPPING}: it changed {alert.flips} times in {minutes} min"


def _healed(group: Group) -> str:
    if any(a.firing for a in group.alerts):
        return ""
    began = min(a.first_at for a in group.alerts)
    ended = max(a.last_at for a in group.alerts)
    return f"recovered by itself after {round((ended - began).total_seconds())} s"


def _passed(group: Group, now: datetime) -> str:
    """Quiet about events that were not told again: nobody says when those are over."""
    last = max(a.last_at for a in group.alerts)
    if not all(passes(a) for a in group.alerts) or (now - last).total_seconds() < PASSED_AFTER_S:
        return ""
    return f"an event of Kubernetes that was not told again for {round(PASSED_AFTER_S / 60)} min"


def _only_development(group: Group, place: Place) -> str:
    is_development = place.environment.tier is Tier.DEVELOPMENT
    return "a warning in development" if is_development and group.severity < Severity.HIGH else ""
