"""Ask more people to respond to an incident: they are called, and may accept or decline."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from bot.domain.errors import Malformed
from bot.domain.redaction import printable, redact
from tools.act.pagerduty.incident import ID, IncidentAction, Plan, read_incident
from tools.clients.arguments import Arguments
from tools.clients.pagerduty import EMAIL, Incident

MOST, LONGEST = 10, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRespondersArguments:
    """Which incident, who is asked (ids or e-mails of users), and why."""

    incident: str
    users: tuple[str, ...]
    message: str


class AddResponders(IncidentAction[AddRespondersArguments]):
    """Calls people beside those who have the incident."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="add_responders",
        summary="ask more people to respond to an incident",
        effect=Effect.PAGE,
        system="pagerduty",
        reversible=False,
        highest_level=Level.L3,
        arguments={
            "incident": "id of the incident",
            "users": f"ids or e-mails of 1 to {MOST} users",
            "message": "why they are asked",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> AddRespondersArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "incident", "users", "message")
        wanted = f"a text of 1 to {LONGEST} characters"
        message = read.matching("message", r"(?s).*\S.*", wanted, most=LONGEST)
        return AddRespondersArguments(
            incident=read_incident(read),
            users=_users(arguments["users"]),
            message=redact(printable(message)),
        )

    async def plan(self, incident: Incident, args: AddRespondersArguments) -> Plan:
        """Return who would be called."""
        await self.pagerduty.user(self.pagerduty.sender)
        new = [user for user in await self._ids(args) if user not in incident.responders]
        return Plan(
            diff="\n".join(f"+responder: {user}" for user in new),
            command="curl -X POST https://api.pagerduty.com/incidents/"
            f"{incident.id}/responder_requests",
            detail="who is called is called: it cannot be taken back",
            why_not="" if new else "all of them are asked already",
        )

    async def done(self, incident: Incident, args: AddRespondersArguments, key: str) -> str:  # noqa: ARG002 - an incident keeps no keys
        """Return that all of them are asked; who asked them, it does not tell."""
        return "they are asked" if set(await self._ids(args)) <= set(incident.responders) else ""

    async def act(self, incident: Incident, args: AddRespondersArguments, key: str) -> None:  # noqa: ARG002 - an incident keeps no keys
        """Ask those who are not asked yet. Raises: as `PagerDuty.send`."""
        new = [user for user in await self._ids(args) if user not in incident.responders]
        body: Mapping[str, Any] = {
            "requester_id": await self.pagerduty.user(self.pagerduty.sender),
            "message": args.message,
            "responder_request_targets": [
                {"responder_request_target": {"id": user, "type": "user_reference"}} for user in new
            ],
        }
        path = f"/incidents/{incident.id}/responder_requests"
        await self.pagerduty.send("POST", path, body, self.pagerduty.sender)

    async def _ids(self, args: AddRespondersArguments) -> tuple[str, ...]:
        """Return PagerDuty's ids of who is asked. Raises: UnknownName."""
        found = [await self.pagerduty.user(u) if "@" in u else u for u in args.users]
        return tuple(sorted(set(found)))


def _users(raw: Any) -> tuple[str, ...]:
    wanted = f"add_responders: users must be a list of 1 to {MOST} ids or e-mails"
    if not isinstance(raw, list | tuple) or not 0 < len(raw) <= MOST:
        raise Malformed(wanted)
    if not all(isinstance(user, str) and re.fullmatch(f"{ID}|{EMAIL}", user) for user in raw):
        raise Malformed(wanted)
    return tuple(sorted(set(raw)))
