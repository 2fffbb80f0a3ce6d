"""Every invariant is proved for the rules as they are, and found broken in rules that break it."""
# ruff: noqa: E501 - one row for each policy that is broken

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import Effect, Level
from bot.domain.environment import Tier
from bot.domain.people import Actor, ActorKind, Role
from bot.domain.policy import Approvals, PolicyRequest, Stage, Verdict
from policies.engine import CedarEngine
from policies.expressions import Truth, compiled, flag, number, ratio
from policies.invariants import invariants, of_both, of_the_guard
from policies.limits import LEVEL, LIMITS, STANDS
from policies.model import guard_model, policy_model, rules_model
from policies.ordinary import ordinary, values
from policies.proof import Checked, PolicyBroken, prove, require
from policies.request import Known
from policies.rulebook import RULES, load
from policies.solver import Search
from tests.unit.policies.requests import random_request

GUARDED = [i.name for i in of_the_guard(guard_model())]
Break = tuple[str, str, str]  # file, what stands there, what is put there

FREE = '@id("wild") @reason("wild") permit (principal, action == Action::"{0}", resource) when {{ {1} }};'
"""A rule that somebody adds: it permits a question."""

BROKEN: dict[str, list[Break]] = {
    "nothing-runs-at-l1": [("levels.cedar", "context.level == 2 &&", "context.level <= 2 &&")],
    "below-l4-a-person-decides": [
        ("approvals.cedar", "context.approvals.count >= 1 && context.approvals.byApprover", "true"),
    ],
    "highest-level": [("levels.cedar", "context.level >= 4 && context.act.highestLevel >= 4", "context.level >= 4 && context.act.highestLevel >= 3")],
    "autonomy-is-the-bot": [("trust.cedar", '!(principal.kind == "self")', "false && !(principal.kind == \"self\")")],
    "prod-irreversible": [("production.cedar", "!context.act.reversible", "!context.act.reversible && context.novel")],
    "prod-stateful": [("production.cedar", "&& resource.stateful", "&& resource.stateful && resource.hasPdb")],
    "prod-two-people": [("approvals.cedar", "context.approvals.includesRequester &&", "context.approvals.includesRequester && context.freeze &&")],
    "break-glass-is-noted": [],
    "prod-approver": [("approvals.cedar", "context.approvals.byApprover)\n};\n\n@id(\"prod-two", "(context.approvals.byApprover || context.approvals.byResponder))\n};\n\n@id(\"prod-two")],
    "page-by-people": [("pages.cedar", 'context.act.effect == "page"', 'context.act.effect == "page" && context.novel')],
    "approvers-are-enough": [("approvals.cedar", '@id("known-tier")', '@id("card-asks-two") @reason("two decide while no break-glass is used")\nforbid (principal, action in Action::"decided", resource)\nwhen { principal.kind == "self" && context.stage == "execute" && context.approvals.count < 2 && context.approvals.byApprover && !context.approvals.byResponder };\n\n@id("known-tier")')],
    "blast-caps": [("blast_radius.cedar", "context.blast.nodes > 1", "context.blast.nodes > 2")],
    "blast-caps-alone": [("blast_radius.cedar", "workloadPermille > 340", "workloadPermille > 900")],
    "dry-run": [("stops.cedar", "!context.dryRunOk", "!context.dryRunOk && context.freeze")],
    "target-held": [("stops.cedar", '!(context.stage == "propose")', 'context.stage == "undo"'), ("stops.cedar", "when { context.targetLocked };", "when { context.targetLocked && context.novel };")],
    "kill-switch": [("stops.cedar", "context.killSwitch", "context.killSwitch && context.freeze")],
    "freeze": [("stops.cedar", "context.freeze", 'context.freeze && context.tier == "production"')],
    "novel": [("trust.cedar", "context.novel", "context.novel && context.level < 4")],
    "low-confidence": [("trust.cedar", "< 800", "< 700")],
    "breaker": [("stops.cedar", "context.breakerOpen", "context.breakerOpen && !context.calibrated")],
    "never-itself": [("self_protection.cedar", "resource.isBotItself", 'resource.isBotItself && context.act.system == "kubernetes"')],
    "undo-reversible-only": [("undo.cedar", "!context.act.reversible", 'context.tier == "production" && !context.act.reversible')],
    "unknown-action": [("trust.cedar", "!context.act.known", '!context.act.known && context.stage == "execute"')],
    "unknown-environment": [("trust.cedar", " || !(resource.environment == context.environment)", "")],
    "unknown-actor": [("trust.cedar", '!(principal.kind == "person" || principal.kind == "self")', 'principal.kind == "guest"')],
    "undo-role": [("trust.cedar", "!(principal.responder || principal.approver)", "!(principal.responder || principal.approver || principal.observer)")],
    "monotone:less-confidence": [("trust.cedar", "context.confidencePermille < 800", "context.confidencePermille < 800 || context.confidencePermille > 990")],
    "monotone:larger-blast": [("blast_radius.cedar", "context.blast.nodes > 0", "context.blast.nodes > 0 || context.blast.pods == 0")],
    "monotone:more-novel": [("trust.cedar", 'forbid (principal, action == Action::"autonomous", resource)\nwhen { context.novel };', 'forbid (principal, action == Action::"autonomous", resource)\nwhen { !context.novel };')],
    "monotone:lower-level": [("levels.cedar", "context.level >= 3 && context.act.highestLevel >= 3", "context.level == 3 && context.act.highestLevel >= 3")],
}  # fmt: skip
KEPT_BY_THE_GUARD = {"break-glass-is-noted"}  # no rule has a say in it: broken below
NOT_EVEN_ASKED = {"nothing-runs-at-l1", "highest-level"}  # the engine asks nothing above the level
LOOSE = {  # invariant of the guard → its limits that have to go before it breaks
    "nothing-runs-at-l1": {"level"},
    "below-l4-a-person-decides": {"level"},
    "highest-level": {"level"},
    "autonomy-is-the-bot": {"autonomy-is-the-bot"},
    "prod-irreversible": {"prod-irreversible-needs-a-person"},
    "prod-stateful": {"prod-stateful-needs-a-person"},
    "blast-caps": {"hard-cap"},
    "dry-run": {"hard-cap"},
    "target-held": {"target-held"},
    "kill-switch": {"kill-switch"},
    "freeze": {"freeze"},
    "novel": {"novel-incident"},
    "low-confidence": {"low-confidence"},
    "breaker": {"breaker-open"},
    "never-itself": {"never-itself"},
    "undo-reversible-only": {"undo-reversible-only"},
    "unknown-action": {"unknown-action"},
    "unknown-environment": {"unknown-environment"},
    "unknown-actor": {"people-only"},
    "undo-role": {"role-needed"},
    "page-by-people": {"page-by-people", "page-not-undone"},
}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def broken(rules: Path, changes: list[Break]) -> dict[str, Checked]:
    for name, old, new in changes:
        text = (rules / name).read_text()
        assert old in text, f"{name} has no {old!r}"
        (rules / name).write_text(text.replace(old, new))
    return {checked.name: checked for checked in prove(load(rules)).broken}


