"""A report as a note for the paging service: plain text, the answer first, short enough to read."""

from collections.abc import Iterator
from datetime import datetime

from bot.domain.diagnosis import Diagnosis, Evidence, Report, Status
from bot.domain.paging import SIGNED
from bot.domain.redaction import redact

EVIDENCE = 4  # lines; the thread has all of it
LONGEST = 300  # characters of a line


def note(report: Report, link: str = "") -> str:
    """Return the note. `link`: of the thread, "" if it is not known."""
    return redact("\n".join(line for line in _lines(report, link) if line))


def _lines(report: Report, link: str) -> Iterator[str]:
    diagnosis = report.diagnosis
    yield f"{SIGNED}{_headline(diagnosis)}"
    yield from _evidence(diagnosis)
    yield _forecast(diagnosis)
    others = "; ".join(r.what for r in diagnosis.ruled_out[:3])
    yield f"Not the cause: {others}"[:LONGEST] if others else ""
    unseen = "; ".join(f"{s.wanted} ({s.reason})" for s in diagnosis.blind_spots[:3])
    yield f"Could not see: {unseen}"[:LONGEST] if unseen else ""
    yield f"In Slack: {link}" if link else ""


def _headline(diagnosis: Diagnosis) -> str:
    said = " ".join(diagnosis.summary.split())[: LONGEST * 2]
    if diagnosis.status is Status.ROOT_CAUSE:
        return f"root cause found, {_percent(diagnosis.confidence)} sure. {said}"
    if diagnosis.status is Status.HEALTHY:
        return f"nothing is wrong now. {said}"
    return f"I don't know yet. {said}"


def _evidence(diagnosis: Diagnosis) -> Iterator[str]:
    cause = diagnosis.cause
    found = sorted(cause.evidence if cause else (), key=_strength, reverse=True)[:EVIDENCE]
    for number, evidence in enumerate(found, start=1):
        against = "" if evidence.supports else "against: "
        yield f"{number}. {against}{' '.join(evidence.statement.split())}"[:LONGEST]


def _strength(evidence: Evidence) -> tuple[bool, float]:
    return evidence.supports, abs(evidence.weight)


def _forecast(diagnosis: Diagnosis) -> str:
    at: datetime | None = diagnosis.cause.forecast_at if diagnosis.cause else None
    return f"It will break at about {at:%Y-%m-%d %H:%M} UTC." if at else ""


def _percent(ratio: float) -> str:
    return f"{max(1, min(99, round(ratio * 100)))} %"
