"""A workload that takes its node's CPU from others: they are slow there, and fine elsewhere."""

from datetime import datetime

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import Signal, Snapshot, Source
from bot.reasoning import needs
from bot.reasoning.claims import GOOD, HINT, STRONG, at, level_since, said, seen, watched
from bot.reasoning.picture import Picture, Sign, picture_of, shift_of
from bot.reasoning.series import median
from bot.reasoning.suspicion import EARLY
from bot.reasoning.thresholds import HOT_NODE, Tolerance
from bot.reasoning.wording import quantity

NAME = "noisy_neighbour"
_PRIOR = -3.0
_GREW = Tolerance(floor=0.3, ratio=0.5)  # cores
_BY_POD = (f"{Signal.CPU_CORES}:pod", f"{Signal.LATENCY_P99}:pod", f"{Signal.ERROR_RATIO}:pod")
_SLOWER = 1.5  # times the pods elsewhere


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the workload that made each hot node hot."""
    picture = picture_of(snapshot)
    hot = [s for s in picture.signs if s.signal == Signal.NODE_CPU and s.shift.now >= HOT_NODE]
    if not hot:
        return Finding()
    nodes = pods_by_node(snapshot)
    services = {service for node in hot for _, service in nodes.get(node.service, ())}
    found = [
        h for s in hot if (h := _on(picture, question, s, nodes.get(s.service, []))) is not None
    ]
    wanted = needs.of_services(
        Fact.SERIES, question, services, names=_BY_POD, reason="who is busy on the hot node"
    )
    return Finding(hypotheses=tuple(found), needs=(wanted,) if services else ())


def pods_by_node(snapshot: Snapshot) -> dict[str, list[tuple[str, str]]]:
    """Return (pod, service) per node."""
    found: dict[str, list[tuple[str, str]]] = {}
    for pod in snapshot.kind("Pod"):
        node = str((pod.body.get("spec") or {}).get("nodeName") or "")
        service = pod.labels.get("app.kubernetes.io/name") or pod.labels.get("app") or pod.name
        found.setdefault(node, []).append((pod.name, service))
    return found


def _on(
    picture: Picture, question: Question, node: Sign, pods: list[tuple[str, str]]
) -> Hypothesis | None:
    grown = [g for pod, service in pods if (g := _grew(picture, pod, service)) is not None]
    if not grown:
        return None
    noisy, sign = max(grown, key=lambda g: (g[1].shift.now - g[1].shift.usual, g[0]))
    beside = sorted({s for _, s in pods if s != noisy and s in picture.symptoms})
    evidence = [
        seen(node, picture, GOOD),
        seen(sign, picture, STRONG, f"on node {node.service}"),
        *_own_work(picture, noisy, sign.onset),
        *_neighbours(picture, beside, node, pods),
    ]
    growth = f"{quantity(sign.shift.usual)} → {quantity(sign.shift.now)} cores"
    victims = {*beside, *(v for s in beside for v in picture.victims(s))} - {noisy}
    return Hypothesis(
        cause="noisy_neighbour",
        object=picture.object_of(noisy),
        service=noisy,
        summary=f"{noisy} takes the CPU of node {node.service} from its neighbours since "
        f"{at(sign.onset, picture)} ({growth}).",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted(victims)),
        onset=min(sign.onset, node.onset),
        signal=watched(picture, question, *beside, noisy),
        hint="scale down or move",
    )


def _grew(picture: Picture, pod: str, service: str) -> tuple[str, Sign] | None:
    series = picture.recent(Signal.CPU_CORES, service, pod=pod) or picture.recent(
        Signal.CPU_CORES, service
    )
    shift = shift_of(series, _GREW) if series else None
    if series is None or shift is None or shift.until is not None:
        return None
    return service, Sign(series=series, shift=shift)


def _own_work(picture: Picture, noisy: str, onset: datetime) -> list[Evidence]:
    """A neighbour is noisy by itself; one that works for its callers is busy."""
    more = picture.sign(Signal.REQUEST_RATE, noisy)
    if more is not None and more.onset <= onset + EARLY:
        return [seen(more, picture, -GOOD, "its load explains its CPU")]
    if noisy in picture.symptoms:
        return [seen(picture.symptoms[noisy][0], picture, -HINT, "it suffers itself")]
    source = next(iter(picture.signs)).series.source
    return [said(f"{noisy} gets no more requests than usual and is not slow itself", GOOD, source)]


def _neighbours(
    picture: Picture, beside: list[str], node: Sign, pods: list[tuple[str, str]]
) -> list[Evidence]:
    if not beside:
        text = f"nobody else on {node.service} has symptoms"
        return [said(text, -STRONG, node.series.source)]
    evidence = []
    for service in beside:
        here = {p for p, s in pods if s == service}
        compared = _here_and_elsewhere(picture, service, here)
        if compared is None:
            continue
        slow, fine, source = compared
        text = (
            f"p99 of {service} {quantity(slow, 's')} on {node.service}, "
            f"{quantity(fine, 's')} on other nodes"
        )
        evidence.append(said(text, STRONG if slow > _SLOWER * fine else -GOOD, source))
    ordered = sorted(evidence, key=lambda e: -e.weight)
    return ordered[:2] or [
        said(f"{', '.join(beside)} on the same node have symptoms", HINT, node.series.source)
    ]


def _here_and_elsewhere(
    picture: Picture, service: str, here: set[str]
) -> tuple[float, float, Source] | None:
    """Return p99 of a service's pods on this node and on the others, since its onset."""
    onset = picture.onset_of(service)
    near: list[float] = []
    far: list[float] = []
    source = None
    for pod, series in picture.split(Signal.LATENCY_P99, service, "pod").items():
        level = level_since(series, onset)
        if level is not None:
            source = series.source
            (near if pod in here else far).append(level)
    if source is None or not near or not far:
        return None
    return median(near), median(far), source
