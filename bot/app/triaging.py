"""Puts together what makes incidents of signals, and runs it beside the bot."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from bot.domain.incident import Limits
from bot.domain.ports import Audit, Notify, Resolver
from bot.domain.time import Clock
from bot.settings import Settings
from bot.slack.desk import Control
from bot.slack.notifier import SlackNotifier
from bot.slack.views.root import NOT_AN_INCIDENT
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.incident_threads import TriageStore
from bot.storage.routes import CallStore, Routes
from bot.supervision import supervised
from bot.workflows.engine import Engine
from bot.workflows.incidents import Incidents
from bot.workflows.incidents import Parts as IncidentParts
from bot.workflows.inquiry import Inquiry
from bot.workflows.maps import Maps, Sources
from bot.workflows.orders import INCIDENT, start_incident
from bot.workflows.routing import Routing
from bot.workflows.showing import InvestigationsOfIncidents, Showing
from bot.workflows.triaging import Parts, Triage


@dataclass(frozen=True, slots=True, kw_only=True)
class Triaging:
    """Triage, put together. `notify`: what investigations tell through."""

    triage: Triage
    incidents: Incidents
    showing: Showing
    routing: Routing
    notify: Notify

    @property
    def controls(self) -> Mapping[str, Control]:
        """Return the buttons that it brings along."""
        return {NOT_AN_INCIDENT: self.routing.not_an_incident}

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Triage, and keep the messages in step, while the block runs. The engine must run.

        No alert may stop it.
        """
        tasks = [
            asyncio.create_task(supervised("triage", self.triage.run)),
            asyncio.create_task(supervised("showing incidents", self._show)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self) -> None:
        await self.showing.run(lambda: self.triage.leads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What triage takes from the rest of the bot."""

    settings: Settings
    database: Database
    engine: Engine
    inquiry: Inquiry
    notify: SlackNotifier
    people: Resolver
    audit: Audit
    wall: Clock


def triaging(needed: Needed) -> Triaging:
    """Return triage, its workflow registered; nothing runs yet."""
    store = TriageStore(needed.database, needed.wall)
    maps = _maps(needed, store)
    routes = Routes(needed.database)
    incidents = Incidents(_parts(needed, store, routes, maps))
    needed.engine.register(INCIDENT, incidents.body)
    inquiry = needed.inquiry
    routing = Routing(
        routes=routes, store=store, people=needed.people, audit=needed.audit, clock=needed.wall,
        maps=maps, environments=inquiry.environments, default=inquiry.default_environment,
    )  # fmt: skip
    triage = Triage(
        Parts(
            inbox=SignalInbox(needed.database, needed.wall),
            store=store,
            maps=maps,
            start=partial(start_incident, needed.engine),
            wall=needed.wall,
            holder=f"{needed.settings.executor_id}:{uuid.uuid4().hex}",
            default=inquiry.default_environment,
        )
    )
    return Triaging(
        triage=triage,
        incidents=incidents,
        showing=Showing(incidents, store, needed.wall),
        routing=routing,
        notify=InvestigationsOfIncidents(needed.notify, store),
    )


def _maps(needed: Needed, store: TriageStore) -> Maps:
    inquiry = needed.inquiry
    return Maps(
        Sources(
            environments=inquiry.environments,
            collectors=inquiry.collectors,
            calls=CallStore(needed.database),
            store=store,
            world=inquiry.clock,
            wall=needed.wall,
        )
    )


def _parts(needed: Needed, store: TriageStore, routes: Routes, maps: Maps) -> IncidentParts:
    settings = needed.settings
    return IncidentParts(
        engine=needed.engine,
        store=store,
        routes=routes,
        tell=needed.notify,
        maps=maps,
        environments=needed.inquiry.environments,
        wall=needed.wall,
        world=needed.inquiry.clock,
        channels=settings.incident_channels,
        limits=Limits(running=settings.incidents_running, waiting=settings.incidents_waiting),
    )
