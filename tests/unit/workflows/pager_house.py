"""Paging on a real engine and real tables, with the sandbox's PagerDuty behind a real port."""

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from bot.domain.codec import encode
from bot.domain.diagnosis import Report
from bot.domain.environment import Environment
from bot.domain.errors import Unavailable
from bot.domain.paging import Place
from bot.domain.ports import AuditEntry
from bot.domain.signal import Origin, Phase, Signal
from bot.domain.time import ScaledClock
from bot.sandbox.pagerduty.records import Event, Incident
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.migrate import upgrade
from bot.storage.page_tables import PageDeedRow
from bot.storage.pages import Pages
from bot.storage.signal_tables import AlertRow, InboxRow
from bot.storage.tables import IncidentRow, InvestigationRow
from bot.workflows.engine import Engine
from bot.workflows.page_calls import Calling, Clocks
from bot.workflows.page_looks import Looking
from bot.workflows.page_notes import Noting
from bot.workflows.paging import Paging
from bot.workflows.patience import Patience
from tests.fakes.pagerduty import SERVICE, Pager
from tests.unit.workflows.house import PATIENCE_S, REPORT, FakeIncidents, FakeNotify
from tools.clients.paging import PagerDutyPager

QUICK = Patience(first_s=0.01, longest_s=0.05)
SLOWER = 0.3  # seconds within which something that must not happen would have happened


@dataclass
class FakeAudit:
    """Entries in memory. `down` writes in a row fail first."""

    entries: list[AuditEntry] = field(default_factory=list)
    down: int = 0

    async def write(self, entry: AuditEntry) -> None:
        if self.down:
            self.down -= 1
            raise Unavailable("database", "no answer")
        self.entries.append(entry)


def signal_of(event: Event) -> Signal:
    """Return the signal that the door makes of a webhook."""
    data = event.data
    of_incident = data["type"] == "incident"
    agent = event.agent or {}
    details = {
        "status": data.get("status", "") if of_incident else "",
        "urgency": data.get("urgency", ""),
        "priority": (data.get("priority") or {}).get("summary", ""),
        "assignees": ", ".join(a["summary"] for a in data.get("assignees", ())),
        "number": str(data.get("number", "")),
        "service_id": data["service"]["id"] if of_incident else "",
        "escalation_policy_id": data["escalation_policy"]["id"] if of_incident else "",
        "note": data.get("content", ""),
        "agent": agent.get("summary", ""),
        "agent_id": agent.get("id", ""),
    }
    phases = {"incident.triggered": Phase.FIRING, "incident.resolved": Phase.RESOLVED}
    return Signal(
        key=f"pagerduty:{event.id}", origin=Origin.PAGERDUTY, at=event.at,
        subject=f"pagerduty:{event.incident}", phase=phases.get(event.kind, Phase.UPDATED),
        title=str(data.get("title") or "something"), event=event.kind,
        link=str(data.get("html_url") or ""), details={k: v for k, v in details.items() if v},
    )  # fmt: skip


