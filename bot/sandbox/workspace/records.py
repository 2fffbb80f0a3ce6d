"""What the workspace keeps: people, channels, messages, files and views, all frozen."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or a bot of the team."""

    id: str
    name: str
    real_name: str
    role: str  # what the page shows: responder, approver, administrator, observer, guest, bot
    email: str = ""
    tz: str = "Europe/Amsterdam"
    tz_offset_s: int = 3600
    is_bot: bool = False
    is_guest: bool = False
    is_admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A public channel, or a direct message between the bot and `user`."""

    id: str
    name: str
    created: datetime
    topic: str = ""
    user: str = ""  # the other person of a direct message
    members: frozenset[str] = frozenset()

    @property
    def is_im(self) -> bool:
        """Whether this is a direct message."""
        return bool(self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroup:
    """A mentionable group of people."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """An emoji and who put it, in order."""

    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message; a reply when `thread_ts` is another's, ephemeral when `only_for` is set."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    thread_ts: str = ""
    bot_id: str = ""
    client_msg_id: str = ""
    subtype: str = ""
    broadcast: bool = False
    only_for: str = ""
    metadata: Json | None = None
    edited_ts: str = ""
    reactions: tuple[Reaction, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def is_reply(self) -> bool:
        """Whether this hangs under another message."""
        return self.thread_ts not in ("", self.ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An uploaded file. Its content arrives between the two calls of Slack's upload protocol."""

    id: str
    name: str
    length: int  # bytes announced
    user: str
    created: datetime
    title: str = ""
    alt_text: str = ""
    mimetype: str = "application/octet-stream"
    content: bytes | None = None
    complete: bool = False
    shared: tuple[tuple[str, str], ...] = ()  # (channel, message ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A modal on a person's stack, or their App Home."""

    id: str
    user: str
    body: Json  # what the app sent, with block ids filled in
    hash: str
    root_id: str
    previous_id: str = ""

    @property
    def is_home(self) -> bool:
        """Whether this is an App Home tab."""
        return bool(self.body["type"] == "home")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A short-lived right to open a modal for a person. `born` is wall seconds."""

    id: str
    user: str
    born: float
    used: bool = False
    view_id: str = ""  # the modal it was clicked in, for views.push


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseUrl:
    """A short-lived right to answer an interaction. `born` is wall seconds."""

    id: str
    user: str
    channel: str
    born: float
    message_ts: str = ""
    thread_ts: str = ""
    uses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The installed app: who it is, its secrets, what its manifest allows; None allows all."""

    id: str = "A0SREBOT"
    bot_user: str = "U0SREBOT"
    bot_id: str = "B0SREBOT"
    name: str = "sre-bot"
    bot_token: str = field(default="xoxb-sandbox-bot", repr=False)
    app_token: str = field(default="xapp-sandbox-app", repr=False)
    signing_secret: str = field(default="sandbox-signing-secret", repr=False)
    scopes: frozenset[str] | None = None
    events: frozenset[str] | None = None
    commands: frozenset[str] | None = None
    request_url: str = ""  # set: events go there over HTTP instead of Socket Mode
