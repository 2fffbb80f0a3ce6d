"""Delay and loss on the network: of one workload's pods, or of all pods of one node."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.diagnosis import Evidence, Finding, Hypothesis, Question
from bot.domain.snapshot import KubernetesObject, Signal, Snapshot, Source
from bot.reasoning.claims import (
    GOOD,
    HINT,
    PROOF,
    STRONG,
    level_before,
    level_since,
    said,
    seen,
    source_of,
    watched,
)
from bot.reasoning.kubernetes import Cluster, cluster_of, get
from bot.reasoning.picture import Picture, Sign, picture_of
from bot.reasoning.series import median
from bot.reasoning.suspicion import unique

NAME = "network"
# Rare beside bad releases and saturation: a delay is what is left when a service is slow by itself
# and neither works more, nor is asked more, nor was changed.
_PRIOR = -5.0
LATENCY = (Signal.LATENCY_P50, Signal.LATENCY_P99)
BUSY = (Signal.CPU_THROTTLED, Signal.CPU_OF_LIMIT, Signal.CPU_CORES)
ELSEWHERE = (
    Signal.DB_QUERY_P99, Signal.POOL_OF_LIMIT, Signal.POOL_WAITERS, Signal.MEMORY_OF_LIMIT,
    Signal.CONNECTIONS_OF_LIMIT,
)  # fmt: skip
LITTLE = math.log(1.5)
HARDER = 1.5  # times the CPU per request from which it is work, not waiting
MUCH = math.log(5)  # a latency five times the usual
PASSED_ON = 0.5  # a callee that accounts for this share of the excess explains the caller
JUST_NOW_S = 120.0  # what is over for less than this counts as going on
INDEPENDENT = 3  # services that are slow by themselves at once: more than a coincidence
PACKETS = (Signal.PACKETS_IN, Signal.PACKETS_OUT)
RETRANSMITS = Signal.TCP_RETRANSMITS
MANY_RETRANSMITS = 5.0  # segments a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """A service that answers slower than usual: by how much, and how much its callees explain."""

    service: str
    sign: Sign
    rise: float  # ln(now / usual)
    passed_on: float  # share of the excess seconds that its slowest callee accounts for

    @property
    def own_s(self) -> float:
        """Seconds above the usual that its slowest callee does not account for."""
        return _excess(self.sign) * max(0.0, 1.0 - self.passed_on)

    @property
    def score(self) -> float:
        """How much the trouble is its own: time lost by itself, and the rise over the usual.

        A delayed pod delays both ends of its calls: its callees rise as steeply, but lose less; its
        callers lose as much, but rise less.
        """
        return self.rise + 1.5 * math.log(max(self.own_s, 1e-3))


def look(snapshot: Snapshot, question: Question) -> Finding:
    """Return the services (or the node) whose latency nothing but the network explains."""
    picture = picture_of(snapshot)
    slow = _slow(picture)
    sources = [s for s in slow.values() if s.passed_on < PASSED_ON and s.rise >= MUCH]
    if not sources:
        return Finding()
    nodes = _of_one_node(cluster_of(snapshot), picture, slow)
    shared = any(node.probability >= 0.5 for node in nodes)
    ordered = sorted(sources, key=lambda s: (-s.score, s.service))
    pods = [_pod(picture, question, s, ordered, shared) for s in ordered[:5]]
    return Finding(hypotheses=(*nodes, *pods))


def _slow(picture: Picture) -> dict[str, Slow]:
    found: dict[str, list[Sign]] = {}
    recent = [
        sign
        for sign in picture.past
        if (sign.shift.until or 0.0) >= sign.series.times[-1] - JUST_NOW_S
    ]
    for sign in (*picture.signs, *recent):
        if sign.signal in LATENCY and sign.shift.usual > 0:
            found.setdefault(sign.service, []).append(sign)
    signs = {service: max(own, key=_excess) for service, own in found.items()}
    rises = {service: max(map(_rise, own)) for service, own in found.items()}
    return {name: _measured(picture, signs, name, rises[name]) for name in signs}


def _measured(picture: Picture, signs: Mapping[str, Sign], service: str, rise: float) -> Slow:
    sign = signs[service]
    theirs = [_excess(signs[c]) for c in picture.graph.callees(service) if c in signs]
    share = max(theirs, default=0.0) / max(_excess(sign), 1e-9)
    return Slow(service=service, sign=sign, rise=rise, passed_on=share)


def _excess(sign: Sign) -> float:
    return _level(sign) - sign.shift.usual


def _level(sign: Sign) -> float:
    return max(sign.shift.now, sign.shift.worst)


def _rise(sign: Sign) -> float:
    return math.log(max(_level(sign), 1e-6) / max(sign.shift.usual, 1e-4))


def _pod(
    picture: Picture, question: Question, slow: Slow, ordered: Sequence[Slow], shared: bool
) -> Hypothesis:
    service = slow.service
    factor = math.exp(slow.rise)
    evidence = [
        seen(slow.sign, picture, min(STRONG, slow.rise * 0.8), f"{factor:.0f} times the usual"),
        *_not_passed_on(picture, slow),
        *_idle(picture, service, slow.sign.onset),
        *_nothing_else(picture, service, slow.sign),
        *_uncounted(picture, slow),
        *_spread_out(picture, slow),
    ]
    before = ordered[: ordered.index(slow)]
    if not before:
        text = f"of {len(ordered)} slow services it loses most time by itself"
        evidence.append(said(text, GOOD, slow.sign.series.source))
        evidence += _both_ends(picture, slow, ordered)
    else:
        text = f"{ordered[0].service} loses more time by itself"
        evidence.append(said(text, -GOOD, ordered[0].sign.series.source))
    if shared:
        text = "the other pods of its node are slow as well"
        evidence.append(said(text, -STRONG, slow.sign.series.source))
    return Hypothesis(
        cause="pod_network_delay",
        object=picture.object_of(service),
        service=service,
        summary=f"{service} answers {factor:.0f} times slower and does not work more: "
        "its packets are delayed",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted(_touched(picture, service) - {s.service for s in before})),
        onset=slow.sign.onset,
        signal=watched(picture, question, service),
        hint="restart_pod",
    )


def _uncounted(picture: Picture, slow: Slow) -> list[Evidence]:
    """Latency alone does not tell a delayed packet from slow code."""
    if any(picture.recent(signal, slow.service) is not None for signal in PACKETS):
        return []
    text = f"no packet counts of {slow.service} to tell it from slow code"
    return [said(text, -STRONG, slow.sign.series.source)]


def _spread_out(picture: Picture, slow: Slow) -> list[Evidence]:
    """Pods on several nodes don't all lose their network while their neighbours keep it."""
    placed = _placement(cluster_of(picture.snapshot))
    nodes = sorted(node for node, services in placed.items() if slow.service in services)
    if len(nodes) < 2:
        return []
    text = f"its pods run on {len(nodes)} nodes: no one link serves them all"
    return [said(text, -STRONG, slow.sign.series.source)]


