"""Resolve an incident, on behalf of the person who clicks. A resolved one cannot be opened again.

Its highest level is L2, so that no rule and no level can make it run without a person's click.
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
from tools.clients.pagerduty import RESOLVED, Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIncidentArguments:
    """Which incident, and the e-mail of the person who resolves it."""

    incident: str
    on_behalf_of: str


class ResolveIncident(IncidentAction[ResolveIncidentArguments]):
    """Ends one incident: nobody is called for it any more."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="resolve_incident",
        summary="resolve an incident on behalf of the person who clicks",
        effect=Effect.PAGE,
        system="pagerduty",
        reversible=False,
        highest_level=Level.L2,
        arguments={
            "incident": "id of the incident",
            "on_behalf_of": "e-mail of the person who resolves it, never the bot's",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> ResolveIncidentArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "incident", "on_behalf_of")
        return ResolveIncidentArguments(
            incident=read_incident(read), on_behalf_of=read_person(read)
        )

    async def plan(self, incident: Incident, args: ResolveIncidentArguments) -> Plan:
        """Return the change of its status."""
        return Plan(
            diff=f"-status: {incident.status}\n+status: resolved (by {args.on_behalf_of})",
            command=put_command(incident.id, '"status":"resolved"', args.on_behalf_of),
            detail="it cannot be taken back",
            why_not=await of_a_person(self.pagerduty, args.on_behalf_of)
            or ("it is resolved already" if incident.status == RESOLVED else ""),
        )

    async def done(self, incident: Incident, args: ResolveIncidentArguments, key: str) -> str:  # noqa: ARG002 - a status keeps no keys
        """Return that it is resolved; who did it, the status does not tell."""
        return "resolved" if incident.status == RESOLVED else ""

    async def act(self, incident: Incident, args: ResolveIncidentArguments, key: str) -> None:  # noqa: ARG002 - a status keeps no keys
        """Set the status. Raises: Refused: the "person" is the bot; as `PagerDuty.send`."""
        person_only(self.pagerduty, args.on_behalf_of)
        await self.pagerduty.update(incident.id, {"status": RESOLVED}, args.on_behalf_of)
