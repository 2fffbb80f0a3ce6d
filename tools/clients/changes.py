"""The change feed of one environment: what changed between two moments."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.environment import Environment
from bot.domain.errors import Malformed
from tools.clients.http import HttpSource

SYSTEM = "changes"


class ChangeFeed:
    """A feed that answers `GET url?since=…&until=…` with `{"changes": […]}`."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source
        self.public = source.public

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "ChangeFeed | None":
        """Return the feed of an environment, None if there is none. Raises: NotConfigured."""
        source = HttpSource.of(environment, SYSTEM, timeout_s=timeout_s)
        return cls(source) if source else None

    async def between(
        self, since: datetime | None, until: datetime | None
    ) -> list[Mapping[str, Any]]:
        """Return the raw changes of [since, until). Raises: Unavailable, Refused, Malformed."""
        params = {
            name: moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
            for name, moment in (("since", since), ("until", until))
            if moment is not None
        }
        found = await self._source.get("", params)
        changes = found.get("changes") if isinstance(found, dict) else None
        if not isinstance(changes, list) or not all(isinstance(c, dict) for c in changes):
            raise Malformed("change feed: the answer has no list `changes`")
        return changes
