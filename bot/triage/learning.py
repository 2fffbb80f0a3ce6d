"""What verdicts and "Not an incident" teach: which alerts to keep quiet from now on."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from bot.domain.incident import Alert, Judged, Lesson
from bot.triage.alike import signature

AGREEING = 2  # incidents that were healthy, and rightly so, before that is taken for a habit


def dismissed(alerts: Sequence[Alert], *, by: str, at: datetime) -> tuple[Lesson, ...]:
    """Return what "Not an incident" teaches: one lesson for each kind of alert in it."""
    worst: dict[tuple[str, str, str], Alert] = {}
    for alert in alerts:
        key = (alert.environment, alert.service, signature(alert.title, alert.service))
        if key not in worst or alert.severity > worst[key].severity:
            worst[key] = alert
    return tuple(
        Lesson(
            id=_id(*key, at.isoformat()), environment=key[0], service=key[1], signature=key[2],
            noise=True, worst=alert.severity, by=by, at=at,
        )
        for key, alert in worst.items()
    )  # fmt: skip


def learned(environment: str, judged: Sequence[Judged]) -> tuple[Lesson, ...]:
    """Return what verdicts teach.

    A cause that was right, or a "healthy" that was wrong: alerts like these are real. A "healthy"
    that was right in two incidents: they are noise. A wrong cause teaches nothing of the alert.
    """
    lessons: list[Lesson] = []
    healthy: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for verdict in sorted(judged, key=lambda j: (j.at, j.incident_id, j.by)):
        said = signature(verdict.title, verdict.service)
        if verdict.healthy and verdict.right:
            found = healthy[verdict.service, said]
            found.append(verdict)
            if len({v.incident_id for v in found}) >= AGREEING:
                lessons.append(_lesson(environment, verdict, said, noise=True))
        elif verdict.healthy != verdict.right:
            healthy.pop((verdict.service, said), None)
            lessons.append(_lesson(environment, verdict, said, noise=False))
    return tuple(lessons)


def _lesson(environment: str, verdict: Judged, said: str, *, noise: bool) -> Lesson:
    return Lesson(
        id=_id(environment, verdict.service, said, verdict.at.isoformat()),
        environment=environment, service=verdict.service, signature=said, noise=noise,
        worst=verdict.severity, by=f"<@{verdict.by}>", at=verdict.at,
    )  # fmt: skip


def _id(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:24]
