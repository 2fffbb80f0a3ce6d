"""Made-up shops whose network, CPU or code is bad: random topology, size, duration and noise."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from bot.domain.diagnosis import Diagnosis
from bot.domain.snapshot import KubernetesObject, Series, Signal, Snapshot, Source
from bot.reasoning.analyzers import discover
from bot.reasoning.investigate import diagnose
from tests.fakes.cluster import NOW, deployment, edge, node, pod, question, snapshot

STEP_S, SAMPLES = 10.0, 90
WORDS = ("amber", "birch", "cedar", "dune", "elm", "fern", "grove", "hazel", "iris", "kelp",
         "larch", "moss", "nettle", "oak", "pine", "quince", "reed", "sage", "thyme")  # fmt: skip


@dataclass
class Town:
    """A call tree of services on nodes, and what each fault adds to them."""

    random: Random
    names: list[str] = field(default_factory=list)
    parent: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    base: dict[str, float] = field(default_factory=dict)
    more: dict[str, float] = field(default_factory=dict)  # seconds on top of p50
    tail: dict[str, float] = field(default_factory=dict)  # seconds on top of p99 only
    cpu: dict[str, float] = field(default_factory=dict)  # times the usual
    load: float = 1.0
    loss: str = ""
    extra: list[Series] = field(default_factory=list)

    def children(self, name: str) -> list[str]:
        return [n for n in self.names if self.parent.get(n) == name]

    def spread(self, name: str, seconds: float, into: dict[str, float]) -> None:
        """Who waits for a service waits as long as it does."""
        while name:
            into[name] = into.get(name, 0.0) + seconds
            name = self.parent.get(name, "")


def town(seed: int) -> Town:
    random = Random(seed)
    made = Town(random=random, names=random.sample(WORDS, random.randint(8, 16)))
    for i, name in enumerate(made.names):
        if i:
            made.parent[name] = made.names[random.randrange(0, min(i, 5))]
        made.base[name] = random.uniform(0.002, 0.05)
        made.where[name] = f"n{random.randrange(3)}"
    for name in reversed(made.names):
        if name in made.parent:
            made.base[made.parent[name]] += 0.5 * made.base[name]
    return made


def broken(seed: int, fault: str) -> tuple[Town, tuple[str, str]]:
    """Return a town with a fault, and the cause and object that are right ("" if none known)."""
    made = town(seed)
    return made, FAULTS[fault](made)


def _nothing(_made: Town) -> tuple[str, str]:
    return "", ""


def _pod_delay(made: Town) -> tuple[str, str]:
    """Both ends of a delayed pod's calls are slow, its callees less."""
    random, size, suspect = _drawn(made)
    for child in made.children(suspect):
        made.more[child] = size * random.uniform(0.0, 0.5)
    made.spread(suspect, size * random.uniform(1.0, 2.0), made.more)
    return "pod_network_delay", f"deployment/{suspect}"


def _node_delay(made: Town) -> tuple[str, str]:
    return "node_network_delay", f"node/{_on_one_node(made, made.more)}"


def _node_loss(made: Town) -> tuple[str, str]:
    made.loss = _on_one_node(made, made.tail)
    return "node_network_packet_loss", f"node/{made.loss}"


def _on_one_node(made: Town, into: dict[str, float]) -> str:
    random, size, _ = _drawn(made)
    bad = max(sorted(set(made.where.values())), key=list(made.where.values()).count)
    for name in made.names:
        if made.where[name] == bad:
            made.spread(name, size * random.uniform(0.8, 1.2), into)
    return bad


def _cpu(made: Town) -> tuple[str, str]:
    random, size, suspect = _drawn(made)
    made.cpu[suspect] = random.uniform(3.0, 8.0)
    made.spread(suspect, size, made.more)
    return "cpu_overload", f"deployment/{suspect}"


def _slow_code(made: Town) -> tuple[str, str]:
    """More work for the same requests, but no limit is reached."""
    random, size, suspect = _drawn(made)
    made.cpu[suspect] = random.uniform(1.8, 2.5)
    made.spread(suspect, size, made.more)
    return "", ""


def _surge(made: Town) -> tuple[str, str]:
    random, size, suspect = _drawn(made)
    made.load = random.uniform(2.0, 5.0)
    made.cpu.update(dict.fromkeys(made.names, made.load))
    made.spread(suspect, size, made.more)
    return "", ""


def _slow_store(made: Town) -> tuple[str, str]:
    _, size, suspect = _drawn(made)
    made.spread(suspect, size, made.more)
    made.extra.append(_series(made, Signal.DB_QUERY_P99, suspect, 0.01, 0.01 + size))
    return "", ""


def _drawn(made: Town) -> tuple[Random, float, str]:
    return made.random, made.random.uniform(0.15, 4.0), made.random.choice(made.names[1:])


FAULTS = {
    "pod_delay": _pod_delay,
    "node_delay": _node_delay,
    "node_loss": _node_loss,
    "cpu": _cpu,
    "nothing": _nothing,
    "slow_code": _slow_code,
    "surge": _surge,
    "slow_store": _slow_store,
}


def _series(
    made: Town, signal: str, name: str, usual: float, bad: float, unit: str = "s"
) -> Series:
    random, onset = made.random, SAMPLES * 2 // 3
    end = NOW.timestamp()
    values = tuple(
        max(0.0, (usual if i < onset else bad) * (1 + random.gauss(0, 0.06))
            + (usual * random.random() * 2 if random.random() < 0.02 else 0.0))
        for i in range(SAMPLES)
    )  # fmt: skip
    return Series(
        signal=signal, service=name, unit=unit, values=values,
        times=tuple(end - STEP_S * (SAMPLES - 1 - i) for i in range(SAMPLES)),
        source=Source(system="prometheus", query=f"{signal} of {name}"),
    )  # fmt: skip


def seen(made: Town) -> Snapshot:
    """Return what a monitored cluster shows of a town."""
    objects: list[KubernetesObject] = [node(n) for n in ("n0", "n1", "n2")]
    series: list[Any] = list(made.extra)
    for name in made.names:
        owner = deployment(name)
        objects += [owner, pod(owner, node=made.where[name])]
        usual, more = made.base[name], made.more.get(name, 0.0)
        tail = more + made.tail.get(name, 0.0)
        cpu = made.cpu.get(name, 1.0)
        of_limit = min(1.0, 0.13 * cpu) if cpu < 3 else 0.99
        series += [
            _series(made, Signal.LATENCY_P50, name, usual, usual + more),
            _series(made, Signal.LATENCY_P99, name, 3 * usual, 3 * usual + 1.5 * tail),
            _series(made, Signal.REQUEST_RATE, name, 40, 40 * made.load, "1/s"),
            _series(made, Signal.CPU_CORES, name, 0.1, 0.1 * cpu, "cores"),
            _series(made, Signal.CPU_OF_LIMIT, name, 0.13, of_limit),
            _series(made, Signal.CPU_THROTTLED, name, 0.0, 0.6 if cpu >= 3 else 0.0),
            _series(made, "network_receive_packets", name, 90, 90 * made.load, "1/s"),
        ]  # fmt: skip
    for name in ("n0", "n1", "n2"):
        lost = 60.0 if name == made.loss else 0.4
        series.append(_series(made, "tcp_retransmits", name, 0.4, lost, "1/s"))
    edges = tuple(edge(parent, name) for name, parent in made.parent.items())
    return snapshot(*objects, series=tuple(series), edges=edges)


def diagnosed(made: Town) -> Diagnosis:
    return diagnose(seen(made), question(), discover())
