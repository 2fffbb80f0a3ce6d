"""Warning events of a real API server: seen as they happen, with no more rights than it takes."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import Refused
from bot.intake.kubernetes_events import signal_of
from tests.fakes.real_cluster import RealCluster
from tools.clients.kubernetes import Kubernetes
from tools.clients.watching import WarningEvents

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes]
RULES = {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]}


def warning(namespace: str, name: str, kind: str = "Warning") -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
        "type": kind, "reason": "BackOff", "message": f"{name} fails", "count": 1,
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "cart-7d9f8b6c5-x2x4z"},
        "firstTimestamp": now, "lastTimestamp": now, "source": {"component": "test"},
    }  # fmt: skip


async def test_what_happens_while_it_is_watched_is_seen_once(
    real_cluster: RealCluster, kube_namespace: str
) -> None:
    reader = real_cluster.identity(kube_namespace, [RULES])
    client = Kubernetes(real_cluster.environment(kube_namespace, kubeconfig=reader))
    events = WarningEvents(client)
    real_cluster.apply(kube_namespace, warning(kube_namespace, "before"))
    listed = await events.listed(kube_namespace)
    assert [e["message"] for e in listed.events] == ["before fails"]
    watching = asyncio.create_task(events.watched(kube_namespace, listed.version))
    await asyncio.sleep(0.5)
    real_cluster.apply(
        kube_namespace, warning(kube_namespace, "calm", "Normal"), warning(kube_namespace, "then")
    )
    seen = await watching
    assert [e["message"] for e in seen.events] == ["then fails"]
    signal = signal_of(seen.events[0], "prod", datetime.now(UTC))
    assert signal is not None
    assert signal.subject == f"kubernetes:prod:{kube_namespace}/Pod/cart:BackOff"
    again = await events.watched(kube_namespace, seen.version)
    assert again.events == ()


async def test_without_the_right_it_says_which_is_missing(
    real_cluster: RealCluster, kube_namespace: str
) -> None:
    nobody = real_cluster.identity(kube_namespace, name="nobody")
    client = Kubernetes(real_cluster.environment(kube_namespace, kubeconfig=nobody))
    with pytest.raises(Refused, match="events"):
        await WarningEvents(client).listed(kube_namespace)
