"""Tells people through PagerDuty: notes, urgency, new incidents; once each, by reading back.

Source: developer.pagerduty.com/api-reference, REST API v2: incidents, notes, on-calls.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured
from bot.domain.paging import HIGH, RESOLVED, Look, Page, names_in
from bot.domain.redaction import defuse_mentions, printable, redact
from tools.clients.pagerduty import READ, SYSTEM, PagerDuty
from tools.clients.parts import part, parts, text

NOTE_LENGTH, TITLE_LENGTH = 4_000, 200
ID = r"[PQ][A-Z0-9]{5,31}"
OPEN_STATES = ("triggered", "acknowledged")


class PagerDutyPager:
    """`Pager` of one environment. What it does, it does as the bot's own user."""

    def __init__(self, pagerduty: PagerDuty) -> None:
        self._pagerduty = pagerduty

    @classmethod
    def of(cls, environment: Environment) -> "PagerDutyPager | None":
        """Return the pager, None when the environment has no PagerDuty. Raises: NotConfigured."""
        pagerduty = PagerDuty.of(environment)
        return cls(pagerduty) if pagerduty else None

    async def on_call(self, policy: str) -> Sequence[str]:
        """Return the names of who is called first by an escalation policy."""
        query = {"escalation_policy_ids[]": policy, "limit": "100"}
        found = parts(await self._pagerduty.get("/oncalls", READ, query), "oncalls")
        here = (part(o, "user") for o in found if o.get("escalation_level") == 1)
        return tuple(dict.fromkeys(_name(user) for user in here))

    async def look(self, page_id: str) -> Look:
        """Read a page."""
        return _look(await self._read(page_id))

    async def note(self, page_id: str, text: str, reference: str) -> bool:
        """Write a note unless one with this reference is there; return whether it was written."""
        if any(reference in note for note in await self._pagerduty.notes(page_id)):
            return False
        said = defuse_mentions(redact(printable(text)))[:NOTE_LENGTH]
        body = {"note": {"content": f"{said}\n({reference})"}}
        path = f"/incidents/{page_id}/notes"
        await self._pagerduty.send("POST", path, body, self._pagerduty.sender)
        return True

    async def urge(self, page_id: str) -> bool:
        """Make a page urgent: who has it is called. Return whether that changed anything."""
        look = await self.look(page_id)
        if look.urgency == HIGH or look.status == RESOLVED:
            return False
        await self._pagerduty.update(page_id, {"urgency": HIGH}, self._pagerduty.sender)
        return True

    async def open(self, service: str, title: str, key: str) -> Page:
        """Open an urgent page under a key for a service of ours, or return the open one there is.

        Raises: NotConfigured: nobody is paged for this service.
        """
        theirs = await self._service(service)
        there = await self._under(key)
        if there is None:
            incident = {
                "type": "incident",
                "title": redact(printable(title))[:TITLE_LENGTH],
                "service": {"id": theirs, "type": "service_reference"},
                "urgency": HIGH,
                "incident_key": key,
            }
            sent = await self._pagerduty.send(
                "POST", "/incidents", {"incident": incident}, self._pagerduty.sender
            )
            there = part(sent, "incident")
        return self._page(there, service)

    async def _read(self, page_id: str) -> Mapping[str, Any]:
        found = part(await self._pagerduty.get(f"/incidents/{page_id}", READ), "incident")
        if found.get("id") != page_id:
            raise Malformed(f"{SYSTEM}: the answer is about no such incident")
        return found

    async def _under(self, key: str) -> Mapping[str, Any] | None:
        found = await self._pagerduty.get("/incidents", READ, {"incident_key": key, "limit": "25"})
        opened = [i for i in parts(found, "incidents") if i.get("status") in OPEN_STATES]
        return next((i for i in opened if i.get("incident_key") == key), None)

    async def _service(self, service: str) -> str:
        """Return the id of PagerDuty's service that stands for one of ours."""
        names = [theirs for theirs, ours in self._pagerduty.names.items() if ours == service]
        ids = [name for name in names if re.fullmatch(ID, name)]
        if ids:
            return ids[0]
        if not names:
            raise NotConfigured(f"nobody is paged for {service or 'this'}: no service of {SYSTEM}")
        found = await self._pagerduty.get("/services", READ, {"query": names[0], "limit": "100"})
        for one in parts(found, "services"):
            if names[0] in (text(one, "name"), text(one, "summary")):
                return text(one, "id")
        raise NotConfigured(f"{SYSTEM} has no service {names[0]}")

    def _page(self, raw: Mapping[str, Any], service: str) -> Page:
        look, number = _look(raw), raw.get("incident_number")
        link = text(raw, "html_url")
        return Page(
            id=text(raw, "id"),
            environment=self._pagerduty.environment,
            service=service,
            number=number if isinstance(number, int) else 0,
            title=redact(printable(text(raw, "title")))[:TITLE_LENGTH],
            status=look.status,
            urgency=look.urgency,
            priority=look.priority,
            assignees=look.assignees,
            policy=text(raw, "escalation_policy", "id"),
            link=link if link.startswith("https://") else "",
        )


def _look(raw: Mapping[str, Any]) -> Look:
    assigned = (part(a, "assignee") for a in parts(raw, "assignments"))
    return Look(
        status=text(raw, "status"),
        urgency=text(raw, "urgency"),
        assignees=names_in(", ".join(_words(text(user, "summary")) for user in assigned)),
        priority=text(raw, "priority", "summary"),
    )


def _name(user: Mapping[str, Any]) -> str:
    return _words(text(user, "summary"))[:80]


def _words(said: str) -> str:
    return redact(printable(said))
