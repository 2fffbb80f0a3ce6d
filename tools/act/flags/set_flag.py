"""Make a variant of a feature flag the default one."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import (
    ActionCall,
    ActionFacts,
    Applied,
    BlastRadius,
    DryRun,
    Effect,
    Level,
    Target,
)
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, Refused, UnknownName
from tools.clients.arguments import Arguments
from tools.clients.flags import Flag, Flags, flags_of
from tools.clients.targets import BOT_NAME
from tools.contract import Action

NOTHING = "nothing would change"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFlagArguments:
    """Which flag, and which of its variants."""

    flag: str
    variant: str


class SetFlag(Action[SetFlagArguments]):
    """Changes what a flag answers by default. No pod restarts."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="set_flag",
        summary="make a variant of a feature flag the default one",
        effect=Effect.FLAG,
        system="flags",
        reversible=True,
        highest_level=Level.L4,
        arguments={"flag": "name of the flag", "variant": "name of the variant"},
    )

    def __init__(self, environment: str, flags: Flags) -> None:
        self._environment, self._flags = environment, flags

    @classmethod
    def for_environment(cls, environment: Environment) -> "SetFlag | None":
        """Return the action, None when the environment has no flags. Raises: NotConfigured."""
        flags = flags_of(environment)
        return cls(environment.name, flags) if flags else None

    @classmethod
    def parse(cls, arguments: Any) -> SetFlagArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "flag", "variant")
        return SetFlagArguments(flag=read.flag("flag"), variant=read.flag("variant"))

    async def target(self, args: SetFlagArguments) -> Target:
        """Read the flag. Raises: UnknownName (flag or variant), Refused, Unavailable, Malformed."""
        flag = await self._flag(args)
        return Target(
            environment=self._environment,
            kind="Flag",
            namespace="",
            name=flag.name,
            uid=flag.name,
            spec_hash=flag.digest,
            service=flag.service,
            replicas=0,
            is_bot_itself=flag.service == BOT_NAME,
        )

    async def dry_run(self, args: SetFlagArguments) -> DryRun:
        """Ask the flag source whether it would take the change."""
        flag = await self._flag(args)
        seen = DryRun(
            ok=flag.default_variant != args.variant,
            command=self._flags.command(flag, args.variant),
            diff=await self._diff(flag, args.variant),
            blast_radius=BlastRadius(
                pods=0,
                pods_total=0,
                workload_ratio=0.0,
                fleet_ratio=0.0,
                namespaces=0,
                services=(flag.service,) if flag.service else (),
            ),
            detail=_warning(flag) if flag.default_variant != args.variant else NOTHING,
        )
        if not seen.ok:
            return seen
        try:
            after = await self._flags.set(flag, args.variant, dry_run=True)
        except (Refused, Malformed, Conflict) as error:
            return _failed(seen, str(error))
        if after.default_variant != args.variant:
            return _failed(seen, f"the source would keep {after.default_variant}")
        return seen

    async def inverse(self, args: SetFlagArguments, target: Target) -> ActionCall | None:
        """Return the setting of the variant of now, None if the flag has no default variant."""
        flag = await self._flag(args)
        if not flag.default_variant:
            return None
        return ActionCall(
            action=self.facts.name,
            environment=target.environment,
            arguments={"flag": flag.name, "variant": flag.default_variant},
        )

    async def find(
        self,
        args: SetFlagArguments,
        key: str,  # noqa: ARG002 - the source keeps no keys
    ) -> Applied | None:
        """Return that the flag has the variant; which key set it, the source does not tell."""
        flag = await self._flag(args)
        if flag.default_variant != args.variant:
            return None
        return Applied(changed=False, detail=f"flag/{flag.name} is {args.variant}")

    async def apply(self, args: SetFlagArguments, target: Target, key: str) -> Applied:
        """Set the variant. Raises: Conflict, Refused, Malformed, Unavailable."""
        flag = await self._flag(args)
        if flag.default_variant == args.variant:
            return Applied(changed=False, detail=f"flag/{flag.name} is {args.variant} already")
        if flag.digest != target.spec_hash:
            raise Conflict(f"flag/{flag.name} was changed since it was read")
        await self._flags.set(flag, args.variant, key=key)
        after = await self._flag(args)
        return Applied(
            changed=after.default_variant == args.variant,
            detail=f"flag/{flag.name} is {after.default_variant}, version {after.version}",
        )

    async def _flag(self, args: SetFlagArguments) -> Flag:
        flag = await self._flags.flag(args.flag)
        if args.variant not in flag.variants:
            raise UnknownName("variant", args.variant, near=flag.variants[:3], place=args.flag)
        return flag

    async def _diff(self, flag: Flag, variant: str) -> str:
        return "" if flag.default_variant == variant else await self._flags.diff(flag, variant)


def _warning(flag: Flag) -> str:
    """Return why the default variant may not be what is served, "" if nothing is in its way."""
    if flag.state != "ENABLED":
        return f"the flag is {flag.state.lower()}: what it serves is in the code, not here"
    return "its targeting rules decide before the default variant" if flag.targeted else ""


def _failed(seen: DryRun, why: str) -> DryRun:
    return DryRun(
        ok=False, command=seen.command, diff="", blast_radius=seen.blast_radius, detail=why
    )
