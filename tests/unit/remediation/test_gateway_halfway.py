"""An action of two writes that died between them is finished under the same key, not refused."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.action import Applied, DryRun, ExecutionStatus, Level, Target
from bot.domain.errors import Unavailable
from tests.fakes.actions import Arguments, SetNumber
from tests.unit.remediation.office import KEY, UNDO, Office


class Died(Exception):
    """The process was killed."""


class TwoWrites(SetNumber):
    """Sets the number, then says so in a second object; `dies` in between."""

    dies = True

    async def find(self, args: Arguments, key: str) -> Applied | None:
        second = self.cluster.get("notice")
        return await super().find(args, key) if key in second.keys else None

    async def begun(self, args: Arguments, key: str) -> bool:
        return key in self.cluster.get(args.name).keys

    async def dry_run(self, args: Arguments) -> DryRun:
        changes = self.cluster.get(args.name).value != args.value
        return replace(await super().dry_run(args), ok=changes)

    async def apply(self, args: Arguments, target: Target, key: str) -> Applied:
        if key not in self.cluster.get(args.name).keys:
            self.cluster.write(args.name, args.value, key, target)
        if type(self).dies:
            raise Died
        self.cluster.get("notice").keys.add(key)
        return Applied(changed=True, detail="both written")


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    from tests.fakes.actions import FakeObject

    office = Office()
    office.cluster.objects["notice"] = FakeObject(name="notice")
    kind: Any = type("TwoWritesHere", (TwoWrites,), {"cluster": office.cluster})
    monkeypatch.setattr("tests.unit.remediation.office.family", lambda _: {"set_number": kind})
    monkeypatch.setattr(TwoWrites, "dies", True)
    return office


async def test_the_second_half_is_done_after_the_crash(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.staged_at(Level.L3)
    await office.approve()
    with pytest.raises(Died):
        await office.execute()
    monkeypatch.setattr(TwoWrites, "dies", False)
    acted = await office.execute()
    assert acted.execution is not None
    assert acted.execution.status is ExecutionStatus.APPLIED
    assert office.writes == [(KEY, "checkout", 40)]
    assert KEY in office.cluster.objects["notice"].keys


async def test_the_second_half_of_an_undo_is_done_after_the_crash(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.staged_at(Level.L3)
    await office.approve()
    monkeypatch.setattr(TwoWrites, "dies", False)
    await office.execute()
    monkeypatch.setattr(TwoWrites, "dies", True)
    with pytest.raises(Died):
        await office.gateway().undo(KEY)
    monkeypatch.setattr(TwoWrites, "dies", False)
    acted = await office.gateway().undo(KEY)
    assert acted.execution is not None
    assert (acted.execution.key, acted.execution.status) == (UNDO, ExecutionStatus.APPLIED)
    assert office.actions.executions[KEY].status is ExecutionStatus.UNDONE
    assert office.writes == [(KEY, "checkout", 40), (UNDO, "checkout", 41)]
    assert office.cluster.objects["notice"].keys == {KEY, UNDO}
    assert office.switches.failures == {}


async def test_the_second_half_is_not_done_when_everything_was_stopped_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.staged_at(Level.L3)
    await office.approve()
    with pytest.raises(Died):
        await office.execute()
    monkeypatch.setattr(TwoWrites, "dies", False)
    office.switches.on = True
    assert (await office.execute()).refused
    assert KEY not in office.cluster.objects["notice"].keys


async def test_a_target_that_somebody_else_changed_is_still_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.staged_at(Level.L3)
    await office.approve()
    office.cluster.refuses = Unavailable("cluster", "no answer")  # nothing is written
    await office.execute()
    office.cluster.refuses = None
    office.cluster.objects["checkout"].value = 7
    monkeypatch.setattr(TwoWrites, "dies", False)
    acted = await office.execute()
    assert acted.refused
    assert office.writes == []
