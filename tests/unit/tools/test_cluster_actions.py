"""Nodes, Jobs, claims and stuck pods: dry-run, guard, once per key, forbidden, lost answers."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.action import ActionCall
from bot.domain.environment import Environment, Tier
from bot.domain.errors import Conflict, Malformed, Refused, Unavailable, UnknownName
from tests.fakes.loopback import loopback
from tests.fakes.whole_cluster import FAR_AHEAD, LONG_AGO, WholeCluster, company
from tools.act.kubernetes.drain_node import DrainNode
from tools.catalog import actions
from tools.clients.targets import NAME_LABEL
from tools.contract import Action

CALLS: dict[str, dict[str, Any]] = {
    "cordon_node": {"node": "worker-1"},
    "uncordon_node": {"node": "worker-2"},
    "drain_node": {"node": "worker-1", "delete_empty_dir_data": False, "evict_unmanaged": False},
    "delete_failed_job": {"namespace": "shop", "name": "report"},
    "expand_pvc": {"namespace": "shop", "name": "data-db-0", "size": "20Gi"},
    "delete_stuck_pod": {"namespace": "shop", "name": "db-0", "force": True},
}
WRITES = {
    "cordon_node": ("PATCH", "nodes"),
    "uncordon_node": ("PATCH", "nodes"),
    "drain_node": ("PATCH", "nodes"),
    "delete_failed_job": ("DELETE", "jobs"),
    "expand_pvc": ("PATCH", "persistentvolumeclaims"),
    "delete_stuck_pod": ("DELETE", "pods"),
}
VERBS = {"PATCH": "patch", "DELETE": "delete"}


class Bench:
    """One cluster on loopback, and the actions bound to it."""

    def __init__(self, url: str, cluster: WholeCluster) -> None:
        self.cluster = cluster
        self.environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"kubernetes": {"url": url}},
        )

    def call(self, action_name: str, **changed: Any) -> tuple[Action[Any], Any]:
        bound = actions()[action_name].for_environment(self.environment)
        assert bound is not None
        return bound, bound.parse({**CALLS[action_name], **changed})


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(DrainNode, "patience_s", 0.03)
    monkeypatch.setattr(DrainNode, "pause_s", 0.01)
    cluster = company()
    cluster.get("Node", "worker-2")["spec"]["unschedulable"] = True
    cluster.put(
        "Node", "worker-4", spec={}, status={"conditions": [{"type": "Ready", "status": "True"}]}
    )
    with loopback(cluster.answer) as server:
        yield Bench(server.url, cluster)


@pytest.mark.parametrize("name", CALLS)
async def test_a_dry_run_changes_nothing_and_says_the_same_twice(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    before = copy.deepcopy(bench.cluster.objects)
    first, second = await action.dry_run(args), await action.dry_run(args)
    assert first.ok, first.detail
    assert first.diff
    assert first.command.startswith("kubectl ")
    assert first.diff_hash == second.diff_hash
    assert bench.cluster.objects == before
    assert (bench.cluster.evicted, bench.cluster.deleted) == ([], [])


@pytest.mark.parametrize("name", CALLS)
async def test_one_key_acts_once(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    assert await action.find(args, "k1") is None
    assert (await action.apply(args, target, "k1")).changed
    written = (bench.cluster.writes, list(bench.cluster.evicted), list(bench.cluster.deleted))
    assert not (await action.apply(args, target, "k1")).changed
    assert written == (bench.cluster.writes, bench.cluster.evicted, bench.cluster.deleted)
    found = await action.find(args, "k1")
    assert found is not None
    assert found.changed


@pytest.mark.parametrize("name", CALLS)
async def test_a_target_that_wants_something_else_now_is_refused(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = replace(await action.target(args), spec_hash="another")
    with pytest.raises(Conflict, match="changed since it was read"):
        await action.apply(args, target, "k1")
    assert (bench.cluster.writes, bench.cluster.evicted) == (0, [])


@pytest.mark.parametrize("name", CALLS)
async def test_a_target_made_again_under_its_name_is_refused(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = replace(await action.target(args), uid="an older one")
    with pytest.raises(Conflict, match="deleted and made again"):
        await action.apply(args, target, "k1")
    assert (bench.cluster.writes, bench.cluster.evicted) == (0, [])


@pytest.mark.parametrize("name", CALLS)
async def test_forbidden_names_the_missing_rule(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    method, plural = WRITES[name]
    bench.cluster.forbidden = {(method, plural)}
    seen = await action.dry_run(args)
    assert not seen.ok
    with pytest.raises(Refused) as refused:
        await action.apply(args, target, "k1")
    for words in (seen.detail, str(refused.value)):
        assert f'resources: ["{plural}"], verbs: ["{VERBS[method]}"]' in words
    assert (bench.cluster.writes, bench.cluster.evicted) == (0, [])


@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_that_is_lost_leaves_a_known_state(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    bench.cluster.lost_answers = 1
    with pytest.raises(Unavailable):
        await action.apply(args, target, "k1")
    if name == "drain_node":  # the node is cordoned, no pod is gone yet: the key goes on
        assert await action.find(args, "k1") is None
        assert await action.begun(args, "k1")
        assert (await action.apply(args, target, "k1")).changed
    assert await action.find(args, "k1") is not None
    assert not (await action.apply(args, target, "k1")).changed
    assert bench.cluster.writes == 1


@pytest.mark.parametrize("name", [n for n in CALLS if "namespace" in CALLS[n]])
async def test_another_namespace_is_refused(bench: Bench, name: str) -> None:
    action, args = bench.call(name, namespace="kube-system")
    with pytest.raises(Refused, match="kube-system is not part of prod"):
        await action.target(args)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", ["", "a b", "../x", "x" * 300, None, 3, ["worker-1"], "A"])
def test_hostile_names_are_refused(name: str, wrong: Any) -> None:
    field = "node" if "node" in CALLS[name] else "name"
    with pytest.raises(Malformed, match=f"{field} must be"):
        actions()[name].parse({**CALLS[name], field: wrong})


@pytest.mark.parametrize("name", CALLS)
def test_arguments_are_exact(name: str) -> None:
    for wrong in ({}, {**CALLS[name], "more": 1}, "worker-1", None):
        with pytest.raises(Malformed, match=name):
            actions()[name].parse(wrong)


@pytest.mark.parametrize("value", ["true", 1, None, 0])
def test_a_risk_is_taken_by_true_only(value: Any) -> None:
    for name, field in (("drain_node", "evict_unmanaged"), ("delete_stuck_pod", "force")):
        with pytest.raises(Malformed, match="true or false"):
            actions()[name].parse({**CALLS[name], field: value})


async def test_a_name_that_nobody_has_offers_the_nearest(bench: Bench) -> None:
    action, args = bench.call("cordon_node", node="worker-5")
    with pytest.raises(UnknownName, match="Did you mean worker-"):
        await action.target(args)


# Nodes


async def test_cordoning_touches_one_node_and_no_pod_and_is_taken_back(bench: Bench) -> None:
    action, args = bench.call("cordon_node")
    seen = await action.dry_run(args)
    assert (seen.blast_radius.nodes, seen.blast_radius.pods) == (1, 0)
    assert "+  unschedulable: true" in seen.diff
    target = await action.target(args)
    inverse = await action.inverse(args, target)
    assert inverse == ActionCall(
        action="uncordon_node", environment="prod", arguments={"node": "worker-1"}
    )
    await action.apply(args, target, "k1")
    bench.cluster.get("Node", "worker-1")["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    ]  # the controller's own, some time later
    after = await action.target(args)
    undo, undo_args = bench.call("uncordon_node", node="worker-1")
    assert (await undo.target(undo_args)).spec_hash == after.spec_hash
    assert (await undo.apply(undo_args, after, "k2")).changed
    assert "unschedulable" not in bench.cluster.get("Node", "worker-1")["spec"]


async def test_what_is_so_already_is_no_change_and_has_no_inverse(bench: Bench) -> None:
    for name, node in (("cordon_node", "worker-2"), ("uncordon_node", "worker-1")):
        action, args = bench.call(name, node=node)
        seen = await action.dry_run(args)
        assert (seen.ok, seen.detail) == (False, "nothing would change")
        assert await action.inverse(args, await action.target(args)) is None


@pytest.mark.parametrize("name", ["cordon_node", "drain_node"])
async def test_the_last_node_that_takes_pods_is_left_alone(bench: Bench, name: str) -> None:
    del bench.cluster.objects["nodes", "worker-4"]
    action, args = bench.call(name)
    seen = await action.dry_run(args)
    assert not seen.ok
    assert "no other node is ready" in seen.detail


async def test_a_node_that_is_not_ready_is_uncordoned_with_a_warning(bench: Bench) -> None:
    bench.cluster.get("Node", "worker-3")["spec"]["unschedulable"] = True
    action, args = bench.call("uncordon_node", node="worker-3")
    assert "not ready" in (await action.dry_run(args)).detail


# Draining


async def test_a_drain_takes_the_environments_own_pods_and_counts_them_all(bench: Bench) -> None:
    action, args = bench.call("drain_node")
    seen = await action.dry_run(args)
    blast = seen.blast_radius
    assert (blast.pods, blast.nodes, blast.namespaces) == (3, 1, 1)
    assert blast.workload_ratio == pytest.approx(2 / 3)  # of web; of cart it is one of two
    assert blast.services == ("cart", "web")
    assert "those of other namespaces and of DaemonSets stay" in seen.detail
    target = await action.target(args)
    done = await action.apply(args, target, "k1")
    assert bench.cluster.evicted == ["cart-a", "web-a", "web-b"]
    assert "3 pods left it" in done.detail
    assert ("pods", "agent-a") in bench.cluster.objects
    assert ("pods", "old-a") in bench.cluster.objects
    assert bench.cluster.get("Node", "worker-1")["spec"]["unschedulable"]


async def test_a_mirror_of_a_static_pod_stays(bench: Bench) -> None:
    metadata = bench.cluster.get("Pod", "cart-a")["metadata"]
    metadata["annotations"] = {"kubernetes.io/config.mirror": "x"}
    action, args = bench.call("drain_node")
    assert "cart-a" not in (await action.dry_run(args)).diff


@pytest.mark.parametrize(
    ("spoil", "argument", "words"),
    [
        ("unmanaged", "evict_unmanaged", "nothing would make these pods again: shop/cart-a"),
        ("scratch", "delete_empty_dir_data", "would lose their emptyDir data: shop/cart-a"),
    ],
)
async def test_what_would_be_lost_is_lost_only_if_said(
    bench: Bench, spoil: str, argument: str, words: str
) -> None:
    pod = bench.cluster.get("Pod", "cart-a")
    if spoil == "unmanaged":
        pod["metadata"]["ownerReferences"] = []
    else:
        pod["spec"]["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    action, args = bench.call("drain_node")
    seen = await action.dry_run(args)
    assert (seen.ok, seen.diff) == (False, "")
    assert words in seen.detail
    action, args = bench.call("drain_node", **{argument: True})
    assert (await action.dry_run(args)).ok
    await action.apply(args, await action.target(args), "k1")
    assert "cart-a" in bench.cluster.evicted


async def test_a_budget_that_lets_no_pod_go_is_said_before(bench: Bench) -> None:
    bench.cluster.budgets = {"web": 0}
    action, args = bench.call("drain_node")
    seen = await action.dry_run(args)
    assert not seen.ok
    assert "disruption budget of pod web-a lets no pod go now" in seen.detail


async def test_a_drain_that_waits_for_a_budget_goes_on_by_the_same_key(bench: Bench) -> None:
    bench.cluster.budgets = {"web": 1}
    action, args = bench.call("drain_node")
    target = await action.target(args)
    with pytest.raises(Unavailable, match=r"is cordoned, still there: shop/web-b"):
        await action.apply(args, target, "k1")
    assert bench.cluster.evicted == ["cart-a", "web-a"]
    assert await action.find(args, "k1") is None
    assert await action.begun(args, "k1")
    assert not await action.begun(args, "another")
    bench.cluster.budgets = {}
    assert (await action.apply(args, target, "k1")).changed
    assert bench.cluster.evicted == ["cart-a", "web-a", "web-b"]
    assert await action.find(args, "k1") is not None


async def test_a_pod_on_its_way_out_is_waited_for_and_not_evicted_again(bench: Bench) -> None:
    bench.cluster.stubborn = {"cart-a"}
    action, args = bench.call("drain_node")
    with pytest.raises(Unavailable, match="still there: shop/cart-a"):
        await action.apply(args, await action.target(args), "k1")
    assert bench.cluster.evicted.count("cart-a") == 1


async def test_evictions_that_are_forbidden_tell_what_is_done_so_far(bench: Bench) -> None:
    action, args = bench.call("drain_node")
    target = await action.target(args)
    bench.cluster.forbidden = {("POST", "pods")}
    with pytest.raises(Refused, match=r"node/worker-1 is cordoned, shop/cart-a stays") as refused:
        await action.apply(args, target, "k1")
    assert 'resources: ["pods/eviction"]' in str(refused.value)


async def test_a_drain_knows_data_and_the_bot_itself(bench: Bench) -> None:
    action, args = bench.call("drain_node")
    assert not (await action.target(args)).stateful
    pod = bench.cluster.get("Pod", "cart-a")
    pod["metadata"]["labels"][NAME_LABEL] = "sre-bot"
    pod["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "c"}}]
    target = await action.target(args)
    assert target.stateful
    assert target.is_bot_itself


async def test_undoing_a_drain_uncordons_unless_somebody_had_cordoned_it(bench: Bench) -> None:
    action, args = bench.call("drain_node")
    inverse = await action.inverse(args, await action.target(args))
    assert inverse is not None
    assert inverse.action == "uncordon_node"
    action, args = bench.call("drain_node", node="worker-2")
    assert await action.inverse(args, await action.target(args)) is None


# Jobs


async def test_a_job_that_has_not_failed_is_left_alone(bench: Bench) -> None:
    action, args = bench.call("delete_failed_job")
    target = await action.target(args)
    bench.cluster.get("Job", "report")["status"] = {"active": 1, "failed": 2}
    seen = await action.dry_run(args)
    assert (seen.ok, seen.detail) == (False, "job/report has not failed")
    with pytest.raises(Conflict):
        await action.apply(args, target, "k1")
    assert bench.cluster.deleted == []


async def test_a_deleted_job_takes_its_pods_along_and_says_that_it_is_for_good(
    bench: Bench,
) -> None:
    action, args = bench.call("delete_failed_job")
    seen = await action.dry_run(args)
    assert "BackoffLimitExceeded" in seen.diff
    assert "cannot be taken back" in seen.detail
    assert not action.facts.reversible
    target = await action.target(args)
    assert await action.inverse(args, target) is None
    await action.apply(args, target, "k1")
    (plural, name, options), *_ = bench.cluster.deleted
    assert (plural, name, options["propagationPolicy"]) == ("jobs", "report", "Background")


async def test_the_next_run_under_the_same_name_is_not_deleted_by_the_old_key(bench: Bench) -> None:
    action, args = bench.call("delete_failed_job")
    target = await action.target(args)
    before = copy.deepcopy(bench.cluster.get("Job", "report"))
    await action.apply(args, target, "k1")
    before["metadata"]["uid"] = "uid-next"
    bench.cluster.objects["jobs", "report"] = before
    assert not (await action.apply(args, target, "k1")).changed
    assert ("jobs", "report") in bench.cluster.objects


# Claims


@pytest.mark.parametrize(
    ("size", "words"),
    [("10Gi", "can only grow"), ("5Gi", "can only grow"), ("10240Mi", "can only grow"),
     ("41Gi", "more than 4 times"), ("20Ti", "more than 4 times")],
)  # fmt: skip
async def test_a_claim_grows_and_not_by_a_slip(bench: Bench, size: str, words: str) -> None:
    action, args = bench.call("expand_pvc", size=size)
    seen = await action.dry_run(args)
    assert (seen.ok, seen.diff) == (False, "")
    assert words in seen.detail
    with pytest.raises(Malformed, match=words):
        await action.apply(args, await action.target(args), "k1")
    assert bench.cluster.writes == 0


@pytest.mark.parametrize("size", ["", "0Gi", "-1Gi", "1e9", "20", "20GB", 20, None, "9" * 400])
def test_a_size_is_strict(size: Any) -> None:
    with pytest.raises(Malformed, match="size must be"):
        actions()["expand_pvc"].parse({**CALLS["expand_pvc"], "size": size})


async def test_only_a_class_that_can_expand_is_asked(bench: Bench) -> None:
    action, args = bench.call("expand_pvc")
    bench.cluster.get("StorageClass", "fast")["allowVolumeExpansion"] = False
    assert "cannot expand volumes" in (await action.dry_run(args)).detail
    with pytest.raises(Refused, match="only dynamically provisioned"):
        await action.apply(args, await action.target(args), "k1")
    bench.cluster.forbidden = {("GET", "storageclasses")}
    assert "is not known" in (await action.dry_run(args)).detail
    bench.cluster.forbidden = set()
    del bench.cluster.objects["storageclasses", "fast"]
    assert "is not there any more" in (await action.dry_run(args)).detail
    claim = bench.cluster.get("PersistentVolumeClaim", "data-db-0")
    claim["status"]["phase"] = "Pending"
    assert "is not bound" in (await action.dry_run(args)).detail


async def test_a_claim_is_stateful_and_never_shrinks(bench: Bench) -> None:
    action, args = bench.call("expand_pvc")
    target = await action.target(args)
    assert (target.stateful, target.replicas) == (True, 1)
    assert await action.inverse(args, target) is None
    seen = await action.dry_run(args)
    assert "never shrinks" in seen.detail
    assert (seen.blast_radius.pods, seen.blast_radius.pods_total) == (0, 1)
    await action.apply(args, target, "k1")
    claim = bench.cluster.get("PersistentVolumeClaim", "data-db-0")
    assert claim["spec"]["resources"]["requests"]["storage"] == "20Gi"


@pytest.mark.parametrize("odd", ["", "Gi", "1Zi", "lots", "-1Gi"])
async def test_a_size_that_cannot_be_read_is_not_grown_from(bench: Bench, odd: Any) -> None:
    claim = bench.cluster.get("PersistentVolumeClaim", "data-db-0")
    claim["spec"]["resources"]["requests"]["storage"] = odd
    claim["status"]["capacity"]["storage"] = odd
    action, args = bench.call("expand_pvc")
    seen = await action.dry_run(args)
    assert (seen.ok, seen.diff) == (False, "")
    assert "cannot be read" in seen.detail


# Stuck pods


async def test_a_healthy_pod_is_not_stuck(bench: Bench) -> None:
    action, args = bench.call("delete_stuck_pod", name="web-a")
    seen = await action.dry_run(args)
    assert not seen.ok
    assert "is not stuck" in seen.detail
    with pytest.raises(Conflict, match="is not stuck"):
        await action.apply(args, await action.target(args), "k1")
    assert bench.cluster.deleted == []


@pytest.mark.parametrize(("since", "ok"), [(LONG_AGO, True), (FAR_AHEAD, False)])
async def test_a_pod_hangs_once_it_is_beyond_its_grace(bench: Bench, since: str, ok: bool) -> None:
    bench.cluster.get("Pod", "web-a")["metadata"]["deletionTimestamp"] = since
    action, args = bench.call("delete_stuck_pod", name="web-a")
    seen = await action.dry_run(args)
    assert seen.ok is ok
    if ok:
        assert "terminating beyond its grace: forgotten at once, by force" in seen.diff


async def test_a_pod_that_is_deleted_already_goes_only_by_force(bench: Bench) -> None:
    bench.cluster.get("Pod", "web-a")["metadata"]["deletionTimestamp"] = LONG_AGO
    action, args = bench.call("delete_stuck_pod", name="web-a", force=False)
    seen = await action.dry_run(args)
    assert not seen.ok
    assert "only force" in seen.detail


async def test_a_pod_held_by_finalizers_is_left_to_them(bench: Bench) -> None:
    metadata = bench.cluster.get("Pod", "web-a")["metadata"]
    metadata.update(deletionTimestamp=LONG_AGO, finalizers=["example.com/keep"])
    action, args = bench.call("delete_stuck_pod", name="web-a")
    assert "example.com/keep" in (await action.dry_run(args)).detail


async def test_force_on_a_pod_with_data_says_the_price(bench: Bench) -> None:
    action, args = bench.call("delete_stuck_pod")
    seen = await action.dry_run(args)
    assert (await action.target(args)).stateful
    assert "write the same data as the next pod" in seen.detail
    assert seen.command.endswith("--grace-period=0 --force")
    await action.apply(args, await action.target(args), "k1")
    (_, _, options), *_ = bench.cluster.deleted
    assert options["gracePeriodSeconds"] == 0


async def test_without_force_a_pod_of_a_lost_node_is_asked_to_go_once(bench: Bench) -> None:
    action, args = bench.call("delete_stuck_pod", force=False)
    target = await action.target(args)
    assert (await action.apply(args, target, "k1")).changed
    assert not (await action.apply(args, target, "k1")).changed
    assert len(bench.cluster.deleted) == 1
    del bench.cluster.objects["nodes", "worker-3"]
    bench.cluster.get("Pod", "db-0")["metadata"].pop("deletionTimestamp")
    assert "its node worker-3 is gone" in (await action.dry_run(args)).diff
