"""Watches the warning events of an environment's namespaces and puts them into the inbox."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from bot.domain.errors import SreBotError
from bot.domain.redaction import redact
from bot.domain.signal import Inbox, Origin, Phase, Severity, Signal
from bot.domain.time import Clock
from bot.intake.fields import Json, mapping, moment, text
from bot.supervision import supervised
from tools.clients.names import workload_of_pod
from tools.clients.watching import Expired, Seen

LOG = logging.getLogger(__name__)
FRESH = timedelta(minutes=10)  # what a list shows and is older is no news
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0  # wall, between tries that fail
_NOISE = frozenset(
    ("DNSConfigForming", "FailedGetResourceMetric", "FailedComputeMetricsReplicas",
     "FailedToUpdateEndpoint", "FailedToUpdateEndpointSlices", "PolicyViolation")
)  # fmt: skip
_GRAVE = frozenset(
    ("OOMKilling", "SystemOOM", "NodeNotReady", "EvictionThresholdMet", "FreeDiskSpaceFailed",
     "Evicted", "FailedCreate", "DeadlineExceeded")
)  # fmt: skip
_OF_PODS = ("Pod", "ReplicaSet")


class Events(Protocol):
    """The warning events of a cluster. Raises: SreBotError."""

    async def listed(self, namespace: str) -> Seen:
        """Return the events that are there."""
        ...

    async def watched(self, namespace: str, version: str) -> Seen:
        """Return what happens within the next seconds. Raises: Expired."""
        ...


class EventWatch:
    """Takes in one environment's warning events; every replica may: their keys are the same."""

    def __init__(
        self,
        environment: str,
        namespaces: Sequence[str],
        events: Events,
        inbox: Inbox,
        clock: Clock,
    ) -> None:
        self._environment, self._namespaces = environment, tuple(namespaces)
        self._events, self._inbox, self._clock = events, inbox, clock

    async def run(self) -> None:
        """Watch until cancelled."""
        watches = (
            supervised(f"watching the events of {n}", partial(self._watch, n))
            for n in self._namespaces
        )
        await asyncio.gather(*watches)

    async def _watch(self, namespace: str) -> None:
        """Go on from version to version; after a failure later, and from the version before.

        Only a watch that worked ends the pauses: an API without watches is listed ever more slowly.
        """
        version, failures = "", 0
        while True:
            before = version
            try:
                version = await self.step(namespace, version)
            except Expired:
                version = ""
            except SreBotError as error:
                LOG.warning("events of %s are not seen: %s", namespace, redact(str(error)))
            else:
                failures = 0 if before else failures
                continue
            failures += 1
            await asyncio.sleep(min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2 ** min(failures - 1, 10)))

    async def step(self, namespace: str, version: str) -> str:
        """Take in what is there ("" as version) or happens next; return the version to go on from.

        The version moves on only after the signals are kept. Raises: SreBotError; Expired.
        """
        seen = await (
            self._events.watched(namespace, version) if version else self._events.listed(namespace)
        )
        now = self._clock.now()
        found = (signal_of(event, self._environment, now) for event in seen.events)
        fresh = [s for s in found if s is not None and s.at >= now - FRESH]
        if fresh:
            await self._inbox.put(fresh, now)
        return seen.version


def signal_of(event: Json, environment: str, received: datetime) -> Signal | None:
    """Return what an event says of its object; None for one that names none.

    An event is told again when its count has doubled, not each time it is counted.
    """
    involved = mapping(event, "involvedObject")
    kind, name = text(involved, "kind"), text(involved, "name")
    reason, uid = text(event, "reason"), text(event, "metadata", "uid")
    if not (kind and name and reason and uid) or text(event, "type") == "Normal":
        return None
    workload = workload_of_pod(name) if kind in _OF_PODS else name
    namespace = text(involved, "namespace")
    return Signal(
        key=f"kubernetes:{environment}:{uid}:{_count(event).bit_length()}",
        origin=Origin.KUBERNETES,
        subject=f"kubernetes:{environment}:{namespace}/{kind}/{workload}:{reason}",
        phase=Phase.FIRING,
        title=f"{reason}: {kind} {name}",
        at=min(_last(event) or received, received),
        severity=_severity(reason),
        environment=environment,
        services=(workload,) if kind not in ("Node", "Namespace") else (),
        text=text(event, "message"),
        labels={"namespace": namespace, "kind": kind, "name": name, "reason": reason},
        event=reason,
        details={"count": str(_count(event))},
        began=moment(event.get("firstTimestamp")) or moment(event.get("eventTime")),
    )


def _severity(reason: str) -> Severity:
    if reason in _NOISE:
        return Severity.INFO
    return Severity.HIGH if reason in _GRAVE else Severity.WARNING


def _count(event: Json) -> int:
    counts = (event.get("count"), mapping(event, "series").get("count"))
    found = (c for c in counts if isinstance(c, int) and not isinstance(c, bool) and 0 < c < 2**31)
    return max(found, default=1)


def _last(event: Mapping[str, Any]) -> datetime | None:
    told = (
        mapping(event, "series").get("lastObservedTime"), event.get("lastTimestamp"),
        event.get("eventTime"), event.get("firstTimestamp"),
    )  # fmt: skip
    return next((at for at in map(moment, told) if at is not None), None)
