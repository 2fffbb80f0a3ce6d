"""A rule may demand that an action was approved and verified here before it runs by itself."""

import shutil
from pathlib import Path

import pytest

from bot.domain.action import Level, Outcome, Verification
from bot.domain.policy import Verdict
from policies.engine import CedarEngine
from policies.rulebook import RULES
from tests.fakes.actions import FakeObject
from tests.unit.remediation.office import ID, KEY, Office

RULE = """
@id("dev-proven-first")
@reason("this was never approved and verified in development")
forbid (principal, action == Action::"autonomous", resource)
when { context.tier == "development" && !context.approvedBeforeAndVerified };
"""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    (rules / "development.cedar").write_text(RULE, "utf-8")
    return Office(environment="dev", engine=CedarEngine(rules))


async def verdict(office: Office, number: int, name: str, value: int) -> Verdict:
    call = office.proposal().call
    other = type(call)(
        action=call.action, environment=call.environment, arguments={"name": name, "value": value}
    )
    proposal = office.proposal(id=f"inv-{number}-p1", call=other)
    return (await office.gateway().stage(proposal)).ruling.verdict


async def seen_through(office: Office, outcome: Outcome) -> None:
    assert (await office.staged_at(Level.L4)).ruling.verdict is Verdict.APPROVAL
    assert (await office.execute()).refused, "nobody approved it yet"
    assert (await office.approve()).accepted
    assert (await office.execute()).execution is not None
    seen = Verification(
        execution_key=KEY, outcome=outcome, statement="", value=None, checked_at=office.clock.now()
    )
    await office.gateway().settle(seen)
    await office.gateway().release(KEY)


async def test_once_proven_it_runs_by_itself_with_other_arguments_too(office: Office) -> None:
    office.cluster.objects["cart"] = FakeObject(name="cart", value=3)
    await seen_through(office, Outcome.RECOVERED)
    assert await verdict(office, 2, "checkout", 39) is Verdict.AUTONOMOUS
    assert await verdict(office, 3, "cart", 39) is Verdict.APPROVAL, "another target"


async def test_what_did_not_help_proves_nothing(office: Office) -> None:
    await seen_through(office, Outcome.UNCHANGED)
    assert await verdict(office, 2, "checkout", 39) is Verdict.APPROVAL
    assert ID in office.actions.proposals
