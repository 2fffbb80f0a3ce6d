"""What is merged by a person counts from the rollout that follows, never before it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.action import ActionCall, Outcome, Proposal, VerificationPlan
from bot.domain.diagnosis import SignalRef
from bot.domain.needs import Need
from bot.domain.snapshot import KubernetesObject, Series, Snapshot, Source
from bot.domain.time import Window
from bot.perception.collector import Collected
from bot.workflows.watch import Watch

ACTED = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
NOW = ACTED + timedelta(minutes=40)
SOURCE = Source(system="prometheus", query="p99")
SIGNAL = SignalRef(signal="latency_p99", service="checkout", unit="s", good=0.2, bad=4.0)
PLAN = VerificationPlan(signal=SIGNAL, threshold=0.5, window_s=3600, rollout_of="checkout")


@dataclass
class Facts:
    """A collector that has these facts, and remembers what it was asked."""

    snapshot: Snapshot
    asked: list[Need] = field(default_factory=list)

    def fresh(self) -> "Facts":
        return self

    async def collect(self, needs: Sequence[Need]) -> Collected:
        self.asked += needs
        return Collected(snapshot=self.snapshot, steps=())


class Clock:
    def now(self) -> datetime:
        return NOW

    def wall_seconds(self, seconds: float) -> float:
        return seconds


def proposal(plan: VerificationPlan = PLAN) -> Proposal:
    call = ActionCall(action="revert_commit", environment="prod", arguments={})
    return Proposal(
        id="p1", investigation_id="i1", call=call, title="Revert", reason="", runbook="",
        trade_off="", confidence=0.9, cause="slow_query", novel=False, requester="sre-bot",
        verification=plan,
    )  # fmt: skip


def seen(recovered_after_min: float, rollout_min: float | None) -> Snapshot:
    """Return a signal that is good again some time after acting, and perhaps a rollout."""
    times = tuple((ACTED + timedelta(minutes=m)).timestamp() for m in range(-15, 40))
    values = tuple(0.2 if m > recovered_after_min else 4.0 for m in range(-15, 40))
    series = Series(
        signal="latency_p99", service="checkout", times=times, values=values, unit="s",
        source=SOURCE,
    )  # fmt: skip
    objects: list[KubernetesObject] = [
        thing("Deployment", {"spec": {"replicas": 2}, "status": {"readyReplicas": 2}})
    ]
    if rollout_min is not None:
        made = (ACTED + timedelta(minutes=rollout_min)).isoformat()
        owners = [{"kind": "Deployment", "name": "checkout"}]
        metadata = {"creationTimestamp": made, "ownerReferences": owners}
        objects.append(thing("ReplicaSet", {"metadata": metadata}))
    return Snapshot(
        environment="prod", window=Window.last(60, before=NOW), now=NOW, series=(series,),
        objects=tuple(objects),
    )  # fmt: skip


def thing(kind: str, body: dict[str, Any]) -> KubernetesObject:
    return KubernetesObject(kind=kind, namespace="shop", name="checkout", body=body, source=SOURCE)


async def look(facts: Snapshot, plan: VerificationPlan = PLAN) -> Any:
    collector: Any = Facts(facts)
    watch = Watch(collectors={"prod": collector}, clock=Clock(), every_s=30.0)
    return await watch.look(proposal(plan), ACTED)


async def test_a_recovery_before_the_rollout_is_not_the_pull_requests() -> None:
    found = await look(seen(recovered_after_min=5, rollout_min=None))
    assert found.outcome is Outcome.UNCHANGED
    assert found.statement == "no rollout of checkout followed yet"
    before = await look(seen(recovered_after_min=5, rollout_min=-10))
    assert before.outcome is Outcome.UNCHANGED


async def test_from_the_rollout_on_the_signal_decides() -> None:
    assert (await look(seen(22, rollout_min=20))).outcome is Outcome.RECOVERED
    still_bad = await look(seen(99, rollout_min=20))
    assert still_bad.outcome is Outcome.UNCHANGED
    assert "was 4 s" in still_bad.statement


async def test_without_a_rollout_to_wait_for_it_is_judged_at_once() -> None:
    plan = replace(PLAN, rollout_of="")
    assert (await look(seen(5, rollout_min=None), plan)).outcome is Outcome.RECOVERED


async def test_a_rollout_is_asked_for_by_what_tells_of_it() -> None:
    collector: Any = Facts(seen(5, 1))
    await Watch(collectors={"prod": collector}, clock=Clock(), every_s=1).look(proposal(), ACTED)
    assert [need.names for need in collector.asked][-1] == ("Deployment", "ReplicaSet")