@dataclass
class PagerHouse:
    """Everything between a webhook in the inbox and a telephone that rings."""

    folder: Path
    pager: Pager
    notify: FakeNotify = field(default_factory=FakeNotify)
    incidents: FakeIncidents = field(default_factory=FakeIncidents)
    audit: FakeAudit = field(default_factory=FakeAudit)

    def __post_init__(self) -> None:
        self.wall = ScaledClock(origin=datetime(2000, 1, 1, tzinfo=UTC))
        self.database = Database(f"sqlite:///{self.folder / 'bot.sqlite'}")
        upgrade(self.database.engine)
        self.environment: Environment = self.pager.environment(self.folder / "key")
        self.pager.account.clock = self.wall
        self.told = self.lives = 0
        self.open()

    def open(self) -> None:
        """Start the engine and the loop, as after a crash."""
        self.engine = Engine(
            f"sqlite:///{self.folder}/journal-{self.lives}.sqlite", executor_id="test", poll_s=0.01
        )
        place = Place(environment="prod", service="checkout")
        self.pages = Pages(self.database, self.wall, {SERVICE: place}, frozenset({"PSREBOT"}))
        pager = PagerDutyPager.of(self.environment)
        assert pager is not None
        pagers = {"prod": pager}
        noting = Noting(
            pages=self.pages, pagers=pagers, incidents=self.incidents, notify=self.notify,
            clock=self.wall, patience=QUICK,
        )  # fmt: skip
        self.looking = Looking(
            pages=self.pages, pagers=pagers, tell=SignalInbox(self.database, self.wall).put,
            clock=self.wall,
        )  # fmt: skip
        calling = Calling(
            pages=self.pages, pagers=pagers, environments={"prod": self.environment},
            incidents=self.incidents, notify=self.notify, audit=self.audit,
            clocks=Clocks(wall=self.wall, world=self.wall), looking=self.looking, patience=QUICK,
        )  # fmt: skip
        self.paging = Paging(
            engine=self.engine, pages=self.pages, pagers=pagers, noting=noting, calling=calling,
            looking=self.looking, every_s=0.05,
        )  # fmt: skip
        self.paging.register()
        self.engine.launch()
        self.loop = asyncio.get_running_loop().create_task(self.paging.run())

    async def close(self) -> None:
        self.loop.cancel()
        await asyncio.gather(self.loop, return_exceptions=True)
        self.engine.close()

    async def restart(self, *, forgetting: bool = False) -> None:
        """Stop and start again; `forgetting`: without the journal and the record of what it did."""
        await self.close()
        asyncio.get_running_loop().set_default_executor(
            ThreadPoolExecutor()
        )  # the engine's is shut
        if forgetting:
            self.lives += 1
            await self.database.run(lambda session: session.execute(delete(PageDeedRow)))
        self.open()

    async def hear(self) -> None:
        """Put all webhooks that were not put yet into the inbox."""
        events = self.pager.account.events[self.told :]
        self.told += len(events)

        def write(session: Any) -> None:
            for signal in map(signal_of, events):
                session.add(
                    InboxRow(
                        key=signal.key,
                        origin=signal.origin.value,
                        subject=signal.subject,
                        received_at=self.wall.now(),
                        done_at=None,
                        attempts=0,
                        body=encode(signal),
                    )
                )
                session.flush()  # fmt: skip

        await self.database.run(write)

    async def an_incident(self, *, severity: int = 2, page: Incident | None = None) -> None:
        """Let triage have opened an incident, with this page as its alert."""
        now = self.wall.now()

        def write(session: Any) -> None:
            session.add(
                IncidentRow(
                    id="sig-1",
                    team="T1",
                    channel="C1",
                    thread_ts="1.0",
                    title="slow",
                    environment="prod",
                    state="open",
                    opened_at=now,
                    closed_at=None,
                    service="checkout",
                    origin="pagerduty" if page else "alertmanager",
                    severity=severity,
                )
            )
            session.flush()
            if page is not None:
                session.add(AlertRow(
                    subject=f"pagerduty:{page.id}", incident_id="sig-1", origin="pagerduty",
                    environment="prod", service="checkout", title="slow", severity=severity,
                    firing=True, first_at=now, last_at=now, count=1, flips=0, body={}))  # fmt: skip

        await self.database.run(write)

    async def a_report(self, report: Report = REPORT) -> None:
        """Let the incident's investigation have come to this report."""
        self.incidents.reports[report.investigation_id] = report
        row = InvestigationRow(
            id=report.investigation_id, incident_id="sig-1", asked_by="sre-bot", text="", state="x",
            started_at=self.wall.now(), status=report.diagnosis.status.value, confidence=0.9,
            report=None,
        )  # fmt: skip
        await self.database.run(lambda session: session.add(row))

    async def until(self, done: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():  # noqa: ASYNC110 - what it looks at tells nobody
                await asyncio.sleep(0.02)

    async def recorded(self, key: str) -> str:
        """Wait until it is on record that this was done, and return its words."""
        async with asyncio.timeout(PATIENCE_S):
            for _ in itertools.count():
                found = await self.pages.done(key)
                if found is not None:
                    return found.text
                await asyncio.sleep(0.02)
        raise AssertionError

    @property
    def said(self) -> list[str]:
        return [notice.text for _, notice in self.notify.said]


def breaking(hours: float, *, confidence: float = 0.95, supports: int = 2) -> Report:
    """Return a report of something that will break in so many hours."""
    diagnosis = REPORT.diagnosis
    ranked = diagnosis.causes[0]
    evidence = ranked.hypothesis.evidence * supports
    at = datetime.now(UTC) + timedelta(hours=hours)
    hypothesis = replace(ranked.hypothesis, evidence=evidence, forecast_at=at)
    causes = (replace(ranked, hypothesis=hypothesis, confidence=confidence),)
    told = replace(
        diagnosis, causes=causes, ranked=causes, confidence=confidence,
        summary="checkout-db will be full at night",
    )  # fmt: skip
    return replace(REPORT, diagnosis=told)
