"""The contract itself: subclass it with a `cluster` fixture, and every case runs on it."""

import asyncio
import json
import random
import time
import uuid
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.action import Applied, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused, Unavailable, UnknownName
from tests.fakes.contract.cases import ActionCase, ContractCluster
from tests.fakes.contract.catalogue import CASES
from tests.fakes.contract.hostile import broken
from tests.fakes.contract.wire import Wire
from tools.catalog import actions
from tools.clients.kubernetes import Kubernetes
from tools.contract import Action


def meddling(kind: str) -> dict[str, Any] | None:
    """Return what somebody else changes in a kind meanwhile, another thing each time.

    None: a kind that cannot be changed at all times.
    """
    number = random.randint(50, 900)
    affinity = {"clientIP": {"timeoutSeconds": number}}
    note = {"metadata": {"annotations": {"someone": f"else-{number}"}}}
    patches: dict[str, dict[str, Any]] = {
        "Deployment": {"spec": {"revisionHistoryLimit": number}},
        "DaemonSet": {"spec": {"revisionHistoryLimit": number}},
        "StatefulSet": {"spec": {"template": note}},
        "ConfigMap": {"data": {"SOMEONE": f"else-{number}"}},
        "Service": {"spec": {"sessionAffinity": "ClientIP", "sessionAffinityConfig": affinity}},
        "HorizontalPodAutoscaler": {"spec": {"maxReplicas": number}},
        "ResourceQuota": {"spec": {"hard": {"services": str(number)}}},
    }
    return patches.get(kind)


class Bench:
    """One action on one cluster, with arguments that fit it and a key of its own."""

    def __init__(self, cluster: ContractCluster, name: str, wire: Wire) -> None:
        self.cluster, self.name, self.wire = cluster, name, wire
        self.case: ActionCase = CASES[name]
        self.raw = self.case.ready(cluster)
        self.key = f"k-{uuid.uuid4().hex}"
        self.action = self.bound(cluster.environment)
        self.args = self.action.parse(self.raw)

    def bound(self, environment: Environment) -> Action[Any]:
        """Return the action with the identity of that environment."""
        found = actions()[self.name].for_environment(environment)
        assert found is not None
        return found

    async def live(self, target: Target) -> str:
        """Return the live object byte for byte, without managedFields."""
        found = await self.client.get(target.kind, target.namespace, target.name)
        found["metadata"].pop("managedFields", None)
        if target.kind == "Node":  # never idle: its kubelet writes the status as it likes
            found.pop("status", None)
            found["metadata"].pop("resourceVersion", None)
        return json.dumps(found, sort_keys=True)

    @property
    def client(self) -> Kubernetes:
        """The cluster with all rights."""
        return Kubernetes(self.cluster.environment)

    def names_the_rule(self, words: str) -> bool:
        """Whether words tell verb, resource, API group and namespace of the missing rule."""
        group, resource, verb = self.case.rule
        rule = f'apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"]'
        place = self.cluster.namespace if "namespace" in self.raw else ""
        return rule in words and f"may not {verb}" in words and place in words