def _touched(picture: Picture, service: str) -> set[str]:
    """Who waits for it, and whom it talks to: the delay is seen at both ends of its calls."""
    return set(picture.symptoms) & (picture.graph.above(service) | picture.graph.callees(service))


def _both_ends(picture: Picture, slow: Slow, ordered: Sequence[Slow]) -> list[Evidence]:
    callees = sorted({s.service for s in ordered} & picture.graph.callees(slow.service))
    if not callees:
        return []
    text = f"{', '.join(callees[:4])} are slow to answer it too, and lose less: both ends of calls"
    return [said(text, GOOD, slow.sign.series.source)]


def _not_passed_on(picture: Picture, slow: Slow) -> list[Evidence]:
    callees = sorted(picture.graph.callees(slow.service))
    if not callees:
        return [said(f"{slow.service} calls nobody", GOOD, slow.sign.series.source)]
    share = round(100 * min(1.0, slow.passed_on))
    weight = GOOD if slow.passed_on < 0.25 else HINT
    text = f"its slowest callee accounts for {share} % of that"
    return [said(text, weight, slow.sign.series.source)]


def _idle(picture: Picture, service: str, onset: datetime) -> list[Evidence]:
    """A delayed process waits; an overloaded one works."""
    signs = [s for signal in BUSY if (s := picture.sign(signal, service)) is not None]
    worked = _work(picture, service, onset)
    if worked is not None and worked[0] >= HARDER:
        factor, source = worked
        text = f"{service} needs {factor:.1f} times the CPU per request: it works more"
        return [said(text, -STRONG, source)]
    if signs:
        return [seen(max(signs, key=lambda s: s.shift.size), picture, -STRONG, "it works more")]
    measured = [signal for signal in BUSY if picture.recent(signal, service) is not None]
    if not measured:
        return []
    source = source_of(picture)
    return [said(f"the CPU of {service} is as usual: it waits", GOOD, source)]


def _work(picture: Picture, service: str, onset: datetime) -> tuple[float, Source] | None:
    """CPU per request since the onset over that before: waiting costs none, whatever the load."""
    cores = picture.recent(Signal.CPU_CORES, service)
    before, since = (level_before(cores, onset), level_since(cores, onset)) if cores else (0, 0)
    if cores is None or not before or not since:
        return None
    requests = picture.recent(Signal.REQUEST_RATE, service)
    load = 1.0
    if requests is not None:
        old, new = level_before(requests, onset), level_since(requests, onset)
        load = new / old if old and new else 1.0
    # A process that waits serves less, and its idle share stays: fewer requests are no excuse.
    return since / before / max(load, 1.0), cores.source


def _nothing_else(picture: Picture, service: str, sign: Sign) -> list[Evidence]:
    evidence = []
    for signal in ELSEWHERE:
        other = picture.sign(signal, service)
        if other is not None:
            evidence.append(seen(other, picture, -STRONG, "that explains it better"))
    changes = [c for c in unique(picture.snapshot.changes) if c.service == service]
    recent = [c for c in changes if abs((sign.onset - c.at).total_seconds()) < 1800]
    if recent:
        text = f"{recent[0].object} changed shortly before"
        evidence.append(said(text, -STRONG, recent[0].source))
    return evidence


