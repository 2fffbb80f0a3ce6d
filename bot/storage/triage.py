"""Alerts and incidents in SQL, changed by whoever holds the lease, a batch in one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import case, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session, defer

from bot.domain.incident import OWN, Alert, Plan, Standing, State
from bot.domain.signal import Origin, Phase, Received
from bot.domain.time import Clock
from bot.storage.database import Database
from bot.storage.locks import taken
from bot.storage.signal_tables import AlertRow, InboxRow
from bot.storage.tables import IncidentRow, LockRow
from bot.storage.triage_rows import (
    alert_of,
    alert_values,
    bare_alert_of,
    chunks,
    incident_row,
    standings_of,
)

T = TypeVar("T")
LEASE = "sre-bot/triage"
# How long an alert lasts of which nothing is heard, by its source.
SILENT = {
    Origin.KUBERNETES: timedelta(minutes=15),
    Origin.SLACK: timedelta(hours=4),
    Origin.PAGERDUTY: timedelta(days=7),
    Origin.ALERTMANAGER: timedelta(days=7),  # it says so when one is over, and repeats are known
}
LONG_SILENT = timedelta(days=1)
REOPENED_WITHIN = timedelta(minutes=30)
FLIPS, STEADY = 4, timedelta(minutes=10)  # as triage says: what flaps is not over yet
ACKNOWLEDGED, ESCALATED = ".acknowledged", ".escalated"


class _Lost(Exception):
    """The lease, or one of the signals, is somebody else's: nothing is kept."""


class Triaged:
    """The part of `TriageStore` that the holder of the lease writes. `clock` is the wall."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def lease(self, holder: str, until: datetime, now: datetime) -> bool:
        """Take or keep the right to triage; False while somebody else has it."""
        return await self._database.run(
            lambda session: taken(session, LEASE, holder=holder, until=until, now=now)
        )

    async def alerts(self, subjects: Sequence[str]) -> Mapping[str, Alert]:
        """Return what is known of these subjects."""

        def read(session: Session) -> dict[str, Alert]:
            found: dict[str, Alert] = {}
            for part in chunks(subjects):
                rows = session.scalars(select(AlertRow).where(AlertRow.subject.in_(part)))
                found.update({row.subject: alert_of(row) for row in rows})
            return found

        return await self._database.run(read)

    async def absorb(self, holder: str, batch: Sequence[Received], alerts: Sequence[Alert]) -> bool:
        """Keep the alerts and note the signals as dealt with, in one transaction."""
        now = self._clock.now()

        def write(session: Session) -> None:
            _fence(session, holder)
            _deal(session, [r.number for r in batch], now)
            _keep(session, alerts)
            _touch(session, {a.incident_id for a in alerts if a.incident_id})
            _worsen(session, alerts)
            _people(session, batch, alerts)

        return await self._fenced(write)

    async def pending(self, environment: str) -> Sequence[Alert]:
        """Return the alerts that belong to no incident yet, the first first.

        Without what their signals say beside: they are read many times in a storm.
        """
        query = (
            select(AlertRow)
            .options(defer(AlertRow.body))
            .where(AlertRow.incident_id.is_(None), AlertRow.environment == environment)
            .order_by(AlertRow.first_at, AlertRow.subject)
        )
        return await self._database.run(lambda s: tuple(bare_alert_of(r) for r in s.scalars(query)))

    async def waiting_places(self) -> Sequence[str]:
        """Return the environments that have alerts without an incident."""
        query = select(AlertRow.environment).where(AlertRow.incident_id.is_(None)).distinct()
        return await self._database.run(lambda s: tuple(s.scalars(query)))

    async def standing(self, environment: str, since: datetime) -> Sequence[Standing]:
        """Return the incidents made of signals that are open, or began or ended since then."""
        query = select(IncidentRow).where(
            IncidentRow.id.startswith(OWN, autoescape=True),
            IncidentRow.environment == environment,
            or_(
                IncidentRow.state == State.OPEN.value,
                IncidentRow.opened_at >= since,
                IncidentRow.closed_at >= since,
            ),
        )
        order = query.order_by(IncidentRow.opened_at, IncidentRow.id)
        return await self._database.run(lambda s: standings_of(s, s.scalars(order).all()))

    async def quiet_ones(self, ids: Collection[str]) -> Collection[str]:
        """Return which of these incidents are kept quiet."""
        query = select(IncidentRow.id).where(
            IncidentRow.id.in_(sorted(ids)), IncidentRow.state == State.QUIET.value
        )
        return await self._database.run(lambda s: frozenset(s.scalars(query))) if ids else ()

    async def carry_out(self, holder: str, plan: Plan) -> bool:
        """Open and join as planned, in one transaction; False: the lease is somebody else's."""

        def write(session: Session) -> None:
            _fence(session, holder)
            known = {i.id for i in plan.opened}
            session.add_all([incident_row(i) for i in plan.opened])
            session.flush()
            by_incident: dict[str, list[str]] = {}
            for subject, incident_id in plan.joined.items():
                by_incident.setdefault(incident_id, []).append(subject)
            for incident_id, subjects in by_incident.items():
                _join(session, incident_id, subjects)
            _touch(session, set(by_incident) - known)
            for incident_id, root in plan.roots.items():
                _rename(session, incident_id, root)
            for incident_id in by_incident:
                _count(session, incident_id)

        return await self._fenced(write)

    async def settle(self, holder: str, now: datetime) -> Sequence[str]:
        """Resolve what fires no more, reopen what fires again; return the incidents that changed.

        An alert of a source that never says that it is over counts as over when it falls silent.
        """
        changed: list[str] = []

        def write(session: Session) -> None:
            changed.clear()
            _fence(session, holder)
            _fall_silent(session, now)
            changed.extend(_settle(session, now))

        await self._fenced(write)
        return tuple(changed)

    async def forget(self, before: datetime) -> None:
        """Drop alerts that are over and of which nothing was heard since then."""
        old = delete(AlertRow).where(AlertRow.firing.is_(False), AlertRow.last_at < before)
        await self._database.run(lambda session: session.execute(old))

    async def _fenced(self, write: Callable[[Session], None]) -> bool:
        try:
            await self._database.run(write)
        except _Lost:
            return False
        return True


