"""The one object that holds the workspace; other modules act on it, on one event loop."""

import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.time import Clock
from bot.sandbox.workspace import seed
from bot.sandbox.workspace.delivery import Delivery
from bot.sandbox.workspace.limits import Limits, RateLimiter
from bot.sandbox.workspace.records import (
    App,
    Channel,
    File,
    Message,
    ResponseUrl,
    Trigger,
    User,
    UserGroup,
    View,
)
from bot.sandbox.workspace.stream import Stream

_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure to act out instead of answering a call; `delay_s` alone only slows it down."""

    status: int = 0
    error: str = ""
    retry_after_s: int | None = None
    drop: bool = False  # close the connection without an answer
    delay_s: float = 0.0


Faults = Callable[[str, Mapping[str, Any]], Fault | None]


class Workspace:
    """People, channels, messages, files and views of one team with one installed app."""

    def __init__(
        self,
        clock: Clock,
        *,
        app: App | None = None,
        limits: Limits | None = None,
        faults: Faults | None = None,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.app = app or App()
        self.limits = limits or Limits()
        self.faults = faults
        self.wall = wall
        self.url = "http://127.0.0.1"  # the server replaces it by where it listens
        self.stream = Stream()
        self.limiter = RateLimiter(self.limits, wall)
        self.delivery = Delivery(self.app, self.limits)
        self.views: dict[str, View] = {}
        self.stacks: dict[str, tuple[str, ...]] = {}  # user: open modals, the last one on top
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.inputs: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.tickets: dict[str, float] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []  # the last Web API calls, for tests
        self._last_micros = 0
        self._seed()

    def _seed(self) -> None:
        people = seed.users(self.app)
        self.users: dict[str, User] = {u.id: u for u in people}
        self.groups: dict[str, UserGroup] = {g.id: g for g in seed.groups()}
        self.channels: dict[str, Channel] = {
            c.id: c for c in seed.channels(self.app, people, self.now())
        }
        self.messages: dict[str, dict[str, Message]] = {c: {} for c in self.channels}
        self.replies: dict[tuple[str, str], list[str]] = {}  # (channel, root): replies' ts
        self.ephemerals: dict[str, Message] = {}

    def now(self) -> datetime:
        """Return the present moment of the sandbox's world."""
        return self.clock.now()

    def next_ts(self) -> str:
        """Return a Slack timestamp, greater than every one before."""
        micros = int(self.clock.now().timestamp() * 1_000_000)
        self._last_micros = max(micros, self._last_micros + 1)
        seconds, rest = divmod(self._last_micros, 1_000_000)
        return f"{seconds}.{rest:06d}"

    def new_id(self, prefix: str) -> str:
        """Return an id that no other run of the sandbox gives either, such as `Ev0A1B2C3D4E5`."""
        return f"{prefix}0" + "".join(secrets.choice(_ALPHABET) for _ in range(10))

    def new_trigger(self, user: str, view_id: str = "") -> str:
        """Return a trigger id: for a few wall seconds the app may open one modal with it."""
        trigger = Trigger(
            id=f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}",
            user=user,
            born=self.wall(),
            view_id=view_id,
        )
        self.triggers[trigger.id] = trigger
        forget_oldest(self.triggers)
        return trigger.id

    def new_response_url(self, user: str, channel: str, message: Message | None = None) -> str:
        """Return a URL where the app may answer an interaction."""
        right = ResponseUrl(
            id=secrets.token_hex(16),
            user=user,
            channel=channel,
            born=self.wall(),
            message_ts=message.ts if message else "",
            thread_ts=message.thread_ts if message else "",
        )
        self.response_urls[right.id] = right
        forget_oldest(self.response_urls)
        return f"{self.url}/slack/response/{right.id}"

    def new_ticket(self) -> str:
        """Return a right to open one socket, soon."""
        ticket = secrets.token_hex(16)
        self.tickets[ticket] = self.wall()
        forget_oldest(self.tickets)
        return ticket

    def message(self, channel: str, ts: str) -> Message | None:
        """Return a message that everybody sees, None when there is none."""
        return self.messages.get(channel, {}).get(ts)

    def thread(self, channel: str, root: str) -> list[Message]:
        """Return a thread, oldest first, its root included."""
        found = self.messages.get(channel, {})
        stamps = [root, *self.replies.get((channel, root), ())]
        return [found[ts] for ts in stamps if ts in found]

    def direct_message(self, user: str) -> Channel:
        """Return the conversation between the bot and a person, opening it if need be."""
        for channel in self.channels.values():
            if channel.user == user:
                return channel
        opened = Channel(
            id=self.new_id("D"),
            name="",
            created=self.now(),
            user=user,
            members=frozenset((user, self.app.bot_user)),
        )
        self.channels[opened.id] = opened
        self.messages[opened.id] = {}
        return opened

    async def close(self) -> None:
        """End all streams, sockets and deliveries."""
        self.stream.close()
        await self.delivery.close()


def forget_oldest(kept: dict[Any, Any], most: int = 5000) -> None:
    """Drop the oldest entries of what would grow without end."""
    while len(kept) > most:
        kept.pop(next(iter(kept)))
