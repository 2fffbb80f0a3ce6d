"""Pages, folded from the signals in the inbox: each once, in whatever order they come."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, literal, or_, select, update
from sqlalchemy.orm import Session

from bot.domain.codec import decode, encode
from bot.domain.diagnosis import Status
from bot.domain.errors import Malformed
from bot.domain.paging import LOW, RESOLVED, Called, NoteDue, Page, Place, Quiet
from bot.domain.people import SELF
from bot.domain.signal import Origin, Phase, Severity
from bot.domain.signal import Signal as Told
from bot.domain.time import Clock
from bot.storage.database import Database
from bot.storage.page_folding import folded
from bot.storage.page_tables import PageDeedRow, PageRow, PageSignalRow
from bot.storage.signal_tables import AlertRow, InboxRow
from bot.storage.tables import IncidentRow, InvestigationRow

ORIGIN = Origin.PAGERDUTY.value
PREFIX = f"{ORIGIN}:"
Query = Select[PageRow, str | None]
LATE = timedelta(seconds=60)  # a transaction that began so long before another may commit after it
NOTED_FOR = timedelta(days=2)  # since a page was last told of; a report after that is too late
LOOKED_FOR = timedelta(days=14)  # an open page that is silent for longer is left alone
MOST_NOTED = 20  # pages of one incident
OPEN = "open"
NOTE, RULING, CALL = "note", "ruling", "call"  # kinds of deeds


class Pages:
    """`PageStore` in SQL.

    `places`: ours by the paging service's ids and names; `own`: ids and names of the bot's users
    there, whose notes are not news. `clock` is the wall.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        places: Mapping[str, Place],
        own: frozenset[str] = frozenset(),
    ) -> None:
        self._database, self._clock, self._places, self._own = database, clock, places, own
        self._floor = 0  # no signal up to this number is news any more

    async def take(self, limit: int) -> int:
        """Take in what new signals tell, each once; return how many.

        What is taken and that it was taken are one transaction, whichever replica does it.
        """
        floor, late = self._floor, self._clock.now() - LATE
        news = (
            select(InboxRow.id, InboxRow.body)
            .outerjoin(PageSignalRow, PageSignalRow.id == InboxRow.id)
            .where(InboxRow.id > floor, InboxRow.origin == ORIGIN, PageSignalRow.id.is_(None))
            .order_by(InboxRow.id)
            .limit(limit)
        )
        settled = select(func.max(InboxRow.id)).where(
            InboxRow.id > floor, InboxRow.received_at < late
        )

        newest = select(func.max(InboxRow.id))

        def write(session: Session) -> tuple[int, int]:
            if (session.scalar(newest) or 0) < floor:  # emptied: its numbers begin anew
                session.execute(delete(PageSignalRow))  # what is taken twice changes nothing
                return limit, 0
            rows = session.execute(news).all()
            session.add_all(PageSignalRow(id=number) for number, _ in rows)
            session.flush()  # another replica that took them too stops here
            self._fold(session, (body for _, body in rows))
            return len(rows), session.scalar(settled) or floor

        taken, highest = await self._database.run(write)
        if taken < limit or highest < floor:
            self._floor = highest
        return taken

    def _fold(self, session: Session, bodies: Iterable[Any]) -> None:
        changed: set[str] = set()
        for body in bodies:
            try:
                signal = decode(Told, body)
            except Malformed:
                continue  # triage makes it a dead letter
            name = signal.subject.removeprefix(PREFIX)
            row = session.get(PageRow, name, with_for_update=True)
            after = folded(row, name, signal, self._places, self._own)
            if after is not None:
                session.add(after)
                session.flush()
                changed.add(name)
        if changed:
            _show_again(session, changed)

    async def page(self, page_id: str) -> Page | None:
        """Return a page."""
        found = await self._pages(_query().where(PageRow.id == page_id))
        return found[0] if found else None

    async def of_incident(self, incident_id: str) -> Sequence[Page]:
        """Return the pages of one of our incidents, the oldest first."""
        return await self._database.run(lambda session: pages_of(session, incident_id))

    async def unnamed(self, limit: int) -> Sequence[Page]:
        """Return open pages of which it was not asked yet who is on call."""
        query = _query().where(PageRow.on_call.is_(None), PageRow.status != RESOLVED)
        return await self._pages(query.where(PageRow.environment != "").limit(limit))

    async def unheard(self, since: datetime, limit: int) -> Sequence[Page]:
        """Return open pages of which nothing was told since then, the longest first."""
        query = _query().where(PageRow.status != RESOLVED, PageRow.told_at < since)
        near = query.where(PageRow.told_at >= since - LOOKED_FOR, PageRow.environment != "")
        return await self._pages(near.order_by(None).order_by(PageRow.told_at).limit(limit))

    async def name(self, page_id: str, on_call: Sequence[str]) -> None:
        """Keep who is on call for a page; nobody is an answer too."""

        def write(session: Session) -> None:
            row = session.get(PageRow, page_id)
            if row is not None:
                row.on_call = list(on_call)
                session.flush()
                _show_again(session, {page_id})

        await self._database.run(write)

    async def notes_due(self, limit: int) -> Sequence[NoteDue]:
        """Return reports that are to be written on pages: the bot's own, and causes for people.

        Of the pages of one incident the oldest get it: a storm of pages is no storm of notes.
        """
        incident = _incident().label("incident_id")
        rank = func.row_number().over(
            partition_by=incident, order_by=(PageRow.opened_at, PageRow.id)
        )
        pages = (
            select(PageRow.id, incident, rank.label("rank"))
            .outerjoin(AlertRow, AlertRow.subject == literal(PREFIX).concat(PageRow.id))
            .where(PageRow.told_at >= self._clock.now() - NOTED_FOR, PageRow.environment != "")
            .subquery()
        )
        key = literal(f"{NOTE}/").concat(InvestigationRow.id).concat("/").concat(pages.c.id)
        own = InvestigationRow.asked_by == SELF.id
        query = (
            select(pages.c.id, InvestigationRow.id)
            .join(InvestigationRow, InvestigationRow.incident_id == pages.c.incident_id)
            .outerjoin(PageDeedRow, PageDeedRow.key == key)
            .where(
                pages.c.rank <= MOST_NOTED,
                PageDeedRow.key.is_(None),
                InvestigationRow.status != "",
                or_(own, InvestigationRow.status == Status.ROOT_CAUSE.value),
            )
            .order_by(InvestigationRow.started_at, pages.c.id)
            .limit(limit)
        )
        rows = await self._database.run(lambda session: session.execute(query).all())
        return [NoteDue(page_id=page, investigation_id=found) for page, found in rows]

    async def quiet(self, limit: int) -> Sequence[Quiet]:
        """Return open incidents of low urgency with a report that was not ruled on."""
        key = literal(f"{RULING}/").concat(InvestigationRow.id)
        low = select(AlertRow.subject).join(
            PageRow, AlertRow.subject == literal(PREFIX).concat(PageRow.id)
        )
        low = low.where(AlertRow.incident_id == IncidentRow.id, PageRow.urgency == LOW)
        query = (
            select(IncidentRow.id, InvestigationRow.id)
            .join(InvestigationRow, InvestigationRow.incident_id == IncidentRow.id)
            .outerjoin(PageDeedRow, PageDeedRow.key == key)
            .where(
                IncidentRow.state == OPEN,
                IncidentRow.origin != "",
                IncidentRow.escalated_at.is_(None),
                or_(IncidentRow.severity <= Severity.WARNING.value, low.exists()),
                InvestigationRow.status != "",
                PageDeedRow.key.is_(None),
            )
            .order_by(InvestigationRow.started_at)
            .limit(limit)
        )
        rows = await self._database.run(lambda session: session.execute(query).all())
        return [Quiet(incident_id=incident, investigation_id=found) for incident, found in rows]

    async def called(self, called: Called) -> None:
        """Record what was done; a second time does nothing."""

        def write(session: Session) -> None:
            if session.get(PageDeedRow, called.key) is None:
                session.add(
                    PageDeedRow(
                        key=called.key, kind=called.kind, page_id=called.page_id,
                        incident_id=called.incident_id, at=called.at, text=called.text,
                    )
                )  # fmt: skip

        await self._database.run(write)

    async def done(self, key: str) -> Called | None:
        """Return what was done under a key."""
        row = await self._database.run(lambda session: session.get(PageDeedRow, key))
        if row is None:
            return None
        return Called(
            key=row.key, kind=row.kind, page_id=row.page_id, incident_id=row.incident_id,
            at=row.at, text=row.text,
        )  # fmt: skip

    async def calls_since(self, since: datetime) -> int:
        """Return how often the bot called people by itself since then."""
        query = select(func.count()).select_from(PageDeedRow)
        query = query.where(PageDeedRow.kind == CALL, PageDeedRow.at >= since)
        return await self._database.run(lambda session: session.scalar(query) or 0)

    async def opened(self, page: Page, at: datetime) -> None:
        """Keep a page that the bot opened for an incident: what is told of it belongs there."""

        def write(session: Session) -> None:
            row = session.get(PageRow, page.id)
            if row is None:
                session.add(_row(page, at))
            else:
                row.incident_id = page.incident_id
            session.flush()
            _tie(session, page, at)

        await self._database.run(write)

    async def is_open(self, incident_id: str) -> bool:
        """Whether one of our incidents is open."""
        query = select(IncidentRow.state).where(IncidentRow.id == incident_id)
        return await self._database.run(lambda session: session.scalar(query) == OPEN)

    async def escalated(self, incident_id: str, at: datetime) -> None:
        """Note that somebody was called for an incident."""
        change = (
            update(IncidentRow)
            .where(IncidentRow.id == incident_id, IncidentRow.escalated_at.is_(None))
            .values(escalated_at=at, version=IncidentRow.version + 1)
        )
        await self._database.run(lambda session: session.execute(change))

    async def forget(self, keep: timedelta) -> None:
        """Forget pages and deeds of longer ago, and what was taken in if the inbox forgot it."""
        before = self._clock.now() - keep
        gone = PageSignalRow.id.not_in(select(InboxRow.id))
        old = (
            delete(PageSignalRow).where(gone),
            delete(PageDeedRow).where(PageDeedRow.at < before),
            delete(PageRow).where(PageRow.told_at < before),
        )

        def write(session: Session) -> None:
            for statement in old:
                session.execute(statement)

        await self._database.run(write)

    async def _pages(self, query: Query) -> Sequence[Page]:
        rows = await self._database.run(lambda session: session.execute(query).all())
        return [_page(row, incident or "") for row, incident in rows]


