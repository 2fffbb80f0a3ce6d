"""Changes that tools reported to PagerDuty as change events.

`need.names` are kinds of change; without names all kinds. A change event has no kind of its own: it
is read from its details, else from its words, else it is a deploy.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import BlindSpot, Change, ChangeKind, Snapshot, Source
from tools.asking import Ask, ask
from tools.clients.change_events import ChangeEvents, Events
from tools.clients.moments import moment_of
from tools.clients.redaction import redact_entry
from tools.contract import ReadTool

MAX_DETAILS = 40
_WORDS: tuple[tuple[ChangeKind, re.Pattern[str]], ...] = (
    (ChangeKind.FLAG, re.compile(r"\b(feature )?flags?\b|\btoggled?\b", re.IGNORECASE)),
    (ChangeKind.CONFIG, re.compile(r"\bconfig(uration|map)?s?\b|\bsettings?\b", re.IGNORECASE)),
    (ChangeKind.SCALE, re.compile(r"\b(scal(ed?|ing)|replicas?)\b", re.IGNORECASE)),
    (
        ChangeKind.INFRASTRUCTURE,
        re.compile(r"\b(terraform|infrastructure|network|dns|node|certificate)\b", re.IGNORECASE),
    ),
)


class PagerDutyChanges(ReadTool):
    """PagerDuty's change events."""

    name: ClassVar[str] = "changes.pagerduty"
    system: ClassVar[str] = "changes"
    answers: ClassVar[Fact] = Fact.CHANGES

    def __init__(self, environment: Environment, client: ChangeEvents) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "PagerDutyChanges | None":
        """Return the tool, None without PagerDuty's token. Raises: NotConfigured."""
        client = ChangeEvents.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return whether change events can be read. Raises: Unavailable, Refused."""
        long_ago = datetime.fromtimestamp(0, tz=UTC)
        await self._client.between(long_ago, long_ago, limit=1)
        return "PagerDuty change events can be read"

    async def read(self, need: Need) -> Snapshot:
        """Return the change events of the window. Raises: Unavailable, Refused, Malformed."""
        window = need.window
        source = Source(system="pagerduty", query="GET /change_events", window=window)
        found = await ask(
            Ask(
                source=source,
                call=lambda: self._client.between(window.start, window.end),
                found=lambda events: f"{len(events.items)} change events",
                wanted="change events",
            )
        )
        changes = [
            change
            for raw in found.items
            for change in _changes(raw, source, self._client.names)
            if window.start <= change.at < window.end and _wanted(change, need)
        ]
        return Snapshot(
            environment=self._environment.name,
            window=window,
            now=window.end,
            changes=tuple(sorted(changes, key=lambda c: (c.at, c.id))),
            blind_spots=_spots(found),
        )


def _wanted(change: Change, need: Need) -> bool:
    kind = not need.names or change.kind.value in need.names
    return kind and (not need.services or not change.service or change.service in need.services)


def _changes(raw: Mapping[str, Any], source: Source, names: Mapping[str, str]) -> list[Change]:
    """Return one change per service that the event is about; none if it has no id or time."""
    at, name = moment_of(raw.get("timestamp")), str(raw.get("id") or "")
    if at is None or not name:
        return []
    services = _services(raw.get("services"), names) or [""]
    summary = redact(str(raw.get("summary") or ""))[:500]
    kind = _kind(raw, summary)
    shared = len(services) > 1
    details = _details(raw.get("custom_details"))
    return [
        Change(
            id=f"pagerduty-{name}" + (f"-{service}" if shared else ""),
            kind=kind,
            service=service,
            object=f"{kind.value}/{service or name}",
            at=at,
            summary=summary,
            before=None,
            after=None,
            diff=details or None,
            link=_link(raw.get("links")),
            source=source,
        )
        for service in services
    ]


def _services(raw: Any, names: Mapping[str, str]) -> list[str]:
    found = []
    for one in raw if isinstance(raw, list) else []:
        if isinstance(one, Mapping):
            identity, summary = str(one.get("id") or ""), str(one.get("summary") or "")
            found.append(names.get(identity) or names.get(summary) or summary)
    return list(dict.fromkeys(filter(None, found)))


def _kind(raw: Mapping[str, Any], summary: str) -> ChangeKind:
    details = raw.get("custom_details")
    if isinstance(details, Mapping):
        for field in ("kind", "change_kind", "type"):
            if str(details.get(field)).lower() in set(ChangeKind):
                return ChangeKind(str(details[field]).lower())
    return next((kind for kind, words in _WORDS if words.search(summary)), ChangeKind.DEPLOY)


def _details(raw: Any) -> str:
    if not isinstance(raw, Mapping):
        return ""
    lines = (f"{k}: {redact_entry(str(k), str(v))[:300]}" for k, v in raw.items())
    return "\n".join(redact(line) for line, _ in zip(lines, range(MAX_DETAILS), strict=False))


def _link(raw: Any) -> str | None:
    for one in raw if isinstance(raw, list) else []:
        href = str(one.get("href") or "") if isinstance(one, Mapping) else ""
        if href.startswith(("https://", "http://")) and len(href) < 2000:
            return redact(href)
    return None


def _spots(found: Events) -> tuple[BlindSpot, ...]:
    spots: Sequence[str] = ()
    damaged = sum(
        1 for raw in found.items if not (raw.get("id") and moment_of(raw.get("timestamp")))
    )
    if found.more:
        spots = (f"looked at the first {len(found.items)}, there are more",)
    if damaged:
        spots = (*spots, f"{damaged} have no id or no time")
    return tuple(BlindSpot(system="changes", reason=s, wanted="change events") for s in spots)
