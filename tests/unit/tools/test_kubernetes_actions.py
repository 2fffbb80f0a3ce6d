"""Each Kubernetes action on a small API: dry-run, guard, once per key, forbidden, timeout."""

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.action import ActionCall
from bot.domain.environment import Environment, Tier
from bot.domain.errors import Conflict, Malformed, Refused, Unavailable, UnknownName
from tests.fakes.kubernetes_api import Cluster, shop
from tests.fakes.loopback import loopback
from tools.catalog import actions
from tools.clients import settling
from tools.clients.targets import NAME_LABEL
from tools.contract import Action

CALLS: dict[str, dict[str, Any]] = {
    "rollback_deployment": {"namespace": "shop", "name": "web", "to_revision": 1},
    "restart_deployment": {"namespace": "shop", "name": "web"},
    "scale_deployment": {"namespace": "shop", "name": "web", "replicas": 6},
    "restart_pod": {"namespace": "shop", "name": "web-2-a"},
    "revert_config": {
        "namespace": "shop",
        "name": "web-config",
        "data": {"POOL": "20"},
        "restart": "web",
    },
}
PLURAL = {"restart_pod": "pods", "revert_config": "configmaps"}


class Bench:
    """One cluster on loopback, and the actions bound to it."""

    def __init__(self, url: str, cluster: Cluster) -> None:
        self.cluster = cluster
        self.environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"kubernetes": {"url": url}},
        )

    def action(self, name: str) -> Action[Any]:
        bound = actions()[name].for_environment(self.environment)
        assert bound is not None
        return bound

    def call(self, action_name: str, **changed: Any) -> tuple[Action[Any], Any]:
        action = self.action(action_name)
        return action, action.parse({**CALLS[action_name], **changed})


@pytest.fixture
def bench() -> Iterator[Bench]:
    cluster = shop()
    with loopback(cluster.answer) as server:
        yield Bench(server.url, cluster)