def pages_of(session: Session, incident_id: str) -> tuple[Page, ...]:
    """Return the pages of an incident, the oldest first, within a transaction."""
    alerts = select(func.substr(AlertRow.subject, len(PREFIX) + 1)).where(
        AlertRow.incident_id == incident_id, AlertRow.origin == ORIGIN
    )
    near = or_(PageRow.incident_id == incident_id, PageRow.id.in_(alerts))
    rows = session.execute(_query().where(near)).all()
    return tuple(_page(row, found) for row, found in rows if found == incident_id)


def _incident() -> ColumnElement[str | None]:
    return func.coalesce(PageRow.incident_id, AlertRow.incident_id)


def _query() -> Query:
    query = select(PageRow, _incident())
    query = query.outerjoin(AlertRow, AlertRow.subject == literal(PREFIX).concat(PageRow.id))
    return query.order_by(PageRow.opened_at, PageRow.id)


def _tie(session: Session, page: Page, at: datetime) -> None:
    """Make the page's alert one of the incident's, before or after triage hears of it."""
    alert = session.get(AlertRow, PREFIX + page.id)
    if alert is not None:
        alert.incident_id = page.incident_id
        return
    signal = Told(
        key=f"{PREFIX}{page.id}:opened", origin=Origin.PAGERDUTY, subject=PREFIX + page.id,
        phase=Phase.FIRING, title=page.title, at=at, severity=Severity.HIGH,
        environment=page.environment, services=(page.service,), link=page.link,
        details={"status": page.status, "urgency": page.urgency,
                 "assignees": ", ".join(page.assignees)},
    )  # fmt: skip
    session.add(
        AlertRow(
            subject=signal.subject, incident_id=page.incident_id, origin=ORIGIN,
            environment=page.environment, service=page.service, title=page.title,
            severity=int(signal.severity), firing=True, first_at=at, last_at=at, count=1, flips=0,
            body=encode(signal),
        )
    )  # fmt: skip


