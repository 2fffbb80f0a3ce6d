"""What would happen if: a ruling, and the least that would have to change for more freedom."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from bot.domain.action import Effect, Level
from bot.domain.people import ActorKind, Role
from bot.domain.policy import Approvals, PolicyRequest, Ruling, RulingEngine, Stage, Verdict
from policies.guardrails import RANK
from policies.limits import LOWEST_CONFIDENCE

MOST = 4  # changes that are tried together
Change = Callable[[PolicyRequest], PolicyRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One least set of changes that leads to a freer verdict."""

    verdict: Verdict
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A ruling with the ways to more. No way: nothing that can change allows more."""

    request: PolicyRequest
    ruling: Ruling
    ways: tuple[Way, ...]


def explain(engine: RulingEngine, request: PolicyRequest) -> Explanation:
    """Return the ruling on a request and what would have to change for each freer verdict."""
    ruling = engine.rule(request)
    ways = tuple(_ways(engine, request, ruling.verdict))
    return Explanation(request=request, ruling=ruling, ways=ways)


def _ways(engine: RulingEngine, request: PolicyRequest, now: Verdict) -> Iterator[Way]:
    """Yield the smallest sets, fewest changes first; a verdict is reached once it has some."""
    possible = [
        (words, change) for words, change in _changes(request) if change(request) != request
    ]
    reached = RANK[now]
    for size in range(1, min(MOST, len(possible)) + 1):
        found: list[Way] = []
        for chosen in combinations(possible, size):
            changed = _apply(request, [change for _, change in chosen])
            verdict = engine.rule(changed).verdict
            if RANK[verdict] > reached:
                found.append(Way(verdict=verdict, changes=tuple(words for words, _ in chosen)))
        yield from found
        reached = max([reached, *(RANK[way.verdict] for way in found)])


def _apply(request: PolicyRequest, changes: Sequence[Change]) -> PolicyRequest:
    for change in changes:
        request = change(request)
    return request


def _changes(request: PolicyRequest) -> Iterator[tuple[str, Change]]:
    """Yield what people or time can change about a request; never the action or its target."""
    for level in Level:
        if level > request.conditions.level:
            yield f"the level here is {level.name}", _condition(level=level)
    yield (
        f"it is at least {LOWEST_CONFIDENCE * 100:g} % sure of the cause",
        _condition(confidence=max(request.conditions.confidence, LOWEST_CONFIDENCE)),
    )
    yield "confidence is calibrated", _condition(calibrated=True)
    yield (
        "the same was approved and verified here before",
        _condition(approved_before_and_verified=True),
    )
    yield "a like incident was confirmed before", _condition(novel=False)
    yield "the dry-run passes", _condition(dry_run_ok=True)
    yield "the freeze is over", _condition(freeze=False)
    yield "the breaker is closed", _condition(breaker_open=False)
    yield "an administrator starts the bot again", _condition(kill_switch=False)
    yield "the target is given back", _condition(target_locked=False)
    yield "fewer actions ran within the last hour", _condition(actions_last_hour=0)
    yield "the blast radius is smaller", _smaller
    if request.stage is Stage.EXECUTE:
        other = "" if request.action.effect is Effect.PAGE else " who did not ask for it"
        yield f"a responder approves{other}", _approved(Role.RESPONDER)
        yield f"an approver approves{other}", _approved(Role.APPROVER)
        yield "break-glass is used", _condition(break_glass=True)
    if request.actor.kind is ActorKind.PERSON:
        yield "the person is a responder here", _responder


def _condition(**changes: Any) -> Change:
    return lambda request: replace(request, conditions=replace(request.conditions, **changes))


def _approved(role: Role) -> Change:
    given = Approvals(count=1, roles=frozenset({role}), includes_requester=False)
    return lambda request: replace(request, approvals=given)


def _responder(request: PolicyRequest) -> PolicyRequest:
    roles = request.actor.roles | {Role.RESPONDER}
    return replace(request, actor=replace(request.actor, roles=roles))


def _smaller(request: PolicyRequest) -> PolicyRequest:
    """One pod of many, at one time, of one namespace."""
    blast = request.blast_radius
    total = max(blast.pods_total, 10)
    small = replace(
        blast,
        pods=min(blast.pods, 1),
        pods_total=total,
        workload_ratio=min(blast.workload_ratio, 0.1),
        fleet_ratio=min(blast.fleet_ratio, 0.01),
        namespaces=min(blast.namespaces, 1),
        nodes=0,
    )
    allows = blast.pods > small.pods or blast.fleet_ratio > small.fleet_ratio
    others = (blast.namespaces, blast.nodes) != (small.namespaces, small.nodes)
    more = allows or others or blast.workload_ratio > small.workload_ratio
    return replace(request, blast_radius=small) if more else request
