"""Add a note to an incident, for those who are called. A note cannot be taken away again."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from bot.domain.paging import reference
from bot.domain.redaction import defuse_mentions, printable, redact
from tools.act.pagerduty.incident import IncidentAction, Plan, read_incident
from tools.clients.arguments import Arguments
from tools.clients.pagerduty import Incident

MOST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNoteArguments:
    """Which incident, and what the note says."""

    incident: str
    text: str


class AddNote(IncidentAction[AddNoteArguments]):
    """Writes into an incident's log; nobody is called by it."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="add_note",
        summary="add a note to an incident",
        effect=Effect.PAGE,
        system="pagerduty",
        reversible=False,
        highest_level=Level.L3,
        arguments={
            "incident": "id of the incident",
            "text": f"what the note says, at most {MOST} characters",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> AddNoteArguments:
        """Return checked arguments; credentials in the text are masked. Raises: Malformed."""
        read = Arguments(cls.facts.name, arguments, "incident", "text")
        text = read.matching("text", r"(?s).*\S.*", f"a text of 1 to {MOST} characters", most=MOST)
        return AddNoteArguments(
            incident=read_incident(read), text=defuse_mentions(redact(printable(text)))
        )

    async def plan(self, incident: Incident, args: AddNoteArguments) -> Plan:
        """Return the note."""
        await self.pagerduty.user(self.pagerduty.sender)
        return Plan(
            diff="\n".join(f"+{line}" for line in args.text.split("\n")),
            command=f"curl -X POST https://api.pagerduty.com/incidents/{incident.id}/notes",
            detail="a note cannot be taken away again",
        )

    async def done(self, incident: Incident, args: AddNoteArguments, key: str) -> str:  # noqa: ARG002 - the note is the key's own
        """Return that the note with this key's reference is there."""
        there = any(reference(key) in note for note in await self.pagerduty.notes(incident.id))
        return "the note is there" if there else ""

    async def act(self, incident: Incident, args: AddNoteArguments, key: str) -> None:
        """Write the note. Raises: as `PagerDuty.send`."""
        body = {"note": {"content": f"{args.text}\n({reference(key)})"}}
        path = f"/incidents/{incident.id}/notes"
        await self.pagerduty.send("POST", path, body, self.pagerduty.sender)
