"""Block Kit's parts, each within Slack's limits. Texts come in already safe (see `text`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.views.text import FALLBACK, SECTION, cut, plain

Block = dict[str, Any]
View = dict[str, Any]
MAX_BLOCKS = 50  # of a message; 100 of a modal or App Home
MAX_VIEW_BLOCKS = 100
# Slack refuses messages whose blocks weigh more than about 13,200: their characters, and some for
# each block. Not documented; measured, see https://github.com/slackapi/bolt-js/issues/2509
BLOCK_WEIGHT = 125
MESSAGE_BUDGET = 10_000  # leaves room for the buttons
NO_LIMIT = 10**9
MORE = "… and more than fits here: Show steps has all of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What chat.postMessage takes: the accessible text, and the blocks that are seen."""

    text: str
    blocks: tuple[Block, ...]


def message(text: str, blocks: Iterable[Block | None]) -> Message:
    """Return a message, without the absent blocks, within the limits."""
    kept = tuple(b for b in blocks if b is not None)[:MAX_BLOCKS]
    return Message(text=cut(text, FALLBACK, "…") or "sre-bot", blocks=kept)


def mrkdwn_object(text: str, limit: int = 3_000) -> Block:
    """Return a mrkdwn text object in which Slack looks for nothing but what is spelt out."""
    return {"type": "mrkdwn", "text": cut(text, limit) or " ", "verbatim": True}


def plain_object(text: str, limit: int = 75) -> Block:
    """Return a plain_text object."""
    return {"type": "plain_text", "text": plain(text, limit) or "-", "emoji": True}


def section(text: str) -> Block | None:
    """Return a section, or nothing for an empty text."""
    return {"type": "section", "text": mrkdwn_object(text)} if text.strip() else None


def sections(lines: Iterable[str], budget: int = NO_LIMIT) -> list[Block]:
    """Return as many sections as the lines need; no line is torn unless it is too long itself.

    `budget` is what they may weigh together; what does not fit is in Show steps, and that is said.
    """
    groups: list[list[str]] = []
    room = 0  # characters left in the last section
    for line in (cut(line, SECTION) for line in lines if line):
        opens = len(line) + 1 > room
        budget -= len(line) + 1 + (BLOCK_WEIGHT if opens else 0)
        if budget < 0:
            groups.append([MORE])
            break
        if opens:
            groups.append([])
            room = SECTION
        groups[-1].append(line)
        room -= len(line) + 1
    return [{"type": "section", "text": mrkdwn_object("\n".join(group))} for group in groups]


def context(text: str) -> Block | None:
    """Return a context line, or nothing for an empty text."""
    if not text.strip():
        return None
    return {"type": "context", "elements": [mrkdwn_object(text, 2_000)]}


def header(text: str) -> Block:
    """Return a header."""
    return {"type": "header", "text": plain_object(text, 150)}


def button(
    label: str,
    action_id: str,
    value: str,
    *,
    style: str = "",
    confirm: Mapping[str, Any] | None = None,
) -> Block:
    """Return a button; `style` is "primary", "danger" or nothing."""
    made: Block = {
        "type": "button",
        "text": plain_object(label),
        "action_id": action_id,
        "value": value[:2_000],
    }
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = dict(confirm)
    return made


def confirm(title: str, text: str, yes: str, *, danger: bool = False) -> Block:
    """Return a confirm dialog: one more tap, with what will happen in words."""
    return {
        "title": plain_object(title, 100),
        "text": mrkdwn_object(text, 300),
        "confirm": plain_object(yes, 30),
        "deny": plain_object("Not now", 30),
        "style": "danger" if danger else "primary",
    }


def actions(*buttons: Block) -> Block | None:
    """Return a row of buttons, or nothing without buttons."""
    return {"type": "actions", "elements": list(buttons)} if buttons else None


def text_input(
    label: str, *, block_id: str, hint: str, optional: bool, limit: int = 2_000
) -> Block:
    """Return a multi-line input; its value is at values[block_id]["text"]["value"]."""
    return {
        "type": "input",
        "block_id": block_id,
        "optional": optional,
        "label": plain_object(label, 2_000),
        "element": {
            "type": "plain_text_input",
            "action_id": "text",
            "multiline": True,
            "max_length": limit,
            "placeholder": plain_object(hint, 150),
        },
    }


def modal(
    title: str,
    blocks: Iterable[Block | None],
    *,
    callback_id: str = "",
    submit: str = "",
    private_metadata: str = "",
) -> View:
    """Return a modal; without `submit` it can only be closed."""
    made: View = {
        "type": "modal",
        "title": plain_object(title, 24),
        "close": plain_object("Close" if not submit else "Cancel", 24),
        "blocks": [b for b in blocks if b is not None][:MAX_VIEW_BLOCKS],
    }
    if callback_id:
        made["callback_id"] = callback_id
    if submit:
        made["submit"] = plain_object(submit, 24)
    if private_metadata:
        made["private_metadata"] = private_metadata
    return made
