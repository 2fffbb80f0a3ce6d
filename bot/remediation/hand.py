"""One action of the catalogue, opened for one call: found, bound to its environment, parsed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.action import ActionCall, ActionFacts, DryRun, Target
from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, UnknownName
from tools.contract import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the system says of a call just now."""

    target: Target
    dry_run: DryRun
    inverse: ActionCall | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """An action with its checked arguments. Only the gateway calls `action.apply`."""

    environment: Environment
    action: Action[Any]
    arguments: Any

    @property
    def facts(self) -> ActionFacts:
        """What the action's own file says of it."""
        return self.action.facts

    async def look(self) -> Seen:
        """Read the target, ask for a dry-run, capture the inverse. Raises: as the action does."""
        target = await self.action.target(self.arguments)
        dry_run = await self.action.dry_run(self.arguments)
        inverse = await self.action.inverse(self.arguments, target)
        return Seen(target=target, dry_run=dry_run, inverse=inverse)


class Hands:
    """Opens hands; an action is bound to an environment once, for its client's connections."""

    def __init__(
        self,
        actions: Mapping[str, type[Action[Any]]],
        environments: Mapping[str, Environment],
    ) -> None:
        self._actions, self._environments = actions, environments
        self._bound: dict[tuple[str, str], Action[Any]] = {}

    def open(self, call: ActionCall) -> Hand:
        """Return the hand for a call. Raises: UnknownName, NotConfigured, Malformed."""
        environment = self._environments.get(call.environment)
        if environment is None:
            raise UnknownName("environment", call.environment, near=sorted(self._environments))
        kind = self._actions.get(call.action)
        if kind is None:
            raise UnknownName("action", call.action)
        action = self._bound.get((call.action, call.environment))
        if action is None:
            action = kind.for_environment(environment)
        if action is None:
            raise NotConfigured(f"{kind.facts.system} is not configured in {environment.name}")
        self._bound[call.action, call.environment] = action
        return Hand(environment=environment, action=action, arguments=kind.parse(call.arguments))


def lock_name(target: Target) -> str:
    """Return the name under which a target is locked."""
    return f"{target.environment}/{target.kind}/{target.namespace}/{target.name}"


def same_target(one: Target | None, other: Target | None) -> bool:
    """Return whether two reads saw the same object with the same spec."""
    if one is None or other is None:
        return False
    return (one.uid, one.spec_hash) == (other.uid, other.spec_hash)


def same_workload(one: Target, other: Target) -> bool:
    """Return whether two targets are one object, or parts of one service: its pods, settings."""
    if lock_name(one) == lock_name(other):
        return True
    places = [(t.environment, t.namespace, t.service) for t in (one, other)]
    return bool(one.service) and places[0] == places[1]