@pytest.fixture(scope="module")
def counter_of(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], tuple[Path, dict[str, Checked]]]:
    """Return rules that break an invariant, with all that is broken; made once for each."""
    made: dict[str, tuple[Path, dict[str, Checked]]] = {}

    def of(name: str) -> tuple[Path, dict[str, Checked]]:
        if name not in made:
            folder = Path(shutil.copytree(RULES, tmp_path_factory.mktemp("broken") / "rules"))
            made[name] = (folder, broken(folder, BROKEN[name]))
        return made[name]

    return of


def test_all_invariants_are_proved_within_a_second() -> None:
    book = load()
    seconds = []
    for _ in range(3):
        started = time.process_time()
        proof = prove(book)
        seconds.append(time.process_time() - started)
    assert not proof.broken, proof.words
    assert min(seconds) < 1.0
    assert len(proof.checked) >= 60


def test_every_invariant_has_a_policy_that_breaks_it() -> None:
    names = {i.name for i in invariants(rules_model(load()))}
    assert set(BROKEN) == names
    assert {f"both:{n}" for n in names} >= {i.name for i in of_both(policy_model(load()))}
    assert {n for n, changes in BROKEN.items() if not changes} == KEPT_BY_THE_GUARD


@pytest.mark.parametrize("name", sorted(set(BROKEN) - KEPT_BY_THE_GUARD))
def test_a_policy_that_breaks_an_invariant_gets_the_counter_example(
    counter_of: Any, name: str
) -> None:
    _, found = counter_of(name)
    assert name in found, sorted(found)
    counter = found[name]
    assert not counter.proved
    assert "stage " in counter.words
    assert "level L" in counter.words


