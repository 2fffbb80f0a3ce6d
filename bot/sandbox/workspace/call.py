"""One call of the Web API: its arguments, read strictly, and what a method is."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.workspace.content import decoded
from bot.sandbox.workspace.errors import SlackError, missing
from bot.sandbox.workspace.records import Channel, Json, Message
from bot.sandbox.workspace.state import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Arguments of one call: strings from forms, JSON values from JSON bodies."""

    workspace: Workspace
    args: Mapping[str, Any]

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string argument. Raises: SlackError invalid_arguments."""
        value = self.args.get(name, default)
        if value is None or (value == "" and default is None):
            raise missing(name)
        if isinstance(value, bool | int | float):
            return str(value)
        if not isinstance(value, str):
            raise _wrong(name, "a string")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean argument."""
        value = self.args.get(name, default)
        if isinstance(value, bool | int):
            return bool(value)
        if isinstance(value, str) and value.lower() in ("true", "1", "false", "0", ""):
            return value.lower() in ("true", "1")
        raise _wrong(name, "a boolean")

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.args.get(name, default)
        if value is None:
            raise missing(name)
        try:
            return int(str(value)[:20])
        except ValueError as problem:
            raise _wrong(name, "an integer") from problem

    def json(self, name: str) -> Any:
        """Return a structured argument, from JSON or from JSON in a form. None when absent."""
        return decoded(self.args.get(name), error="invalid_arguments")

    def channel(self, name: str = "channel", *, by_name: bool = False) -> Channel:
        """Return the channel that an argument names. Raises: SlackError channel_not_found."""
        wanted = self.text(name)
        found = self.workspace.channels.get(wanted)
        if found is None and by_name:
            plain = wanted.removeprefix("#")
            found = next((c for c in self.workspace.channels.values() if c.name == plain), None)
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def joined(self, channel: Channel) -> Channel:
        """Return the channel if the bot is in it. Raises: SlackError not_in_channel."""
        if self.workspace.app.bot_user not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "ts") -> Message:
        """Return the message that an argument names. Raises: SlackError message_not_found."""
        found = self.workspace.message(channel.id, self.text(name))
        if found is None:
            raise SlackError("message_not_found")
        return found

    def page(self, items: Sequence[Any], *, default: int, most: int) -> tuple[list[Any], Json]:
        """Return the asked page of items and its response_metadata.

        Raises: SlackError: invalid_limit, invalid_cursor.
        """
        limit = self.integer("limit", default) or default
        if not 1 <= limit <= most:
            raise SlackError("invalid_limit")
        start = _offset(self.text("cursor", ""))
        if start > len(items):
            raise SlackError("invalid_cursor")
        stop = start + limit
        cursor = _cursor(stop) if stop < len(items) else ""
        return list(items[start:stop]), {"response_metadata": {"next_cursor": cursor}}


def _wrong(name: str, kind: str) -> SlackError:
    return SlackError(
        "invalid_arguments", messages=[f"[ERROR] must be {kind} [json-pointer:/{name}]"]
    )


def _cursor(offset: int) -> str:
    return base64.b64encode(f"offset:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        kind, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if kind == "offset" and number.isascii() and number.isdigit():
            return int(number[:12])
    except (binascii.Error, UnicodeDecodeError):
        pass
    raise SlackError("invalid_cursor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One Web API method: what it does and what it asks of the caller."""

    run: Callable[[Call], Json]
    tier: int = 3  # 0: no limit of its own
    scopes: tuple[str, ...] = ()  # any of these
    token: Literal["bot", "app", "any", "none"] = "bot"  # noqa: S105 - a kind of token, no secret
