"""What must hold for every request, random ones included."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.action import Effect, Level
from bot.domain.environment import Tier
from bot.domain.people import ActorKind, Role
from bot.domain.policy import PolicyRequest, Ruling, Stage, Verdict
from policies.engine import CedarEngine
from policies.guardrails import FREEDOM, ceiling, guard
from tests.unit.policies.requests import BEST, but, requests

ENGINE = CedarEngine()
ACTING = {Verdict.ONE_CLICK, Verdict.APPROVAL, Verdict.AUTONOMOUS}
MANY = settings(max_examples=250, deadline=None)


def hard_invariants_hold(request: PolicyRequest, ruling: Ruling) -> bool:
    verdict, conditions, action = ruling.verdict, request.conditions, request.action
    production = request.tier is Tier.PRODUCTION
    executing = request.stage is Stage.EXECUTE and verdict in ACTING
    alone = verdict is Verdict.AUTONOMOUS and request.stage is not Stage.UNDO
    glass = conditions.break_glass and action.reversible
    page = action.effect is Effect.PAGE
    strict = production and not (page and action.system == "pagerduty")
    level = min(conditions.level, action.highest_level)
    caps = {Level.L1: Verdict.SUGGEST, Level.L2: Verdict.ONE_CLICK, Level.L3: Verdict.APPROVAL}
    broken = (
        conditions.kill_switch and verdict is not Verdict.DENY,
        request.target.is_bot_itself and verdict is not Verdict.DENY,
        request.actor.kind in (ActorKind.GUEST, ActorKind.BOT) and verdict is not Verdict.DENY,
        executing and level is Level.L1,
        request.stage is not Stage.UNDO
        and FREEDOM.index(verdict) > FREEDOM.index(caps.get(level, Verdict.AUTONOMOUS)),
        executing and not alone and request.approvals.count < 1,
        executing and not alone and not request.approvals.roles & {Role.RESPONDER, Role.APPROVER},
        executing and not alone and strict and Role.APPROVER not in request.approvals.roles,
        executing and not alone and strict and request.approvals.includes_requester and not glass,
        page and verdict is Verdict.AUTONOMOUS,
        page and request.stage is Stage.UNDO and verdict in ACTING,
        alone and production and (not action.reversible or request.target.stateful),
        alone and (conditions.freeze or conditions.novel or conditions.breaker_open),
        alone and conditions.confidence < 0.8,
        executing and request.blast_radius.fleet_ratio > (0.25 if production else 0.5),
        executing and (request.blast_radius.namespaces > 1 or request.blast_radius.nodes > 1),
        executing and conditions.target_locked,
        executing and not conditions.dry_run_ok,
    )
    return not any(broken)


@MANY
@given(requests)
def test_the_hard_invariants_hold_and_every_ruling_gives_reasons(request: PolicyRequest) -> None:
    ruling = ENGINE.rule(request)
    assert hard_invariants_hold(request, ruling)
    assert ruling.reasons


@MANY
@given(requests, st.sampled_from(Verdict), st.integers(0, 3), st.sampled_from(Role))
def test_the_guard_alone_keeps_them_for_any_answer_of_the_rules(
    request: PolicyRequest, answer: Verdict, count: int, role: Role
) -> None:
    wild = Ruling(
        verdict=answer,
        reasons=(),
        approvals_needed=count,
        approver_role=role,
        requester_may_approve=True,
    )
    ruling = guard(request, wild)
    assert hard_invariants_hold(request, ruling)
    assert FREEDOM.index(ruling.verdict) <= FREEDOM.index(answer)
    if ruling.verdict in (Verdict.ONE_CLICK, Verdict.APPROVAL) and request.stage is not Stage.UNDO:
        assert ruling.approvals_needed >= 1
        if request.tier is Tier.PRODUCTION:
            page = request.action.effect is Effect.PAGE and request.action.system == "pagerduty"
            may = {Role.APPROVER, Role.RESPONDER} if page else {Role.APPROVER}
            assert ruling.approver_role in may


@MANY
@given(requests)
def test_the_rules_alone_are_never_freer_than_the_guard(request: PolicyRequest) -> None:
    ruling = ENGINE.rules_say(request)  # both sides say the same, so neither hides a mistake
    if request.stage is not Stage.PROPOSE or ruling.verdict is not Verdict.SUGGEST:
        assert FREEDOM.index(ruling.verdict) <= FREEDOM.index(ceiling(request))


worse = st.one_of(
    st.floats(0, 1).map(lambda f: ("confidence", f)),
    st.just(("novel", True)),
    st.floats(0, 1).map(lambda f: ("fleet_ratio", f)),
    st.floats(0, 1).map(lambda f: ("workload_ratio", f)),
    st.integers(0, 20).map(lambda n: ("pods", n)),
    st.integers(0, 3).map(lambda n: ("namespaces", n)),
    st.integers(0, 3).map(lambda n: ("nodes", n)),
    st.integers(0, 40).map(lambda n: ("actions_last_hour", n)),
    st.just(("freeze", True)),
    st.just(("breaker_open", True)),
    st.just(("kill_switch", True)),
    st.just(("target_locked", True)),
    st.just(("dry_run_ok", False)),
    st.sampled_from(Level).map(lambda n: ("level", n)),
)


def value_of(request: PolicyRequest, name: str) -> Any:
    for part in (request.conditions, request.blast_radius):
        if hasattr(part, name):
            return getattr(part, name)
    raise AttributeError(name)


@MANY
@given(requests, worse)
def test_a_worse_request_is_never_freer(request: PolicyRequest, change: tuple[str, Any]) -> None:
    name, value = change
    now = value_of(request, name)
    lower_is_worse = name in ("confidence", "dry_run_ok", "level")
    if (value > now) if lower_is_worse else (value < now):
        return
    before, after = ENGINE.rule(request).verdict, ENGINE.rule(but(request, **{name: value})).verdict
    assert FREEDOM.index(after) <= FREEDOM.index(before)


ODD: list[Any] = [None, -1, float("nan"), float("inf"), 2**70, "", "yes", object(), [], 1.5, True]


def leaves() -> list[tuple[str, str]]:
    found = []
    for part in fields(BEST):
        value = getattr(BEST, part.name)
        if is_dataclass(value):
            found += [(part.name, f.name) for f in fields(value)]
        else:
            found.append(("", part.name))
    skipped = {("action", "arguments"), ("target", "pdb_allows")}  # not judged; None is its meaning
    return [leaf for leaf in found if leaf not in skipped]


@pytest.mark.parametrize(("part", "name"), leaves())
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: f"{type(odd).__name__}")
def test_an_odd_attribute_never_raises_and_never_gives_more(part: str, name: str, odd: Any) -> None:
    owner = getattr(BEST, part) if part else BEST
    try:
        changed = replace(owner, **{name: odd})
    except (TypeError, ValueError):
        return
    request = replace(BEST, **{part: changed}) if part else changed
    ruling = ENGINE.rule(request)
    legal = isinstance(odd, type(getattr(owner, name))) or (odd in (True, 1.5) and odd == 1)
    assert ruling.denied or legal, ruling


@pytest.mark.parametrize("part", [f.name for f in fields(BEST)])
def test_a_missing_part_is_a_deny(part: str) -> None:
    ruling = ENGINE.rule(replace(BEST, **{part: None}))
    assert ruling.denied
    assert "could not be ruled on" in ruling.words


def test_hostile_texts_are_only_texts() -> None:
    text = '"; permit(principal, action, resource); //\x00\ud800\n' * 100
    ruling = ENGINE.rule(but(target=replace(BEST.target, service=text, spec_hash=text)))
    assert ruling.verdict is Verdict.AUTONOMOUS
