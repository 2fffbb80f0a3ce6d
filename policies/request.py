"""A ruling's request as Cedar sees it: two entities and a context, every attribute checked."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.action import ActionFacts, BlastRadius, Level, Target
from bot.domain.errors import Malformed
from bot.domain.people import SELF, Actor, Role
from bot.domain.policy import Approvals, Conditions, PolicyRequest

LARGEST = 2**53
OWN = "sre-bot"  # its workload, database, service account, rules and levels carry this name
CARRIES_IT = re.compile(rf"(?:^|[^a-zA-Z0-9]){OWN}(?:[^a-zA-Z0-9]|$)")
PRINCIPAL = {"type": "Actor", "id": "actor"}
RESOURCE = {"type": "Target", "id": "target"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that exist. None: the caller vouches for them (a name is never empty, though)."""

    environments: frozenset[str] | None = None
    actions: frozenset[str] | None = None

    def environment(self, name: str) -> bool:
        """Whether an environment is configured."""
        return self.environments is None or name in self.environments

    def action(self, name: str) -> bool:
        """Whether an action is in the catalogue."""
        return self.actions is None or name in self.actions


VOUCHED = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a Cedar question is asked about; the question is the Cedar action."""

    entities: list[dict[str, Any]]
    context: dict[str, Any]
    values: dict[str, Any]  # the same by path: "context.blast.pods"


def facts(request: PolicyRequest, known: Known) -> Facts:
    """Return the request in Cedar's terms. Raises: Malformed: names the odd attribute."""
    actor, target = _actor(request.actor, request.requester_id), _target(request.target)
    entities = [
        {"uid": PRINCIPAL, "attrs": actor, "parents": []},
        {"uid": RESOURCE, "attrs": target, "parents": []},
    ]
    context = _context(request, known)
    parts = {"context": context, "principal": actor, "resource": target}
    return Facts(entities=entities, context=context, values=by_path(parts))