def _show_again(session: Session, pages: set[str]) -> None:
    """Count up the version of the incidents that these pages are of, and note who has them."""
    query = _query().where(PageRow.id.in_(pages))
    for row, incident_id in session.execute(query).all():
        incident = session.get(IncidentRow, incident_id) if incident_id else None
        if incident is None:
            continue
        incident.version = IncidentRow.version + 1
        if row.status != "triggered" and incident.acknowledged_at is None:
            incident.acknowledged_at = row.told_at


def _page(row: PageRow, incident_id: str) -> Page:
    return Page(
        id=row.id,
        environment=row.environment,
        service=row.service,
        number=row.number,
        title=row.title,
        status=row.status,
        urgency=row.urgency,
        priority=row.priority,
        assignees=tuple(map(str, row.assignees)),
        policy=row.policy,
        link=row.link,
        incident_id=incident_id,
        on_call=tuple(map(str, row.on_call or ())),
        note=row.note,
        note_by=row.note_by,
        told_at=row.told_at,
    )


def _row(page: Page, at: datetime) -> PageRow:
    return PageRow(
        id=page.id, incident_id=page.incident_id, environment=page.environment,
        service=page.service, policy=page.policy, number=page.number, title=page.title,
        status=page.status, urgency=page.urgency, priority=page.priority,
        assignees=list(page.assignees), link=page.link, opened_at=at, told_at=at, note="",
        note_by="", noted_at=None, on_call=None,
    )  # fmt: skip