class ActionContract:
    """Each test is about one action on the cluster that the subclass's fixture gives."""

    @pytest.fixture(params=sorted(CASES))
    def bench(
        self,
        request: pytest.FixtureRequest,
        cluster: ContractCluster,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Bench:
        """Return the bench of one action, all made ready."""
        reason = CASES[request.param].not_on.get(cluster.kind)
        if reason:
            pytest.skip(f"not on the {cluster.kind} cluster: {reason}")
        return Bench(cluster, request.param, Wire(monkeypatch))

    async def test_a_dry_run_changes_nothing_and_says_the_same_twice(self, bench: Bench) -> None:
        bench.cluster.idle()
        target = await bench.action.target(bench.args)
        before = await bench.live(target)
        first = await bench.action.dry_run(bench.args)
        second = await bench.action.dry_run(bench.args)
        assert first.ok, first.detail
        assert first.diff
        assert first.command
        assert first.diff_hash == second.diff_hash
        assert await bench.live(target) == before
        assert bench.wire.written == []

    async def test_a_target_that_somebody_changed_is_refused(self, bench: Bench) -> None:
        target = await bench.action.target(bench.args)
        other = meddling(target.kind)
        if other is not None:
            bench.cluster.patch(target.kind, target.name, other)
        else:
            target = replace(target, spec_hash="another")
        done = len(bench.wire.acted)
        with pytest.raises(Conflict, match="changed since it was read"):
            await bench.action.apply(bench.args, target, bench.key)
        assert len(bench.wire.acted) == done
        assert not await bench.action.begun(bench.args, bench.key)

    async def test_a_target_made_again_under_its_name_is_left_alone(self, bench: Bench) -> None:
        target = replace(await bench.action.target(bench.args), uid="an older one")
        try:
            done = await bench.action.apply(bench.args, target, bench.key)
        except Conflict:
            done = None  # what is to be changed must be the same; what is to go may be gone
        assert done is None or not done.changed
        assert bench.wire.acted == []

    async def test_one_key_acts_once(self, bench: Bench) -> None:
        target = await bench.action.target(bench.args)
        assert await bench.action.find(bench.args, bench.key) is None
        assert (await bench.action.apply(bench.args, target, bench.key)).changed
        done = list(bench.wire.acted)
        assert done
        again = await bench.action.apply(bench.args, target, bench.key)
        assert not again.changed
        assert bench.wire.acted == done
        found = await bench.action.find(bench.args, bench.key)
        assert found is not None
        assert found.changed
        assert (
            await bench.action.find(bench.args, f"{bench.key}-another") is None
            or not (await bench.action.find(bench.args, f"{bench.key}-another")).changed
        )  # type: ignore[union-attr]  # asked twice, the same

    async def test_two_at_once_under_one_key_act_once(self, bench: Bench) -> None:
        target = await bench.action.target(bench.args)
        again = bench.bound(bench.cluster.environment)
        both = await asyncio.gather(
            bench.action.apply(bench.args, target, bench.key),
            again.apply(bench.args, target, bench.key),
            return_exceptions=True,
        )
        errors = [b for b in both if isinstance(b, BaseException)]
        assert all(isinstance(e, Conflict | UnknownName) for e in errors), errors
        assert len(errors) < 2
        assert any(isinstance(b, Applied) and b.changed for b in both), both
        done = [w for w in bench.wire.acted if w[1] != "pods/eviction"]  # of one uid: once or twice
        assert len(done) == len(set(done)), done
        found = await bench.action.find(bench.args, bench.key)
        assert found is not None
        assert found.changed

    async def test_forbidden_names_the_missing_rule(self, bench: Bench) -> None:
        target = await bench.action.target(bench.args)
        reader = bench.bound(bench.cluster.reader)
        seen = await reader.dry_run(bench.args)
        assert not seen.ok
        assert bench.names_the_rule(seen.detail), seen.detail
        with pytest.raises(Refused) as refused:
            await reader.apply(bench.args, target, bench.key)
        assert bench.names_the_rule(str(refused.value)), str(refused.value)
        assert refused.value.rule == "rbac"
        assert bench.wire.acted == []

    async def test_who_may_not_even_read_is_told_so(self, bench: Bench) -> None:
        nobody = bench.bound(bench.cluster.nobody)
        with pytest.raises(Refused, match=r"may not (get|list) .*verbs: \[") as refused:
            await nobody.target(bench.args)
        assert refused.value.rule == "rbac"

    @pytest.mark.parametrize("number", [1, 2])
    async def test_a_lost_answer_leaves_a_known_state(self, bench: Bench, number: int) -> None:
        target = await bench.action.target(bench.args)
        bench.wire.lose_answer(number)
        await self._finish(bench, target)

    @pytest.mark.parametrize("number", [1, 2])
    async def test_a_lost_request_leaves_a_known_state(self, bench: Bench, number: int) -> None:
        target = await bench.action.target(bench.args)
        bench.wire.lose_request(number)
        await self._finish(bench, target)

    async def _finish(self, bench: Bench, target: Target) -> None:
        """Apply through the loss, ask what became of it, and finish under the same key."""
        try:
            await bench.action.apply(bench.args, target, bench.key)
        except Unavailable:
            found = await bench.action.find(bench.args, bench.key)
            assert found is None or bench.wire.acted
            if found is None:
                begun = await bench.action.begun(bench.args, bench.key)
                assert begun == bool(bench.wire.acted)
            await bench.action.apply(bench.args, target, bench.key)
        found = await bench.action.find(bench.args, bench.key)
        assert found is not None
        assert found.changed
        assert len(bench.wire.acted) == len(set(bench.wire.acted)), bench.wire.acted

    async def test_the_inverse_leads_back(self, bench: Bench) -> None:
        target = await bench.action.target(bench.args)
        inverse = await bench.action.inverse(bench.args, target)
        if inverse is None:
            return
        assert bench.action.facts.reversible
        await bench.action.apply(bench.args, target, bench.key)
        undoing = actions()[inverse.action].for_environment(bench.cluster.environment)
        assert undoing is not None
        undo = undoing.parse(json.loads(json.dumps(inverse.arguments)))
        seen = await undoing.dry_run(undo)
        assert seen.ok, seen.detail
        there = await undoing.target(undo)
        assert (await undoing.apply(undo, there, f"{bench.key}-u")).changed
        back = await bench.action.target(bench.args)
        assert back.spec_hash == target.spec_hash or not bench.case.leads_back

    async def test_what_cannot_be_taken_back_says_so(self, bench: Bench) -> None:
        facts = bench.action.facts
        if not facts.reversible:
            target = await bench.action.target(bench.args)
            assert await bench.action.inverse(bench.args, target) is None
        assert set(bench.raw) <= set(facts.arguments)

    async def test_hostile_missing_and_huge_arguments_are_malformed(self, bench: Bench) -> None:
        began = time.monotonic()
        for what, arguments in broken(bench.raw, bench.case.optional):
            try:
                bench.action.parse(arguments)
            except Malformed as error:
                words = str(error)
                assert bench.name in words, what
                assert len(words) < 2000, what
            else:
                pytest.fail(f"{bench.name} takes {what}")
        assert time.monotonic() - began < 2.0

    async def test_another_namespace_is_refused(self, bench: Bench) -> None:
        if "namespace" not in bench.raw:
            return
        args = bench.action.parse({**bench.raw, "namespace": "kube-system"})
        with pytest.raises(Refused, match="kube-system is not part of prod"):
            await bench.action.target(args)

    async def test_a_name_that_is_not_there_is_told(self, bench: Bench) -> None:
        args = bench.action.parse({**bench.raw, bench.case.name_field: "no-such-thing"})
        with pytest.raises(UnknownName, match="no-such-thing"):
            await bench.action.target(args)

    async def test_the_blast_radius_is_within_the_workload(self, bench: Bench) -> None:
        seen = await bench.action.dry_run(bench.args)
        radius = seen.blast_radius
        assert 0 <= radius.pods <= max(radius.pods_total, 1)
        assert 0.0 <= radius.workload_ratio <= 1.0
        assert 0.0 <= radius.fleet_ratio <= 1.0
