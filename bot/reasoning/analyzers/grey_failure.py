"""One pod of many fails or is slow while its health checks are green."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.needs import Fact
from bot.domain.snapshot import KubernetesObject, Series, Signal, Snapshot, Source
from bot.reasoning import complaints, needs
from bot.reasoning.claims import GOOD, HINT, PROOF, STRONG, at, level_since, said, watched
from bot.reasoning.picture import Picture, picture_of
from bot.reasoning.series import median, odd_one_out
from bot.reasoning.thresholds import HOT_NODE
from bot.reasoning.wording import listed, noun, quantity

NAME = "grey_failure"
_PRIOR = -3.0
_COMPARED = ((Signal.ERROR_RATIO, 0.02, 2.0), (Signal.LATENCY_P99, 0.05, 1.0))
_SIGNALS = (Signal.ERROR_RATIO, Signal.LATENCY_P99, Signal.REQUEST_RATE, Signal.CPU_OF_LIMIT)
_SILENT = re.compile(  # what a grey failure says of itself, if anything
    r"time[d-]? ?-?out|deadline|slow|hang|hung|stuck|not answered|no answer|reset|refused|cancel|"
    r"broken pipe|50[0-4]|unavailable",
    re.I,
)
_BY_POD = tuple(f"{s}:pod" for s in _SIGNALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Odd:
    """One pod of a service that is far worse than its peers."""

    signal: Signal
    pod: str
    levels: dict[str, float]  # of the signal since the onset, per pod
    series: Series
    node: str


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Compare the pods of each service with symptoms; ask for their series first."""
    picture = picture_of(snapshot)
    suspects = [s for s in picture.symptoms if not picture.is_outside(s)]
    if not suspects:
        return Finding()
    odd = {s: o for s in suspects if (o := _odd_pod(picture, s)) is not None}
    found = [_hypothesis(picture, question, s, o, _beside(picture, s, odd)) for s, o in odd.items()]
    found += _nodes(picture, question, odd)
    wanted = needs.of_services(
        Fact.SERIES, question, suspects, names=_BY_POD, reason="one pod or all of them"
    )
    return Finding(hypotheses=tuple(found), needs=(wanted,))


def _odd_pod(picture: Picture, service: str) -> _Odd | None:
    for signal, floor, ratio in _COMPARED:
        series = picture.split(signal, service, "pod")
        levels = _levels(picture, service, series)
        odd = odd_one_out(levels, floor=floor, ratio=ratio)
        if odd is not None:
            node = _node_of(picture.snapshot.find("Pod", odd))
            return _Odd(signal=signal, pod=odd, levels=levels, series=series[odd], node=node)
    return None


def _node_of(body: KubernetesObject | None) -> str:
    return str((body.body.get("spec") or {}).get("nodeName") or "") if body else ""


def _beside(picture: Picture, service: str, odd: Mapping[str, _Odd]) -> list[str]:
    """The services whose odd pod runs on the same node, without those on the way to this one."""
    mine = odd[service]
    return [
        s for s, o in odd.items() if s != service and mine.node and o.node == mine.node
        if service not in picture.graph.below(s) and s not in picture.graph.below(service)
    ]  # fmt: skip


def _nodes(picture: Picture, question: Question, odd: Mapping[str, _Odd]) -> list[Hypothesis]:
    """A hypothesis per node on which the pods of several services are odd at the same time."""
    by_node: dict[str, list[str]] = {}
    for service, one in odd.items():
        if one.node and _beside(picture, service, odd):
            by_node.setdefault(one.node, []).append(service)
    return [_node_hypothesis(picture, question, n, s, odd) for n, s in sorted(by_node.items())]


def _node_hypothesis(
    picture: Picture, question: Question, node: str, ill: list[str], odd: Mapping[str, _Odd]
) -> Hypothesis:
    names, source = listed(sorted(ill)), odd[ill[0]].series.source
    onset = min((o for s in ill if (o := picture.onset_of(s))), default=None)
    text = f"the pods of {names} on {node} are worse than their peers on other nodes"
    load = picture.recent(Signal.NODE_CPU, node)
    level = level_since(load, onset) if load else None
    evidence = [said(text, STRONG + HINT * (len(ill) - 2), source)]
    if load is not None and level is not None:
        busy = quantity(level, "", Signal.NODE_CPU)
        hot = level >= HOT_NODE
        text = f"CPU of {node} {busy}" + (": somebody on it takes it" if hot else ": it has room")
        evidence.append(said(text, -STRONG if hot else HINT, load.source))
    victims = {v for s in ill for v in (s, *picture.victims(s))}
    return Hypothesis(
        cause="node_degraded",
        object=f"node/{node}",
        service=node,
        summary=f"Node {node} slows or fails what runs on it: {names} are fine elsewhere.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted(victims)),
        onset=onset,
        signal=watched(picture, question, *ill),
        hint="failover",
    )


