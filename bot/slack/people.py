"""Turns a Slack user into an Actor at the click: the kind from Slack, the roles from SQL."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.pacing import Pacing
from bot.domain.people import Actor, ActorKind
from bot.domain.ports import PeopleStore
from bot.slack.web import Web

CACHE_S = 60.0
_CACHED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    kind: ActorKind
    name: str
    at_home: bool  # of this very workspace, and not deactivated
    read_at: float
    email: str = ""  # needs the scope users:read.email


class SlackPeople:
    """Implements `Resolver`. Only a full member of the very workspace can hold a role."""

    def __init__(
        self,
        client: AsyncWebClient,
        store: PeopleStore,
        *,
        cache_s: float = CACHE_S,
        pacing: Pacing | None = None,
    ) -> None:
        self._client = client
        self._store = store
        self._cache_s = min(cache_s, CACHE_S)
        self._web = Web(timeout_s=2.0, longest_wait_s=1.0, pacing=pacing)
        self._known: dict[tuple[str, str], _Person] = {}

    async def actor(self, team: str, user: str, environment: str) -> Actor:
        """Return the actor; guests, users of other organisations and bots hold no role.

        Raises: Unavailable when Slack cannot be asked, and nothing may be decided.
        """
        person = await self._person(team, user)
        if person.kind is not ActorKind.PERSON or not person.at_home:
            return Actor(id=user, team=team, kind=person.kind, name=person.name)
        roles = await self._store.roles_of(team, user, environment)
        return Actor(id=user, team=team, kind=person.kind, roles=roles, name=person.name)

    async def email_of(self, team: str, user: str) -> str:
        """Return the e-mail of a full member of the workspace, "" if it is not known.

        Raises: Unavailable when Slack cannot be asked.
        """
        person = await self._person(team, user)
        return person.email if person.kind is ActorKind.PERSON and person.at_home else ""

    async def _person(self, team: str, user: str) -> _Person:
        now = asyncio.get_running_loop().time()
        known = self._known.get((team, user))
        if known is not None and now - known.read_at < self._cache_s:
            return known
        answer = await self._web.call("users.info", lambda: self._client.users_info(user=user))
        person = _parsed(answer.get("user") or {}, team, now)
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[(team, user)] = person
        return person


def _parsed(user: Mapping[str, Any], team: str, now: float) -> _Person:
    profile = user.get("profile") or {}
    name = profile.get("display_name") or user.get("real_name") or user.get("name") or ""
    teams = {user.get("team_id"), *((user.get("enterprise_user") or {}).get("teams") or ())}
    at_home = team in teams and not user.get("deleted") and not user.get("is_stranger")
    return _Person(
        kind=_kind(user), name=str(name)[:80], at_home=at_home, read_at=now,
        email=str(profile.get("email") or "")[:254],
    )  # fmt: skip


def _kind(user: Mapping[str, Any]) -> ActorKind:
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == "USLACKBOT":
        return ActorKind.BOT
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return ActorKind.GUEST
    return ActorKind.PERSON
