"""Log templates from the pods themselves, previous containers included, where no store has them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, LogTemplate, Snapshot, Source
from bot.domain.time import Window
from tools.asking import Ask, ask, ask_all
from tools.clients.kubernetes import Kubernetes
from tools.clients.names import service_of_object
from tools.clients.settings import connection
from tools.contract import ReadTool
from tools.read.logs.templates import Entry, templates

STORES = ("loki", "elasticsearch", "opensearch")
MAX_READS = 32  # containers' logs read for one need
GONE = "unable to retrieve container logs for "
MAX_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One run of one container."""

    namespace: str
    pod: str
    container: str
    service: str
    previous: bool
    unwell: bool


class PodLogs(ReadTool):
    """Logs of the pods of the services asked for; without services, of pods that are unwell."""

    name: ClassVar[str] = "logs.pods"
    system: ClassVar[str] = "logs"
    answers: ClassVar[Fact] = Fact.LOGS
    timeout_s: ClassVar[float] = 10.0

    def __init__(self, environment: Environment, client: Kubernetes) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "PodLogs | None":
        """Return the tool; None without a cluster, or when a store has the logs."""
        if _stored(environment):
            return None
        client = Kubernetes.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return where logs come from. Raises: Unavailable."""
        return f"pod logs of Kubernetes {await self._client.version()}"

    async def read(self, need: Need) -> Snapshot:
        """Return templates, errors first. Raises: Unavailable, Refused, Malformed."""
        places = await self._places(need)
        chosen = sorted(places, key=lambda p: (not p.unwell, not p.previous, p.pod))[:MAX_READS]
        before = Window(
            start=need.window.start - timedelta(seconds=need.window.seconds), end=need.window.start
        )
        answered = await ask_all([self._ask(place, before.start, need) for place in chosen])
        gone = [source.query for source, text in answered.results if _is_gone(text)]
        by_query = {source.query: text for source, text in answered.results if not _is_gone(text)}
        source = Source(system="kubernetes", query="kubectl logs --timestamps", window=need.window)

        def counted() -> tuple[tuple[LogTemplate, ...], int]:
            entries = [
                entry
                for place in chosen
                for entry in _entries(place, by_query.get(_command(place), ""), before, need.window)
            ]
            return templates(entries, source, baseline_known=True)

        found, cut = await asyncio.to_thread(counted)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            logs=found,
            blind_spots=(
                *answered.blind_spots,
                *(BlindSpot(system="logs", reason="its node lost it", wanted=q) for q in gone),
                *_spots(len(places), len(chosen), cut),
            ),
        )

    async def _places(self, need: Need) -> list[_Place]:
        """Return the container runs to read. Raises: Unavailable, Refused, Malformed."""
        places: list[_Place] = []
        for namespace in self._environment.namespaces:
            listing = await ask(
                Ask(
                    source=Source(
                        system="kubernetes",
                        query=f"kubectl get pods -n {namespace}",
                        window=need.window,
                    ),
                    call=partial(self._client.list, "Pod", namespace),
                    found=lambda listing: f"{len(listing.items)} pods",
                    wanted=f"the pods of namespace {namespace}",
                )
            )
            for pod in listing.items:
                places.extend(_runs(pod, namespace))
        if need.services:
            return [p for p in places if p.service in need.services]
        return [p for p in places if p.unwell]

    def _ask(self, place: _Place, since: datetime, need: Need) -> Ask[str]:
        query = {
            "container": place.container,
            "previous": "true" if place.previous else "",
            "sinceTime": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return Ask(
            source=Source(system="kubernetes", query=_command(place), window=need.window),
            call=lambda: self._client.logs(
                place.namespace, place.pod, query=query, max_bytes=MAX_BYTES
            ),
            found=lambda text: f"{text.count(chr(10))} lines",
            wanted=f"logs of {place.pod}",
        )


def _is_gone(text: str) -> bool:
    """Whether the node says, with status 200, that it threw the run's log away."""
    return text.startswith(GONE) and "\n" not in text.strip()


def _stored(environment: Environment) -> bool:
    """Whether a store of logs is configured."""
    datadog = connection(environment, "datadog")
    if datadog is not None and "logs" in datadog.get("read", ("logs",)):
        return True
    return any(connection(environment, store) is not None for store in STORES)


def _runs(pod: Mapping[str, Any], namespace: str) -> list[_Place]:
    """Return the current and, where the container restarted, the previous run of each container."""
    status = pod.get("status") or {}
    states = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    places = []
    for state in states:
        unwell = not state.get("ready") and "completed" not in str(state.get("state")).lower()
        restarted = int(state.get("restartCount") or 0) > 0
        started = not (state.get("state") or {}).get("waiting")
        for previous in (False, True):
            if (previous and restarted) or (not previous and started):
                places.append(
                    _Place(
                        namespace=namespace,
                        pod=str((pod.get("metadata") or {}).get("name")),
                        container=str(state.get("name")),
                        service=service_of_object(pod),
                        previous=previous,
                        unwell=unwell or previous,
                    )
                )
    return places


def _command(place: _Place) -> str:
    previous = " --previous" if place.previous else ""
    return f"kubectl logs {place.pod} -c {place.container} -n {place.namespace}{previous}"


def _entries(place: _Place, text: str, before: Window, window: Window) -> list[Entry]:
    found = []
    for line in text.splitlines():
        at, words = _split(line)
        if not words or (at is not None and not before.start <= at < window.end):
            continue
        found.append(
            Entry(
                at=at,
                text=words,
                service=place.service,
                pod=place.pod,
                container=place.container,
                previous=place.previous,
                baseline=at is not None and at < window.start,
            )
        )
    return found


def _split(line: str) -> tuple[datetime | None, str]:
    """Split the timestamp off that the API puts before each line."""
    stamp, _, words = line.partition(" ")
    try:
        moment = datetime.fromisoformat(_microseconds(stamp))
    except (ValueError, Malformed):
        return None, line
    return (moment, words) if moment.tzinfo else (None, line)


def _microseconds(stamp: str) -> str:
    """Return an RFC 3339 time with nine digits of fraction cut to six."""
    head, dot, rest = stamp.partition(".")
    digits = rest.rstrip("Zz")
    return f"{head}.{digits[:6]}+00:00" if dot and digits.isdigit() else stamp


def _spots(places: int, chosen: int, cut: int) -> tuple[BlindSpot, ...]:
    spots = []
    if places > chosen:
        words = f"{places} container runs, looked at {chosen}"
        spots.append(BlindSpot(system="logs", reason=words, wanted="logs of every pod"))
    if cut:
        words = f"{cut} rare templates left out"
        spots.append(BlindSpot(system="logs", reason=words, wanted="every log template"))
    return tuple(spots)
