"""The hard guard in code: whatever the rules say, these invariants hold. Pure.

The engine's ruling is the lesser of the rules' answer and `ceiling` here, so a mistake in a rule
file can make the bot do less, never more.
"""

from collections.abc import Iterator
from dataclasses import replace

from bot.domain.action import Level
from bot.domain.environment import Tier
from bot.domain.people import ActorKind, Role
from bot.domain.policy import PolicyRequest, Reason, Ruling, Stage, Verdict

FREEDOM = tuple(Verdict)  # declared from least to most freedom
BY_LEVEL = {
    Level.L1: Verdict.SUGGEST,
    Level.L2: Verdict.ONE_CLICK,
    Level.L3: Verdict.APPROVAL,
    Level.L4: Verdict.AUTONOMOUS,
}
LOWEST_CONFIDENCE = 0.8  # below it a person decides
FLEET_CAP = {Tier.PRODUCTION: 0.25, Tier.STAGING: 0.5, Tier.DEVELOPMENT: 0.5}
HOURLY_CAP = 30  # executions in one environment, however small each is

Limit = tuple[Verdict, Reason]


def guard(request: PolicyRequest, ruling: Ruling) -> Ruling:
    """Return the ruling, lowered to what the hard invariants leave. Unknown answers are a deny."""
    if ruling.verdict not in FREEDOM:
        return deny("guard-unknown-verdict", "the rules gave an answer that does not exist")
    limits = [(v, r) for v, r in _limits(request) if _freer(ruling.verdict, v)]
    verdict = min((v for v, _ in limits), key=FREEDOM.index, default=ruling.verdict)
    if limits:
        ruling = replace(
            ruling, verdict=verdict, reasons=ruling.reasons + tuple(r for _, r in limits)
        )
    if not _permits(request, ruling.verdict):
        return _stop(ruling)
    return _gate(request, ruling)


def ceiling(request: PolicyRequest) -> Verdict:
    """Return the freest verdict that the hard invariants alone leave."""
    free = Ruling(verdict=Verdict.AUTONOMOUS, reasons=())
    return guard(request, free).verdict


def deny(rule: str, text: str) -> Ruling:
    """Return a refusal for one reason."""
    return Ruling(verdict=Verdict.DENY, reasons=(Reason(rule=rule, text=text),))


def _freer(one: Verdict, other: Verdict) -> bool:
    return FREEDOM.index(one) > FREEDOM.index(other)


def _limits(request: PolicyRequest) -> Iterator[Limit]:
    yield from _never(request)
    if request.stage is Stage.UNDO:
        yield from _undo(request)
        return
    yield from _level(request)
    yield from _autonomy(request)
    yield from _caps(request)


def _never(request: PolicyRequest) -> Iterator[Limit]:
    if request.conditions.kill_switch:
        yield _no("kill-switch", "the bot is stopped: nothing runs")
    if request.target.is_bot_itself:
        yield _no("never-itself", "the bot never acts on itself")
    if request.actor.kind not in (ActorKind.PERSON, ActorKind.SELF):
        yield _no("people-only", "guests and other bots never count")
    if request.target.environment != request.environment:
        yield _no("unknown-environment", "the target is in another environment")
    if request.conditions.target_locked and request.stage is not Stage.PROPOSE:
        yield _no("target-held", "somebody else holds the target: wait until it is given back")


def _undo(request: PolicyRequest) -> Iterator[Limit]:
    if not request.action.reversible:
        yield _no("undo-reversible-only", "this action cannot be taken back")
    if request.actor.kind is not ActorKind.SELF:
        yield Verdict.ONE_CLICK, _reason("autonomy-is-the-bot", "a person takes it back")
        if not request.actor.roles & {Role.RESPONDER, Role.APPROVER}:
            yield _no("role-needed", "this takes the role responder or approver here")


def _level(request: PolicyRequest) -> Iterator[Limit]:
    level = min(request.conditions.level, request.action.highest_level)
    yield BY_LEVEL[level], _reason("level", f"the level here is L{int(level)}")


def _autonomy(request: PolicyRequest) -> Iterator[Limit]:
    production = request.tier is Tier.PRODUCTION
    conditions = request.conditions
    checks = (
        (production and not request.action.reversible, "prod-irreversible-needs-a-person"),
        (production and request.target.stateful, "prod-stateful-needs-a-person"),
        (conditions.confidence < LOWEST_CONFIDENCE, "low-confidence"),
        (conditions.novel, "novel-incident"),
        (conditions.freeze, "freeze"),
        (conditions.breaker_open, "breaker-open"),
        (request.actor.kind is not ActorKind.SELF, "autonomy-is-the-bot"),
        (conditions.target_locked, "target-held-no-autonomy"),
    )
    for holds, rule in checks:
        if holds:
            yield Verdict.APPROVAL, _reason(rule, "a person decides")


def _caps(request: PolicyRequest) -> Iterator[Limit]:
    blast = request.blast_radius
    over = (
        blast.fleet_ratio > FLEET_CAP[request.tier],
        blast.namespaces > 1,
        blast.nodes > 1,
        request.conditions.actions_last_hour >= HOURLY_CAP,
        not request.conditions.dry_run_ok,
    )
    if any(over):
        reason = "the blast radius is above the hard cap, or the dry-run failed"
        yield Verdict.SUGGEST, _reason("hard-cap", reason)


def _permits(request: PolicyRequest, verdict: Verdict) -> bool:
    """Whether this verdict may stand at this stage, given the bound decisions."""
    if verdict is Verdict.DENY or request.stage is Stage.PROPOSE:
        return True
    if request.stage is Stage.UNDO:
        return verdict is not Verdict.SUGGEST
    if verdict is Verdict.SUGGEST:
        return False
    return verdict is Verdict.AUTONOMOUS or _decided(request)


def _decided(request: PolicyRequest) -> bool:
    approvals = request.approvals
    if approvals.count < 1 or not approvals.roles & {Role.RESPONDER, Role.APPROVER}:
        return False
    if request.tier is not Tier.PRODUCTION:
        return True
    alone = approvals.includes_requester and not _break_glass(request)
    return Role.APPROVER in approvals.roles and not alone


def _break_glass(request: PolicyRequest) -> bool:
    return request.conditions.break_glass and request.action.reversible


def _stop(ruling: Ruling) -> Ruling:
    if ruling.verdict is Verdict.SUGGEST:
        words = _reason("level", "nothing executes here: the command is for people to run")
    else:
        words = _reason("decision-needed", "there is no bound decision of those who must decide")
    return Ruling(verdict=Verdict.DENY, reasons=(*ruling.reasons, words))


def _gate(request: PolicyRequest, ruling: Ruling) -> Ruling:
    """Return the ruling with who must decide, never less than the hard minimum."""
    if ruling.verdict not in (Verdict.ONE_CLICK, Verdict.APPROVAL) or request.stage is Stage.UNDO:
        return replace(ruling, approvals_needed=0, approver_role=None, requester_may_approve=False)
    needed = max(1, ruling.approvals_needed)
    if request.tier is not Tier.PRODUCTION:
        return replace(
            ruling, approvals_needed=needed, approver_role=ruling.approver_role or Role.APPROVER
        )
    return replace(
        ruling,
        approvals_needed=needed,
        approver_role=Role.APPROVER,
        requester_may_approve=ruling.requester_may_approve and _break_glass(request),
    )


def _no(rule: str, text: str) -> Limit:
    return Verdict.DENY, _reason(rule, text)


def _reason(rule: str, text: str) -> Reason:
    return Reason(rule=f"guard:{rule}", text=text)
