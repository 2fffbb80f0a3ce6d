"""What the rules and the guard together allow."""

from typing import Any

import pytest

from bot.domain.action import Effect, Level
from bot.domain.environment import Tier
from bot.domain.people import ActorKind, Role
from bot.domain.policy import Ruling, Stage, Verdict
from policies.engine import CedarEngine
from tests.unit.policies.requests import BEST, approved, but, person

APPROVER, RESPONDER, ADMINISTRATOR = Role.APPROVER, Role.RESPONDER, Role.ADMINISTRATOR


@pytest.fixture(scope="module")
def engine() -> CedarEngine:
    return CedarEngine()


def rules(ruling: Ruling) -> set[str]:
    return {reason.rule.removeprefix("guard:") for reason in ruling.reasons}


@pytest.mark.parametrize(
    ("level", "verdict"),
    [
        (Level.L1, Verdict.SUGGEST),
        (Level.L2, Verdict.ONE_CLICK),
        (Level.L3, Verdict.APPROVAL),
        (Level.L4, Verdict.AUTONOMOUS),
    ],
)
@pytest.mark.parametrize("tier", Tier)
def test_the_level_says_how_much_is_offered(
    engine: CedarEngine, level: Level, verdict: Verdict, tier: Tier
) -> None:
    assert engine.rule(but(level=level, tier=tier)).verdict is verdict


@pytest.mark.parametrize("level", [Level.L2, Level.L3])
def test_production_asks_one_approver_who_is_not_the_requester_whatever_the_level(
    engine: CedarEngine, level: Level
) -> None:
    ruling = engine.rule(but(level=level))
    assert (ruling.approvals_needed, ruling.approver_role) == (1, APPROVER)
    assert not ruling.requester_may_approve


@pytest.mark.parametrize("tier", [Tier.STAGING, Tier.DEVELOPMENT])
def test_elsewhere_one_responder_is_enough_and_may_be_the_requester(
    engine: CedarEngine, tier: Tier
) -> None:
    ruling = engine.rule(but(level=Level.L3, tier=tier))
    assert (ruling.approvals_needed, ruling.approver_role) == (1, RESPONDER)
    assert ruling.requester_may_approve


PAGE = {
    "name": "acknowledge_incident", "effect": Effect.PAGE, "system": "pagerduty",
    "reversible": False, "highest_level": Level.L3,
}  # fmt: skip


@pytest.mark.parametrize("level", [Level.L2, Level.L3, Level.L4])
@pytest.mark.parametrize("tier", Tier)
def test_a_page_takes_one_responder_who_may_have_asked_in_every_environment(
    engine: CedarEngine, level: Level, tier: Tier
) -> None:
    ruling = engine.rule(but(level=level, tier=tier, **PAGE))
    assert ruling.verdict in (Verdict.ONE_CLICK, Verdict.APPROVAL)
    assert (ruling.approvals_needed, ruling.approver_role) == (1, RESPONDER)
    assert ruling.requester_may_approve
    alone = approved(1, RESPONDER, requester=True)
    acting = engine.rule(but(stage=Stage.EXECUTE, level=level, tier=tier, approvals=alone, **PAGE))
    assert not acting.denied
    assert "break-glass" not in rules(acting)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"approvals": approved(0)}, "prod-page-decision"),
        ({"approvals": approved(2, Role.OBSERVER, requester=True)}, "prod-page-decision"),
        ({"approvals": approved(2, ADMINISTRATOR)}, "prod-page-decision"),
        ({"system": "pigeons"}, "prod-approver"),  # any other system's: as any action
        ({"effect": Effect.CONFIG}, "prod-two-people"),  # whatever else is done in PagerDuty
        ({"kill_switch": True}, "kill-switch"),
        ({"target_locked": True}, "target-held"),
        ({"break_glass": True}, "break-glass-reversible-only"),
        ({"level": Level.L1}, "default-deny"),
    ],
)
def test_a_page_in_production_is_refused_still(
    engine: CedarEngine, change: dict[str, Any], rule: str
) -> None:
    own = approved(1, RESPONDER, requester=True)
    ruling = engine.rule(but(**({"stage": Stage.EXECUTE, "approvals": own} | PAGE | change)))
    assert ruling.denied
    assert rule in rules(ruling)


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("system", ["pagerduty", "pigeons"])
def test_no_page_is_answered_or_taken_back_by_the_bot_itself(
    engine: CedarEngine, tier: Tier, system: str
) -> None:
    freest = PAGE | {"system": system, "reversible": True, "highest_level": Level.L4}
    for stage in (Stage.PROPOSE, Stage.EXECUTE):
        ruling = engine.rule(but(stage=stage, tier=tier, **freest))
        assert ruling.verdict in (Verdict.DENY, Verdict.APPROVAL)
        assert ruling.denied or stage is Stage.PROPOSE
    undo = engine.rule(but(stage=Stage.UNDO, tier=tier, **freest))
    assert undo.denied
    assert "page-not-undone" in rules(undo)


