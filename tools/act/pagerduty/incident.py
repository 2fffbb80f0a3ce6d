"""What all actions on a PagerDuty incident have in common: read it, show it, do it once."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from bot.domain.action import ActionCall, Applied, BlastRadius, DryRun, Target
from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Refused
from tools.clients.arguments import Arguments
from tools.clients.pagerduty import EMAIL, RESOLVED, Incident, PagerDuty
from tools.clients.targets import BOT_NAME
from tools.contract import Action

ID = r"[A-Z0-9]{5,32}"


class OnIncident(Protocol):
    """The arguments of every such action."""

    @property
    def incident(self) -> str:
        """The incident's id."""


ArgsT = TypeVar("ArgsT", bound=OnIncident)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an action would do to an incident. `why_not`: why it cannot, "" if it can."""

    diff: str
    command: str
    detail: str = ""
    why_not: str = ""


class IncidentAction(Action[ArgsT], Generic[ArgsT]):
    """An action on one incident. PagerDuty has no dry-run: what can be read is checked."""

    fulfilled_when_resolved: ClassVar[bool] = False  # nothing is left to see of it then

    def __init__(self, environment: str, pagerduty: PagerDuty) -> None:
        self._environment, self.pagerduty = environment, pagerduty

    @classmethod
    def for_environment(cls, environment: Environment) -> Self | None:
        """Return the action, None when the environment has no PagerDuty. Raises: NotConfigured."""
        pagerduty = PagerDuty.of(environment)
        return cls(environment.name, pagerduty) if pagerduty else None

    @abstractmethod
    async def plan(self, incident: Incident, args: ArgsT) -> Plan:
        """Return what it would do."""

    @abstractmethod
    async def done(self, incident: Incident, args: ArgsT, key: str) -> str:
        """Return in words that it is so already, "" if it is not."""

    @abstractmethod
    async def act(self, incident: Incident, args: ArgsT, key: str) -> None:
        """Do it. Raises: Refused, Malformed, Unavailable: not known whether it was done."""

    async def target(self, args: ArgsT) -> Target:
        """Read the incident. Raises: UnknownName, Refused, Unavailable, Malformed."""
        incident = await self.pagerduty.incident(args.incident)
        return Target(
            environment=self._environment,
            kind="Incident",
            namespace="",
            name=incident.id,
            uid=incident.id,
            spec_hash=incident.digest,
            service=incident.service,
            replicas=0,
            is_bot_itself=BOT_NAME in (incident.service, incident.service_name),
        )

    async def dry_run(self, args: ArgsT) -> DryRun:
        """Say what would change; nothing is sent."""
        incident = await self.pagerduty.incident(args.incident)
        plan = await self.plan(incident, args)
        why = plan.why_not or _over(incident)
        head = f"incident #{incident.number} {incident.title}\n"
        return DryRun(
            ok=not why,
            command=plan.command,
            diff="" if why else head + plan.diff,
            blast_radius=BlastRadius(
                pods=0,
                pods_total=0,
                workload_ratio=0.0,
                fleet_ratio=0.0,
                namespaces=0,
                services=(incident.service,) if incident.service else (),
            ),
            detail=why or plan.detail,
        )

    async def inverse(
        self,
        args: ArgsT,  # noqa: ARG002 - it cannot be taken back
        target: Target,  # noqa: ARG002 - it cannot be taken back
    ) -> ActionCall | None:
        """Return None: who was called was called."""
        return None

    async def find(self, args: ArgsT, key: str) -> Applied | None:
        """Return that the incident is as it was to become, or past it."""
        incident = await self.pagerduty.incident(args.incident)
        words = await self.done(incident, args, key)
        if not words and self.fulfilled_when_resolved and incident.status == RESOLVED:
            words = "resolved by now"
        return _applied(incident, words) if words else None

    async def apply(self, args: ArgsT, target: Target, key: str) -> Applied:
        """Do it once, if the incident still is the target.

        Raises: Conflict: its state, or who has it, changed; Refused: names what the key lacks;
        Unavailable: not known whether it was done.
        """
        incident = await self.pagerduty.incident(args.incident)
        words = await self.done(incident, args, key)
        if words:
            return replace(_applied(incident, words), changed=False)
        if incident.digest != target.spec_hash:
            raise Conflict(f"incident #{incident.number} was changed since it was read")
        why = (await self.plan(incident, args)).why_not or _over(incident)
        if why:
            raise Conflict(why)
        await self.act(incident, args, key)
        after = await self.find(args, key)
        return after or _applied(incident, "sent, not to be seen yet")


def read_incident(read: Arguments) -> str:
    """Return the id of an incident. Raises: Malformed."""
    return read.matching("incident", ID, "the id of an incident, such as PT4KHLK")


def read_person(read: Arguments) -> str:
    """Return the e-mail of the person on whose behalf it is done. Raises: Malformed."""
    return read.matching("on_behalf_of", EMAIL, "the e-mail of a person", most=254)


async def of_a_person(pagerduty: PagerDuty, email: str) -> str:
    """Return why it cannot be done on behalf of this user, "" if it can.

    Raises: UnknownName: PagerDuty knows no such user.
    """
    if email.lower() == pagerduty.sender.lower():
        return "this is done on behalf of a person only, never of the bot itself"
    await pagerduty.user(email)
    return ""


def person_only(pagerduty: PagerDuty, email: str) -> None:
    """Raise Refused if the "person" is the bot's own user: it would silence a page by itself."""
    if email.lower() == pagerduty.sender.lower():
        raise Refused("the bot does not do this on its own behalf", rule="person-only")


def _applied(incident: Incident, words: str) -> Applied:
    return Applied(changed=True, detail=f"incident #{incident.number}: {words}")


def _over(incident: Incident) -> str:
    return f"incident #{incident.number} is resolved" if incident.status == RESOLVED else ""


def put_command(incident: str, change: str, sender: str) -> str:
    """Return the request that a person would send for the same change."""
    return (
        f"curl -X PUT https://api.pagerduty.com/incidents/{incident} -H 'From: {sender}' "
        f'-d \'{{"incident":{{"type":"incident_reference",{change}}}}}\''
    )
