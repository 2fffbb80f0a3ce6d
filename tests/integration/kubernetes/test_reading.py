"""The read tools see on a real cluster what reasoning wants, and say what they cannot see."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.environment import Environment
from bot.domain.errors import Refused
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot
from bot.domain.time import Window
from tests.fakes.kube_server import HOME
from tests.fakes.manifests import SHELL, WEB, WEB_NEXT, config_map, container, deployment, service
from tests.fakes.real_cluster import RealCluster, secret
from tools.catalog import read_tools
from tools.clients import kubernetes as client
from tools.contract import ReadTool
from tools.read.changes.rollouts import RolloutChanges
from tools.read.kubernetes.objects import KubernetesObjects
from tools.read.logs.pods import PodLogs

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes]
CRASHES = "echo 'ERROR cannot open the ledger'; sleep 1; exit 3"
READER = [
    {"apiGroups": ["", "apps", "batch", "autoscaling", "policy", "networking.k8s.io"],
     "resources": ["pods", "pods/log", "services", "endpoints", "configmaps", "events",
                   "resourcequotas", "serviceaccounts", "persistentvolumeclaims", "deployments",
                   "replicasets", "statefulsets", "daemonsets", "controllerrevisions",
                   "horizontalpodautoscalers",
                   "poddisruptionbudgets", "networkpolicies", "ingresses", "jobs", "cronjobs",
                   "limitranges", "namespaces"],
     "verbs": ["get", "list"]},
    {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"],
     "verbs": ["get", "list"]},
]  # fmt: skip
NODES = [
    {"apiGroups": ["", "storage.k8s.io", "networking.k8s.io", "rbac.authorization.k8s.io"],
     "resources": ["nodes", "persistentvolumes", "storageclasses", "ingressclasses",
                   "clusterroles", "clusterrolebindings"],
     "verbs": ["get", "list"]},
]  # fmt: skip


def need(fact: Fact, *names: str, services: tuple[str, ...] = ()) -> Need:
    now = datetime.now(UTC) + timedelta(seconds=1)
    return Need(fact=fact, window=Window.last(1800, before=now), names=names, services=services)


def bound(kind: type[ReadTool], environment: Environment) -> Any:
    tool = kind.for_environment(environment)
    assert tool is not None
    return tool


@pytest.fixture(scope="module")
def shop(real_cluster: RealCluster) -> Iterator[str]:
    """Yield a namespace with a service that was rolled out twice, and one that crashes."""
    with real_cluster.namespace("read") as name:
        crashing = container(SHELL, script=CRASHES, env=[{"name": "LEDGER", "value": "/none"}])
        real_cluster.apply(
            name,
            deployment("web", replicas=2),
            service("web"),
            deployment("ledger", crashing),
            secret("keys", api="do-not-read-me-0451"),
            config_map("web-config", LEVEL="info", DB_PASSWORD="hunter22-hunter22"),
        )
        real_cluster.rolled_out(name, "web")
        image = {"spec": {"containers": [{"name": "app", "image": WEB_NEXT}]}}
        change = {"spec": {"template": image}}
        how = "application/strategic-merge-patch+json"
        real_cluster.patch("Deployment", name, "web", change, how)
        real_cluster.rolled_out(name, "web")
        real_cluster.wait(lambda: _restarted(real_cluster, name), "a restart of ledger")
        yield name


def _restarted(cluster: RealCluster, namespace: str) -> bool:
    return any(
        state["restartCount"] > 0
        for pod in cluster.items("Pod", namespace, "app=ledger")
        for state in pod["status"].get("containerStatuses", ())
    )


@pytest.fixture(scope="module")
def reader(real_cluster: RealCluster, shop: str) -> Environment:
    """Return the environment as an identity sees it that may read and nothing else."""
    kubeconfig = real_cluster.identity(shop, READER, name="reader", cluster_rules=NODES)
    return real_cluster.environment(shop, kubeconfig=kubeconfig)


async def test_everything_that_reasoning_wants_is_read(reader: Environment, shop: str) -> None:
    found: Snapshot = await bound(KubernetesObjects, reader).read(need(Fact.OBJECTS))
    kinds = {o.kind for o in found.objects}
    assert {"Deployment", "ReplicaSet", "Pod", "Service", "Endpoints", "ConfigMap"} <= kinds
    assert {"Event", "Node", "ServiceAccount", "Namespace"} <= kinds
    assert {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"} <= kinds
    assert found.blind_spots == ()
    assert {o.namespace for o in found.objects} == {shop, ""}
    pod = next(o for o in found.kind("Pod") if o.name.startswith("ledger"))
    state = pod.body["status"]["containerStatuses"][0]
    assert state["lastState"]["terminated"]["exitCode"] == 3
    assert found.find("Node", "node1").body["status"]["allocatable"]["cpu"]
    web = found.find("Endpoints", "web")
    assert len(web.body["subsets"][0]["addresses"]) == 2


async def test_secrets_are_neither_asked_for_nor_shown(
    reader: Environment, real_cluster: RealCluster, shop: str
) -> None:
    found = [await tool.read(need(tool.answers)) for tool in read_tools(reader)]
    asked = await bound(KubernetesObjects, reader).read(need(Fact.OBJECTS, "Secret", "Pod"))
    assert any("secrets are never read" in b.reason for b in asked.blind_spots)
    for hidden in ("do-not-read-me", "hunter22"):
        assert hidden not in str(found) + str(asked)
    audit = HOME / "kube" / "log" / "audit.log"
    if audit.exists():  # a cluster of ours: the API server's own word for it
        requests = [json.loads(line) for line in audit.read_text().splitlines()]
        own = [r for r in requests if r["user"].get("username", "").endswith(f":{shop}:reader")]
        assert own
        assert not [r for r in own if r.get("objectRef", {}).get("resource") == "secrets"]
        assert {r["verb"] for r in own} <= {"get", "list"}, "reading writes nothing"
        places = {r.get("objectRef", {}).get("namespace", "") for r in own}
        assert places == {shop, ""}, "only the environment's namespaces"


async def test_lists_are_read_page_by_page(
    reader: Environment, real_cluster: RealCluster, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_cluster.apply(shop, *(config_map(f"page-{n}", N=str(n)) for n in range(11)))
    monkeypatch.setattr(client, "PAGE", 3)
    found = await bound(KubernetesObjects, reader).read(need(Fact.OBJECTS, "ConfigMap"))
    names = [o.name for o in found.kind("ConfigMap") if o.name.startswith("page-")]
    assert sorted(names) == sorted(f"page-{n}" for n in range(11))
    listing = await client.Kubernetes(reader).list("ConfigMap", shop, limit=5)
    assert len(listing.items) == 5
    assert listing.more >= 6


async def test_logs_of_the_run_that_crashed_are_read(reader: Environment) -> None:
    for _ in range(150):  # the log may be lost until it crashes again, 40 s later at most
        found: Snapshot = await bound(PodLogs, reader).read(need(Fact.LOGS, services=("ledger",)))
        before = [t for t in found.logs if t.previous]
        if before:
            break
        await asyncio.sleep(0.5)
    assert any("cannot open the ledger" in t.example for t in before)
    assert {t.service for t in found.logs} == {"ledger"}
    assert all(t.first_at and t.first_at.tzinfo for t in found.logs)


async def test_without_a_service_the_logs_of_unwell_pods_are_read(reader: Environment) -> None:
    found: Snapshot = await bound(PodLogs, reader).read(need(Fact.LOGS))
    assert {t.service for t in found.logs} == {"ledger"}


async def test_a_rollout_is_a_change_with_the_diff_between_revisions(reader: Environment) -> None:
    found: Snapshot = await bound(RolloutChanges, reader).read(need(Fact.CHANGES))
    (change,) = found.changes
    assert change.object == "deployment/web"
    assert (change.before, change.after) == ("v1", "v2")
    assert change.diff is not None
    assert "demo/web:v1" in change.diff
    assert "demo/web:v2" in change.diff
    assert "pod-template-hash" not in change.diff


async def test_kinds_are_read_in_the_version_that_the_server_has(
    reader: Environment, real_cluster: RealCluster, shop: str
) -> None:
    if real_cluster.minor > 20:
        pytest.skip("this server has today's versions")
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    real_cluster.apply(
        shop, {"kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": budget}
    )
    cluster = client.Kubernetes(reader)
    assert await cluster.api_version("PodDisruptionBudget") == "policy/v1beta1"
    assert await cluster.api_version("HorizontalPodAutoscaler") == "autoscaling/v2beta2"
    found = await bound(KubernetesObjects, reader).read(need(Fact.OBJECTS, "PodDisruptionBudget"))
    assert [o.name for o in found.objects] == ["web"]
    asked = await bound(KubernetesObjects, reader).read(need(Fact.OBJECTS, "Certificate", "Pod"))
    (spot,) = asked.blind_spots
    assert spot.wanted == "objects of kind Certificate"
    assert spot.reason == "the API does not have this kind"


async def test_what_the_role_lacks_is_a_blind_spot_that_names_the_rule(
    real_cluster: RealCluster, shop: str
) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    narrow = real_cluster.environment(shop, kubeconfig=real_cluster.identity(shop, rules))
    found = await bound(KubernetesObjects, narrow).read(need(Fact.OBJECTS, "Pod", "Event", "Node"))
    assert {o.kind for o in found.objects} == {"Pod"}
    reasons = {b.wanted: b.reason for b in found.blind_spots}
    assert 'resources: ["events"]' in reasons["objects of kind Event"]
    assert 'resources: ["nodes"]' in reasons["objects of kind Node"]
    with pytest.raises(Refused, match="pods/log"):
        await bound(PodLogs, narrow).read(need(Fact.LOGS, services=("web", "ledger")))


async def test_credentials_that_the_server_does_not_know_are_told(
    real_cluster: RealCluster, shop: str
) -> None:
    wrong = real_cluster.identity(shop, name="gone")
    real_cluster.delete("ServiceAccount", shop, "gone")
    tool = bound(KubernetesObjects, real_cluster.environment(shop, kubeconfig=wrong))
    said = ""
    async with asyncio.timeout(60):  # the server itself learns late that an account is gone
        while "does not know the bot's credentials" not in said:
            with pytest.raises(Refused) as refused:
                await tool.read(need(Fact.OBJECTS, "Pod"))
            said = str(refused.value)
            await asyncio.sleep(0.2)


async def test_going_back_and_a_daemons_rollout_are_changes_too(real_cluster: RealCluster) -> None:
    how = "application/strategic-merge-patch+json"
    with real_cluster.namespace("back") as name:
        daemon = deployment("agent")
        daemon["kind"], daemon["spec"] = "DaemonSet", {**daemon["spec"]}
        daemon["spec"].pop("replicas")
        real_cluster.apply(name, deployment("web"), daemon)
        real_cluster.rolled_out(name, "web")
        for image in (WEB_NEXT, WEB):
            containers = [{"name": "app", "image": image}]
            patch = {"spec": {"template": {"spec": {"containers": containers}}}}
            begun = datetime.now(UTC)
            real_cluster.patch("Deployment", name, "web", patch, how)
            real_cluster.patch("DaemonSet", name, "agent", patch, how)
            real_cluster.rolled_out(name, "web")
            await asyncio.sleep(1.1)  # the API's times are whole seconds
        tool = bound(RolloutChanges, real_cluster.environment(name))
        found = (await tool.read(need(Fact.CHANGES))).changes
    web = [c for c in found if c.object == "deployment/web"]
    assert [c.summary for c in web] == [
        "rollout of web: v1 → v2",
        "rollout of web: v2 → v1 (goes back)",
    ]
    assert abs((web[1].at - begun).total_seconds()) < 15
    assert "rollout of agent: v1 → v2" in [c.summary for c in found]
