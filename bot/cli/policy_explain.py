"""`sre-bot policy explain`: what would happen if."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bot.cli.policy_rules import AS_JSON, RULES, engine_and_tier
from bot.domain.action import Level
from bot.domain.codec import encode
from bot.domain.environment import Tier
from bot.domain.people import SELF, Actor, ActorKind, Role
from bot.domain.policy import Approvals, PolicyRequest, Stage

Command = Callable[..., None]
Decorator = Callable[[Command], Command]
PERCENT, COUNT = click.FloatRange(0.0, 100.0), click.IntRange(0)


def _many(*options: Decorator) -> Decorator:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _switch(name: str, words: str) -> Decorator:
    return click.option(f"--{name}", is_flag=True, help=words)


@click.command("explain")
@_many(
    click.option("--environment", default="prod", show_default=True),
    click.option("--tier", type=click.Choice([t.value for t in Tier]), help="Default: of NAME."),
    click.option("--action", default="rollback_deployment", show_default=True),
    click.option("--level", default=4, show_default=True, type=click.IntRange(1, 4)),
    click.option("--stage", default="propose", type=click.Choice([s.value for s in Stage])),
    click.option("--actor", default="self", type=click.Choice([k.value for k in ActorKind])),
    click.option("--role", multiple=True, type=click.Choice([r.value for r in Role])),
    click.option("--approvals", default=0, type=COUNT, help="Decisions that are there."),
    click.option("--approved-by", multiple=True, type=click.Choice([r.value for r in Role])),
    _switch("by-requester", "The requester is among those who decided."),
    click.option("--confidence", default=95.0, show_default=True, type=PERCENT),
    click.option("--workload", default=10.0, show_default=True, type=PERCENT,
                 help="% of the workload unavailable at one time."),
    click.option("--fleet", default=1.0, show_default=True, type=PERCENT,
                 help="% of all pods of the environment."),
    click.option("--namespaces", default=1, type=COUNT),
    click.option("--nodes", default=0, type=COUNT),
    click.option("--last-hour", default=0, type=COUNT, help="Actions that ran here."),
    click.option("--gitops", default="", help="Owner of the object: argocd, flux, helm."),
    click.option("--pdb-allows", type=COUNT, help="Pods that may go now."),
    _switch("stateful", "The target is stateful."),
    _switch("irreversible", "The action cannot be taken back."),
    _switch("own", "The target is the bot's own."),
    _switch("novel", "No like incident was ever confirmed."),
    _switch("uncalibrated", "Confidence is not a fitted probability."),
    _switch("unproven", "The call was never approved and verified before."),
    _switch("freeze", "A freeze window is on."),
    _switch("breaker-open", "Earlier executions failed."),
    _switch("stopped", "The kill switch is on."),
    _switch("held", "Somebody else holds the target."),
    _switch("dry-run-failed", "The dry-run did not pass."),
    _switch("break-glass", "The lone on-call uses break-glass."),
)  # fmt: skip
@RULES
@AS_JSON
def policy_explain(rules: Path | None, *, as_json: bool, **asked: Any) -> None:
    """What would happen if: the verdict, which rule gave each reason, what would have to change.

    Everything not named is as in an ordinary case where all is well.
    """
    from policies.explaining import explain

    engine, tier = engine_and_tier(rules, asked["environment"])
    asked["tier"] = asked["tier"] or tier
    told = explain(engine, request_of(asked))
    places = engine.book.places
    if as_json:
        reasons = [
            {"rule": r.rule, "text": r.text, "place": _place(r.rule, places)}
            for r in told.ruling.reasons
        ]
        ruling = encode(told.ruling) | {"reasons": reasons}
        found = {"ruling": ruling, "ways": encode(told.ways), "request": encode(told.request)}
        click.echo(json.dumps(found, indent=2))
        return
    click.echo("\n".join(_explained(told, places)))


def _place(rule: str, places: Any) -> str:
    guard = "policies/limits.py" if rule.startswith("guard:") else ""
    return f"policies/rules/{places[rule]}" if rule in places else guard


def _explained(told: Any, places: Any) -> list[str]:
    ruling = told.ruling
    who = ""
    if ruling.approvals_needed:
        alone = "the requester too" if ruling.requester_may_approve else "not the requester"
        who = f": {ruling.approvals_needed} of role {ruling.approver_role.value}, {alone}"
    lines = [f"{ruling.verdict.value}{who}"]
    for reason in ruling.reasons:
        where = _place(reason.rule, places)
        lines.append(f"  {reason.text} (rule {reason.rule}{f', {where}' if where else ''})")
    for way in told.ways:
        lines.append(f"It would be {way.verdict.value} if {', and '.join(way.changes)}.")
    if not told.ways and ruling.verdict.value != "autonomous":
        lines.append("Nothing that people or time can change would allow more.")
    return lines


def request_of(asked: dict[str, Any]) -> PolicyRequest:
    """Return the request that the options describe. Raises: UsageError: names what is unknown."""
    from policies.ordinary import ordinary

    usual = ordinary()
    return replace(
        usual,
        stage=Stage(asked["stage"]),
        environment=asked["environment"],
        tier=Tier(asked["tier"]),
        action=_action(asked),
        actor=_actor(asked),
        requester_id="U1" if asked["by_requester"] else usual.requester_id,
        target=replace(
            usual.target,
            environment=asked["environment"],
            stateful=asked["stateful"],
            gitops_owner=asked["gitops"],
            is_bot_itself=asked["own"],
            pdb_allows=asked["pdb_allows"],
        ),
        blast_radius=replace(
            usual.blast_radius,
            workload_ratio=asked["workload"] / 100,
            fleet_ratio=asked["fleet"] / 100,
            pods=round(asked["workload"] / 100 * usual.blast_radius.pods_total),
            namespaces=asked["namespaces"],
            nodes=asked["nodes"],
        ),
        approvals=_approvals(asked),
        conditions=_conditions(usual, asked),
    )


def _conditions(usual: PolicyRequest, asked: dict[str, Any]) -> Any:
    return replace(
        usual.conditions,
        level=Level(asked["level"]),
        confidence=asked["confidence"] / 100,
        calibrated=not asked["uncalibrated"],
        novel=asked["novel"],
        approved_before_and_verified=not asked["unproven"],
        dry_run_ok=not asked["dry_run_failed"],
        freeze=asked["freeze"],
        breaker_open=asked["breaker_open"],
        kill_switch=asked["stopped"],
        target_locked=asked["held"],
        actions_last_hour=asked["last_hour"],
        break_glass=asked["break_glass"],
    )


def _action(asked: dict[str, Any]) -> Any:
    from tools.catalog import actions

    catalogue = actions()
    if asked["action"] not in catalogue:
        raise click.UsageError(
            f"I don't know an action called `{asked['action']}`. There are: {', '.join(catalogue)}"
        )
    facts = catalogue[asked["action"]].facts
    return replace(facts, reversible=facts.reversible and not asked["irreversible"])


def _actor(asked: dict[str, Any]) -> Actor:
    kind = ActorKind(asked["actor"])
    if asked["role"] and kind is ActorKind.SELF:
        kind = ActorKind.PERSON
    if kind is ActorKind.SELF:
        return SELF
    return Actor(id="U1", team="T1", kind=kind, roles=frozenset(map(Role, asked["role"])))


def _approvals(asked: dict[str, Any]) -> Approvals:
    roles = frozenset(map(Role, asked["approved_by"]))
    return Approvals(
        count=max(asked["approvals"], len(roles)),
        roles=roles,
        includes_requester=asked["by_requester"],
    )
