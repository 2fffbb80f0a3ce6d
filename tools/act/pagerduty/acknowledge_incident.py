"""Acknowledge an incident, on behalf of the person who clicks. Never by itself.

An acknowledged page is not called again: done by a bot, it would silence the escalation. Its
highest level is L2, so that no rule and no level can make it run without a person's click, and the
bot's own user is refused as the person.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from tools.act.pagerduty.incident import (
    IncidentAction,
    Plan,
    of_a_person,
    person_only,
    put_command,
    read_incident,
    read_person,
)
from tools.clients.arguments import Arguments
from tools.clients.pagerduty import ACKNOWLEDGED, Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeIncidentArguments:
    """Which incident, and the e-mail of the person who acknowledges it."""

    incident: str
    on_behalf_of: str


class AcknowledgeIncident(IncidentAction[AcknowledgeIncidentArguments]):
    """Stops the calls of one incident: a person has it now."""

    fulfilled_when_resolved = True
    facts: ClassVar[ActionFacts] = ActionFacts(
        name="acknowledge_incident",
        summary="acknowledge an incident on behalf of the person who clicks",
        effect=Effect.PAGE,
        system="pagerduty",
        reversible=False,
        highest_level=Level.L2,
        arguments={
            "incident": "id of the incident",
            "on_behalf_of": "e-mail of the person who acknowledges it, never the bot's",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> AcknowledgeIncidentArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "incident", "on_behalf_of")
        return AcknowledgeIncidentArguments(
            incident=read_incident(read), on_behalf_of=read_person(read)
        )

    async def plan(self, incident: Incident, args: AcknowledgeIncidentArguments) -> Plan:
        """Return the change of its status."""
        return Plan(
            diff=f"-status: {incident.status}\n+status: acknowledged (by {args.on_behalf_of})",
            command=put_command(incident.id, '"status":"acknowledged"', args.on_behalf_of),
            detail="it cannot be taken back",
            why_not=await of_a_person(self.pagerduty, args.on_behalf_of)
            or ("it is acknowledged already" if incident.status == ACKNOWLEDGED else ""),
        )

    async def done(self, incident: Incident, args: AcknowledgeIncidentArguments, key: str) -> str:  # noqa: ARG002 - a status keeps no keys
        """Return that it is acknowledged; who did it, the status does not tell."""
        return "acknowledged" if incident.status == ACKNOWLEDGED else ""

    async def act(self, incident: Incident, args: AcknowledgeIncidentArguments, key: str) -> None:  # noqa: ARG002 - a status keeps no keys
        """Set the status. Raises: Refused: the "person" is the bot; as `PagerDuty.send`."""
        person_only(self.pagerduty, args.on_behalf_of)
        await self.pagerduty.update(incident.id, {"status": ACKNOWLEDGED}, args.on_behalf_of)
