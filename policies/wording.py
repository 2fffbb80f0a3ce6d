"""A request in words: what a person reads of a counter-example or of a difference."""

from collections.abc import Iterator
from typing import Any

from policies.expressions import Values
from policies.solver import WORSE

FLAGS = {  # path → what is said when on, when off
    "context.act.known": ("the action is in the catalogue", "the action is not in the catalogue"),
    "context.act.reversible": ("it can be taken back", "it cannot be taken back"),
    "context.approvals.byAdministrator": ("an administrator decided", "no administrator decided"),
    "context.approvals.byApprover": ("an approver decided", "no approver decided"),
    "context.approvals.byObserver": ("an observer decided", "no observer decided"),
    "context.approvals.byResponder": ("a responder decided", "no responder decided"),
    "context.approvals.includesRequester": (
        "the requester is among those who decided", "the requester is not among them"),
    "context.approvedBeforeAndVerified": (
        "approved and verified before", "never approved and verified before"),
    "context.breakGlass": ("break-glass is used", "no break-glass"),
    "context.breakerOpen": ("the breaker is open", "the breaker is closed"),
    "context.calibrated": ("confidence is calibrated", "confidence is not calibrated"),
    "context.dryRunOk": ("the dry-run passed", "the dry-run did not pass"),
    "context.environmentKnown": ("the environment is known", "the environment is not configured"),
    "context.freeze": ("a freeze is on", "no freeze"),
    "context.killSwitch": ("the kill switch is on", "the kill switch is off"),
    "context.novel": ("the incident is novel", "like incidents are known"),
    "context.targetLocked": ("somebody else holds the target", "nobody holds the target"),
    "principal.administrator": ("by an administrator", "not by an administrator"),
    "principal.approver": ("by an approver", "not by an approver"),
    "principal.isRequester": ("by the requester", "not by the requester"),
    "principal.observer": ("by an observer", "not by an observer"),
    "principal.responder": ("by a responder", "not by a responder"),
    "resource.hasPdb": ("a disruption budget is there", "no disruption budget"),
    "resource.isBotItself": ("the target is the bot's own", "the target is not the bot's own"),
    "resource.stateful": ("the target is stateful", "the target is stateless"),
}  # fmt: skip
NAMES = {
    "context.act.effect": "effect",
    "context.act.highestLevel": "highest level of the action L",
    "context.act.name": "action",
    "context.act.system": "system",
    "context.actionsLastHour": "actions in the last hour",
    "context.approvals.count": "decisions",
    "context.environment": "environment",
    "context.level": "level L",
    "context.requester": "asked for by",
    "context.stage": "stage",
    "context.tier": "tier",
    "principal.kind": "actor",
    "resource.environment": "target in environment",
    "resource.gitopsOwner": "owned by",
    "resource.kind": "target",
    "resource.pdbAllows": "pods that the disruption budget allows",
    "resource.replicas": "replicas",
}
HIDDEN = ("exact.confidence", "exact.fleet")  # told by the permille beside it
VERDICTS = {
    "deny": "denied",
    "suggest": "shown as a suggestion",
    "one_click": "possible with one click",
    "approval": "possible with an approval",
    "autonomous": "done by the bot itself",
}
ALWAYS = ("context.stage", "context.tier", "context.level")


def differences(values: Values, ordinary: Values) -> list[str]:
    """Return in words what a request is, where it is not ordinary; stage, tier, level always."""
    found = [_told(path, values.get(path, ordinary[path])) for path in ALWAYS]
    found += [
        _told(path, value)
        for path, value in values.items()
        if path not in ALWAYS + HIDDEN
        and not path.startswith(WORSE)
        and not path.startswith("rules.")
        and value != ordinary.get(path)
    ]
    return [*found, *_then(values)]


def _then(values: Values) -> Iterator[str]:
    """Yield what differs in the second of two requests that are compared."""
    for path, value in values.items():
        now = path.removeprefix(WORSE)
        if path.startswith(WORSE) and now not in HIDDEN and value != values.get(now):
            yield f"then: {_told(now, value)}"


def _told(path: str, value: Any) -> str:
    if path in FLAGS:
        return FLAGS[path][0 if value else 1]
    if path.endswith("Permille"):
        of = {"confidence": "confidence", "workload": "of the workload", "fleet": "of all pods"}
        part = path.rpartition(".")[2].removesuffix("Permille")
        share = f"{value / 10:g} %"
        return f"{of[part]} {share}" if part == "confidence" else f"{share} {of[part]}"
    name = NAMES.get(path, path.partition(".")[2].replace(".", " "))
    return f"{name}{value}" if name.endswith(" L") else f"{name} {value or 'none'}"
