"""What triage knows of an environment, and which environment and service a signal means."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.environment import Environment
from bot.domain.incident import Lesson
from bot.domain.signal import Origin, Signal
from bot.triage.calls import Calls

SERVICE_LABELS = (
    "service", "service_name", "app", "app_kubernetes_io_name", "deployment", "statefulset",
    "daemonset", "workload", "job", "container", "pod",
)  # fmt: skip
TRUSTED_LABELS = SERVICE_LABELS[:7]  # the others often name what watches, not what is watched
PLACE_LABELS = ("environment", "env", "cluster", "namespace")
_POD = re.compile(r"-(?:[a-z0-9]{5,10}-[a-z0-9]{5}|\d{1,4})$")  # of a ReplicaSet's or set's pod
_SUFFIX = re.compile(r"[-_.](?:service|svc|app|api|deployment)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One environment as triage sees it. `services`: the names that exist there."""

    environment: Environment
    services: frozenset[str] = frozenset()
    calls: Calls = field(default_factory=Calls)
    lessons: tuple[Lesson, ...] = ()


def place_of(signal: Signal, places: Mapping[str, Place], default: str) -> str:
    """Return the environment that a signal is about; the default when it does not say."""
    spoken = {
        name.lower(): place.environment.name
        for place in places.values()
        for name in (place.environment.name, *place.environment.aliases)
    }
    said = [signal.environment, *(signal.labels.get(label, "") for label in PLACE_LABELS)]
    for word in said:
        if word.lower() in spoken:
            return spoken[word.lower()]
    return _by_namespace(signal, places) or _by_page(signal, places) or default


def _by_page(signal: Signal, places: Mapping[str, Place]) -> str:
    """Return the environment whose settings name the service that was paged, "" if none does."""
    return next((name for name, place in places.items() if _paged(signal, place)), "")


def _paged(signal: Signal, place: Place) -> str:
    """Return our name of the service that was paged, "" if it is none of this environment's."""
    if signal.origin is not Origin.PAGERDUTY:
        return ""
    named = place.environment.connections.get("pagerduty", {}).get("services")
    theirs = {signal.details.get("service_id", ""), signal.details.get("service", "")} - {""}
    for ours, found in (named or {}).items() if isinstance(named, Mapping) else ():
        if theirs & set(map(str, found if isinstance(found, list | tuple) else (found,))):
            return str(ours)
    return ""


def _by_namespace(signal: Signal, places: Mapping[str, Place]) -> str:
    namespace = signal.labels.get("namespace", "")
    fitting = [n for n, p in places.items() if namespace in p.environment.namespaces]
    return fitting[0] if namespace and len(fitting) == 1 else ""


def service_of(signal: Signal, place: Place) -> str:
    """Return our name of the service, else the source's first name for it, else ""."""
    paged = _paged(signal, place)
    if paged:
        return paged
    ours = _spoken(place)
    for word in _named(signal, SERVICE_LABELS):
        found = _ours(word, ours)
        if found:
            return found
    return next(_named(signal, TRUSTED_LABELS), "")[:200]


def _named(signal: Signal, labels: Sequence[str]) -> Iterator[str]:
    yield from (name for name in signal.services if name)
    yield from (signal.labels[label] for label in labels if signal.labels.get(label))


def _spoken(place: Place) -> dict[str, str]:
    aliases = place.environment.service_aliases
    names = place.services | frozenset(aliases)
    return {word.lower(): name for name in sorted(names) for word in (*aliases.get(name, ()), name)}


def _ours(word: str, ours: Mapping[str, str]) -> str:
    """Return the name that a word means: itself, an alias, a pod's workload, a short form."""
    lower = word.lower().rpartition("/")[2]
    forms = (lower, _POD.sub("", lower), _SUFFIX.sub("", lower))
    return next((ours[form] for form in forms if form in ours), "")