@pytest.mark.parametrize("name", sorted(set(BROKEN) - KEPT_BY_THE_GUARD - NOT_EVEN_ASKED))
def test_cedar_itself_gives_the_ruling_of_the_counter_example(counter_of: Any, name: str) -> None:
    rules, found = counter_of(name)
    counter = found[name]
    whole = {**values(ordinary()), **counter.request}
    known = Known(
        environments=None if whole["context.environmentKnown"] else frozenset(),
        actions=None if whole["context.act.known"] else frozenset(),
    )
    engine = CedarEngine(rules, environments=known.environments, actions=known.actions)
    said = engine.rules_say(request_from(whole)).verdict
    model = {v: compiled(e) for v, e in rules_model(load(rules)).verdicts.items()}
    assert [v for v, holds in model.items() if holds(whole)] == [said]


def request_from(whole: dict[str, Any]) -> PolicyRequest:
    """Return the request that attributes by path describe."""
    usual = ordinary()
    context = {k.removeprefix("context."): v for k, v in whole.items() if k.startswith("context.")}
    kinds, tiers = set(ActorKind), set(Tier)
    roles = {r for r in Role if whole[f"principal.{r.value}"]}
    given = {r for r in Role if context[f"approvals.by{r.value.title()}"]}
    return replace(
        usual,
        stage=Stage(context["stage"]),
        tier=Tier(context["tier"]) if context["tier"] in tiers else Tier.PRODUCTION,
        action=replace(
            usual.action,
            reversible=context["act.reversible"],
            effect=Effect(context["act.effect"]) if context["act.effect"] in set(Effect) else Effect.CONFIG,
            system=context["act.system"],
            highest_level=Level(context["act.highestLevel"]),
        ),
        actor=Actor(
            id="sre-bot",
            team="",
            kind=ActorKind(whole["principal.kind"]) if whole["principal.kind"] in kinds else ActorKind.BOT,
            roles=frozenset(roles),
        ),
        target=replace(
            usual.target,
            environment=whole["resource.environment"],
            stateful=whole["resource.stateful"],
            gitops_owner=whole["resource.gitopsOwner"],
            is_bot_itself=whole["resource.isBotItself"],
            pdb_allows=whole["resource.pdbAllows"] if whole["resource.hasPdb"] else None,
        ),
        blast_radius=replace(
            usual.blast_radius,
            pods=context["blast.pods"],
            pods_total=0 if context["blast.pods"] == 0 else max(10, context["blast.pods"] * 10),
            workload_ratio=context["blast.workloadPermille"] / 1000,
            fleet_ratio=context["blast.fleetPermille"] / 1000,
            namespaces=context["blast.namespaces"],
            nodes=context["blast.nodes"],
        ),
        approvals=Approvals(
            count=context["approvals.count"],
            roles=frozenset(given),
            includes_requester=context["approvals.includesRequester"],
        ),
        conditions=replace(
            usual.conditions,
            level=Level(context["level"]),
            confidence=context["confidencePermille"] / 1000,
            calibrated=context["calibrated"],
            novel=context["novel"],
            approved_before_and_verified=context["approvedBeforeAndVerified"],
            dry_run_ok=context["dryRunOk"],
            freeze=context["freeze"],
            breaker_open=context["breakerOpen"],
            kill_switch=context["killSwitch"],
            target_locked=context["targetLocked"],
            actions_last_hour=context["actionsLastHour"],
            break_glass=context["breakGlass"],
        ),
    )  # fmt: skip


def guard_breaks(loosened: Callable[[], Any]) -> set[str]:
    search = Search()
    return {
        i.name.removeprefix("guard:")
        for i in of_the_guard(loosened())
        if not i.name.endswith("never-more") and search.possible(i.broken)
    }


