"""A storm becomes groups: services in trouble, each with the trouble further down that explains it.

An alert's own service and its place in the service graph decide first, its words second. What no
graph connects stays apart: a wrong thread hides trouble, one more thread costs a glance.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.incident import Alert, Incident, Standing, State
from bot.domain.signal import Origin, Severity
from bot.triage.alike import alike, signature
from bot.triage.calls import Calls

TOGETHER = timedelta(minutes=15)  # an incident takes in what comes this soon after its last alert
SAME_SERVICE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts that have one cause, as far as can be told. `root`: the service where it begins."""

    environment: str
    root: str
    alerts: tuple[Alert, ...]

    @property
    def severity(self) -> Severity:
        """The worst of what fires, else of all."""
        firing = [a.severity for a in self.alerts if a.firing]
        return max(firing or [a.severity for a in self.alerts])

    @property
    def own(self) -> bool:
        """Whether it is about the bot itself."""
        return any(a.origin is Origin.SELF for a in self.alerts)

    @property
    def services(self) -> tuple[str, ...]:
        """Whom it hits, the first to alert first."""
        ordered = sorted(self.alerts, key=_age)
        return tuple(dict.fromkeys(a.service for a in ordered))

    @property
    def leading(self) -> Alert:
        """The alert that names the trouble: of its root, the worst, the first."""

        def order(a: Alert) -> tuple[object, ...]:
            return (a.service != self.root, not a.firing, -a.severity, a.first_at, a.subject)

        return min(self.alerts, key=order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """What pending alerts belong to: standing incidents, or new groups."""

    joined: Mapping[str, str]  # subject → incident id
    roots: Mapping[str, str]  # incident id → the service where it begins, when that is news
    groups: tuple[Group, ...]


def group(pending: Sequence[Alert], standing: Sequence[Standing], calls: Calls) -> Grouped:
    """Return which pending alerts of one environment join what stands, and which are new.

    What the bot says of itself is one incident that nothing else joins: in that it may not act, in
    any other one it may. What is worse than all that one told is not hidden in it, once it is old.
    """
    loud = [s for s in standing if s.incident.state is State.OPEN]
    others = [s for s in loud if not is_own(s.incident)]
    rest = [a for a in pending if a.origin is not Origin.SELF]
    joining = _Joining(calls, others, rest)
    new = [*_groups([alert for alert in rest if not joining.take(alert)], calls)]
    own = sorted((a for a in pending if a.origin is Origin.SELF), key=_age)
    joined = _joined_own(own, [s for s in loud if is_own(s.incident)])
    alone = tuple(a for a in own if a.subject not in joined)
    if alone:
        new.append(Group(environment=alone[0].environment, root=alone[0].service, alerts=alone))
    return Grouped(joined=joining.joined | joined, roots=joining.roots, groups=tuple(new))


def _joined_own(own: Iterable[Alert], standing: Sequence[Standing]) -> dict[str, str]:
    """Return which of the bot's own alerts join which of its own incidents: subject → id.

    Its alerts are repeated while they last, so an incident's age counts, not its last alert's.
    """
    joined = {}
    for alert in own:
        fitting = (
            s
            for s in standing
            if alert.severity <= s.incident.severity
            or alert.last_at - s.incident.opened_at <= TOGETHER
        )
        joined[alert.subject] = _newest(fitting)
    return {subject: incident_id for subject, incident_id in joined.items() if incident_id}


def is_own(incident: Incident) -> bool:
    """Whether an incident is about the bot itself."""
    return incident.origin == Origin.SELF.value


def origins(services: Collection[str], calls: Calls, first: str = "") -> tuple[str, ...]:
    """Return those of the services in trouble that no other one of them explains.

    Of services that call each other in a circle, one stands for all. `first` stands in front if it
    is one of them.
    """
    known = {s for s in services if s}
    below = {s: calls.below(s, known) for s in known}
    ends = (
        s
        for s in known
        if all(s in below[t] for t in below[s])
        and s == min((s, *below[s]), key=lambda t: (t != first, t))
    )
    return tuple(sorted(ends, key=lambda s: (s != first, s)))


class _Joining:
    """Finds the open incident that a pending alert belongs to."""

    def __init__(
        self, calls: Calls, standing: Sequence[Standing], pending: Sequence[Alert]
    ) -> None:
        self._calls, self._standing = calls, standing
        self.joined: dict[str, str] = {}
        self.roots: dict[str, str] = {}
        firing = {a.service for a in pending if a.firing and a.service}
        there = {m for s in standing for m, kept in s.members.items() if kept.firing and m}
        self._troubled = firing | there
        self._chosen: dict[str, str] = {}  # service → incident id, for this round
        self._root = {s.incident.id: s.incident.service for s in standing}
        told = there | set(self._root.values())
        self._new_ends = frozenset(s for s in origins(self._troubled, calls) if s not in told)

    def take(self, alert: Alert) -> bool:
        """Whether the alert joins an incident that stands."""
        chosen = self._by_service(alert) or self._by_graph(alert) or self._by_words(alert)
        if not chosen:
            return False
        self.joined[alert.subject] = chosen
        if alert.service:
            self._chosen.setdefault(alert.service, chosen)
        return True

    def _by_service(self, alert: Alert) -> str:
        if not alert.service:
            return ""
        if alert.service in self._chosen:
            return self._chosen[alert.service]
        fitting = [
            s
            for s in self._near(alert, SAME_SERVICE)
            if alert.service in s.members or alert.service == s.incident.service
        ]
        return _newest(fitting)

    def _by_graph(self, alert: Alert) -> str:
        if not alert.service or not alert.firing:
            return ""
        near = self._near(alert, TOGETHER)
        below = self._calls.below(alert.service, self._troubled)
        explaining = [
            (below[root], s.incident.opened_at, s.incident.id)
            for s in near
            if (root := self._root[s.incident.id]) in below
        ]
        nearer = min((hops for s, hops in below.items() if s in self._new_ends), default=None)
        if explaining and (nearer is None or min(explaining)[0] <= nearer):
            return min(explaining)[2]
        return "" if explaining else self._deeper(alert, near)

    def _deeper(self, alert: Alert, near: Sequence[Standing]) -> str:
        """Return the incident that this alert's service explains: now it begins there."""
        for standing in near:
            incident = standing.incident
            root = self._root[incident.id]
            if root and alert.service in self._calls.below(root, self._troubled):
                self._root[incident.id] = self.roots[incident.id] = alert.service
                return incident.id
        return ""

    def _by_words(self, alert: Alert) -> str:
        """Only without a service to go by: its words must be the incident's."""
        if alert.service:
            return ""
        said = signature(alert.title)
        near = self._near(alert, TOGETHER)
        return _newest([s for s in near if alike(said, signature(s.incident.title))])

    def _near(self, alert: Alert, span: timedelta) -> list[Standing]:
        return [s for s in self._standing if abs(alert.last_at - s.last_at) <= span]


def _age(alert: Alert) -> tuple[datetime, str]:
    return alert.first_at, alert.subject


def _newest(standing: Iterable[Standing]) -> str:
    found = max(standing, key=lambda s: (s.incident.opened_at, s.incident.id), default=None)
    return found.incident.id if found else ""


def _groups(alerts: Sequence[Alert], calls: Calls) -> Iterable[Group]:
    """Yield the groups, the first to begin first."""
    roots = _roots(alerts, calls)
    members: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        members[roots.get(alert.service, "") or _nameless(alert)].append(alert)
    for key, found in sorted(members.items(), key=lambda item: (_began(item[1]), item[0])):
        root = "" if key.startswith(_WORDS) else key
        yield Group(environment=found[0].environment, root=root, alerts=tuple(found))


_WORDS = "\x00"  # no service's name begins so


def _nameless(alert: Alert) -> str:
    """Return what alerts without a service are grouped by: what they say."""
    return _WORDS + (signature(alert.title) or alert.subject)


def _began(alerts: Sequence[Alert]) -> datetime:
    return min(a.first_at for a in alerts)


def _roots(alerts: Sequence[Alert], calls: Calls) -> dict[str, str]:
    """Return for each service the nearest one below it that no other explains."""
    firsts: dict[str, datetime] = {}
    for alert in alerts:
        if alert.service:
            firsts[alert.service] = min(alert.first_at, firsts.get(alert.service, alert.first_at))
    ends = frozenset(origins(firsts, calls))
    found: dict[str, str] = {}
    for service in firsts:
        below = calls.below(service, firsts)
        explaining = [(hops, firsts[s], s) for s, hops in below.items() if s in ends]
        found[service] = min(explaining)[2] if explaining and service not in ends else service
    return found