def test_the_highest_level_of_an_action_caps_its_level(engine: CedarEngine) -> None:
    assert engine.rule(but(highest_level=Level.L3)).verdict is Verdict.APPROVAL
    assert engine.rule(but(highest_level=Level.L2)).verdict is Verdict.ONE_CLICK
    assert engine.rule(but(highest_level=Level.L1)).verdict is Verdict.SUGGEST


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"confidence": 0.79}, "low-confidence"),
        ({"novel": True}, "novel-incident"),
        ({"freeze": True}, "freeze"),
        ({"breaker_open": True}, "breaker-open"),
        ({"reversible": False}, "prod-irreversible-needs-a-person"),
        ({"stateful": True}, "prod-stateful-needs-a-person"),
        ({"calibrated": False, "approved_before_and_verified": False},
         "prod-unproven-needs-a-person"),
        ({"workload_ratio": 0.5}, "autonomy-blast-production"),
        ({"fleet_ratio": 0.2}, "autonomy-blast-production"),
        ({"actions_last_hour": 5}, "autonomy-hourly"),
        ({"pdb_allows": 2}, "pdb-exhausted"),
        ({"target_locked": True}, "target-held-no-autonomy"),
        ({"nodes": 1}, "autonomy-no-node"),
    ],
)  # fmt: skip
def test_autonomy_falls_back_to_approval_and_says_why(
    engine: CedarEngine, change: dict[str, Any], rule: str
) -> None:
    ruling = engine.rule(but(**change))
    assert ruling.verdict is Verdict.APPROVAL
    assert rule in rules(ruling)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"kill_switch": True}, "kill-switch"),
        ({"is_bot_itself": True}, "never-itself"),
        ({"actor": person(APPROVER, kind=ActorKind.BOT)}, "people-only"),
        ({"actor": person(APPROVER, kind=ActorKind.GUEST)}, "people-only"),
    ],
)
def test_nothing_at_all_is_allowed(
    engine: CedarEngine, stage: Stage, change: dict[str, Any], rule: str
) -> None:
    ruling = engine.rule(but(stage=stage, approvals=approved(3, APPROVER), **change))
    assert ruling.denied
    assert rule in rules(ruling)


@pytest.mark.parametrize(
    "change",
    [{"fleet_ratio": 0.26}, {"namespaces": 2}, {"nodes": 2}, {"actions_last_hour": 30},
     {"gitops_owner": "argocd"}, {"dry_run_ok": False}],
)  # fmt: skip
def test_beyond_the_hard_caps_even_approved_actions_do_not_run(
    engine: CedarEngine, change: dict[str, Any]
) -> None:
    offered = engine.rule(but(level=Level.L3, **change))
    acting = engine.rule(
        but(level=Level.L3, stage=Stage.EXECUTE, approvals=approved(1, APPROVER), **change)
    )
    assert (offered.verdict, acting.verdict) == (Verdict.SUGGEST, Verdict.DENY)


def execute(engine: CedarEngine, **changes: Any) -> Verdict:
    return engine.rule(but(stage=Stage.EXECUTE, **changes)).verdict


