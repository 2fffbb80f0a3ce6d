"""Faults of the node and the control plane: a component that stands still."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fakes.faults.fault import Fault, Place

PIDS = Path("/run/kube/pid")  # where the shared archive's scripts keep them
ROLL = {"metadata": {"annotations": {"release": "2"}}}


def _stands_still(component: str) -> Callable[[Place], None]:
    """Return an injection: the process is stopped, not ended, and goes on afterwards."""

    def inject(place: Place) -> None:
        pid = int((PIDS / component).read_text().split()[0])
        os.kill(pid, signal.SIGSTOP)
        place.finally_(lambda: place.cluster.wait(lambda: _node_is(place, "True"), "node is back"))
        place.finally_(lambda: os.kill(pid, signal.SIGCONT))
        place.roll(template=ROLL)

    return inject


def _node_is(place: Place, status: str) -> bool:
    conditions = place.cluster.items("Node")[0]["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == status for c in conditions)


def _not_ready(place: Place) -> bool:
    return not _node_is(place, "True")


def _without_a_node(place: Place) -> bool:
    """Whether a pod waits for a node, for longer than a scheduler takes."""
    soon = datetime.now(UTC) - timedelta(seconds=12)
    return any(
        "nodeName" not in p["spec"]
        and datetime.fromisoformat(p["metadata"]["creationTimestamp"]) < soon
        for p in place.pods()
    )


NODES = (
    Fault(
        name="kubelet stands still", cause=("kubelet_unavailable",), label="kubelet_unavailable",
        object="node/node1", inject=_stands_still("kubelet1"), shows=_not_ready, alone=True,
    ),
    Fault(
        name="container runtime stands still", cause=("containerd_unavailable",),
        label="containerd_unavailable", object="node/node1",
        inject=_stands_still("containerd1"), shows=_not_ready, alone=True, within_s=150.0,
    ),
    Fault(
        name="scheduler stands still", cause=("kube_scheduler_unavailable",),
        label="kube_scheduler_unavailable", object="node/node1",
        inject=_stands_still("kube-scheduler"), shows=_without_a_node, alone=True,
    ),
)  # fmt: skip
