"""What becomes of the alerts of one environment that have no incident yet."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.incident import OWN, STORM, Alert, Incident, Plan, Standing, State
from bot.triage.alike import signature
from bot.triage.grouping import Group, group, is_own
from bot.triage.places import Place
from bot.triage.quiet import why_quiet
from bot.triage.timing import Settling, is_due

MOST_THREADS = 7  # opened in ten minutes in one environment; what comes then shares one more
LATELY = timedelta(minutes=10)
QUIET_AGAIN = timedelta(hours=6)  # alike alerts join the same quiet incident for so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One environment at one moment."""

    place: Place
    pending: Sequence[Alert]
    standing: Sequence[Standing]
    heard: Mapping[str, datetime]  # when each pending subject was first heard of
    now: datetime
    settling: Settling = field(default_factory=Settling)


def decide(scene: Scene) -> Plan:
    """Return which alerts join which incident, and which incidents are opened or kept quiet."""
    grouped = group(scene.pending, scene.standing, scene.place.calls)
    joined = dict(grouped.joined)
    loud: list[Group] = []
    opened: list[Incident] = []
    storm = len(_in_trouble(scene)) >= scene.settling.storm
    for found in grouped.groups:
        reason = why_quiet(found, scene.place, scene.now)
        if not is_due(found, scene.heard, scene.now, scene.settling, storm=storm):
            continue
        if reason:
            _keep_quiet(found, reason, scene, opened, joined)
        else:
            loud.append(found)
    _speak(loud, scene, opened, joined)
    return Plan(opened=tuple(opened), joined=joined, roots=grouped.roots)


def _in_trouble(scene: Scene) -> set[str]:
    loud = [s for s in scene.standing if s.incident.state is State.OPEN]
    told = {name for s in loud for name, member in s.members.items() if member.firing}
    return told | {a.service for a in scene.pending if a.firing}


def _keep_quiet(
    found: Group, reason: str, scene: Scene, opened: list[Incident], joined: dict[str, str]
) -> None:
    """Put a group into a quiet incident that says the same of the same service, or a new one."""
    known = _quiet_alike(found, scene)
    if not known:
        incident = _incident(found, scene, State.QUIET, reason)
        opened.append(incident)
        known = incident.id
    joined.update({a.subject: known for a in found.alerts})


def _quiet_alike(found: Group, scene: Scene) -> str:
    said = signature(found.leading.title, found.root)
    for standing in scene.standing:
        incident = standing.incident
        recent = scene.now - incident.opened_at <= QUIET_AGAIN
        same = (incident.state, incident.service) == (State.QUIET, found.root)
        as_bad = incident.severity >= found.severity
        same = same and is_own(incident) is found.own
        if same and recent and as_bad and signature(incident.title, found.root) == said:
            return incident.id
    return ""


def _speak(
    loud: Sequence[Group], scene: Scene, opened: list[Incident], joined: dict[str, str]
) -> None:
    """Open a thread for each, the worst first; what is too much shares one.

    What is about the bot itself never shares one.
    """
    places = max(0, MOST_THREADS - _lately(scene), sum(g.own for g in loud))
    ordered = sorted(loud, key=lambda g: (not g.own, -g.severity, g.leading.first_at, g.root))
    for found in ordered[:places]:
        incident = _incident(found, scene, State.OPEN, "")
        opened.append(incident)
        joined.update({a.subject: incident.id for a in found.alerts})
    rest = ordered[places:]
    if rest:
        joined.update(_shared(rest, scene, opened))


def _lately(scene: Scene) -> int:
    """Count the threads opened in the last ten minutes, the shared one aside."""
    incidents = [s.incident for s in scene.standing if s.incident.state is not State.QUIET]
    return sum(i.origin != STORM and scene.now - i.opened_at <= LATELY for i in incidents)


def _shared(
    rest: Sequence[Group], scene: Scene, opened: list[Incident]
) -> Iterable[tuple[str, str]]:
    """Put groups into the incident that takes in what is too much; open it if there is none."""
    found = next((s.incident for s in scene.standing if _takes_all(s, scene.now)), None)
    if found is None:
        alerts = tuple(a for g in rest for a in g.alerts)
        whole = Group(environment=rest[0].environment, root="", alerts=alerts)
        found = _incident(whole, scene, State.OPEN, "", origin=STORM)
        opened.append(found)
    return [(a.subject, found.id) for g in rest for a in g.alerts]


def _takes_all(standing: Standing, now: datetime) -> bool:
    incident = standing.incident
    is_shared = incident.origin == STORM and incident.state is State.OPEN
    return is_shared and now - incident.opened_at <= 3 * LATELY


def _incident(
    found: Group, scene: Scene, state: State, reason: str, *, origin: str = ""
) -> Incident:
    leading = found.leading
    return Incident(
        id=_id(found, scene.now),
        environment=found.environment,
        title=leading.title,
        state=state,
        severity=found.severity,
        service=found.root,
        origin=origin or leading.origin.value,
        opened_at=scene.now,
        began_at=min(a.first_at for a in found.alerts),
        quiet=reason,
    )


def _id(found: Group, now: datetime) -> str:
    """Return an id that the same alerts have again if this is decided twice at one moment."""
    subjects = "\x00".join(sorted(a.subject for a in found.alerts)[:50])
    digest = hashlib.sha256(f"{now.isoformat()}\x00{subjects}".encode()).hexdigest()
    return f"{OWN}{now:%Y%m%d-%H%M}-{digest[:10]}"