def _fence(session: Session, holder: str) -> None:
    row = session.get(LockRow, LEASE, with_for_update=True)
    if row is None or row.holder != holder:
        raise _Lost


def _deal(session: Session, numbers: Sequence[int], now: datetime) -> None:
    """Note the signals as dealt with; each only once."""
    for start in range(0, len(numbers), 500):
        part = list(numbers[start : start + 500])
        mine = update(InboxRow).where(InboxRow.id.in_(part), InboxRow.done_at.is_(None))
        done = session.execute(mine.values(done_at=now))
        if done.rowcount != len(part):  # type: ignore[attr-defined]  # an UPDATE's result has it
            raise _Lost


def _keep(session: Session, alerts: Sequence[Alert]) -> None:
    known: set[str] = set()
    for part in chunks([a.subject for a in alerts]):
        known |= set(session.scalars(select(AlertRow.subject).where(AlertRow.subject.in_(part))))
    values = [alert_values(a) for a in alerts]
    new = [v for v in values if v["subject"] not in known]
    old = [v for v in values if v["subject"] in known]
    if new:
        session.execute(insert(AlertRow), new)
    if old:
        session.execute(update(AlertRow), old)


def _touch(session: Session, ids: Collection[str]) -> None:
    """Note that what is told of these incidents changed."""
    for part in chunks(sorted(ids)):
        session.execute(
            update(IncidentRow)
            .where(IncidentRow.id.in_(part))
            .values(version=IncidentRow.version + 1)
        )


def _worsen(session: Session, alerts: Sequence[Alert]) -> None:
    """Let incidents be as grave as the worst that their alerts said by now."""
    worst: dict[str, int] = {}
    for alert in alerts:
        if alert.incident_id and alert.firing:
            worst[alert.incident_id] = max(worst.get(alert.incident_id, 0), alert.severity)
    for incident_id, severity in sorted(worst.items()):
        less = (IncidentRow.id == incident_id) & (IncidentRow.severity < severity)
        session.execute(update(IncidentRow).where(less).values(severity=int(severity)))


