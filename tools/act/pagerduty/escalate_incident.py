"""Escalate an incident to a level of its policy: whoever is on call there is called."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from tools.act.pagerduty.incident import IncidentAction, Plan, put_command, read_incident
from tools.clients.arguments import Arguments
from tools.clients.pagerduty import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateArguments:
    """Which incident, and to which level of its escalation policy."""

    incident: str
    level: int


class EscalateIncident(IncidentAction[EscalateArguments]):
    """Calls the next people for one incident."""

    fulfilled_when_resolved = True
    facts: ClassVar[ActionFacts] = ActionFacts(
        name="escalate_incident",
        summary="escalate an incident to a level of its policy",
        effect=Effect.PAGE,
        system="pagerduty",
        reversible=False,
        highest_level=Level.L3,
        arguments={
            "incident": "id of the incident",
            "level": "level of its escalation policy, 1 to 20",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> EscalateArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "incident", "level")
        return EscalateArguments(
            incident=read_incident(read), level=read.integer("level", least=1, most=20)
        )

    async def plan(self, incident: Incident, args: EscalateArguments) -> Plan:
        """Return who has it now, and who would be called."""
        await self.pagerduty.user(self.pagerduty.sender)
        called = await self.pagerduty.on_call(incident.policy, args.level)
        why = "" if called else f"nobody is on call at level {args.level} of its policy"
        if called and set(called) <= set(incident.assignees):
            why = f"level {args.level} has it already"
        change = f'"escalation_level":{args.level}'
        return Plan(
            diff=f"-assigned to: {', '.join(incident.assignees) or 'nobody'}\n"
            f"+assigned to: {', '.join(called)} (level {args.level})",
            command=put_command(incident.id, change, self.pagerduty.sender),
            detail="who is called is called: it cannot be taken back",
            why_not=why,
        )

    async def done(self, incident: Incident, args: EscalateArguments, key: str) -> str:  # noqa: ARG002 - an incident keeps no keys
        """Return that those on call at the level have it; who escalated, it does not tell."""
        called = await self.pagerduty.on_call(incident.policy, args.level)
        there = bool(called) and set(called) <= set(incident.assignees)
        return f"level {args.level} has it" if there else ""

    async def act(self, incident: Incident, args: EscalateArguments, key: str) -> None:  # noqa: ARG002 - an incident keeps no keys
        """Escalate it. Raises: as `PagerDuty.send`."""
        change = {"escalation_level": args.level}
        await self.pagerduty.update(incident.id, change, self.pagerduty.sender)
