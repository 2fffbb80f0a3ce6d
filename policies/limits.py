"""The hard guard's limits as data: `policies.guardrails` applies, `policies.proof` proves them.

Paths are those of the rules' schema; `exact.*` are ratios before they are rounded to permille.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.people import Role
from bot.domain.policy import PolicyRequest, Reason, Verdict
from policies.expressions import Expression, Truth, every, flag, number, ratio, some, text
from policies.request import Known, is_own

LOWEST_CONFIDENCE = 0.8  # below it a person decides
FLEET_CAP_PRODUCTION, FLEET_CAP = 0.25, 0.5  # of all pods of the environment, at one time
HOURLY_CAP = 30  # executions in one environment, however small each is

VIEW: Mapping[str, Callable[[PolicyRequest], Any]] = {
    "context.stage": lambda r: r.stage,
    "context.tier": lambda r: r.tier,
    "context.environment": lambda r: r.environment,
    "context.act.effect": lambda r: r.action.effect,
    "context.act.system": lambda r: r.action.system,
    "context.act.reversible": lambda r: r.action.reversible,
    "context.act.highestLevel": lambda r: r.action.highest_level,
    "context.level": lambda r: r.conditions.level,
    "context.novel": lambda r: r.conditions.novel,
    "context.dryRunOk": lambda r: r.conditions.dry_run_ok,
    "context.freeze": lambda r: r.conditions.freeze,
    "context.breakerOpen": lambda r: r.conditions.breaker_open,
    "context.killSwitch": lambda r: r.conditions.kill_switch,
    "context.targetLocked": lambda r: r.conditions.target_locked,
    "context.actionsLastHour": lambda r: r.conditions.actions_last_hour,
    "context.breakGlass": lambda r: r.conditions.break_glass,
    "context.approvals.count": lambda r: r.approvals.count,
    "context.approvals.byResponder": lambda r: Role.RESPONDER in r.approvals.roles,
    "context.approvals.byApprover": lambda r: Role.APPROVER in r.approvals.roles,
    "context.approvals.includesRequester": lambda r: r.approvals.includes_requester,
    "context.blast.namespaces": lambda r: r.blast_radius.namespaces,
    "context.blast.nodes": lambda r: r.blast_radius.nodes,
    "principal.kind": lambda r: r.actor.kind,
    "principal.responder": lambda r: Role.RESPONDER in r.actor.roles,
    "principal.approver": lambda r: Role.APPROVER in r.actor.roles,
    "resource.environment": lambda r: r.target.environment,
    "resource.stateful": lambda r: r.target.stateful,
    "resource.isBotItself": lambda r: is_own(r.target),
    "exact.confidence": lambda r: r.conditions.confidence,
    "exact.fleet": lambda r: r.blast_radius.fleet_ratio,
}
"""How the guard reads a request: straight from it, not by way of what the rules are told."""


def view(request: PolicyRequest, known: Known) -> dict[str, Any]:
    """Return what the guard looks at. Raises: AttributeError, TypeError: a part is missing."""
    values = {path: read(request) for path, read in VIEW.items()}
    values["context.environmentKnown"] = known.environment(request.environment)
    values["context.act.known"] = known.action(request.action.name)
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """While `when` holds, the verdict is `verdict` at most."""

    verdict: Verdict
    reason: Reason
    when: Expression


def _is(path: str, *names: str) -> Expression:
    return some(*(text(path).equals(name) for name in names))


PROPOSING, EXECUTING, UNDOING = (_is("context.stage", s) for s in ("propose", "execute", "undo"))
PRODUCTION = _is("context.tier", "production")
REVERSIBLE = flag("context.act.reversible")
PERSON, ITSELF = _is("principal.kind", "person"), _is("principal.kind", "self")
LEVEL, HIGHEST = number("context.level"), number("context.act.highestLevel")
COUNT = number("context.approvals.count")
BY_RESPONDER, BY_APPROVER = (
    flag("context.approvals.byResponder"),
    flag("context.approvals.byApprover"),
)
BY_REQUESTER = flag("context.approvals.includesRequester")
GLASS = flag("context.breakGlass") & REVERSIBLE
PAGE = _is("context.act.effect", "page")  # whatever system it is in
PAGERDUTY_PAGE = PAGE & _is("context.act.system", "pagerduty")  # one person may answer it


def _lower_is(level: int) -> Expression:
    """Return "the lower of the level here and the action's highest level is this one"."""
    here = LEVEL.equals(level) & HIGHEST.at_least(level)
    return here | (HIGHEST.equals(level) & LEVEL.at_least(level))


def _level_exists() -> Expression:
    return every(*(some(*(side.equals(n) for n in (1, 2, 3, 4))) for side in (LEVEL, HIGHEST)))


def _limit(verdict: Verdict, rule: str, words: str, when: Expression) -> Limit:
    return Limit(verdict=verdict, reason=Reason(rule=f"guard:{rule}", text=words), when=when)


def _no(rule: str, words: str, when: Expression) -> Limit:
    return _limit(Verdict.DENY, rule, words, when)


def _person(rule: str, when: Expression) -> Limit:
    return _limit(Verdict.APPROVAL, rule, "a person decides", when & ~UNDOING)


NEVER = (
    _no("kill-switch", "the bot is stopped: nothing runs", flag("context.killSwitch")),
    _no("never-itself", "the bot never acts on itself", flag("resource.isBotItself")),
    _no("people-only", "guests and other bots never count", ~(PERSON | ITSELF)),
    _no("unknown-environment", "the target is in another environment or in none that I know",
        ~flag("context.environmentKnown")
        | ~text("resource.environment").equals(text("context.environment"))),
    _no("unknown-action", "the action is not in the catalogue", ~flag("context.act.known")),
    _no("unknown-tier", "the environment's tier is none that I know",
        ~(PRODUCTION | _is("context.tier", "staging", "development"))),
    _no("unknown-stage", "the question is none that I know", ~(PROPOSING | EXECUTING | UNDOING)),
    _no("unknown-level", "the level is none that I know", ~_level_exists()),
    _no("target-held", "somebody else holds the target: wait until it is given back",
        flag("context.targetLocked") & ~PROPOSING),
)  # fmt: skip
UNDO = (
    _no("undo-reversible-only", "this action cannot be taken back", UNDOING & ~REVERSIBLE),
    _no("page-not-undone", "a page is not taken back", UNDOING & PAGE),
    _limit(Verdict.ONE_CLICK, "autonomy-is-the-bot", "a person takes it back", UNDOING & ~ITSELF),
    _no("role-needed", "this takes the role responder or approver here",
        UNDOING & ~ITSELF & ~(flag("principal.responder") | flag("principal.approver"))),
)  # fmt: skip
LEVELS = tuple(
    _limit(verdict, "level", f"the level here is L{level}", _lower_is(level) & ~UNDOING)
    for level, verdict in ((1, Verdict.SUGGEST), (2, Verdict.ONE_CLICK), (3, Verdict.APPROVAL))
)
AUTONOMY = (
    _person("page-by-people", PAGE),
    _person("prod-irreversible-needs-a-person", PRODUCTION & ~REVERSIBLE),
    _person("prod-stateful-needs-a-person", PRODUCTION & flag("resource.stateful")),
    _person("low-confidence", ~ratio("exact.confidence").at_least(LOWEST_CONFIDENCE)),
    _person("novel-incident", flag("context.novel")),
    _person("freeze", flag("context.freeze")),
    _person("breaker-open", flag("context.breakerOpen")),
    _person("autonomy-is-the-bot", ~ITSELF),
    _person("target-held-no-autonomy", flag("context.targetLocked")),
)
CAPS = (
    _limit(Verdict.SUGGEST, "hard-cap", "the blast radius is above the hard cap, or the dry-run failed",  # noqa: E501 - one row
        some(
            ~ratio("exact.fleet").at_most(FLEET_CAP),
            PRODUCTION & ~ratio("exact.fleet").at_most(FLEET_CAP_PRODUCTION),
            ~number("context.blast.namespaces").at_most(1),
            ~number("context.blast.nodes").at_most(1),
            ~UNDOING & number("context.actionsLastHour").at_least(HOURLY_CAP),
            ~flag("context.dryRunOk"),
        )),
)  # fmt: skip
LIMITS = NEVER + UNDO + LEVELS + AUTONOMY + CAPS

BROKE_GLASS = PRODUCTION & ~PAGERDUTY_PAGE & BY_REQUESTER & EXECUTING
"""A decision that stands only by break-glass: the ruling says so, and so the audit does."""

DECIDED = every(
    COUNT.at_least(1),
    BY_RESPONDER | BY_APPROVER,
    ~PRODUCTION | PAGERDUTY_PAGE | (BY_APPROVER & (~BY_REQUESTER | GLASS)),
)
"""The bound decisions of those who must decide are there, as the hard minimum has it."""

STANDS: Mapping[Verdict, Expression] = {
    Verdict.SUGGEST: PROPOSING,
    Verdict.ONE_CLICK: PROPOSING | UNDOING | DECIDED,
    Verdict.APPROVAL: PROPOSING | UNDOING | DECIDED,
    Verdict.AUTONOMOUS: Truth(True),
}
"""When a verdict may stand at this stage; otherwise it is a deny."""
