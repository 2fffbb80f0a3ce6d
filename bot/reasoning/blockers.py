"""Which constraint keeps a pod off the nodes: what it asks for first, then what closes those nodes.

A scheduler's message counts the first filter that each node fails. Which one has to go is another
question: a node selector that some node satisfies is intent, and what closes those nodes is the
trouble; a dedicated (tainted) pool that the pod never asked for is no missing node.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.snapshot import KubernetesObject
from bot.reasoning.kubernetes import Cluster, get, items, mapping, matches
from bot.reasoning.nodes import Nodes

INTENT = ("place", "taint", "cordon", "volume")
RESOURCES = ("cpu", "memory", "extended")
LARGE = 0.5  # of the largest node: such a request is odd by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A pod's constraints, and the nodes and volumes they are to be met with."""

    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    namespace: str
    volumes: Sequence[KubernetesObject]
    nodes: Nodes
    cluster: Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """The constraint that has to go; `certain`: the nodes themselves show it."""

    reason: str
    certain: bool
    rival: str = ""  # another constraint whose removal would do as well


def blocker(counts: Mapping[str, int], demand: Demand) -> Blocker | None:
    """Return what keeps the pod off, None if nothing does as far as can be seen."""
    if not demand.nodes.known:
        return _by_counts(counts, demand)
    found = _by_nodes(counts, demand)
    if not counts:
        return found
    if found is None:
        return _by_counts(counts, demand)
    said = {*counts, *(["selector", "node_affinity"] if counts.get("place") else [])}
    return found if found.reason in said else _by_counts(counts, demand)


def placement(demand: Demand) -> str:
    """Tell node selector from node affinity: the one that excludes more nodes."""
    spec, nodes = demand.spec, demand.nodes
    if not spec.get("nodeSelector"):
        return "node_affinity"
    by_selector, by_affinity = nodes.fitting_selector(spec), nodes.fitting_affinity(spec)
    return "node_affinity" if len(by_affinity) < len(by_selector) else "selector"


def _by_counts(counts: Mapping[str, int], demand: Demand) -> Blocker | None:
    """The reason that excludes most nodes; cordons last, as control planes are cordoned too."""
    others = {r: n for r, n in counts.items() if r not in ("cordon", "trouble")}
    if others:
        reason = max(others, key=lambda r: (others[r], r))
        reason = placement(demand) if reason == "place" else reason
        return Blocker(reason=reason, certain=len(counts) == 1)
    return Blocker(reason="cordon", certain=True) if counts.get("cordon") else None


def _by_nodes(counts: Mapping[str, int], demand: Demand) -> Blocker | None:
    spec, nodes = demand.spec, demand.nodes
    placed = nodes.placed(spec)
    if not placed:
        asks = spec.get("nodeSelector") or get(spec, "affinity", "nodeAffinity")
        return Blocker(reason=placement(demand), certain=True) if asks else None
    reachable = [n for n in nodes.reaching(demand.volumes) if n in placed]
    if not reachable:
        return Blocker(reason="volume", certain=True)
    untainted = [n for n in reachable if not nodes.untolerated(spec, n)]
    if not untainted:
        return Blocker(reason="taint", certain=True)
    usable = [n for n in untainted if not nodes.is_cordoned(n)]
    cordoned = [n for n in untainted if n not in usable and not nodes.lacking(spec, n)]
    if not usable:
        return Blocker(reason="cordon", certain=True) if cordoned else _short(untainted, demand)
    return _on_usable(counts, demand, usable, cordoned)


def _on_usable(
    counts: Mapping[str, int],
    demand: Demand,
    usable: Sequence[KubernetesObject],
    cordoned: Sequence[KubernetesObject],
) -> Blocker | None:
    """Among nodes that are open to the pod: what they lack, or whom they already run."""
    lacking = _short(usable, demand)
    others = {r: n for r, n in counts.items() if r not in (*INTENT, *RESOURCES, "trouble")}
    most = max(others, key=lambda r: (others[r], r), default="")
    room = [n for n in usable if not demand.nodes.lacking(demand.spec, n)]
    if lacking is not None and len(usable) - len(room) > others.get(most, 0):
        if len(cordoned) >= len(usable) and _share(demand, lacking.reason) < LARGE:
            return Blocker(reason="cordon", certain=False, rival=lacking.reason)
        return Blocker(reason=lacking.reason, certain=not others, rival="cordon" * bool(cordoned))
    if most or lacking is not None:
        return Blocker(reason=most, certain=lacking is None) if most else lacking
    return _unseen(counts, demand, room)


def _unseen(
    counts: Mapping[str, int], demand: Demand, room: Sequence[KubernetesObject]
) -> Blocker | None:
    """Nothing seen closes these nodes: take the scheduler's word, or look at whom they run."""
    if counts:
        return _by_counts({r: n for r, n in counts.items() if r not in INTENT}, demand)
    return Blocker(reason="anti_affinity", certain=False) if _repelled(demand, room) else None


def _short(nodes: Sequence[KubernetesObject], demand: Demand) -> Blocker | None:
    """The resource that most of these nodes lack; of two, the one of the larger request."""
    lacking = Counter(r for n in nodes for r in demand.nodes.lacking(demand.spec, n))
    if not lacking:
        return None
    worst = max(lacking, key=lambda r: (lacking[r], _share(demand, r), r))
    reason = worst if worst in ("cpu", "memory") else "extended"
    return Blocker(reason=reason, certain=lacking[worst] == len(nodes))


def _share(demand: Demand, resource: str) -> float:
    """How much of the largest node the pod requests."""
    nodes = demand.nodes
    largest = max((nodes.allocatable(n, resource) for n in nodes.all), default=0.0)
    wanted = nodes.requested_by(demand.spec, resource)
    return wanted / largest if largest else float(wanted > 0)


def _repelled(demand: Demand, room: Sequence[KubernetesObject]) -> bool:
    """Whether required anti-affinity keeps the pod off every one of these nodes."""
    field = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = items(demand.spec, "affinity", "podAntiAffinity", field)
    return bool(terms) and all(any(_runs(demand, term, node) for term in terms) for node in room)


def _runs(demand: Demand, term: Mapping[str, Any], node: KubernetesObject) -> bool:
    """Whether a pod that the term names runs in the node's topology domain."""
    key = str(term.get("topologyKey") or "")
    domain = node.labels.get(key)
    if domain is None:
        return False
    names = {n.name for n in demand.nodes.all if n.labels.get(key) == domain}
    spaces = term.get("namespaces") or [demand.namespace]
    selector = mapping(term, "labelSelector")
    return any(
        get(pod.body, "spec", "nodeName") in names
        and pod.namespace in spaces
        and matches(selector, pod.labels)
        for pod in demand.cluster.pods
    )
