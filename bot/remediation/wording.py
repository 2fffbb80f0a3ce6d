"""What the gateway tells people: refusals with rule and way out, and what is certain."""

import math
from datetime import UTC

from bot.domain.action import Choice, Decision, Level, Proposal, Rejection
from bot.domain.people import Role
from bot.domain.policy import Reason, Ruling

REFUSED = "⛔ Not run"
GROUPS = {Role.APPROVER: "approver", Role.RESPONDER: "responder or approver"}
HEARD_FIRST = (
    "kill-switch",
    "never-itself",
    "people-only",
    "role-needed",
    "target-held",
    "dry-run-failed",
)
Z = 1.96  # two-sided 95 %


def refusal(ruling: Ruling, gate: Ruling | None, *, requester: bool = False) -> str:
    """Return "⛔ Not run: production needs … (rule prod-two-people). An approver can."."""
    reasons = sorted(ruling.reasons, key=_rank)[:1]
    own = requester and any(r.rule == "prod-two-people" for r in ruling.reasons)
    if own:
        words = "production needs an approver and you asked for this action yourself"
        return f"{REFUSED}: {words} (rule prod-two-people).{who_can(gate)}"
    words = "; ".join(f"{r.text} (rule {r.rule})" for r in reasons) or "policy said no"
    return f"{REFUSED}: {words}.{who_can(gate)}"


def _rank(reason: Reason) -> int:
    """Order reasons by what a person should hear first; the rest stays as it was."""
    rule = reason.rule.removeprefix("guard:")
    return HEARD_FIRST.index(rule) if rule in HEARD_FIRST else len(HEARD_FIRST)


def who_can(gate: Ruling | None) -> str:
    """Return who may decide, as a sentence; empty when nobody may."""
    if gate is None or gate.approver_role is None or gate.approvals_needed < 1:
        return ""
    role = GROUPS.get(gate.approver_role, gate.approver_role.value)
    article = "An" if role[0] in "aeiou" else "A"
    aside = "" if gate.requester_may_approve else ", but not whoever asked for it"
    many = f"{gate.approvals_needed} people with the role {role}"
    who = f"{article} {role}" if gate.approvals_needed == 1 else many
    return f" {who} can{aside}."


def because(text: str) -> str:
    """Return a refusal for a plain reason."""
    return f"{REFUSED}: {text}."


def again(decision: Decision) -> str:
    """Return what the second of two same clicks is told."""
    done = "approved" if decision.choice is Choice.APPROVE else "rejected"
    return f"⛔ Not taken twice: you {done} it already, and that counts once (rule counts-once)."


def at_level(level: Level) -> str:
    """Return why nothing can be approved at a level."""
    return f"the level here is L{int(level)}, so people run it themselves (rule level-1-suggest)"


def declined(rejected: Rejection, news: str) -> str:
    """Return "declined on 2026-03-01 14:03 UTC: we drain it by hand; since then …"."""
    decision = rejected.decision
    place = " in this incident" if rejected.here else ""
    words = f"declined{place} on {decision.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    words += f": {decision.reason}" if decision.reason else ", without a reason"
    if rejected.here:
        words += f"; since then {news}" if news else "; nothing about it has changed since"
    return words


def track_record(proposal: Proposal, service: str, verified: int, executed: int) -> str:
    """Return "9 of 9 times verified for checkout (lower bound 70 %)", empty without history."""
    if executed < 1:
        return ""
    bound = math.floor(100 * lower_bound(verified, executed) + 0.5)
    name = proposal.call.action.replace("_", " ")
    return f"{verified} of {executed} times {name} of {service} verified (lower bound {bound} %)"


def lower_bound(successes: int, trials: int) -> float:
    """Return the lower 95 % bound of a rate. Source: Wilson 1927, score interval."""
    if trials < 1:
        return 0.0
    rate, square = successes / trials, Z * Z / trials
    spread = Z * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials))
    return max(0.0, (rate + square / 2 - spread) / (1 + square))
