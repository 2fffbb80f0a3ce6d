"""Which sources of signals are watched: clusters' warning events, and error budgets."""

import asyncio
import logging
from collections.abc import Sequence

from bot.app.intake import Intake, Source
from bot.domain.environment import Environment
from bot.domain.errors import SreBotError
from bot.domain.needs import Need
from bot.domain.redaction import redact
from bot.domain.signal import Origin
from bot.domain.snapshot import Snapshot
from bot.domain.time import wall_clock
from bot.intake.kubernetes_events import EventWatch
from bot.intake.objectives import Look, ObjectiveWatch
from bot.perception.collector import Collector
from bot.settings import Settings
from bot.workflows.inquiry import Inquiry
from tools.clients.kubernetes import Kubernetes
from tools.clients.watching import WarningEvents

LOG = logging.getLogger(__name__)


def sources_of(settings: Settings, intake: Intake, inquiry: Inquiry) -> tuple[Source, ...]:
    """Return what is to be watched, as the settings say."""
    found: list[Source] = []
    if settings.kubernetes_events:
        watches = (_events(intake, e) for e in inquiry.environments.values())
        found += [watch.run for watch in watches if watch is not None]
    if settings.objectives_every_seconds:
        found.append(_objectives(settings.objectives_every_seconds, intake, inquiry))
    return tuple(found)


def _events(intake: Intake, environment: Environment) -> EventWatch | None:
    cluster = Kubernetes.of(environment)
    if cluster is None:
        return None
    events = WarningEvents(cluster)
    return EventWatch(environment.name, environment.namespaces, events, intake.inbox, wall_clock())


def _objectives(every_s: float, intake: Intake, inquiry: Inquiry) -> Source:
    async def run() -> None:
        watches = [
            ObjectiveWatch(
                name, _look(collector), intake.inbox, wall=wall_clock(), world=inquiry.clock
            )
            for name, collector in inquiry.collectors.items()
        ]
        try:
            firing = await intake.inbox.firing(Origin.OBJECTIVE)
        except SreBotError as error:
            LOG.warning("what fired before the start is not known: %s", redact(str(error)))
            firing = ()
        for watch in watches:
            watch.resume(firing)
        await asyncio.gather(*(watch.run(every_s) for watch in watches))

    return run


def _look(collector: Collector) -> Look:
    async def look(needs: Sequence[Need]) -> Snapshot:
        return (await collector.fresh().collect(needs)).snapshot

    return look