@pytest.mark.parametrize("name", CALLS)
async def test_a_dry_run_changes_nothing_and_says_the_same_twice(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    before = copy.deepcopy(bench.cluster.objects)
    first = await action.dry_run(args)
    second = await action.dry_run(args)
    assert first.ok, first.detail
    assert first.diff
    assert first.diff_hash == second.diff_hash
    assert bench.cluster.objects == before
    assert bench.cluster.evicted == []


@pytest.mark.parametrize("name", CALLS)
async def test_one_key_acts_once(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    assert await action.find(args, "k1") is None
    assert (await action.apply(args, target, "k1")).changed
    writes, evicted = bench.cluster.writes, list(bench.cluster.evicted)
    again = await action.apply(args, target, "k1")
    assert not again.changed
    assert (bench.cluster.writes, bench.cluster.evicted) == (writes, evicted)
    found = await action.find(args, "k1")
    assert found is not None
    assert found.changed


@pytest.mark.parametrize("name", CALLS)
async def test_a_target_that_wants_something_else_now_is_refused(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = replace(await action.target(args), spec_hash="another")
    with pytest.raises(Conflict, match="changed since it was read"):
        await action.apply(args, target, "k1")
    assert bench.cluster.writes == 0
    assert bench.cluster.evicted == []


@pytest.mark.parametrize("name", [n for n in CALLS if n != "restart_pod"])
async def test_a_target_made_again_under_its_name_is_refused(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = replace(await action.target(args), uid="an older one")
    with pytest.raises(Conflict, match="deleted and made again"):
        await action.apply(args, target, "k1")
    assert bench.cluster.writes == 0


@pytest.mark.parametrize("name", CALLS)
async def test_forbidden_names_the_missing_rule(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    plural = PLURAL.get(name, "deployments")
    bench.cluster.forbidden = {("PATCH", plural), ("POST", plural)}
    seen = await action.dry_run(args)
    assert not seen.ok
    with pytest.raises(Refused) as refused:
        await action.apply(args, target, "k1")
    resource = "pods/eviction" if name == "restart_pod" else plural
    for words in (seen.detail, str(refused.value)):
        assert f'resources: ["{resource}"]' in words
        assert "verbs: [" in words
    assert bench.cluster.writes == 0


@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_that_is_lost_leaves_a_known_state(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    bench.cluster.lost_answers = 1
    with pytest.raises(Unavailable):
        await action.apply(args, target, "k1")
    found = await action.find(args, "k1")
    if name == "revert_config":  # the settings are written, the restart is not: not done yet
        assert found is None
        done = await action.apply(args, target, "k1")
        assert "deployment/web" in done.detail
        assert bench.cluster.writes == 2
        return
    assert found is not None
    assert not (await action.apply(args, target, "k1")).changed
    assert bench.cluster.writes + len(bench.cluster.evicted) == 1


@pytest.mark.parametrize("name", CALLS)
async def test_another_namespace_is_refused(bench: Bench, name: str) -> None:
    action, args = bench.call(name, namespace="kube-system")
    with pytest.raises(Refused, match="kube-system is not part of prod"):
        await action.target(args)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "broken",
    [
        {"namespace": "Shop"},
        {"name": "web; rm -rf /"},
        {"name": ""},
        {"name": "../secrets/x"},
        {"name": None},
        {"extra": 1},
    ],
)
def test_arguments_are_strict(name: str, broken: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=name):
        actions()[name].parse({**CALLS[name], **broken})


@pytest.mark.parametrize("arguments", [None, [], "x", {}, {"namespace": "shop"}])
def test_arguments_must_be_all_there(arguments: Any) -> None:
    for kind in actions().values():
        with pytest.raises(Malformed):
            kind.parse(arguments)


@pytest.mark.parametrize("replicas", [-1, 1001, True, "3", 2.0, None])
def test_replicas_are_a_sane_whole_number(replicas: Any) -> None:
    with pytest.raises(Malformed, match="replicas must be a whole number from 0 to 1000"):
        actions()["scale_deployment"].parse({**CALLS["scale_deployment"], "replicas": replicas})


async def test_a_write_in_between_that_keeps_the_spec_is_survived(bench: Bench) -> None:
    action, args = bench.call("scale_deployment")
    target = await action.target(args)

    def status_moves() -> None:
        bench.cluster.version += 1
        live = bench.cluster.get("Deployment", "web")
        live["metadata"]["resourceVersion"] = str(bench.cluster.version)

    bench.cluster.meddle = [status_moves]
    assert (await action.apply(args, target, "k1")).changed
    assert bench.cluster.get("Deployment", "web")["spec"]["replicas"] == 6


async def test_a_write_in_between_that_changes_the_spec_is_a_conflict(bench: Bench) -> None:
    action, args = bench.call("scale_deployment")
    target = await action.target(args)

    def someone_scales() -> None:
        bench.cluster.version += 1
        live = bench.cluster.get("Deployment", "web")
        live["metadata"]["resourceVersion"] = str(bench.cluster.version)
        live["spec"]["replicas"] = 9

    bench.cluster.meddle = [someone_scales]
    with pytest.raises(Conflict):
        await action.apply(args, target, "k1")
    assert bench.cluster.get("Deployment", "web")["spec"]["replicas"] == 9


async def test_rolling_back_writes_the_earlier_template_and_can_be_taken_back(
    bench: Bench,
) -> None:
    action, args = bench.call("rollback_deployment")
    target = await action.target(args)
    inverse = await action.inverse(args, target)
    await action.apply(args, target, "k1")
    template = bench.cluster.get("Deployment", "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "registry/web:v1"
    assert "pod-template-hash" not in template["metadata"]["labels"]
    assert inverse == ActionCall(
        action="rollback_deployment",
        environment="prod",
        arguments={"namespace": "shop", "name": "web", "to_revision": 2},
    )


async def test_a_diff_shows_what_differs_and_no_credential(bench: Bench) -> None:
    action, args = bench.call("rollback_deployment")
    seen = await action.dry_run(args)
    assert "-        image: registry/web:v2" in seen.diff
    assert "+        image: registry/web:v1" in seen.diff
    assert "s3cr3t" not in seen.diff
    assert "[redacted:" in seen.diff
    assert "resourceVersion" not in seen.diff


@pytest.mark.parametrize(
    ("to_revision", "why"),
    [(2, "is at revision 2 already"), (9, "keeps no revision 9; there are: 1, 2")],
)
async def test_a_rollback_that_cannot_be_says_why(bench: Bench, to_revision: int, why: str) -> None:
    action, args = bench.call("rollback_deployment", to_revision=to_revision)
    seen = await action.dry_run(args)
    assert not seen.ok
    assert why in seen.detail


async def test_a_paused_deployment_is_not_rolled_back(bench: Bench) -> None:
    bench.cluster.get("Deployment", "web")["spec"]["paused"] = True
    action, args = bench.call("rollback_deployment")
    assert "is paused" in (await action.dry_run(args)).detail


async def test_the_blast_radius_is_what_can_be_unavailable_at_one_time(bench: Bench) -> None:
    action, args = bench.call("rollback_deployment")
    radius = (await action.dry_run(args)).blast_radius
    assert (radius.pods, radius.pods_total) == (1, 4)
    assert radius.workload_ratio == 0.25
    assert radius.fleet_ratio == 0.25
    action, args = bench.call("scale_deployment", replicas=1)
    assert (await action.dry_run(args)).blast_radius.pods == 3
    action, args = bench.call("restart_pod")
    assert (await action.dry_run(args)).blast_radius.pods == 1


async def test_scaling_remembers_the_number_of_before(bench: Bench) -> None:
    action, args = bench.call("scale_deployment")
    inverse = await action.inverse(args, await action.target(args))
    assert inverse is not None
    assert inverse.arguments["replicas"] == 4


async def test_scaling_to_what_is_there_is_no_change(bench: Bench) -> None:
    action, args = bench.call("scale_deployment", replicas=4)
    seen = await action.dry_run(args)
    assert (seen.ok, seen.detail) == (False, "nothing would change")


async def test_what_the_api_does_not_accept_is_told_by_the_dry_run(bench: Bench) -> None:
    action, args = bench.call("scale_deployment", replicas=900)
    seen = await action.dry_run(args)
    assert not seen.ok
    assert "spec.replicas: Invalid value" in seen.detail


async def test_an_autoscaler_is_warned_of(bench: Bench) -> None:
    aim = {"kind": "Deployment", "name": "web"}
    bench.cluster.put(
        "HorizontalPodAutoscaler",
        "web",
        spec={"scaleTargetRef": aim, "minReplicas": 2, "maxReplicas": 8},
    )
    action, args = bench.call("scale_deployment")
    seen = await action.dry_run(args)
    assert seen.ok
    assert "between 2 and 8" in seen.detail


async def test_a_name_that_nobody_knows_offers_the_nearest(bench: Bench) -> None:
    action, args = bench.call("restart_deployment", name="wob")
    with pytest.raises(UnknownName, match=r"Did you mean web\?"):
        await action.target(args)


async def test_the_target_says_what_policy_must_know(bench: Bench) -> None:
    live = bench.cluster.get("Deployment", "web")
    helm = {"app.kubernetes.io/managed-by": "Helm"}
    live["metadata"]["labels"] = {**live["metadata"]["labels"], **helm}
    live["metadata"]["annotations"] = {"example.org/team": "payments"}
    live["spec"]["template"]["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "d"}}
    ]
    action, args = bench.call("restart_deployment")
    target = await action.target(args)
    assert (target.service, target.replicas, target.pdb_allows) == ("web", 4, 1)
    assert (target.gitops_owner, target.stateful, target.is_bot_itself) == ("helm", True, False)
    assert target.owner == "payments"


async def test_the_bot_knows_itself(bench: Bench) -> None:
    live = bench.cluster.get("Deployment", "web")
    labels = live["spec"]["template"]["metadata"]["labels"]
    live["spec"]["template"]["metadata"]["labels"] = {**labels, NAME_LABEL: "sre-bot"}
    for name in ("restart_deployment", "revert_config"):
        action, args = bench.call(name)
        assert (await action.target(args)).is_bot_itself


async def test_a_disruption_budget_is_respected(bench: Bench) -> None:
    action, args = bench.call("restart_pod")
    target = await action.target(args)
    bench.cluster.budget_exhausted = True
    seen = await action.dry_run(args)
    assert not seen.ok
    assert "disruption budget" in seen.detail
    with pytest.raises(Refused, match="disruption budget"):
        await action.apply(args, target, "k1")
    assert bench.cluster.evicted == []


async def test_a_pod_that_nothing_would_make_again_is_left_alone(bench: Bench) -> None:
    bench.cluster.get("Pod", "web-2-a")["metadata"]["ownerReferences"] = []
    action, args = bench.call("restart_pod")
    seen = await action.dry_run(args)
    assert (seen.ok, seen.detail) == (False, "nothing would make this pod again")


async def test_a_pod_that_was_replaced_meanwhile_is_left_alone(bench: Bench) -> None:
    action, args = bench.call("restart_pod")
    target = replace(await action.target(args), uid="an older one")
    done = await action.apply(args, target, "k1")
    assert not done.changed
    assert bench.cluster.evicted == []


async def test_pods_restart_even_where_events_may_not_be_written(bench: Bench) -> None:
    bench.cluster.forbidden = {("POST", "events"), ("GET", "events")}
    action, args = bench.call("restart_pod")
    target = await action.target(args)
    assert (await action.apply(args, target, "k1")).changed
    assert not (await action.apply(args, target, "k1")).changed
    assert bench.cluster.evicted == ["web-2-a"]


async def test_reverting_settings_restarts_and_can_be_taken_back(bench: Bench) -> None:
    action, args = bench.call("revert_config", data={"POOL": "20", "NEW": None})
    target = await action.target(args)
    inverse = await action.inverse(args, target)
    seen = await action.dry_run(args)
    assert "-  POOL: '5'" in seen.diff
    assert "+  POOL: '20'" in seen.diff
    assert "hunter22" not in seen.diff
    await action.apply(args, target, "k1")
    assert bench.cluster.get("ConfigMap", "web-config")["data"]["POOL"] == "20"
    template = bench.cluster.get("Deployment", "web")["spec"]["template"]
    assert template["metadata"]["annotations"]["sre-bot/restarted-by"] == "k1"
    assert inverse is not None
    assert inverse.arguments["data"] == {"POOL": "5", "NEW": None}


async def test_the_settings_of_a_stateful_set_restart_it_and_say_so(bench: Bench) -> None:
    live = copy.deepcopy(bench.cluster.get("Deployment", "web"))
    bench.cluster.put("StatefulSet", "cache", spec=live["spec"])
    action, args = bench.call("revert_config", restart="cache")
    target = await action.target(args)
    seen = await action.dry_run(args)
    assert target.stateful
    assert seen.command.endswith("kubectl rollout restart statefulset/cache -n shop")
    assert seen.blast_radius.pods == 1
    await action.apply(args, target, "k1")
    template = bench.cluster.get("StatefulSet", "cache")["spec"]["template"]
    assert template["metadata"]["annotations"]["sre-bot/restarted-by"] == "k1"


async def test_settings_without_a_restart_touch_no_pod(bench: Bench) -> None:
    action, args = bench.call("revert_config", restart="")
    assert (await action.dry_run(args)).blast_radius.pods == 0
    assert (await action.apply(args, await action.target(args), "k1")).changed
    assert bench.cluster.writes == 1


async def test_an_unknown_workload_is_told_before_anything_is_written(bench: Bench) -> None:
    action, args = bench.call("revert_config", restart="wob")
    with pytest.raises(UnknownName, match="wob"):
        await action.target(args)


def test_credentials_and_masked_values_are_never_written() -> None:
    parse = actions()["revert_config"].parse
    with pytest.raises(Refused, match="looks like a credential"):
        parse({**CALLS["revert_config"], "data": {"DB_PASSWORD": "x"}})
    with pytest.raises(Malformed, match="masked"):
        parse({**CALLS["revert_config"], "data": {"DB_URL": "pg://[redacted]@db"}})


async def test_undoing_a_rollback_leads_back(bench: Bench) -> None:
    action, args = bench.call("rollback_deployment")
    before = bench.cluster.get("Deployment", "web")["spec"]["template"]
    target = await action.target(args)
    inverse = await action.inverse(args, target)
    assert inverse is not None
    await action.apply(args, target, "k1")
    undo = action.parse(inverse.arguments)
    assert (await action.apply(undo, await action.target(undo), "k1-u")).changed
    assert bench.cluster.get("Deployment", "web")["spec"]["template"] == before


async def test_a_revision_counts_once_the_controller_has_seen_the_last_change(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "PAUSE_S", 0.01)
    body = bench.cluster.get("Deployment", "web")
    body["status"]["observedGeneration"] = body["metadata"]["generation"] - 1
    action, args = bench.call("rollback_deployment")
    target = await action.target(args)
    for look in (action.dry_run(args), action.inverse(args, target)):
        with pytest.raises(Unavailable, match="its controller has not seen that yet"):
            await look
    seeing = asyncio.create_task(action.inverse(args, target))
    await asyncio.sleep(0.02)
    body["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "3"
    body["status"]["observedGeneration"] = body["metadata"]["generation"]
    inverse = await seeing
    assert inverse is not None
    assert inverse.arguments["to_revision"] == 3
