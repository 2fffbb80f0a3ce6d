"""Rows of triage's tables to the domain's data and back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.domain.codec import decode, encode
from bot.domain.conversation import Thread
from bot.domain.incident import Alert, Incident, Member, Standing, State
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.storage.signal_tables import AlertRow
from bot.storage.tables import IncidentRow

CHUNK = 500  # rows of one statement
LONGEST_NAME = 255


def chunks(items: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield them in parts that one statement can take."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def alert_of(row: AlertRow) -> Alert:
    """Return an alert. Raises: Malformed: its signal is of another version."""
    return _alert(row, decode(Signal, row.body))


def bare_alert_of(row: AlertRow) -> Alert:
    """Return an alert whose signal says only what the alert itself says."""
    signal = Signal(
        key="", origin=Origin(row.origin), subject=row.subject, phase=Phase.FIRING,
        title=row.title, at=row.last_at, severity=Severity(row.severity),
        environment=row.environment, services=(row.service,) if row.service else (),
    )  # fmt: skip
    return _alert(row, signal)


def _alert(row: AlertRow, signal: Signal) -> Alert:
    return Alert(
        subject=row.subject, origin=signal.origin, environment=row.environment,
        service=row.service, title=row.title, severity=Severity(row.severity), firing=row.firing,
        first_at=row.first_at, last_at=row.last_at, count=row.count, flips=row.flips,
        flipped_at=row.flipped_at, signal=signal, incident_id=row.incident_id or "",
    )  # fmt: skip


def alert_values(alert: Alert) -> dict[str, Any]:
    """Return the columns of an alert."""
    return {
        "subject": alert.subject, "incident_id": alert.incident_id or None,
        "origin": alert.origin.value, "environment": alert.environment,
        "service": alert.service[:LONGEST_NAME], "title": alert.title,
        "severity": int(alert.severity), "firing": alert.firing, "first_at": alert.first_at,
        "last_at": alert.last_at, "count": alert.count, "flips": alert.flips,
        "flipped_at": alert.flipped_at, "body": encode(alert.signal),
    }  # fmt: skip


def incident_of(row: IncidentRow) -> Incident:
    """Return an incident."""
    thread = Thread(team=row.team, channel=row.channel, ts=row.thread_ts) if row.thread_ts else None
    return Incident(
        id=row.id, environment=row.environment, title=row.title, state=State(row.state),
        severity=Severity(row.severity), service=row.service, origin=row.origin,
        opened_at=row.opened_at, began_at=row.began_at, quiet=row.quiet, alerts=row.alerts,
        version=row.version, shown=row.shown, closed_at=row.closed_at, thread=thread,
    )  # fmt: skip


def incident_row(incident: Incident) -> IncidentRow:
    """Return the row of a new incident, which has no thread yet."""
    return IncidentRow(
        id=incident.id, team="", channel="", thread_ts=None, title=incident.title,
        environment=incident.environment, state=incident.state.value,
        opened_at=incident.opened_at, closed_at=None, origin=incident.origin,
        severity=int(incident.severity), service=incident.service[:LONGEST_NAME],
        quiet=incident.quiet, alerts=0, version=1, shown=0, began_at=incident.began_at,
        acknowledged_at=None, escalated_at=None,
    )  # fmt: skip


def members_of(session: Session, ids: Sequence[str]) -> Mapping[str, Mapping[str, Member]]:
    """Return for each incident its services, counted."""
    query = (
        select(
            AlertRow.incident_id, AlertRow.service, func.count(),
            func.count().filter(AlertRow.firing), func.max(AlertRow.severity),
            func.min(AlertRow.first_at), func.max(AlertRow.last_at),
        )
        .group_by(AlertRow.incident_id, AlertRow.service)
    )  # fmt: skip
    found: dict[str, dict[str, Member]] = {}
    for part in chunks(ids):
        rows = session.execute(query.where(AlertRow.incident_id.in_(part)))
        for incident_id, service, alerts, firing, severity, first_at, last_at in rows:
            found.setdefault(incident_id or "", {})[service] = Member(
                service=service, alerts=alerts, firing=firing, severity=Severity(severity),
                first_at=first_at, last_at=last_at,
            )  # fmt: skip
    return found


def standings_of(session: Session, rows: Sequence[IncidentRow]) -> tuple[Standing, ...]:
    """Return the incidents with their services."""
    members = members_of(session, [row.id for row in rows])
    return tuple(Standing(incident=incident_of(r), members=members.get(r.id, {})) for r in rows)
