"""PagerDuty's change events of one environment, page by page.

Source: PagerDuty REST API v2, `GET /change_events`; at most 10,000 by offset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured
from tools.clients.http import HttpSource
from tools.clients.moments import iso
from tools.clients.settings import connection, secret_of, url_of

SYSTEM = "PagerDuty"
PUBLIC_API = "https://api.pagerduty.com"
PAGE = 100  # the most that PagerDuty gives at once
PAGES = 5
ACCEPT = "application/vnd.pagerduty+json;version=2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Change events. `more`: the limit left some out."""

    items: tuple[Mapping[str, Any], ...]
    more: bool = False


class ChangeEvents:
    """One PagerDuty account. `names` maps its services' ids and names to the environment's."""

    def __init__(
        self, source: HttpSource, names: Mapping[str, str], integrations: tuple[str, ...]
    ) -> None:
        self._source, self.names, self._integrations = source, names, integrations

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "ChangeEvents | None":
        """Return the change events of an environment, None without a PagerDuty.

        Settings: token_file; services ({ours: PagerDuty's id or name, or a list of them});
        integrations (ids: only their events); url (of the API, for the EU region).
        Raises: NotConfigured: names the setting.
        """
        settings = connection(environment, "pagerduty")
        if settings is None or not settings.get("token_file"):
            return None
        url = (url_of(environment, "pagerduty") if "url" in settings else None) or PUBLIC_API
        token = secret_of(environment, "pagerduty", "token_file") or ""
        source = HttpSource(
            "pagerduty",
            url,
            token=None,
            timeout_s=timeout_s,
            headers={"Authorization": f"Token token={token}", "Accept": ACCEPT},
            secrets=(token,),
        )
        source.system = SYSTEM
        integrations = settings.get("integrations") or ()
        if isinstance(integrations, str) or not isinstance(integrations, list | tuple):
            raise NotConfigured(
                f"environment {environment.name}: connections.pagerduty.integrations "
                "must be a list of ids"
            )
        names = _names(settings.get("services"), environment.name)
        return cls(source, names, tuple(map(str, integrations)))

    async def between(self, since: datetime, until: datetime, *, limit: int = PAGE) -> Events:
        """Return the events of [since, until). Raises: Unavailable, Refused, Malformed."""
        items: list[Mapping[str, Any]] = []
        for _ in range(PAGES):
            page = await self._page(since, until, offset=len(items), limit=limit)
            events = page.get("change_events")
            if not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
                raise Malformed(f"{SYSTEM}: the answer has no list `change_events`")
            items.extend(events)
            if not page.get("more") or not events:
                return Events(items=tuple(items))
        return Events(items=tuple(items), more=True)

    async def _page(
        self, since: datetime, until: datetime, *, offset: int, limit: int
    ) -> Mapping[str, Any]:
        params = [
            ("since", iso(since)),
            ("until", iso(until)),
            ("limit", str(limit)),
            ("offset", str(offset)),
            *(("integration_ids[]", one) for one in self._integrations),
        ]
        found = await self._source.get("/change_events", params)
        if not isinstance(found, dict):
            raise Malformed(f"{SYSTEM}: the answer is not an object")
        return found


def _names(raw: Any, environment: str) -> dict[str, str]:
    """Return PagerDuty's id or name → our service. Raises: NotConfigured."""
    if raw is not None and not isinstance(raw, Mapping):
        raise NotConfigured(
            f"environment {environment}: connections.pagerduty.services must be an object: "
            "our service to PagerDuty's id or name"
        )
    return {
        str(theirs): str(ours)
        for ours, found in (raw or {}).items()
        for theirs in (found if isinstance(found, list | tuple) else (found,))
    }
