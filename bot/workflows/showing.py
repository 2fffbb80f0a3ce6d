"""Keeps the messages of incidents in step with them, whoever changes what is told."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.conversation import Card, Head, Notice, Thread
from bot.domain.diagnosis import Report
from bot.domain.errors import SreBotError
from bot.domain.incident import Face, TriageStore
from bot.domain.ports import Notify
from bot.domain.redaction import redact
from bot.domain.time import Clock
from bot.domain.trust import Promotion
from bot.workflows.incidents import Incidents, incident_of

LOG = logging.getLogger(__name__)


COUNTS_EVERY_S = 10.0  # an edit that only counts more alerts; Slack allows some 50 edits a minute
LOOKED_AGAIN = timedelta(seconds=1)
REMEMBERED = 500


class Showing:
    """Keeps the messages in step with the incidents: level-triggered, so a crash loses nothing."""

    EVERY_S = 0.5
    AT_ONCE = 20
    AFTER_TROUBLE_S = 5.0

    def __init__(
        self,
        incidents: Incidents,
        store: TriageStore,
        wall: Clock,
        *,
        counts_every_s: float = COUNTS_EVERY_S,
    ) -> None:
        self._incidents, self._store, self._wall = incidents, store, wall
        self._counts_every = timedelta(seconds=counts_every_s)
        self._not_before: dict[str, datetime] = {}
        self._shown: dict[str, tuple[object, datetime]] = {}

    async def run(self, leads: Callable[[], bool]) -> None:
        """Run until cancelled; only one replica edits at a time, the one that triages."""
        while True:
            pause = self.EVERY_S
            try:
                if leads():
                    await self.round()
            except SreBotError as error:
                LOG.warning("incidents are shown later: %s", redact(str(error)))
                pause = self.AFTER_TROUBLE_S
            await asyncio.sleep(pause)

    async def round(self) -> None:
        """Show what changed, each on its own: one that cannot be edited holds up no other."""
        found = await self._store.unshown(self.AT_ONCE + len(self._not_before))
        now = self._wall.now()
        self._not_before = {i: at for i, at in self._not_before.items() if at > now and i in found}
        due = [i for i in found if i not in self._not_before][: self.AT_ONCE]
        await asyncio.gather(*(self._show(i, now) for i in due))

    async def _show(self, incident_id: str, now: datetime) -> None:
        try:
            face = await self._incidents.face(incident_id)
            if face is None or self._can_wait(face, now):
                return
            await self._incidents.look_again(face)
            await self._incidents.edit(face)
            self._remember(face, now)
        except SreBotError as error:
            LOG.warning("incident %s is shown later: %s", incident_id, redact(str(error)))
            self._not_before[incident_id] = now + timedelta(seconds=self.AFTER_TROUBLE_S)

    def _can_wait(self, face: Face, now: datetime) -> bool:
        """Whether only the counts of alerts changed, and that was shown a moment ago."""
        name = face.incident.id
        news, at = self._shown.get(name, (None, now))
        if news != _news(face) or not now - at < self._counts_every:
            return False
        self._not_before[name] = now + LOOKED_AGAIN  # there may be news by then
        return True

    def _remember(self, face: Face, now: datetime) -> None:
        if len(self._shown) >= REMEMBERED:
            self._shown.clear()
        self._shown[face.incident.id] = (_news(face), now)


def _news(face: Face) -> object:
    """Return what people are told at once; all but the counts."""
    incident, head = face.incident, face.head
    answer = (head.diagnosis, head.action_line, head.progress.looked_at) if head else None
    said = (incident.state, incident.quiet, incident.title, incident.service, incident.severity)
    return (said, answer, face.stage, face.pager, face.pages, face.twin)


class InvestigationsOfIncidents:
    """`Notify` in which an incident's own investigation has no head beside the incident's."""

    def __init__(self, inner: Notify, store: TriageStore) -> None:
        self._inner, self._store = inner, store

    async def head(self, thread: Thread, head: Head) -> None:
        """Keep it for the incident's message, or show it."""
        incident_id = incident_of(head.investigation_id)
        if incident_id:
            await self._store.looked(incident_id, head)
        else:
            await self._inner.head(thread, head)

    async def report(self, thread: Thread, report: Report) -> None:
        """Post the report with its chart."""
        await self._inner.report(thread, report)

    async def card(self, thread: Thread, card: Card) -> None:
        """Post the proposal's card, or edit it."""
        await self._inner.card(thread, card)

    async def promotion(self, thread: Thread, promotion: Promotion) -> None:
        """Offer a level."""
        await self._inner.promotion(thread, promotion)

    async def say(self, thread: Thread, notice: Notice, *, key: str) -> None:
        """Say something short."""
        await self._inner.say(thread, notice, key=key)

    async def whisper(self, channel: str, user: str, notice: Notice, thread_ts: str = "") -> None:
        """Say something that only one person sees."""
        await self._inner.whisper(channel, user, notice, thread_ts)
