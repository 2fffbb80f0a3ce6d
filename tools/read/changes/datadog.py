"""Changes among Datadog's events: deployments, flags and configuration; alerts are left out.

An event is a change when its category says so, or its words do; `need.names` are kinds of change.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import BlindSpot, Change, ChangeKind, Snapshot, Source
from bot.domain.time import Window
from tools.asking import Ask, ask
from tools.clients.datadog import Datadog, Found
from tools.clients.moments import moment_of
from tools.clients.redaction import redact_object
from tools.contract import ReadTool

PAGES = 3
MAX_TEXT = 2000
RESOURCES = {"feature_flag": ChangeKind.FLAG, "configuration": ChangeKind.CONFIG}
_WORDS: tuple[tuple[ChangeKind, re.Pattern[str]], ...] = (
    (ChangeKind.FLAG, re.compile(r"\bfeature[ _-]?flags?\b|\bflag\b", re.IGNORECASE)),
    (ChangeKind.DEPLOY, re.compile(r"\b(deploy\w*|releas\w*|rollout|rolled out)\b", re.IGNORECASE)),
    (ChangeKind.CONFIG, re.compile(r"\bconfig\w*\b", re.IGNORECASE)),
    (ChangeKind.SCALE, re.compile(r"\b(scaled|scaling|replicas)\b", re.IGNORECASE)),
    (ChangeKind.INFRASTRUCTURE, re.compile(r"\bterraform\b|\binfrastructure\b", re.IGNORECASE)),
)


class DatadogChanges(ReadTool):
    """Datadog's events that tell of changes."""

    name: ClassVar[str] = "changes.datadog"
    system: ClassVar[str] = "changes"
    answers: ClassVar[Fact] = Fact.CHANGES
    timeout_s: ClassVar[float] = 9.0

    def __init__(self, environment: Environment, client: Datadog) -> None:
        self._environment, self._client = environment, client
        tags = " ".join(f"{k}:{v}" for k, v in client.tags.items())
        self._query = f"{tags} -source:alert".strip()

    @classmethod
    def for_environment(cls, environment: Environment) -> "DatadogChanges | None":
        """Return the tool, None when Datadog's events are not read. Raises: NotConfigured."""
        client = Datadog.of(environment, "events")
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return whether events can be searched. Raises: Unavailable, Refused, Malformed."""
        moment = datetime.fromtimestamp(0, tz=UTC)
        await self._client.events(self._query, Window(start=moment, end=moment))
        return f"Datadog events of {self._query}"

    async def read(self, need: Need) -> Snapshot:
        """Return the changes of the window. Raises: Unavailable, Refused, Malformed."""
        link = self._client.link("event/explorer", self._query, need.window)
        source = Source(system="datadog", query=self._query, window=need.window, link=link)
        spots: dict[str, None] = {}
        changes: list[Change] = []
        cursor = ""
        for _ in range(PAGES):
            page = await self._page(source, need, cursor)
            spots.update(dict.fromkeys(page.warnings))
            found = [_change(raw, source) for raw in page.items]
            changes += [c for c in found if c and _wanted(c, need)]
            cursor = page.cursor
            if not cursor or not page.items:
                break
        if cursor:
            spots["there are more events than were looked at"] = None
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            changes=tuple(sorted(changes, key=lambda c: (c.at, c.id))),
            blind_spots=tuple(
                BlindSpot(system="changes", reason=s, wanted="Datadog's events") for s in spots
            ),
        )

    async def _page(self, source: Source, need: Need, cursor: str) -> Found:
        return await ask(
            Ask(
                source=source,
                call=partial(self._client.events, self._query, need.window, cursor),
                found=lambda found: f"{len(found.items)} events",
                wanted="events",
            )
        )


def _wanted(change: Change, need: Need) -> bool:
    inside = need.window.start <= change.at < need.window.end
    kind = not need.names or change.kind.value in need.names
    service = not need.services or not change.service or change.service in need.services
    return inside and kind and service


def _change(raw: Mapping[str, Any], source: Source) -> Change | None:
    """Return the change that an event tells of, None if it tells of none."""
    outer = _object(raw.get("attributes"))
    about = _object(outer.get("attributes"))
    at, name = moment_of(outer.get("timestamp")), str(raw.get("id") or "")
    title = str(about.get("title") or outer.get("message") or "")
    kind = _kind(about, title)
    if at is None or not name or kind is None:
        return None
    resource = str(_object(about.get("changed_resource")).get("name") or "")
    service = _service(about, outer)
    before, after = _value(about.get("prev_value")), _value(about.get("new_value"))
    return Change(
        id=f"datadog-{name}",
        kind=kind,
        service=service,
        object=f"{kind.value}/{resource or service or name}",
        at=at,
        summary=redact(title)[:500],
        before=None,  # Datadog's words for it are no version or variant that could be set
        after=None,
        diff="\n".join(filter(None, (before and f"-{before}", after and f"+{after}"))) or None,
        link=None,
        source=source,
    )


def _kind(about: Mapping[str, Any], title: str) -> ChangeKind | None:
    inner = _object(about.get("attributes"))
    resource = _object(about.get("changed_resource")) or _object(inner.get("changed_resource"))
    if resource:
        return RESOURCES.get(str(resource.get("type")), ChangeKind.CONFIG)
    return next((kind for kind, words in _WORDS if words.search(title[:MAX_TEXT])), None)


def _service(about: Mapping[str, Any], outer: Mapping[str, Any]) -> str:
    if isinstance(about.get("service"), str) and about["service"] != "undefined":
        return str(about["service"])
    tags = outer.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        key, _, value = str(tag).partition(":")
        if key in ("service", "kube_deployment") and value:
            return value
    impacted = about.get("impacted_resources")
    for one in impacted if isinstance(impacted, list) else ():
        if _object(one).get("type") == "service":
            return str(_object(one).get("name") or "")
    return ""


def _value(raw: Any) -> str | None:
    if raw is None or raw == {}:
        return None
    clean = redact_object({"data": raw})["data"] if isinstance(raw, Mapping) else raw
    return redact(json.dumps(clean, sort_keys=True, default=str))[:MAX_TEXT]


def _object(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}