def _levels(picture: Picture, service: str, series: dict[str, Series]) -> dict[str, float]:
    """Levels since the onset of the pods that still run."""
    end = max((s.times[-1] for s in series.values() if s.times), default=0.0)
    there = {o.name for o in picture.snapshot.kind("Pod")}
    alive = {
        p: s
        for p, s in series.items()
        if s.times and end - s.times[-1] < 180.0 and (not there or p in there)
    }
    onset = picture.onset_of(service)
    levels = {p: level_since(s, onset) for p, s in alive.items()}
    return {p: level for p, level in levels.items() if level is not None}


def _hypothesis(
    picture: Picture,
    question: Question,
    service: str,
    odd: _Odd,
    beside: list[str],
) -> Hypothesis:
    signal, pod, levels, series = odd.signal, odd.pod, odd.levels, odd.series
    peers = median([v for p, v in levels.items() if p != pod])
    mine, others = (quantity(v, series.unit, signal) for v in (levels[pod], peers))
    text = f"{noun(signal)} of pod {pod} {mine}, of its {len(levels) - 1} peers {others}"
    onset = picture.onset_of(service)
    body = picture.snapshot.find("Pod", pod)
    evidence = [
        said(text, STRONG, series.source),
        *_health(body),
        *_same_version(picture, pod, levels, body),
        *_node(picture, service, body),
        *_neighbours(odd, beside),
        *_depth(picture, service, series.source),
        *_own_words(picture, service, pod),
    ]
    since = f" since {at(onset, picture)}" if onset else ""
    return Hypothesis(
        cause="grey_failure",
        object=f"pod/{pod}",
        service=service,
        summary=f"One pod of {service}, {pod}, misbehaves{since} though its health checks are "
        f"green: {noun(signal)} {mine}, its peers {others}.",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=picture.victims(service),
        onset=onset,
        signal=watched(picture, question, service),
        hint="restart the pod",
    )


def _health(body: KubernetesObject | None) -> list[Evidence]:
    if body is None:
        return []
    if ready(body):
        return [said(f"pod {body.name} is Ready: its health checks see nothing", HINT, body.source)]
    return [said(f"pod {body.name} is not Ready: its health checks see it", -GOOD, body.source)]


def ready(pod: KubernetesObject) -> bool:
    """Return whether a pod's Ready condition is true."""
    conditions = (pod.body.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _same_version(
    picture: Picture, pod: str, levels: dict[str, float], body: KubernetesObject | None
) -> list[Evidence]:
    """A lone pod of a new version is a bad release that has just begun."""
    if body is None:
        return []
    hashes = {
        name: o.labels.get("pod-template-hash", "")
        for name in levels
        if (o := picture.snapshot.find("Pod", name)) is not None
    }
    peers = {h for name, h in hashes.items() if name != pod}
    if not peers:
        return []
    if hashes.get(pod) in peers:
        return [said(f"its peers run the same version as {pod}", GOOD, body.source)]
    return [said(f"{pod} runs another version than its peers", -STRONG, body.source)]


def _node(picture: Picture, service: str, body: KubernetesObject | None) -> list[Evidence]:
    """A hot node explains a slow pod."""
    node = ((body.body.get("spec") or {}).get("nodeName") or "") if body else ""
    series = picture.recent(Signal.NODE_CPU, node) if node else None
    if series is None or body is None:
        return []
    level = level_since(series, picture.onset_of(service)) or 0.0
    load = quantity(level, "", Signal.NODE_CPU)
    if level >= HOT_NODE:
        return [said(f"its node {node} is busy: CPU {load}", -GOOD, series.source)]
    return [said(f"its node {node} has room: CPU {load}", HINT, series.source)]


def _neighbours(odd: _Odd, beside: list[str]) -> list[Evidence]:
    """Pods of other services that are odd on the same node point to the node."""
    if not beside:
        return []
    text = f"pods of {listed(sorted(beside))} on the same node {odd.node} are worse, too"
    return [said(text, -PROOF, odd.series.source)]


def _own_words(picture: Picture, service: str, pod: str) -> list[Evidence]:
    """A pod that names a reason of its own in its log needs another cure."""
    told = [
        t
        for t in complaints.novel(picture, service)
        if t.pod in (pod, None) and t.level == "error" and not _SILENT.search(t.example)
    ]
    return [complaints.quoted(picture, told[0], -PROOF)] if told else []


def _depth(picture: Picture, service: str, source: Source) -> list[Evidence]:
    if service in picture.roots:
        return [said(f"nothing that {service} calls is worse than usual", GOOD, source)]
    return [said(f"something that {service} calls has symptoms too", -HINT, source)]
