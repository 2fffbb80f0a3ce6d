"""What must hold for every request, one invariant each, with what must stay possible beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.domain.policy import Verdict
from policies.expressions import Attribute, Expression, Kind, every, flag, number, ratio, some, text
from policies.limits import (
    BY_APPROVER,
    BY_REQUESTER,
    BY_RESPONDER,
    COUNT,
    FLEET_CAP,
    FLEET_CAP_PRODUCTION,
    GLASS,
    HIGHEST,
    HOURLY_CAP,
    ITSELF,
    LEVEL,
    LOWEST_CONFIDENCE,
    PAGE,
    PAGERDUTY_PAGE,
    PERSON,
    PRODUCTION,
    REVERSIBLE,
    UNDOING,
)
from policies.model import ANSWER, RANKS, Model
from policies.solver import WORSE

ALONE_WORKLOAD, ALONE_FLEET = 340, 100  # permille of production, without a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """`broken` must have no request; `possible` must have one, else the invariant says nothing.

    `hard`: the guard in code keeps it for any rules.
    """

    name: str
    says: str
    broken: Expression
    possible: Expression
    hard: bool = True


def invariants(model: Model) -> Iterator[Invariant]:
    """Yield everything that is proved of a policy: of the rules alone, as if without a guard."""
    yield from _levels(model)
    yield from _production(model)
    yield from _pages(model)
    yield from _caps(model)
    yield from _stops(model)
    yield from _unknown(model)
    yield from _worse(model)


def of_both(model: Model) -> Iterator[Invariant]:
    """Yield what is proved of rules and guard together; all else follows from the guard's own."""
    for invariant in invariants(model):
        if not invariant.hard or invariant.name.startswith("monotone:"):
            yield replace(invariant, name=f"both:{invariant.name}")


def of_the_guard(model: Model) -> Iterator[Invariant]:
    """Yield what is proved of the guard alone, whatever the rules answer."""
    for invariant in invariants(model):
        if invariant.hard:
            says = f"for any rules: {invariant.says}"
            yield replace(invariant, name=f"guard:{invariant.name}", says=says)
    yield Invariant(
        name="guard:never-more",
        says="for any rules: the guard never allows more than the rules do",
        broken=some(*(model.freer_than(v) & ANSWER.at_most(RANKS[v]) for v in Verdict)),
        possible=model.freer_than(Verdict.APPROVAL),
    )


def _levels(m: Model) -> Iterator[Invariant]:
    yield Invariant(
        name="nothing-runs-at-l1",
        says="nothing executes at L1",
        broken=m.runs & LEVEL.at_most(1),
        possible=m.runs & LEVEL.equals(2),
    )
    yield Invariant(
        name="below-l4-a-person-decides",
        says="below L4 nothing executes without a bound decision of a responder or approver",
        broken=~UNDOING
        & ~LEVEL.at_least(4)
        & (m.alone | (m.runs & ~(COUNT.at_least(1) & (BY_RESPONDER | BY_APPROVER)))),
        possible=m.runs & LEVEL.equals(3),
    )
    yield Invariant(
        name="highest-level",
        says="no action goes above its highest level",
        broken=~UNDOING
        & some(
            m.freer_than(Verdict.APPROVAL) & ~HIGHEST.at_least(4),
            m.freer_than(Verdict.ONE_CLICK) & ~HIGHEST.at_least(3),
            m.freer_than(Verdict.SUGGEST) & ~HIGHEST.at_least(2),
        ),
        possible=m.alone & HIGHEST.equals(4),
    )
    yield Invariant(
        name="autonomy-is-the-bot",
        says="only the bot itself acts by itself",
        broken=m.alone & ~ITSELF,
        possible=m.alone & ITSELF,
    )  # fmt: skip


def _production(m: Model) -> Iterator[Invariant]:
    yield Invariant(
        name="prod-irreversible",
        says="nothing irreversible runs by itself in production",
        broken=m.alone & PRODUCTION & ~REVERSIBLE,
        possible=m.alone & PRODUCTION,
    )
    yield Invariant(
        name="prod-stateful",
        says="nothing runs by itself on a stateful target in production",
        broken=m.alone & PRODUCTION & flag("resource.stateful"),
        possible=m.decided & PRODUCTION & flag("resource.stateful"),
    )
    acted = m.decided & PRODUCTION & ~PAGERDUTY_PAGE
    yield Invariant(
        name="prod-two-people",
        says="in production the approver of an action that is no page is not the requester; "
        "break-glass: reversible only",
        broken=acted & BY_REQUESTER & ~GLASS,
        possible=acted,
    )
    yield Invariant(
        name="break-glass-is-noted",
        says="a decision that stands by break-glass alone is named as such, so the audit has it",
        broken=acted & BY_REQUESTER & ~m.noted,
        possible=m.decided & m.noted,
    )
    yield Invariant(
        name="prod-approver",
        says="in production an approver is among those who decided on an action that is no page",
        broken=acted & ~(COUNT.at_least(1) & BY_APPROVER),
        possible=acted & COUNT.equals(1),
    )
    yield Invariant(
        name="approvers-are-enough",
        says="nothing runs on fewer approvals than the card asks for",
        broken=m.decided & ~m.promised,
        possible=m.decided & m.promised,
        hard=False,
    )


def _pages(m: Model) -> Iterator[Invariant]:
    by_a_person = COUNT.at_least(1) & (BY_RESPONDER | BY_APPROVER)
    yield Invariant(
        name="page-by-people",
        says="nobody but a person acknowledges, resolves or passes on a page, whatever the level",
        broken=PAGE & (m.alone | m.taken_back | (m.runs & ~by_a_person)),
        possible=m.decided & PAGE & PRODUCTION & BY_REQUESTER & ~BY_APPROVER & COUNT.equals(1),
    )


