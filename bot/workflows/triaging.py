"""Drains the inbox: signals to alerts, alerts to incidents, by one replica at a time.

Every step of a round can be done again: what is decided is kept together with what it was decided
from, so that a crash anywhere leaves either all of it or nothing.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.errors import Malformed, SreBotError
from bot.domain.incident import Alert, TriageStore
from bot.domain.redaction import redact
from bot.domain.signal import Inbox, Received
from bot.domain.time import Clock
from bot.triage.absorbing import LIFE, absorb
from bot.triage.deciding import QUIET_AGAIN, Scene, decide
from bot.triage.timing import Settling
from bot.workflows.maps import Maps

LOG = logging.getLogger(__name__)
BATCH = 500  # signals of one transaction
LEASE_S = 15.0  # wall; a replica that is silent for so long is taken over from
RENEWED = timedelta(seconds=LEASE_S / 3)
EVERY_S = 0.5  # wall; between two rounds when nothing is to be done
REST = 2.0  # times as long as a round took: the door needs the processor more than triage does
LONGEST_REST_S = 3.0
AFTER_TROUBLE_S = 2.0
SETTLE_EVERY_S = 1.0
KEPT, FORGETS_EVERY = timedelta(days=180), timedelta(hours=1)  # alerts that are over
AGAIN_S = 30.0  # an incident that is still untold after that is started once more
STARTED_AT_ONCE = 20

Start = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What triage is made of. `holder`: this process, by a name that no other has."""

    inbox: Inbox
    store: TriageStore
    maps: Maps
    start: Start  # the workflow that tells of an incident
    wall: Clock
    holder: str
    default: str  # the environment that is meant when a signal does not say
    settling: Settling = field(default_factory=Settling)


class Triage:
    """Runs round after round. Use it from one event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._heard: dict[str, dict[str, datetime]] = {}
        self._started: dict[str, datetime] = {}
        self._settled_at: datetime | None = None
        self._leads = False
        self._leased_at: datetime | None = None
        self._forgot_at: datetime | None = None

    @property
    def leads(self) -> bool:
        """Whether this replica is the one that triages."""
        return self._leads

    async def run(self) -> None:
        """Run until cancelled; trouble is waited out, and nothing is lost with it."""
        while True:
            began = time.monotonic()
            try:
                more = await self.round()
                rest = min(REST * (time.monotonic() - began), LONGEST_REST_S)
                pause = 0.0 if more else max(EVERY_S, rest)
            except SreBotError as error:
                self._leads = False
                LOG.warning("triage waits: %s", redact(str(error)))
                pause = AFTER_TROUBLE_S
            await asyncio.sleep(pause)

    async def round(self) -> bool:
        """Do what is to be done now; True if there may be more at once."""
        now = self._parts.wall.now()
        if not await self._lead(now):
            return False
        batch = await self._parts.inbox.take(BATCH)
        if batch:
            await self._absorb(batch)
        for environment in await self._parts.store.waiting_places():
            await self._decide(environment)
        await self._settle(now)
        await self._start(now)
        return len(batch) == BATCH

    async def _lead(self, now: datetime) -> bool:
        """Whether this replica may triage now; what it writes is checked against it again."""
        if self._leads and self._leased_at is not None and abs(now - self._leased_at) < RENEWED:
            return True
        until = now + timedelta(seconds=LEASE_S)
        self._leads = await self._parts.store.lease(self._parts.holder, until, now)
        self._leased_at = now
        return self._leads

    async def _absorb(self, batch: Sequence[Received]) -> None:
        try:
            await self._whole(batch)
        except SreBotError:
            await self._parts.inbox.waiting()  # raises if the database itself is away
            await self._one_by_one(batch)

    async def _one_by_one(self, batch: Sequence[Received]) -> None:
        """Find the signal that cannot be kept, so that it holds up no other."""
        for received in batch:
            try:
                await self._whole((received,))
            except SreBotError as error:
                LOG.warning("signal %d: %s", received.number, redact(str(error)))
                await self._parts.inbox.failed(received.number, redact(str(error)))

    async def _whole(self, batch: Sequence[Received]) -> None:
        store = self._parts.store
        known = await store.alerts(sorted({r.signal.subject for r in batch}))
        places = await self._parts.maps.places()
        quiet = await store.quiet_ones({a.incident_id for a in known.values() if a.incident_id})
        try:
            default = self._parts.default
            alerts = await asyncio.to_thread(absorb, batch, known, places, default, quiet)
        except (ValueError, TypeError, KeyError) as error:
            raise Malformed(f"cannot be read: {type(error).__name__}") from error
        self._leads = await store.absorb(self._parts.holder, batch, alerts) and self._leads

    async def _decide(self, environment: str) -> None:
        store, now = self._parts.store, self._parts.wall.now()
        pending = await store.pending(environment)
        places = await self._parts.maps.places()
        place = places.get(environment) or places.get(self._parts.default)
        if place is None:  # nothing is watched: there is nobody to tell
            return
        scene = Scene(
            place=place,
            pending=pending,
            standing=await store.standing(environment, now - max(QUIET_AGAIN, LIFE)),
            heard=self._hear(environment, pending, now),
            now=now,
            settling=self._parts.settling,
        )
        plan = await asyncio.to_thread(decide, scene)
        if plan.opened or plan.joined:
            await store.carry_out(self._parts.holder, plan)

    def _hear(
        self, environment: str, pending: Sequence[Alert], now: datetime
    ) -> dict[str, datetime]:
        """Return when each pending subject was first heard of by this process."""
        before = self._heard.get(environment, {})
        self._heard[environment] = {a.subject: before.get(a.subject, now) for a in pending}
        return self._heard[environment]

    async def _settle(self, now: datetime) -> None:
        since = self._settled_at
        if since is None or (now - since).total_seconds() >= SETTLE_EVERY_S:
            await self._parts.store.settle(self._parts.holder, now)
            self._settled_at = now
        if self._forgot_at is None or now - self._forgot_at >= FORGETS_EVERY:
            await self._parts.store.forget(now - KEPT)
            self._forgot_at = now

    async def _start(self, now: datetime) -> None:
        """Start the workflow of each incident that has no thread; the same again does nothing."""
        untold = await self._parts.store.untold(STARTED_AT_ONCE)
        self._started = {i: at for i, at in self._started.items() if i in untold}
        for incident_id in untold:
            at = self._started.get(incident_id)
            if at is None or (now - at).total_seconds() >= AGAIN_S:
                await self._parts.start(incident_id)
                self._started[incident_id] = now