def by_path(parts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested records as one, by path."""
    found: dict[str, Any] = {}
    for name, value in parts.items():
        if isinstance(value, dict):
            found.update(by_path(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = value
    return found


def is_own(target: Target) -> bool:
    """Whether a target is the bot's own: marked so when it was read, or named so.

    Under whatever release ("ops-sre-bot-config"), in a namespace or repository of its name, in a
    file of that path.
    """
    named = any(map(CARRIES_IT.search, (target.name, target.service, target.namespace)))
    return _flag("target.is_bot_itself", target.is_bot_itself) or named


def runner() -> dict[str, Any]:
    """Return the bot itself as the one who acts: what a decision is carried out by."""
    return {"uid": PRINCIPAL, "attrs": _actor(SELF, ""), "parents": []}


def approvals(value: Approvals) -> dict[str, Any]:
    """Return the approvals' record."""
    held = _roles("approvals.roles", value.roles)
    return {
        "count": _count("approvals.count", value.count),
        "byObserver": Role.OBSERVER in held,
        "byResponder": Role.RESPONDER in held,
        "byApprover": Role.APPROVER in held,
        "byAdministrator": Role.ADMINISTRATOR in held,
        "includesRequester": _flag("approvals.includes_requester", value.includes_requester),
    }


def _context(request: PolicyRequest, known: Known) -> dict[str, Any]:
    environment = _name("environment", request.environment)
    return {
        "stage": request.stage.value,
        "environment": environment,
        "environmentKnown": known.environment(environment),
        "tier": request.tier.value,
        "requester": _name("requester_id", request.requester_id),
        "act": _action(request.action, known),
        "blast": _blast(request.blast_radius),
        "approvals": approvals(request.approvals),
        **_conditions(request.conditions),
        **_moment(request.conditions.moment),
    }


def _conditions(value: Conditions) -> dict[str, Any]:
    return {
        "level": Level(value.level).value,
        "confidencePermille": _floor("confidence", value.confidence),
        "calibrated": _flag("calibrated", value.calibrated),
        "novel": _flag("novel", value.novel),
        "approvedBeforeAndVerified": _flag(
            "approved_before_and_verified", value.approved_before_and_verified
        ),
        "dryRunOk": _flag("dry_run_ok", value.dry_run_ok),
        "freeze": _flag("freeze", value.freeze),
        "breakerOpen": _flag("breaker_open", value.breaker_open),
        "killSwitch": _flag("kill_switch", value.kill_switch),
        "targetLocked": _flag("target_locked", value.target_locked),
        "actionsLastHour": _count("actions_last_hour", value.actions_last_hour),
        "breakGlass": _flag("break_glass", value.break_glass),
    }


def _moment(moment: datetime) -> dict[str, int]:
    if moment.tzinfo is None:
        raise Malformed("moment: expected a time with a zone")
    here = moment.astimezone(UTC)
    return {
        "momentEpochSeconds": int(here.timestamp()),
        "hourUtc": here.hour,
        "weekdayUtc": here.isoweekday(),
    }


def _action(value: ActionFacts, known: Known) -> dict[str, Any]:
    name = _name("action.name", value.name)
    return {
        "name": name,
        "summary": _text("action.summary", value.summary),
        "effect": value.effect.value,
        "system": _name("action.system", value.system),
        "reversible": _flag("action.reversible", value.reversible),
        "highestLevel": Level(value.highest_level).value,
        "known": known.action(name),
    }


def _blast(value: BlastRadius) -> dict[str, int]:
    pods = _count("blast_radius.pods", value.pods)
    total = _count("blast_radius.pods_total", value.pods_total)
    if value.touched is not None:  # for people's eyes, but what is odd is not ruled on
        _count("blast_radius.touched", value.touched)
    claimed = _permille("blast_radius.workload_ratio", value.workload_ratio)
    counted = 1000.0 * pods / total if total else (1000.0 if pods else 0.0)
    return {
        "pods": pods,
        "podsTotal": total,
        "workloadPermille": math.ceil(max(claimed, min(counted, 1000.0))),
        "fleetPermille": _ceil("blast_radius.fleet_ratio", value.fleet_ratio),
        "namespaces": _count("blast_radius.namespaces", value.namespaces),
        "nodes": _count("blast_radius.nodes", value.nodes),
        "services": _number_of("blast_radius.services", value.services),
    }


def _actor(value: Actor, requester: str) -> Mapping[str, Any]:
    held = _roles("actor.roles", value.roles)
    return {
        "name": _text("actor.name", value.name),
        "team": _text("actor.team", value.team),
        "kind": value.kind.value,
        "observer": Role.OBSERVER in held,
        "responder": Role.RESPONDER in held,
        "approver": Role.APPROVER in held,
        "administrator": Role.ADMINISTRATOR in held,
        "isRequester": _name("actor.id", value.id) == requester,
    }


def _target(value: Target) -> Mapping[str, Any]:
    allows = value.pdb_allows
    return {
        "environment": _name("target.environment", value.environment),
        "kind": _name("target.kind", value.kind),
        "namespace": _text("target.namespace", value.namespace),
        "name": _name("target.name", value.name),
        "uid": _name("target.uid", value.uid),
        "specHash": _text("target.spec_hash", value.spec_hash),
        "service": _text("target.service", value.service),
        "replicas": _count("target.replicas", value.replicas),
        "stateful": _flag("target.stateful", value.stateful),
        "owner": _text("target.owner", value.owner),
        "gitopsOwner": _text("target.gitops_owner", value.gitops_owner),
        "isBotItself": is_own(value),
        "hasPdb": allows is not None,
        "pdbAllows": 0 if allows is None else _count("target.pdb_allows", allows),
    }


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Malformed(f"{name}: expected true or false")
    return value


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST:
        raise Malformed(f"{name}: expected a whole number from 0")
    return value


def _number_of(name: str, value: Any) -> int:
    if not isinstance(value, tuple):
        raise Malformed(f"{name}: expected names")
    return len([_name(name, item) for item in value])


def _floor(name: str, value: Any) -> int:
    """Return the permille of a ratio, never above it."""
    found = math.floor(_permille(name, value))
    return found - 1 if found / 1000 > value else found


def _ceil(name: str, value: Any) -> int:
    """Return the permille of a ratio, never below it."""
    found = math.ceil(_permille(name, value))
    return found + 1 if found / 1000 < value else found


def _permille(name: str, value: Any) -> float:
    # Rounded to the millionth first: 0.29 * 1000 is 290, not 289.99999999999994.
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise Malformed(f"{name}: expected a ratio from 0 to 1")
    return float(round(value * 1000.0, 6))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{name}: expected a text")
    return value.encode("utf-8", "replace").decode()


def _name(name: str, value: Any) -> str:
    text = _text(name, value)
    if not text:
        raise Malformed(f"{name}: is empty")
    return text


def _roles(name: str, value: Any) -> frozenset[Role]:
    if not isinstance(value, frozenset) or not all(isinstance(role, Role) for role in value):
        raise Malformed(f"{name}: expected a set of roles")
    return value
