"""Short ways to write Block Kit objects in tests."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

Json = dict[str, Any]
PATIENCE_S = 10.0


def until(page: Page, done: Callable[[], bool]) -> None:
    """Let the page go on until it is done; what was expected is then asserted by the test."""
    deadline = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < deadline:
        page.wait_for_timeout(20)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str, text: str | None = None) -> Json:
    return {"text": plain(text or value.title()), "value": value}


def button(action_id: str, text: str = "Go", **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def actions(*elements: Json, block_id: str = "actions") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "block_id": "section", "text": mrkdwn(text), **more}


def ask(block_id: str, element: Json, **more: Any) -> Json:
    """An input block."""
    label = plain(block_id.title())
    return {"type": "input", "block_id": block_id, "label": label, "element": element, **more}


def modal(*blocks: Json, view_id: str = "V1", **more: Any) -> Json:
    return {
        "id": view_id,
        "type": "modal",
        "title": plain("A question"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": list(blocks),
        **more,
    }
