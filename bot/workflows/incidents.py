"""From an incident to its thread and its investigation: one message, edited as things change."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.conversation import Mention, Thread
from bot.domain.diagnosis import Question, Symptom
from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, Permanent, Refused, Transient
from bot.domain.incident import (
    OWN,
    Face,
    Limits,
    RouteStore,
    Stage,
    State,
    TellIncident,
    TriageStore,
)
from bot.domain.people import SELF
from bot.domain.redaction import redact
from bot.domain.snapshot import Alert as AlertFact
from bot.domain.snapshot import Source
from bot.domain.time import Clock, Window
from bot.reasoning.question import symptom_of
from bot.reasoning.when import usual
from bot.triage.depth import depth
from bot.triage.grouping import origins
from bot.triage.on_call import on_call
from bot.workflows.engine import Engine, pause, step
from bot.workflows.maps import Maps
from bot.workflows.orders import InvestigationOrder, start_investigation

LOG = logging.getLogger(__name__)
AWAY_S, MOST_AWAY_S = 5.0, 120.0  # between two tries to post while Slack is away
LONGEST_WAIT_S = 15.0  # between two looks for a free place
ASKED_SERVICES = 5
ONCE_MORE = "-more"  # how the id of a second look ends
FACTS = 40  # alerts that an investigation takes in at a time
BEFORE = timedelta(minutes=30)  # how long before its beginning is looked at
EARLIEST = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What telling of incidents is made of. `wall`: people's clock, `world`: the watched one's."""

    engine: Engine
    store: TriageStore
    routes: RouteStore
    tell: TellIncident
    maps: Maps
    environments: Mapping[str, Environment]
    wall: Clock
    world: Clock
    channels: tuple[str, ...] = ()  # where to tell what no route and no environment says
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where an incident is told; `thread` is None when that is not possible now, or not needed."""

    thread: Thread | None
    again: bool = False


class Incidents:
    """Tells of incidents, and has each investigated once."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def body(self, incident_id: str) -> str:
        """Post the message, wait for a place, start the investigation."""
        told = Told(thread=None, again=True)
        tries = 0
        while told.again:
            if tries:
                await pause(min(AWAY_S * 1.5 ** (tries - 1), MOST_AWAY_S))
            tries += 1
            told = await step(f"tell {tries}", Told, lambda: self._tell(incident_id))
        if told.thread is None:
            return "not told"
        stage, looks = Stage.WAITING, 0
        while stage is Stage.WAITING:
            if looks:
                await pause(min(2.0 ** (looks - 1), LONGEST_WAIT_S))
            looks += 1
            stage = await step(f"place {looks}", Stage, lambda: self._place(incident_id))
        if stage is Stage.SHED:
            return "not investigated"
        thread = told.thread
        order = await step("ask", InvestigationOrder, lambda: self._order(incident_id, thread))
        await start_investigation(self._parts.engine, order)
        return "investigated"

    async def _tell(self, incident_id: str) -> Told:
        face = await self.face(incident_id)
        if face is None or face.incident.state is State.QUIET or face.incident.quiet:
            return Told(thread=face.incident.thread if face else None)
        try:
            thread = face.incident.thread or await self._post(face)
            await self._call(thread, face)
        except Transient as away:
            LOG.warning("incident %s is not told yet: %s", incident_id, redact(str(away)))
            return Told(thread=None, again=True)
        await self._parts.store.told(incident_id, thread)
        await self._parts.store.shown(incident_id, face.incident.version)
        return Told(thread=thread)

    async def _post(self, face: Face) -> Thread:
        """Post in the first of its channels that lets us. Raises: Transient: none does, for now."""
        for channel in await self.channels(face):
            try:
                return await self._parts.tell.root(channel, face)
            except NotConfigured as refusal:
                raise Transient(str(refusal)) from refusal
            except Permanent as refusal:
                LOG.warning("%s lets me not post: %s", channel, redact(str(refusal)))
        raise Transient("no channel to tell of it: set one by /sre route")

    async def _call(self, thread: Thread, face: Face) -> None:
        """Call who is on call for what became grave after its first post. Raises: Transient."""
        try:
            await self._parts.tell.call(thread, face)
        except NotConfigured as refusal:  # a token, say: somebody mends it
            raise Transient(str(refusal)) from refusal
        except (Permanent, Refused) as refusal:
            LOG.warning("nobody was called in %s: %s", thread.channel, redact(str(refusal)))

    async def channels(self, face: Face) -> Sequence[str]:
        """Return where to tell of an incident, the best first."""
        place = face.incident.environment
        routes = {
            r.service: r.channel for r in await self._parts.routes.all() if r.environment == place
        }
        hit = [face.incident.service, *face.origins, *(m.service for m in face.members)]
        named = [routes[s] for s in hit if s and s in routes]
        general = [routes[""]] if "" in routes else []
        environment = self._parts.environments.get(place)
        usual_ones = environment.channels if environment else ()
        return tuple(dict.fromkeys([*named, *general, *usual_ones, *self._parts.channels]))

    async def face(self, incident_id: str) -> Face | None:
        """Return what an incident's message shows now."""
        face = await self._parts.store.face(incident_id)
        if face is None:
            return None
        environment = self._parts.environments.get(face.incident.environment)
        face = replace(face, on_call=on_call(face, environment))
        place = (await self._parts.maps.places()).get(face.incident.environment)
        if place is None:
            return face
        services = {m.service for m in face.members}
        found = origins(services, place.calls, face.incident.service)
        return replace(face, origins=found)

    async def _place(self, incident_id: str) -> Stage:
        now = self._parts.wall.now()
        return await self._parts.store.admit(incident_id, self._parts.limits, now)

    async def _order(self, incident_id: str, thread: Thread, again: str = "") -> InvestigationOrder:
        face = await self.face(incident_id)
        if face is None:
            raise Permanent(f"there is no incident {incident_id}")
        question = await self._question(face)
        environment = self._parts.environments[question.environment]
        return InvestigationOrder(
            investigation_id=f"inv-{incident_id}{again}",
            mention=Mention(
                event_id=incident_id, thread=thread, user=SELF.id, text=question.text,
                ts=thread.ts, in_thread=True,
            ),
            question=question,
            depth=depth(face.incident.severity, environment, question.services),
        )  # fmt: skip

    async def _question(self, face: Face) -> Question:
        """Return what to look into: services that exist, in words of our own."""
        incident, now = face.incident, self._parts.world.now()
        places = await self._parts.maps.places()
        name = incident.environment if incident.environment in places else next(iter(places))
        ordered = sorted(face.members, key=lambda m: (-m.firing, m.first_at, m.service))
        hit = dict.fromkeys([*face.origins, *(m.service for m in ordered)])
        services = tuple(s for s in hit if s in places[name].services)[:ASKED_SERVICES]
        alerts = await self._parts.store.alerts_of(incident.id, FACTS)
        symptoms = {symptom_of(a.title) for a in alerts}
        symptom = next((s for s in Symptom if s in symptoms), Symptom.ANY)
        return Question(
            text=f"what is wrong with {', '.join(services) or 'all services'}",
            environment=name,
            services=services,
            symptom=symptom,
            asked_at=now,
            window=_window(incident.began_at, now),
        )

    async def alerted(self, investigation_id: str) -> Sequence[AlertFact]:
        """Return the alerts of an investigation's incident so far, as facts."""
        incident_id = incident_of(investigation_id)
        alerts = await self._parts.store.alerts_of(incident_id, FACTS) if incident_id else ()
        return tuple(
            AlertFact(
                name=a.title,
                service=a.service or None,
                severity=a.severity.name.lower(),
                summary=a.signal.text[:500],
                started_at=a.first_at,
                labels={"alertstate": "firing" if a.firing else "resolved"},
                source=Source(system=a.origin.value, query=a.subject, link=a.signal.link or None),
            )
            for a in alerts
        )

    async def look_again(self, face: Face) -> None:
        """Investigate once more when the first look did not ask about where it begins."""
        thread = face.incident.thread
        if thread is not None and _asked_elsewhere(face):
            order = await self._order(face.incident.id, thread, ONCE_MORE)
            await start_investigation(self._parts.engine, order)

    async def edit(self, face: Face) -> None:
        """Bring an incident's message up to date."""
        if face.incident.thread is not None:
            await self._parts.tell.root(face.incident.thread.channel, face)
            await self._call(face.incident.thread, face)
            await self._parts.store.shown(face.incident.id, face.incident.version)


def incident_of(investigation_id: str) -> str:
    """Return the incident that an investigation was started for; "" for a person's question."""
    found = investigation_id.removeprefix("inv-").partition("-again")[0].removesuffix(ONCE_MORE)
    return found if investigation_id.startswith(f"inv-{OWN}") else ""


def _asked_elsewhere(face: Face) -> bool:
    """Whether the first look ended without a cause, and it begins where nobody looked."""
    head, root = face.head, face.incident.service
    if head is None or head.diagnosis is None or head.diagnosis.causes:
        return False
    first = head.investigation_id == f"inv-{face.incident.id}"
    is_open = face.incident.state is State.OPEN
    return bool(first and is_open and root and root not in head.question.services)


def _window(began: datetime | None, now: datetime) -> Window:
    """Return the usual window, made longer if the trouble began before it."""
    window = usual(now)
    if began is None or not now - EARLIEST < began < now:
        return window
    return Window(start=min(window.start, began - BEFORE), end=window.end)