@pytest.mark.parametrize("name", sorted(LOOSE))
def test_each_limit_of_the_guard_carries_its_invariant(name: str) -> None:
    gone = {f"guard:{rule}" for rule in LOOSE[name]}
    left = [limit for limit in LIMITS if limit.reason.rule not in gone]
    assert name in guard_breaks(lambda: guard_model(left))


@pytest.mark.parametrize("name", ["below-l4-a-person-decides", "prod-two-people", "prod-approver"])
def test_the_guard_without_its_count_of_decisions_breaks(name: str) -> None:
    always = dict.fromkeys(STANDS, STANDS[Verdict.AUTONOMOUS])
    assert name in guard_breaks(lambda: guard_model(LIMITS, always))


def test_a_guard_that_does_not_name_break_glass_breaks() -> None:
    silent = replace(guard_model(), noted=Truth(False))
    assert "break-glass-is-noted" in guard_breaks(lambda: silent)


@pytest.mark.parametrize("side", ["less-confidence", "larger-blast", "more-novel", "lower-level"])
def test_a_limit_that_falls_away_when_things_get_worse_breaks(side: str) -> None:
    worse = {
        "less-confidence": ratio("exact.confidence").at_least(0.99),
        "larger-blast": number("context.blast.nodes").equals(0),
        "more-novel": ~flag("context.novel"),
        "lower-level": LEVEL.equals(4),
    }[side]
    upside_down = replace(LIMITS[0], when=worse)
    assert f"monotone:{side}" in guard_breaks(lambda: guard_model([*LIMITS, upside_down]))


def test_a_guard_that_raises_a_verdict_breaks() -> None:
    wild = guard_model()
    wild = replace(wild, verdicts={**wild.verdicts, Verdict.AUTONOMOUS: Truth(True)})
    (never_more,) = [i for i in of_the_guard(wild) if i.name == "guard:never-more"]
    assert Search().possible(never_more.broken)


def test_a_broken_policy_is_refused_with_its_counter_examples(rules: Path) -> None:
    broken(rules, BROKEN["kill-switch"])
    with pytest.raises(
        PolicyBroken, match=r"kill switch beats every permit.*the kill switch is on"
    ):
        require(rules)


def test_an_invariant_of_what_can_never_happen_is_no_proof(rules: Path) -> None:
    text = (rules / "levels.cedar").read_text()
    (rules / "levels.cedar").write_text(text.replace("context.level >= 4", "context.level >= 5"))
    found = {c.name: c for c in prove(load(rules)).broken}
    assert found["prod-irreversible"].vacuous
    assert "not possible" in found["prod-irreversible"].words


def test_a_counter_example_says_what_is_odd_and_which_rule_allowed_it(rules: Path) -> None:
    counter = broken(rules, BROKEN["prod-stateful"])["prod-stateful"]
    assert counter.words == (
        "it is done by the bot itself (allowed by rule level-4-autonomous) with: "
        "stage execute; tier production; level L4; the target is stateful"
    )


def test_a_rule_that_permits_everything_is_found_and_the_guard_still_holds(rules: Path) -> None:
    (rules / "wild.cedar").write_text(FREE.format("autonomous", "true"))
    for name in ("stops.cedar", "production.cedar"):
        (rules / name).unlink()
    found = {c.name for c in prove(load(rules)).broken}
    assert {"kill-switch", "freeze", "prod-stateful"} <= found
    assert not {name for name in found if name.startswith("guard:")}
    engine, chance = CedarEngine(rules), random.Random(1)
    for _ in range(300):
        request = random_request(chance)
        if request.conditions.kill_switch:
            assert engine.rule(request).denied


def test_each_invariant_of_the_guard_is_broken_by_some_test() -> None:
    limits = set(LOOSE) | {"prod-two-people", "prod-approver", "break-glass-is-noted"}
    sides = {
        f"monotone:{s}" for s in ("less-confidence", "larger-blast", "more-novel", "lower-level")
    }
    assert {f"guard:{name}" for name in limits | sides} | {"guard:never-more"} == set(GUARDED)


def test_the_guard_has_all_hard_invariants() -> None:
    hard = {i.name for i in invariants(guard_model()) if i.hard}
    assert {f"guard:{name}" for name in hard} | {"guard:never-more"} == set(GUARDED)
    assert set(BROKEN) - hard == {"approvers-are-enough", "blast-caps-alone"}