def _of_one_node(cluster: Cluster, picture: Picture, slow: Mapping[str, Slow]) -> list[Hypothesis]:
    """Services on one node suffer, each by itself; those elsewhere only as their callers."""
    placed = _placement(cluster)
    found = []
    for node, everyone in sorted(placed.items()):
        others = {s for other, there in placed.items() if other != node for s in there}
        services = everyone - others  # one with pods elsewhere too tells nothing of this node
        here = {s for s in services if s in slow and slow[s].rise >= MUCH}
        elsewhere = {s for s in slow if s not in services and slow[s].rise >= MUCH}
        blamed = {s for s in elsewhere if not here & picture.graph.below(s)}
        measured = {s for s in services if _is_measured(picture, s)}
        if len(here) < 3 or len(blamed) * 2 > len(here) or len(here) * 2 < len(measured):
            continue
        item = cluster.find("Node", node)
        if item is not None:
            hypothesis = _node(picture, item, here, measured, blamed)
            own = _by_themselves(picture, slow, here, measured)
            found.append(replace(hypothesis, evidence=(*hypothesis.evidence, *own)))
    return found


def _by_themselves(
    picture: Picture, slow: Mapping[str, Slow], here: set[str], measured: set[str]
) -> list[Evidence]:
    """One slow service and its callers on one node are no node's trouble; three by themselves are.

    A bad link spares nobody who sends over it: a neighbour as fast as ever speaks against it.
    """
    source = source_of(picture)
    alone = sorted(s for s in here if slow[s].passed_on < PASSED_ON)
    names = ", ".join(alone[:5])
    if len(alone) >= INDEPENDENT:
        evidence = [said(f"{names} are each slow by themselves", STRONG, source)]
    elif len(alone) == 2:
        evidence = [said(f"only {names} are slow by themselves", -HINT, source)]
    else:
        text = f"only {names or 'none'} is slow by itself, the others call it"
        evidence = [said(text, -PROOF, source)]
    spared = sorted(s for s in measured - here if s not in slow or slow[s].rise < LITTLE)
    if not spared:
        evidence.append(said("no service of the node is spared", GOOD, source))
    elif 3 * len(spared) >= len(measured):
        text = f"{', '.join(spared[:4])} run there too, as fast as ever"
        # Who calls nobody waits for no packet while it serves: its own clock may show no delay.
        sending = any(picture.graph.callees(s) for s in spared)
        weight = -STRONG if sending or len(alone) < INDEPENDENT else -HINT
        evidence.append(said(text, weight, source))
    return evidence


def _placement(cluster: Cluster) -> dict[str, set[str]]:
    placed: dict[str, set[str]] = {}
    for pod in cluster.pods:
        owner, node = cluster.owner(pod), get(pod.body, "spec", "nodeName")
        if owner is not None and node:
            placed.setdefault(str(node), set()).add(owner.name)
    return placed


def _is_measured(picture: Picture, service: str) -> bool:
    return any(picture.recent(signal, service) is not None for signal in LATENCY)


def _node(
    picture: Picture, node: KubernetesObject, here: set[str], measured: set[str], blamed: set[str]
) -> Hypothesis:
    source = source_of(picture)
    names = ", ".join(sorted(here))
    evidence = [
        said(f"{len(here)} of {len(measured)} services of {node.name} are slow", PROOF, source),
        said(
            f"{len(blamed)} services on other nodes are slow without calling one of them",
            STRONG if not blamed else HINT if len(blamed) * 4 <= len(here) else -HINT,
            source,
        ),
    ]
    lost = picture.recent(RETRANSMITS, node.name)
    cause = "node_network_delay"
    if lost is not None and _loses(picture, node.name):
        text = f"TCP retransmissions of {node.name} are far above those of other nodes"
        evidence.append(said(text, GOOD, lost.source))
        cause = "node_network_packet_loss"
    return Hypothesis(
        cause=cause,
        object=f"node/{node.name}",
        service=node.name,
        summary=f"the network of node {node.name} is slow: so are the services there ({names})",
        analyzer=NAME,
        prior=_PRIOR,
        evidence=tuple(evidence),
        explains=tuple(sorted(picture.symptoms)),
        onset=picture.onset,
        hint="drain_node",
    )


def _loses(picture: Picture, node: str) -> bool:
    """Whether a node repeats many more segments than its peers, which a mere delay does not do."""
    rates = {
        series.service: median(series.values[-len(series.values) // 3 :])
        for series in picture.snapshot.signal(RETRANSMITS)
        if series.values
    }
    others = max((rate for name, rate in rates.items() if name != node), default=0.0)
    return rates.get(node, 0.0) > max(MANY_RETRANSMITS, 3 * others)
