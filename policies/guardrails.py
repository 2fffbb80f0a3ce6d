"""The hard guard in code: whatever the rules say, the invariants of `policies.limits` hold. Pure.

The engine's ruling is the lesser of the rules' answer and the guard's ceiling, so a mistake in a
rule file can make the bot do less, never more.
"""

from dataclasses import replace

from bot.domain.environment import Tier
from bot.domain.people import Role
from bot.domain.policy import PolicyRequest, Reason, Ruling, Stage, Verdict
from policies.expressions import Values, compiled
from policies.limits import BROKE_GLASS, GLASS, LIMITS, PAGERDUTY_PAGE, STANDS, view
from policies.request import VOUCHED, Known

FREEDOM = tuple(Verdict)  # declared from least to most freedom
RANK = {verdict: rank for rank, verdict in enumerate(FREEDOM)}
GATED = (Verdict.ONE_CLICK, Verdict.APPROVAL)
TESTS = tuple((compiled(limit.when), limit) for limit in LIMITS)
STANDING = {verdict: compiled(when) for verdict, when in STANDS.items()}
IS_BROKE_GLASS, IS_GLASS = compiled(BROKE_GLASS), compiled(GLASS)
IS_PAGE = compiled(PAGERDUTY_PAGE)


def guard(request: PolicyRequest, ruling: Ruling, known: Known = VOUCHED) -> Ruling:
    """Return the ruling, lowered to what the hard invariants leave. Unknown answers are a deny."""
    if ruling.verdict not in RANK:
        return deny("guard-unknown-verdict", "the rules gave an answer that does not exist")
    values = view(request, known)
    rank = RANK[ruling.verdict]
    limits = [limit for test, limit in TESTS if RANK[limit.verdict] < rank and test(values)]
    if limits:
        verdict = min((limit.verdict for limit in limits), key=RANK.__getitem__)
        reasons = (*ruling.reasons, *(limit.reason for limit in limits))
        ruling = replace(ruling, verdict=verdict, reasons=reasons)
    if ruling.verdict is not Verdict.DENY and not STANDING[ruling.verdict](values):
        return _stop(ruling)
    return _gate(request, _noted(ruling, values), values)


def ceiling(request: PolicyRequest) -> Verdict:
    """Return the freest verdict that the hard invariants alone leave."""
    free = Ruling(verdict=Verdict.AUTONOMOUS, reasons=())
    return guard(request, free).verdict


def deny(rule: str, text: str) -> Ruling:
    """Return a refusal for one reason."""
    return Ruling(verdict=Verdict.DENY, reasons=(Reason(rule=rule, text=text),))


def _stop(ruling: Ruling) -> Ruling:
    if ruling.verdict is Verdict.SUGGEST:
        words = _reason("level", "nothing executes here: the command is for people to run")
    else:
        words = _reason("decision-needed", "there is no bound decision of those who must decide")
    return Ruling(verdict=Verdict.DENY, reasons=(*ruling.reasons, words))


def _noted(ruling: Ruling, values: Values) -> Ruling:
    """Say that a decision stands by break-glass alone: the reasons are what the audit keeps."""
    if ruling.verdict not in GATED or not IS_BROKE_GLASS(values):
        return ruling
    words = _reason("break-glass", "break-glass: the requester decided alone")
    return replace(ruling, reasons=(*ruling.reasons, words))


def _gate(request: PolicyRequest, ruling: Ruling, values: Values) -> Ruling:
    """Return the ruling with who must decide, never less than the hard minimum."""
    if ruling.verdict not in GATED or request.stage is Stage.UNDO:
        return replace(ruling, approvals_needed=0, approver_role=None, requester_may_approve=False)
    needed = max(1, ruling.approvals_needed)
    if request.tier is not Tier.PRODUCTION:
        return replace(
            ruling, approvals_needed=needed, approver_role=ruling.approver_role or Role.APPROVER
        )
    if IS_PAGE(values):
        role = Role.RESPONDER if ruling.approver_role is Role.RESPONDER else Role.APPROVER
        return replace(ruling, approvals_needed=needed, approver_role=role)
    return replace(
        ruling,
        approvals_needed=needed,
        approver_role=Role.APPROVER,
        requester_may_approve=ruling.requester_may_approve and IS_GLASS(values),
    )


def _reason(rule: str, text: str) -> Reason:
    return Reason(rule=f"guard:{rule}", text=text)
