"""A crash that only the newest pods have speaks for their release; one that all have does not."""

from datetime import timedelta

from bot.domain.snapshot import Change, ChangeKind, KubernetesObject
from bot.reasoning.analyzers import crashes, names, volumes
from bot.reasoning.database_clients import is_database
from bot.reasoning.generations import only_the_newest
from bot.reasoning.kubernetes import cluster_of
from tests.fakes.cluster import (
    NOW,
    SOURCE,
    container,
    deployment,
    item,
    pending,
    pod,
    question,
    snapshot,
)

CART = deployment("cart")
CRASHED = {
    "name": "app", "ready": False, "restartCount": 3,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 2, "finishedAt": "2026-01-02T03:03:50Z"}},
}  # fmt: skip


def of(template: str, made: str = "2026-01-02T03:00:00Z", *, crashed: bool) -> KubernetesObject:
    found = pod(
        CART, suffix=template, ready=not crashed, statuses=[CRASHED] if crashed else None,
        labels={"app": "cart", "pod-template-hash": template},
    )  # fmt: skip
    found.body["metadata"]["creationTimestamp"] = made  # type: ignore[index]
    return found


def rollout(ago_s: float) -> Change:
    return Change(
        id="r", kind=ChangeKind.DEPLOY, service="cart", object="deployment/cart",
        at=NOW - timedelta(seconds=ago_s), summary="rollout of cart: v1 → v2", before="v1",
        after="v2", diff=None, link=None, source=SOURCE,
    )  # fmt: skip


def told(*pods: KubernetesObject, changes: tuple[Change, ...] = ()) -> list[str]:
    cluster = cluster_of(snapshot(CART, *pods, changes=changes))
    return [e.statement for e in only_the_newest(cluster, pods[0], CART)]


def test_older_pods_that_serve_and_a_rollout_just_before_are_told() -> None:
    bad, good = of("new", crashed=True), of("old", crashed=False)
    assert told(bad, good) == [f"{good.name}, of the template before it, is ready"]
    both = told(bad, good, changes=(rollout(245),))
    assert both[1] == f"{bad.name} came with the rollout of cart: v1 → v2"
    assert len(told(bad, changes=(rollout(245),))) == 1


def test_nothing_is_told_when_all_pods_are_of_one_template_or_the_rollout_is_old() -> None:
    assert told(of("new", crashed=True), of("new", crashed=False)) == []
    assert told(of("new", crashed=True), changes=(rollout(7200),)) == []
    assert told(of("new", made="not a time", crashed=True), changes=(rollout(245),)) == []


def test_a_crash_of_the_newest_pods_alone_is_likely_the_release() -> None:
    alone = crashes.look(snapshot(CART, of("new", crashed=True)), question())
    beside = crashes.look(
        snapshot(CART, of("new", crashed=True), of("old", crashed=False), changes=(rollout(245),)),
        question(),
    )
    odds = [next(h for h in f.hypotheses if h.cause == "crash_loop").log_odds for f in (alone, beside)]  # fmt: skip  # noqa: E501
    assert odds[0] < 0 < odds[1]


def test_volumes_of_the_cluster_are_asked_for_only_while_a_claim_waits() -> None:
    claim = item("PersistentVolumeClaim", "data", status={"phase": "Pending"}, spec={})
    bound = item("PersistentVolumeClaim", "data", status={"phase": "Bound"}, spec={})
    (need,) = volumes.look(snapshot(CART, pending(CART), claim), question()).needs
    assert need.names == ("PersistentVolume", "StorageClass")
    assert volumes.look(snapshot(CART, bound), question()).needs == ()


def test_the_log_of_a_workload_with_a_resolver_of_its_own_is_asked_for() -> None:
    own = deployment("cart", dnsPolicy="None", dnsConfig={"nameservers": ["10.0.0.9"]})
    (need,) = names.look(snapshot(own), question()).needs
    assert need.services == ("cart",)
    assert names.look(snapshot(CART), question()).needs == ()


def test_a_port_called_after_an_engine_makes_a_database_of_any_image() -> None:
    ports = [{"name": "mysql", "containerPort": 3306}]
    assert is_database(deployment("ledger", containers=[container(ports=ports)]))
    assert not is_database(deployment("ledger", containers=[container()]))