def test_at_level_one_nothing_executes_even_when_approved(engine: CedarEngine) -> None:
    given = approved(3, APPROVER, RESPONDER)
    assert execute(engine, level=Level.L1, approvals=given) is Verdict.DENY


def test_below_level_four_nothing_executes_without_a_decision(engine: CedarEngine) -> None:
    assert execute(engine, level=Level.L2) is Verdict.DENY
    assert execute(engine, level=Level.L3) is Verdict.DENY
    assert execute(engine, level=Level.L3, approvals=approved(1, APPROVER)) is Verdict.APPROVAL
    assert execute(engine, level=Level.L2, approvals=approved(1, APPROVER)) is Verdict.ONE_CLICK
    assert execute(engine) is Verdict.AUTONOMOUS


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (approved(1, APPROVER), True),
        (approved(1, RESPONDER), False),
        (approved(2, ADMINISTRATOR), False),
        (approved(1, APPROVER, requester=True), False),
        (approved(2, APPROVER, RESPONDER), True),
    ],
)
def test_whose_decision_counts_in_production(
    engine: CedarEngine, given: Any, allowed: bool
) -> None:
    verdict = execute(engine, level=Level.L3, approvals=given)
    assert verdict is (Verdict.APPROVAL if allowed else Verdict.DENY)


@pytest.mark.parametrize("tier", [Tier.STAGING, Tier.DEVELOPMENT])
@pytest.mark.parametrize("role", Role)
def test_whose_decision_counts_elsewhere(engine: CedarEngine, tier: Tier, role: Role) -> None:
    given = approved(1, role, requester=True)
    verdict = execute(engine, level=Level.L3, tier=tier, approvals=given)
    counts = role in (RESPONDER, APPROVER)
    assert verdict is (Verdict.APPROVAL if counts else Verdict.DENY)


def test_break_glass_lets_the_requester_approve_what_can_be_taken_back(
    engine: CedarEngine,
) -> None:
    alone: dict[str, Any] = {"level": Level.L3, "break_glass": True}
    alone["approvals"] = approved(1, APPROVER, requester=True)
    assert execute(engine, **alone) is Verdict.APPROVAL
    assert execute(engine, reversible=False, **alone) is Verdict.DENY


def test_an_approved_mitigation_passes_a_freeze_an_open_breaker_and_novelty(
    engine: CedarEngine,
) -> None:
    verdict = execute(
        engine, freeze=True, breaker_open=True, novel=True, approvals=approved(1, APPROVER)
    )
    assert verdict is Verdict.APPROVAL


def test_a_held_target_is_waited_for(engine: CedarEngine) -> None:
    given = approved(1, APPROVER)
    ruling = engine.rule(but(stage=Stage.EXECUTE, target_locked=True, approvals=given))
    assert ruling.denied
    assert "wait until it is given back" in ruling.words


def test_an_undo_passes_a_lower_level_a_freeze_and_an_open_breaker(engine: CedarEngine) -> None:
    ruling = engine.rule(
        but(stage=Stage.UNDO, level=Level.L1, freeze=True, breaker_open=True, novel=True)
    )
    assert ruling.verdict is Verdict.AUTONOMOUS


@pytest.mark.parametrize(
    ("actor", "verdict"),
    [
        (person(RESPONDER), Verdict.ONE_CLICK),
        (person(APPROVER), Verdict.ONE_CLICK),
        (person(Role.OBSERVER), Verdict.DENY),
        (person(), Verdict.DENY),
    ],
)
def test_who_may_take_an_action_back(engine: CedarEngine, actor: Any, verdict: Verdict) -> None:
    assert engine.rule(but(stage=Stage.UNDO, actor=actor)).verdict is verdict


def test_unknown_names_are_denied() -> None:
    engine = CedarEngine(environments=["prod"], actions=["rollback_deployment"])
    assert not engine.rule(BEST).denied
    assert "unknown-action" in rules(engine.rule(but(action=but(name="rm_rf").action)))
    elsewhere = but(environment="moon")
    assert "unknown-environment" in rules(engine.rule(elsewhere))
