"""What a change of the rules newly allows or forbids: the requests on which two policies differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.environment import Tier
from bot.domain.policy import Stage, Verdict
from policies.expressions import Expression, some, text
from policies.limits import LEVEL, UNDOING
from policies.model import Model, policy_model
from policies.ordinary import ordinary, values
from policies.proof import verdict
from policies.rulebook import RuleBook
from policies.solver import Search
from policies.wording import ALWAYS, differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One request, near to an ordinary one, that is ruled otherwise than before."""

    allows: bool  # newly: more freedom than before
    stage: str
    tier: str
    levels: tuple[int, ...]  # at which the same request differs in the same way; none: any
    before: Verdict
    after: Verdict
    when: str  # what else is not ordinary
    request: Mapping[str, Any] = field(default_factory=dict)


def changed_rules(old: RuleBook, new: RuleBook) -> Mapping[str, Sequence[str]]:
    """Return the @ids of rules that are new, gone, or say something else."""
    before = {rule.reason.rule: rule for rule in old.rules}
    after = {rule.reason.rule: rule for rule in new.rules}
    same = before.keys() & after.keys()
    return {
        "new": sorted(after.keys() - before.keys()),
        "gone": sorted(before.keys() - after.keys()),
        "changed": sorted(
            name
            for name in same
            if (before[name].when, before[name].questions, before[name].permits)
            != (after[name].when, after[name].questions, after[name].permits)
        ),
    }


def compare(old: RuleBook, new: RuleBook) -> tuple[Difference, ...]:
    """Return how the rulings differ, by stage, tier and level; none: for no request at all."""
    search = Search()
    models = policy_model(old), policy_model(new)
    found: list[Difference] = []
    for allows in (True, False):
        freer, other = reversed(models) if allows else models
        wider = some(*(freer.freer_than(v) & other.verdicts[v] for v in Verdict))
        if search.possible(wider):
            found.extend(_by_cell(search, wider, models, allows=allows))
    return tuple(_merged(found))


def _by_cell(
    search: Search, wider: Expression, models: tuple[Model, Model], *, allows: bool
) -> Iterator[Difference]:
    usual = values(ordinary())
    for stage in Stage:
        for tier in Tier:
            here = text("context.stage").equals(stage.value) & text("context.tier").equals(
                tier.value
            )
            if not search.possible(wider & here):
                continue
            for level in (0,) if stage is Stage.UNDO else (1, 2, 3, 4):
                cell = here & LEVEL.equals(level) if level else here & UNDOING
                request = search.find(wider & cell, usual)
                if request is not None:
                    yield _difference(request, models, usual, allows=allows)


def _difference(
    request: Mapping[str, Any],
    models: tuple[Model, Model],
    usual: Mapping[str, Any],
    *,
    allows: bool,
) -> Difference:
    whole = {**usual, **request}
    told = differences(request, usual)[len(ALWAYS) :]
    undo = whole["context.stage"] == Stage.UNDO
    return Difference(
        allows=allows,
        stage=str(whole["context.stage"]),
        tier=str(whole["context.tier"]),
        levels=() if undo else (int(whole["context.level"]),),
        before=verdict(models[0], whole),
        after=verdict(models[1], whole),
        when="; ".join(told) or "an ordinary request",
        request=request,
    )


def _merged(found: Sequence[Difference]) -> Iterator[Difference]:
    """Join what differs in the level only."""
    rows: dict[tuple[Any, ...], Difference] = {}
    for row in found:
        key = (row.allows, row.stage, row.tier, row.before, row.after, row.when)
        if (known := rows.get(key)) is None:
            rows[key] = row
        else:
            rows[key] = _joined(known, row)
    yield from rows.values()


def _joined(one: Difference, other: Difference) -> Difference:
    return replace(one, levels=tuple(sorted({*one.levels, *other.levels})))
