"""What each of the newer Kubernetes actions refuses, takes from the cluster and warns of."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from bot.domain.action import Level
from bot.domain.errors import Conflict, Malformed
from tests.fakes.contract.clusters import environment
from tests.fakes.kubernetes_api import Cluster, shop
from tests.fakes.loopback import loopback
from tools.catalog import actions
from tools.clients.quantities import quantity, written
from tools.contract import Action

WEB = {"namespace": "shop", "kind": "Deployment", "name": "web", "container": "web"}
LABELS = {"app.kubernetes.io/name": "web"}


class Bench:
    """The small shop, and the actions bound to it."""

    def __init__(self, url: str, cluster: Cluster) -> None:
        self.cluster, self.environment = cluster, environment(url)

    def call(self, action_name: str, /, **arguments: Any) -> tuple[Action[Any], Any]:
        action = actions()[action_name].for_environment(self.environment)
        assert action is not None
        return action, action.parse(arguments)

    async def refused(self, action_name: str, /, **arguments: Any) -> str:
        """Return why a dry-run says no; acting says no as well, and nothing is written."""
        action, args = self.call(action_name, **arguments)
        seen = await action.dry_run(args)
        assert not seen.ok
        with pytest.raises(Conflict):
            await action.apply(args, await action.target(args), "k1")
        assert self.cluster.writes == 0
        return seen.detail

    async def done(self, action_name: str, /, **arguments: Any) -> None:
        action, args = self.call(action_name, **arguments)
        assert (await action.apply(args, await action.target(args), f"k-{action_name}")).changed

    @property
    def web(self) -> dict[str, Any]:
        return self.cluster.get("Deployment", "web")

    def container(self) -> dict[str, Any]:
        found: dict[str, Any] = self.web["spec"]["template"]["spec"]["containers"][0]
        return found


@pytest.fixture
def bench() -> Iterator[Bench]:
    cluster = shop()
    with loopback(cluster.answer) as server:
        yield Bench(server.url, cluster)


# -- rollouts ---------------------------------------------------------------------------------


async def test_a_rollout_is_paused_and_resumed_once(bench: Bench) -> None:
    place = {"namespace": "shop", "name": "web"}
    assert "is not paused" in await bench.refused("resume_rollout", **place)
    await bench.done("pause_rollout", **place)
    assert bench.web["spec"]["paused"] is True
    action, args = bench.call("pause_rollout", **place)
    assert "is paused already" in (await action.dry_run(args)).detail
    await bench.done("resume_rollout", **place)
    assert "paused" not in bench.web["spec"]


async def test_pausing_takes_no_pod_and_resuming_as_many_as_a_rollout(bench: Bench) -> None:
    action, args = bench.call("pause_rollout", namespace="shop", name="web")
    assert (await action.dry_run(args)).blast_radius.pods == 0
    bench.web["spec"]["paused"] = True
    action, args = bench.call("resume_rollout", namespace="shop", name="web")
    assert (await action.dry_run(args)).blast_radius.pods == 1


@pytest.mark.parametrize("name", ["restart_statefulset", "restart_daemonset"])
async def test_what_replaces_pods_by_hand_only_is_not_restarted(bench: Bench, name: str) -> None:
    kind = {"restart_statefulset": "StatefulSet", "restart_daemonset": "DaemonSet"}[name]
    spec = {"updateStrategy": {"type": "OnDelete"}, "template": bench.web["spec"]["template"]}
    bench.cluster.put(kind, "cache", spec=spec)
    said = await bench.refused(name, namespace="shop", name="cache")
    assert "only once they are deleted" in said


async def test_a_stateful_set_is_stateful_when_it_is_scaled(bench: Bench) -> None:
    spec = {"replicas": 3, "template": bench.web["spec"]["template"]}
    bench.cluster.put("StatefulSet", "cache", spec=spec)
    action, args = bench.call("scale_statefulset", namespace="shop", name="cache", replicas=1)
    assert (await action.target(args)).stateful
    assert (await action.dry_run(args)).blast_radius.pods == 2


# -- autoscalers --------------------------------------------------------------------------------


def autoscaler(bench: Bench, kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    aim = {"kind": kind, "name": "web"}
    whole = {"scaleTargetRef": aim, "minReplicas": 2, "maxReplicas": 4, **spec}
    bench.cluster.put("HorizontalPodAutoscaler", "hpa", spec=whole)
    return {"namespace": "shop", "name": "hpa"}


@pytest.mark.parametrize("versions", [["v1"], ["v2beta2", "v1"], ["v2", "v1"]])
async def test_an_autoscaler_is_changed_in_whichever_version_is_served(
    bench: Bench, versions: list[str]
) -> None:
    bench.cluster.groups["autoscaling"] = versions
    place = autoscaler(bench)
    await bench.done("scale_autoscaler", **place, min_replicas=3, max_replicas=9)
    spec = bench.cluster.get("HorizontalPodAutoscaler", "hpa")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 9)


async def test_a_lower_ceiling_takes_pods_away(bench: Bench) -> None:
    place = autoscaler(bench)
    action, args = bench.call("scale_autoscaler", **place, min_replicas=1, max_replicas=1)
    radius = (await action.dry_run(args)).blast_radius
    assert (radius.pods, radius.pods_total) == (3, 4)


async def test_the_bounds_of_what_is_not_known_count_as_stateful(bench: Bench) -> None:
    place = autoscaler(bench, kind="Rollout")
    action, args = bench.call("scale_autoscaler", **place, min_replicas=1, max_replicas=5)
    assert (await action.target(args)).stateful
    assert "Rollout web) is not there" in (await action.dry_run(args)).detail


def test_bounds_that_cross_are_malformed() -> None:
    raw = {"namespace": "shop", "name": "hpa", "min_replicas": 5, "max_replicas": 4}
    with pytest.raises(Malformed, match="min_replicas is above max_replicas"):
        actions()["scale_autoscaler"].parse(raw)


# -- images and resources -----------------------------------------------------------------------


async def test_only_an_image_that_ran_before_is_taken(bench: Bench) -> None:
    said = await bench.refused("set_image", **WEB, image="evil.example/miner:v9")
    assert "never ran evil.example/miner:v9" in said
    assert "registry/web:v2, registry/web:v1" in said
    await bench.done("set_image", **WEB, image="registry/web:v1")
    assert bench.container()["image"] == "registry/web:v1"
    assert bench.container()["env"][0]["value"] == "s3cr3t-v2"  # nothing else goes back


async def test_the_image_of_another_workload_is_not_its_own(bench: Bench) -> None:
    revision = bench.cluster.get("ReplicaSet", "web-1")
    revision["metadata"]["ownerReferences"][0]["uid"] = "uid-another"
    assert "never ran" in await bench.refused("set_image", **WEB, image="registry/web:v1")


@pytest.mark.parametrize("name", ["set_image", "set_resources"])
async def test_a_container_that_is_not_there_is_told(bench: Bench, name: str) -> None:
    more: dict[str, Any] = {"image": "registry/web:v1"}
    if name == "set_resources":
        more = {"requests": {}, "limits": {"memory": "1Gi"}}
    said = await bench.refused(name, **{**WEB, "container": "sidecar"}, **more)
    assert "has no container sidecar; there are: web" in said
    bench.web["spec"]["paused"] = True
    assert "is paused" in await bench.refused(name, **WEB, **more)


async def test_resources_that_are_not_named_stay(bench: Bench) -> None:
    bench.container()["resources"] = {
        "requests": {"cpu": "100m", "memory": "64Mi"},
        "limits": {"memory": "64Mi"},
        "claims": [{"name": "gpu"}],
    }
    given = {"requests": {"cpu": None}, "limits": {"memory": "128Mi"}}
    action, args = bench.call("set_resources", **WEB, **given)
    inverse = await action.inverse(args, await action.target(args))
    assert inverse is not None
    assert inverse.arguments["requests"] == {"cpu": "100m"}
    assert inverse.arguments["limits"] == {"memory": "64Mi"}
    await bench.done("set_resources", **WEB, **given)
    assert bench.container()["resources"] == {
        "requests": {"memory": "64Mi"},
        "limits": {"memory": "128Mi"},
        "claims": [{"name": "gpu"}],
    }


async def test_a_request_above_its_limit_is_told_before_anything_is_written(bench: Bench) -> None:
    given = {"requests": {"memory": "2Gi"}, "limits": {"memory": "2000Mi"}}
    said = await bench.refused("set_resources", **WEB, **given)
    assert "ask for 2Gi of memory and be limited to 2000Mi" in said


@pytest.mark.parametrize("text", ["-1", "1 Gi", "1GB", "0x10", "1e999", "", "٣", "1.2.3", "lots"])
def test_what_is_no_quantity_is_malformed(text: str) -> None:
    assert quantity(text) is None
    raw = {**WEB, "requests": {}, "limits": {"memory": text}}
    with pytest.raises(Malformed, match="limits must be an object of quantities"):
        actions()["set_resources"].parse(raw)


@pytest.mark.parametrize(
    ("text", "value"),
    [("250m", "0.25"), ("1.5", "1.5"), ("1Ki", "1024"), ("2M", "2000000"), ("1e3", "1000"),
     ("0", "0"), ("1Ei", str(2**60))],
)  # fmt: skip
def test_quantities_are_read_as_kubernetes_does(text: str, value: str) -> None:
    assert quantity(text) == Decimal(value)


def test_a_number_is_written_in_the_unit_of_before_rounded_up() -> None:
    assert written(Decimal("1.0001"), "250m") == "1001m"
    assert written(Decimal(1024 * 1024 + 1), "512Ki") == "1025Ki"
    assert written(Decimal("2.5"), "2") == "3"
    assert written(Decimal(1500), "1e3") == "1500"


# -- services -----------------------------------------------------------------------------------

FRONT = {"namespace": "shop", "name": "front", "kind": "Deployment", "workload": "web"}


def service(bench: Bench, selector: Any, *ports: dict[str, Any]) -> None:
    given = list(ports) or [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]
    bench.cluster.put("Service", "front", spec={"selector": selector, "ports": given})


def fronted(bench: Bench) -> dict[str, Any]:
    spec: dict[str, Any] = bench.cluster.get("Service", "front")["spec"]
    return spec


async def test_a_selector_is_replaced_by_that_of_the_workload_and_put_back(bench: Bench) -> None:
    wrong = {"app": "wob", "tier": "x"}
    service(bench, wrong)
    await bench.done("fix_service", **FRONT, part="selector")
    assert fronted(bench)["selector"] == LABELS
    action, args = bench.call("fix_service", **FRONT, part="before")
    assert (await action.apply(args, await action.target(args), "k2")).changed
    assert fronted(bench)["selector"] == wrong
    assert "not recorded" in (await action.dry_run(args)).detail


@pytest.mark.parametrize(
    ("port", "target"),
    [
        ({"port": 80, "targetPort": 9999, "protocol": "TCP"}, 8080),  # the only one
        ({"port": 80, "targetPort": "htp", "protocol": "TCP"}, 8080),
        ({"name": "http", "port": 80, "targetPort": 1}, 8080),
    ],
)
async def test_a_target_port_becomes_the_containers(
    bench: Bench, port: dict[str, Any], target: int
) -> None:
    service(bench, LABELS, port)
    await bench.done("fix_service", **FRONT, part="target_port")
    assert fronted(bench)["ports"] == [{**port, "targetPort": target}]


async def test_of_several_ports_the_one_of_the_same_name_or_number_is_taken(bench: Bench) -> None:
    bench.container()["ports"] = [
        {"name": "http", "containerPort": 8080},
        {"name": "admin", "containerPort": 9000},
    ]
    service(
        bench, LABELS, {"name": "admin", "port": 81, "targetPort": 1},
        {"name": "x", "port": 8080, "targetPort": 2},
    )  # fmt: skip
    await bench.done("fix_service", **FRONT, part="target_port")
    assert [p["targetPort"] for p in fronted(bench)["ports"]] == [9000, 8080]
    service(bench, LABELS, {"name": "x", "port": 80, "targetPort": 2})
    action, args = bench.call("fix_service", **FRONT, part="target_port")
    assert "several ports (8080, 9000)" in (await action.dry_run(args)).detail


async def test_a_service_that_needs_nothing_is_left_alone(bench: Bench) -> None:
    service(bench, LABELS)
    assert "has the selector of it already" in await bench.refused(
        "fix_service", **FRONT, part="selector"
    )
    assert "target port of it already" in await bench.refused(
        "fix_service", **FRONT, part="target_port"
    )
    assert "not recorded" in await bench.refused("fix_service", **FRONT, part="before")
    service(bench, None)
    assert "has no selector" in await bench.refused("fix_service", **FRONT, part="selector")


@pytest.mark.parametrize(
    "note", ["{}", "[]", "x", '{"selector": 1, "ports": []}', '{"selector": {}, "ports": [[1]]}',
             '{"selector": {}, "ports": [[1, "TCP", {"a": 1}]]}'],
)  # fmt: skip
async def test_a_record_that_was_tampered_with_is_not_put_back(bench: Bench, note: str) -> None:
    service(bench, LABELS)
    metadata = bench.cluster.get("Service", "front")["metadata"]
    metadata["annotations"] = {"sre-bot/before-fix": note}
    assert "not recorded" in await bench.refused("fix_service", **FRONT, part="before")


async def test_pods_that_lose_their_service_count(bench: Bench) -> None:
    service(bench, {"app.kubernetes.io/name": "web"})
    bench.web["spec"]["selector"] = {"matchLabels": {"app.kubernetes.io/name": "other"}}
    action, args = bench.call("fix_service", **FRONT, part="selector")
    radius = (await action.dry_run(args)).blast_radius
    assert (radius.pods, radius.pods_total, radius.workload_ratio) == (4, 4, 1.0)
    service(bench, {"app": "nothing"})
    assert (await action.dry_run(args)).blast_radius.pods == 0


async def test_the_service_of_the_bot_itself_is_known(bench: Bench) -> None:
    service(bench, {"app": "sre-bot"})
    labels = {"app": "sre-bot", "app.kubernetes.io/name": "sre-bot"}
    bench.cluster.put("Pod", "sre-bot-1", metadata={"labels": labels}, status={"phase": "Running"})
    action, args = bench.call("fix_service", **FRONT, part="selector")
    assert (await action.target(args)).is_bot_itself


# -- quotas -------------------------------------------------------------------------------------

QUOTA = {"namespace": "shop", "name": "bound"}


@pytest.mark.parametrize(
    ("hard", "said"),
    [
        ({"pods": "5"}, "only raised"),
        ({"pods": "10"}, "only raised"),
        ({"pods": "41"}, "more than 4 times"),
        ({"secrets": "5"}, "does not limit secrets; it limits cpu, pods"),
        ({"pods": "12", "cpu": "1"}, "only raised"),
    ],
)
async def test_a_quota_only_goes_up_and_not_far(
    bench: Bench, hard: dict[str, str], said: str
) -> None:
    bench.cluster.put("ResourceQuota", "bound", spec={"hard": {"pods": "10", "cpu": "2"}})
    assert said in await bench.refused("raise_quota", **QUOTA, hard=hard)


async def test_a_quota_goes_down_only_to_what_it_was_before_the_last_raise(bench: Bench) -> None:
    bench.cluster.put("ResourceQuota", "bound", spec={"hard": {"pods": "10", "cpu": "2"}})
    await bench.done("raise_quota", **QUOTA, hard={"pods": "20"})
    action, args = bench.call("raise_quota", **QUOTA, hard={"pods": "15"})
    assert not (await action.dry_run(args)).ok
    action, args = bench.call("raise_quota", **QUOTA, hard={"pods": "10"})
    assert (await action.apply(args, await action.target(args), "k-u")).changed
    spec = bench.cluster.get("ResourceQuota", "bound")["spec"]
    assert spec["hard"] == {"pods": "10", "cpu": "2"}


def test_a_quota_is_never_raised_without_a_person() -> None:
    assert actions()["raise_quota"].facts.highest_level is Level.L3