def _people(session: Session, batch: Sequence[Received], alerts: Sequence[Alert]) -> None:
    """Keep when somebody took an incident on, or passed it on, as PagerDuty says."""
    incident_of = {a.subject: a.incident_id for a in alerts if a.incident_id}
    for received in batch:
        signal = received.signal
        incident_id = incident_of.get(signal.subject)
        if signal.phase is not Phase.UPDATED or incident_id is None:
            continue
        if signal.event.endswith(ACKNOWLEDGED):
            _first_time(session, incident_id, acknowledged_at=signal.at)
        elif signal.event.endswith(ESCALATED):
            _first_time(session, incident_id, escalated_at=signal.at)


def _first_time(session: Session, incident_id: str, **moments: datetime) -> None:
    row = session.get(IncidentRow, incident_id, with_for_update=True)
    for name, moment in moments.items():
        if row is not None and getattr(row, name) is None:
            setattr(row, name, moment)


def _join(session: Session, incident_id: str, subjects: Sequence[str]) -> None:
    for part in chunks(subjects):
        mine = update(AlertRow).where(AlertRow.subject.in_(part), AlertRow.incident_id.is_(None))
        session.execute(mine.values(incident_id=incident_id))


def _rename(session: Session, incident_id: str, root: str) -> None:
    """Let the incident begin at another service, and be called by what that one says."""
    row = session.get(IncidentRow, incident_id, with_for_update=True)
    said = session.scalar(
        select(AlertRow.title)
        .where(AlertRow.incident_id == incident_id, AlertRow.service == root)
        .order_by(AlertRow.severity.desc(), AlertRow.first_at, AlertRow.subject)
        .limit(1)
    )
    if row is not None:
        row.service, row.title = root[:255], said or row.title


def _count(session: Session, incident_id: str) -> None:
    alerts, worst, began = session.execute(
        select(func.count(), func.max(AlertRow.severity), func.min(AlertRow.first_at)).where(
            AlertRow.incident_id == incident_id
        )
    ).one()
    row = session.get(IncidentRow, incident_id, with_for_update=True)
    if row is None or not alerts:
        return
    row.alerts, row.severity = alerts, max(row.severity, worst)
    row.began_at = min(began, row.began_at or began)
    for alert in session.scalars(
        select(AlertRow).where(
            AlertRow.incident_id == incident_id, AlertRow.origin == Origin.PAGERDUTY.value
        )
    ):
        if str(alert.body.get("event", "")).endswith(ACKNOWLEDGED) and row.acknowledged_at is None:
            row.acknowledged_at = alert.last_at


def _fall_silent(session: Session, now: datetime) -> None:
    """End alerts of which nothing was heard for too long."""
    names = [origin.value for origin in SILENT]
    others = AlertRow.origin.not_in(names)
    silent = [(others, LONG_SILENT), *((AlertRow.origin == o.value, t) for o, t in SILENT.items())]
    for which, span in silent:
        over = update(AlertRow).where(AlertRow.firing, which, AlertRow.last_at < now - span)
        session.execute(over.values(firing=False))


def _settle(session: Session, now: datetime) -> Sequence[str]:
    flapping = (AlertRow.flips >= FLIPS) & (AlertRow.flipped_at > now - STEADY)
    alive = func.sum(case((or_(AlertRow.firing, flapping), 1), else_=0))
    open_one = (IncidentRow.state == State.OPEN.value) | (
        (IncidentRow.state == State.QUIET.value) & IncidentRow.closed_at.is_(None)
    )
    lately = (
        (IncidentRow.state == State.RESOLVED.value)
        & (IncidentRow.closed_at >= now - REOPENED_WITHIN)
        & (IncidentRow.quiet == "")
    )
    query = (
        select(IncidentRow.id, alive)
        .join(AlertRow, AlertRow.incident_id == IncidentRow.id)
        .where(IncidentRow.id.startswith(OWN, autoescape=True), open_one | lately)
        .group_by(IncidentRow.id)
    )
    changed = []
    for incident_id, living in session.execute(query).all():
        row = session.get(IncidentRow, incident_id, with_for_update=True)
        if row is not None and _settled(row, living=bool(living), now=now):
            changed.append(incident_id)
    return changed


def _settled(row: IncidentRow, *, living: bool, now: datetime) -> bool:
    """Close or reopen one incident; whether that was needed."""
    if living and row.state == State.RESOLVED.value:
        row.state, row.closed_at = State.OPEN.value, None
    elif not living and row.closed_at is None:
        row.closed_at = now
        if row.state == State.OPEN.value:
            row.state = State.RESOLVED.value
    else:
        return False
    row.version += 1
    return True
