"""Changes from a change feed: deploys, commits, config, flags (protocol: docs/change-feed.md).

`need.names` are kinds of change ("config", "flag"); without names all kinds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import BlindSpot, Change, ChangeKind, Snapshot, Source
from tools.asking import Ask, ask, counted
from tools.clients.changes import ChangeFeed
from tools.contract import ReadTool

MAX_CHANGES = 1000
MAX_DIFF = 20_000


class FeedChanges(ReadTool):
    """Changes as the feed tells them."""

    name: ClassVar[str] = "changes.feed"
    system: ClassVar[str] = "changes"
    answers: ClassVar[Fact] = Fact.CHANGES

    def __init__(self, environment: Environment, feed: ChangeFeed) -> None:
        self._environment, self._feed = environment, feed

    @classmethod
    def for_environment(cls, environment: Environment) -> "FeedChanges | None":
        """Return the tool, None when the environment has no feed. Raises: NotConfigured."""
        feed = ChangeFeed.of(environment)
        return cls(environment, feed) if feed else None

    async def check(self) -> str:
        """Return whether the feed answers. Raises: Unavailable."""
        await self._feed.between(None, None)
        return "change feed answers"

    async def read(self, need: Need) -> Snapshot:
        """Return the changes of the window. Raises: Unavailable, Refused, Malformed."""
        window = need.window
        source = Source(
            system="changes",
            query=f"GET {self._feed.public}?since={_iso(window.start)}&until={_iso(window.end)}",
            window=window,
        )
        found = await ask(
            Ask(
                source=source,
                call=lambda: self._feed.between(window.start, window.end),
                found=counted("changes"),
                wanted="changes",
            )
        )
        changes, wrong = _parsed(found[:MAX_CHANGES], source)
        spots = [BlindSpot(system="changes", reason=reason, wanted="a change") for reason in wrong]
        if len(found) > MAX_CHANGES:
            spots.append(
                BlindSpot(
                    system="changes",
                    reason=f"{len(found)} changes, looked at {MAX_CHANGES}",
                    wanted="changes",
                )
            )
        return Snapshot(
            environment=self._environment.name,
            window=window,
            now=window.end,
            changes=tuple(c for c in changes if _wanted(c, need)),
            blind_spots=tuple(spots),
        )


def _wanted(change: Change, need: Need) -> bool:
    kind = not need.names or change.kind.value in need.names
    return kind and (not need.services or change.service in need.services)


def _parsed(found: list[Mapping[str, Any]], source: Source) -> tuple[list[Change], list[str]]:
    changes, wrong = [], []
    for raw in found:
        try:
            changes.append(_change(raw, source))
        except Malformed as error:
            wrong.append(str(error))
    return sorted(changes, key=lambda c: c.at), wrong


def _change(raw: Mapping[str, Any], source: Source) -> Change:
    """Return one change. Raises: Malformed: names the field."""
    name = str(raw.get("id") or "")
    if not name:
        raise Malformed("change feed: a change has no id")
    try:
        kind = ChangeKind(str(raw.get("kind")))
    except ValueError:
        raise Malformed(f"change feed: {name} is of an unknown kind") from None
    return Change(
        id=name,
        kind=kind,
        service=str(raw.get("service") or ""),
        object=str(raw.get("object") or ""),
        at=_moment(raw.get("at"), name),
        summary=redact(str(raw.get("summary") or ""))[:500],
        before=_text(raw.get("before")),
        after=_text(raw.get("after")),
        diff=_text(raw.get("diff")),
        link=_link(raw.get("link")),
        source=source,
        revertible=raw.get("revertible") is not False,
    )


def _text(value: Any) -> str | None:
    return None if value is None else redact(str(value)[:MAX_DIFF])


def _link(value: Any) -> str | None:
    text = str(value or "")
    return text if text.startswith(("https://", "http://")) and len(text) < 2000 else None


def _moment(value: Any, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Malformed(f"change feed: {name} has no time") from None
    if moment.tzinfo is None:
        raise Malformed(f"change feed: the time of {name} has no zone")
    return moment.astimezone(UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
