"""What a message says, checked as Slack checks it, and the ids that Slack fills in."""

import copy
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.workspace import blockkit, strict_json
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Json
from bot.sandbox.workspace.state import Workspace

MOST_TEXT = 40_000
MOST_EDITED_TEXT = 4_000  # chat.update takes less than chat.postMessage; undocumented, seen by many
_MOST_ATTACHMENTS = 100
_MOST_METADATA = 16_000
_STATELESS = frozenset(("plain_text", "mrkdwn", "image", "raw_text", "raw_number"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Text, blocks and attachments of a message; None where the app said nothing about it."""

    text: str | None = None
    blocks: tuple[Json, ...] | None = None
    attachments: tuple[Json, ...] | None = None
    metadata: Json | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.text or self.blocks or self.attachments)


def read(workspace: Workspace, args: Mapping[str, Any]) -> Content:
    """Return checked content. Raises: SlackError: msg_too_long, invalid_blocks."""
    text = args.get("text")
    if text is not None and not isinstance(text, str):
        raise SlackError("invalid_arguments", messages=["[ERROR] must be a string [/text]"])
    if text is not None and len(text) > MOST_TEXT:
        raise SlackError("msg_too_long")
    return Content(
        text=text,
        blocks=_blocks(workspace, args.get("blocks")),
        attachments=_attachments(workspace, args.get("attachments")),
        metadata=_metadata(args.get("metadata")),
    )


def _blocks(workspace: Workspace, given: Any) -> tuple[Json, ...] | None:
    if given is None:
        return None
    blocks = decoded(given, error="invalid_blocks_format")
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    refuse(workspace, blocks, blockkit.check(blocks, surface="message"))
    return tuple(with_ids(blocks))


def refuse(workspace: Workspace, blocks: Any, found: list[str]) -> None:
    """Raise SlackError invalid_blocks for findings, or for images of files that are not there."""
    found = found or [
        f"[ERROR] slack_file {str(name)[:60]!r} was not found"
        for name in _slack_files(blocks)
        if not any(name in (f.id, f"{f.id}/{f.name}") for f in workspace.files.values())
    ]
    if found and all("msg_blocks_too_long" in message for message in found):
        raise SlackError("msg_blocks_too_long", messages=found)
    if found:
        raise SlackError("invalid_blocks", messages=found)


def _slack_files(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _slack_files(item)]
    if not isinstance(node, dict):
        return []
    file = node.get("slack_file")
    if isinstance(file, dict):
        return [file.get("id") or "/".join(str(file.get("url", "")).split("/")[-2:])]
    return [name for item in node.values() for name in _slack_files(item)]


def _attachments(workspace: Workspace, given: Any) -> tuple[Json, ...] | None:
    if given is None:
        return None
    found = decoded(given, error="invalid_attachments")
    if not isinstance(found, list) or not all(isinstance(a, dict) for a in found):
        raise SlackError("invalid_attachments")
    if len(found) > _MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for attachment in found:
        if "blocks" in attachment:
            attachment["blocks"] = list(_blocks(workspace, attachment["blocks"]) or ())
    return tuple(found)


def _metadata(given: Any) -> Json | None:
    if given is None:
        return None
    found = decoded(given, error="invalid_metadata_format")
    if not isinstance(found, dict):
        raise SlackError("invalid_metadata_format")
    if found == {}:
        return {}
    fits = isinstance(found.get("event_type"), str) and isinstance(found.get("event_payload"), dict)
    if not fits:
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(found)) > _MOST_METADATA:
        raise SlackError("metadata_too_large")
    return found


def decoded(given: Any, *, error: str) -> Any:
    """Return a value that a form carries as JSON text and a JSON body carries as it is."""
    if not isinstance(given, str):
        return given
    try:
        return strict_json.loads(given)
    except ValueError as problem:
        raise SlackError(error) from problem


def with_ids(blocks: list[Any]) -> list[Json]:
    """Return the blocks with a block_id on each and an action_id on each interactive element."""
    filled: list[Json] = copy.deepcopy(blocks)
    for block in filled:
        block.setdefault("block_id", _short_id())
        elements = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        for element in elements:
            if block["type"] in ("actions", "section", "input", "context_actions"):
                _name(element)
    return filled


def _name(element: Any) -> None:
    if isinstance(element, dict) and element.get("type") not in _STATELESS:
        element.setdefault("action_id", _short_id())


def _short_id() -> str:
    return secrets.token_urlsafe(4)[:5]