def _caps(m: Model) -> Iterator[Invariant]:
    fleet, acts = ratio("exact.fleet"), m.runs | m.taken_back
    above = some(
        ~fleet.at_most(FLEET_CAP),
        PRODUCTION & ~fleet.at_most(FLEET_CAP_PRODUCTION),
        ~number("context.blast.namespaces").at_most(1),
        ~number("context.blast.nodes").at_most(1),
    )
    hourly = number("context.actionsLastHour").at_least(HOURLY_CAP)
    yield Invariant(
        name="blast-caps",
        says="whatever executes keeps to one namespace, one node, 25 % of production "
        "(50 % elsewhere) and 30 actions an hour",
        broken=(acts & above) | (m.runs & hourly),
        possible=acts & ~above,
    )
    workload, share = "context.blast.workloadPermille", "context.blast.fleetPermille"
    yield Invariant(
        name="blast-caps-alone",
        says="by itself the bot keeps to 34 % of a workload and 10 % of production",
        broken=m.alone & PRODUCTION & (
            number(workload).above(ALONE_WORKLOAD) | number(share).above(ALONE_FLEET)
        ),
        possible=m.alone & PRODUCTION & number(workload).above(0),
        hard=False,
    )  # fmt: skip
    yield Invariant(
        name="dry-run",
        says="nothing executes whose dry-run did not pass",
        broken=acts & ~flag("context.dryRunOk"),
        possible=acts & flag("context.dryRunOk"),
    )
    yield Invariant(
        name="target-held",
        says="nothing executes while somebody else holds the target",
        broken=acts & flag("context.targetLocked"),
        possible=acts,
    )


def _stops(m: Model) -> Iterator[Invariant]:
    stopped = flag("context.killSwitch")
    yield Invariant(
        name="kill-switch",
        says="the kill switch beats every permit",
        broken=stopped & m.freer_than(Verdict.DENY),
        possible=~stopped & m.alone,
    )
    sure = ratio("exact.confidence")
    stops: Mapping[str, tuple[str, Expression]] = {
        "freeze": ("a freeze", flag("context.freeze")),
        "novel": ("a novel incident", flag("context.novel")),
        "low-confidence": ("low confidence", ~sure.at_least(LOWEST_CONFIDENCE)),
        "breaker": ("an open breaker", flag("context.breakerOpen")),
    }
    for name, (words, holds) in stops.items():
        yield Invariant(
            name=name,
            says=f"{words} beats autonomy",
            broken=m.alone & holds,
            possible=m.decided & holds,
        )
    yield Invariant(
        name="never-itself",
        says="the bot's own workload, database, identity, rules and levels are never a target",
        broken=flag("resource.isBotItself") & m.freer_than(Verdict.DENY),
        possible=~flag("resource.isBotItself") & m.alone,
    )
    yield Invariant(
        name="undo-reversible-only",
        says="only what can be taken back is taken back",
        broken=m.taken_back & ~REVERSIBLE,
        possible=m.taken_back,
    )


def _unknown(m: Model) -> Iterator[Invariant]:
    here = text("resource.environment").equals(text("context.environment"))
    role = flag("principal.responder") | flag("principal.approver")
    unknown: Mapping[str, tuple[str, Expression]] = {
        "unknown-action": ("action", ~flag("context.act.known")),
        "unknown-environment": ("environment", ~flag("context.environmentKnown") | ~here),
        "unknown-actor": ("actor", ~(PERSON | ITSELF)),
    }
    for name, (words, holds) in unknown.items():
        yield Invariant(
            name=name,
            says=f"an unknown {words} is denied",
            broken=holds & m.freer_than(Verdict.DENY),
            possible=~holds & m.alone,
        )
    yield Invariant(
        name="undo-role",
        says="a person takes back only as responder or approver",
        broken=m.taken_back & ~ITSELF & ~role,
        possible=m.taken_back & PERSON,
    )


def _worse(m: Model) -> Iterator[Invariant]:
    blast = ("pods", "workloadPermille", "fleetPermille", "namespaces", "nodes", "services")
    sides: Mapping[str, tuple[str, tuple[Attribute, ...]]] = {
        "less-confidence": (
            "lower confidence", (number("context.confidencePermille"), ratio("exact.confidence"))
        ),
        "larger-blast": (
            "a larger blast radius",
            (*(number(f"context.blast.{part}") for part in blast), ratio("exact.fleet"),
             number("context.actionsLastHour")),
        ),
        "more-novel": ("higher novelty", (flag("context.novel"),)),
        "lower-level": ("a lower level", (LEVEL,)),
    }  # fmt: skip
    for name, (words, changed) in sides.items():
        other = {a.path: Attribute(WORSE + a.path, a.kind) for a in changed}
        less = name in ("less-confidence", "lower-level")
        relation = [_no_better(a, other[a.path], less=less) for a in changed]
        worse = m.renamed(other)
        freer = some(*(worse.freer_than(v) & m.verdicts[v] for v in Verdict))
        yield Invariant(
            name=f"monotone:{name}",
            says=f"{words} never turns a deny into a permit, nor gives more freedom",
            broken=every(*relation) & freer,
            possible=every(*relation) & m.alone & worse.ruled(Verdict.DENY, Verdict.APPROVAL),
        )


def _no_better(now: Attribute, then: Attribute, *, less: bool) -> Expression:
    if now.kind is Kind.FLAG:
        return ~now | then
    return now.at_least(then) if less else then.at_least(now)
