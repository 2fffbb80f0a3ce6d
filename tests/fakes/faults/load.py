"""Faults that only metrics show: a service that a real Prometheus watches runs out of CPU."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.fakes.faults.fault import Fault, Place
from tests.fakes.measured import asked, measured
from tests.fakes.real_cluster import Json
from tests.fakes.servers import require
from tests.fakes.watching import Watched, prometheus, value

CGROUPS = Path("/sys/fs/cgroup")
GROUPS = ("cpu", "cpuacct")  # of cgroups, version 1
BUSY = ["sh", "-c", "while :; do :; done"]
# So little that it is used up also where the node itself is busy.
TIGHT = {"requests": {"cpu": "60m", "memory": "64Mi"}, "limits": {"cpu": "60m", "memory": "64Mi"}}
USUAL_SHARES, MOST_SHARES = "1024", "262144"
LONG_ENOUGH_S = 150.0
CPU_AT_ITS_LIMIT = 0.5  # of the periods


def _watched(place: Place) -> None:
    """Open a service that is asked and measured beside the shop: it is the victim."""
    require(shutil.which("prometheus"), "prometheus", "Prometheus")
    program = shutil.which("prometheus")
    assert program
    place.victim = f"{place.victim}-prices"
    workload, *others = measured(place.victim)
    workload["spec"]["template"]["spec"]["containers"][0]["resources"] = TIGHT
    place.apply(workload, *others)
    place.cluster.rolled_out(place.namespace, place.victim)
    _before_others(place)
    stack = contextlib.ExitStack()
    place.finally_(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "prometheus"
    stack.enter_context(asked(place.cluster, place.namespace, place.victim))
    watched = Watched(cluster=place.cluster, namespace=place.namespace, service=place.victim)
    url = stack.enter_context(prometheus(program, folder, watched))
    place.connections["prometheus"] = {"url": url}


def _before_others(place: Place) -> None:
    """Let the node's pods go before what else runs on its machine, or that is what starves them."""
    (pod, *_) = place.pods()
    node = _group("cpu", pod).relative_to(CGROUPS / "cpu").parts[0]
    shares = CGROUPS / "cpu" / node / "cpu.shares"
    place.finally_(lambda: shares.write_text(USUAL_SHARES))
    shares.write_text(MOST_SHARES)


def _busy(place: Place) -> None:
    """Have something burn CPU inside the victim's containers, as a stress test does: no rollout."""
    for pod in place.pods():
        for container in pod["status"]["containerStatuses"]:
            burning = subprocess.Popen(BUSY)
            place.finally_(burning.wait)
            place.finally_(burning.kill)
            _move(burning.pid, pod, container["containerID"].partition("://")[2])
    place.broken_at = time.monotonic()


def _move(pid: int, pod: Json, container: str) -> None:
    for group in GROUPS:
        (_group(group, pod) / container / "cgroup.procs").write_text(str(pid))


def _group(group: str, pod: Json) -> Path:
    """Return the directory of a pod's cgroup."""
    uid = pod["metadata"]["uid"]
    found = list((CGROUPS / group).glob(f"*/**/pod{uid}"))
    assert found, f"no {group} cgroup of pod {uid}"
    return found[0]


def _throttled(place: Place) -> bool:
    """Whether the metrics have shown it for as long as it takes until somebody is told."""
    if time.monotonic() - place.broken_at < LONG_ENOUGH_S:
        return False
    periods, throttled = (
        f'sum(rate(container_cpu_cfs_{name}periods_total{{pod=~"{place.victim}-.*"}}[2m]))'
        for name in ("", "throttled_")
    )
    url = str(place.connections["prometheus"]["url"])
    return value(url, f"{throttled} / {periods}") > CPU_AT_ITS_LIMIT


LOAD = (
    Fault(
        name="out of CPU", cause=("cpu_overload", "pod_cpu_overload"), label="pod_cpu_overload",
        prepare=_watched, inject=_busy, shows=_throttled, within_s=LONG_ENOUGH_S + 90, slow=True,
    ),
)  # fmt: skip
