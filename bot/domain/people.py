"""Who does something, and what they are allowed to be."""

from dataclasses import dataclass
from enum import StrEnum

ANYWHERE = "*"  # asked for as an environment: the roles held in at least one


class Role(StrEnum):
    """Granted in SQL to (team, user); resolved at the click. Guests and bots hold none."""

    OBSERVER = "observer"  # asks and reads
    RESPONDER = "responder"  # runs advised actions, stops the bot
    APPROVER = "approver"  # approves gated actions
    ADMINISTRATOR = "administrator"  # grants levels and roles, starts the bot again


class ActorKind(StrEnum):
    """What kind of being acts."""

    PERSON = "person"
    GUEST = "guest"
    BOT = "bot"  # another app
    SELF = "self"  # sre-bot itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody at the moment of acting."""

    id: str  # Slack user id, "cli:<login>", or "sre-bot"
    team: str
    kind: ActorKind
    roles: frozenset[Role] = frozenset()
    name: str = ""


SELF = Actor(id="sre-bot", team="", kind=ActorKind.SELF, name="sre-bot")
