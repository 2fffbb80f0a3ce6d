"""Slack's limits of Block Kit objects. Source: docs.slack.dev/reference/block-kit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.workspace.blockkit_shape import complain


@dataclass(frozen=True, slots=True)
class Size:
    """Least and most characters of a text, or items of a list."""

    least: int
    most: int


_ID = {"block_id": Size(1, 255), "action_id": Size(1, 255)}
_SELECT = {"placeholder": Size(1, 150), "options": Size(1, 100), "option_groups": Size(1, 100)}
_MULTI = {**_SELECT, "initial_options": Size(1, 100)}
_FEW = {"options": Size(1, 10), "initial_options": Size(1, 10)}
_BUTTON = {
    "text": Size(1, 75),
    "value": Size(0, 2000),
    "url": Size(1, 3000),
    "accessibility_label": Size(1, 75),
}
_IMAGE = {"alt_text": Size(1, 2000), "image_url": Size(1, 3000), "title": Size(1, 2000)}
_PLACEHOLDER = {"placeholder": Size(1, 150)}

LIMITS: Mapping[str, Mapping[str, Size]] = {
    "section": {"text": Size(1, 3000), "fields": Size(1, 10)},
    "header": {"text": Size(1, 150)},
    "actions": {"elements": Size(1, 25)},
    "context": {"elements": Size(1, 10)},
    "context_actions": {"elements": Size(1, 5)},
    "image": _IMAGE,
    "input": {"label": Size(1, 2000), "hint": Size(1, 2000)},
    "markdown": {"text": Size(1, 12_000)},
    "video": {
        "title": Size(1, 199),
        "author_name": Size(1, 49),
        "description": Size(1, 200),
        "alt_text": Size(1, 2000),
    },
    "table": {"rows": Size(1, 100), "column_settings": Size(1, 20)},
    "rich_text": {"elements": Size(1, 1000)},
    "plan": {"title": Size(1, 300), "tasks": Size(0, 50)},
    "task_card": {"title": Size(1, 300), "task_id": Size(1, 255)},
    "button": _BUTTON,
    "workflow_button": _BUTTON,
    "static_select": _SELECT,
    "external_select": _PLACEHOLDER,
    "users_select": _PLACEHOLDER,
    "conversations_select": _PLACEHOLDER,
    "channels_select": _PLACEHOLDER,
    "multi_static_select": _MULTI,
    "multi_external_select": _PLACEHOLDER,
    "multi_users_select": _PLACEHOLDER,
    "multi_conversations_select": _PLACEHOLDER,
    "multi_channels_select": _PLACEHOLDER,
    "overflow": {"options": Size(1, 5)},
    "checkboxes": _FEW,
    "radio_buttons": _FEW,
    "datepicker": _PLACEHOLDER,
    "timepicker": _PLACEHOLDER,
    "plain_text_input": {**_PLACEHOLDER, "initial_value": Size(0, 3000)},
    "email_text_input": _PLACEHOLDER,
    "url_text_input": _PLACEHOLDER,
    "number_input": _PLACEHOLDER,
    "plain_text": {"text": Size(1, 3000)},
    "mrkdwn": {"text": Size(1, 3000)},
    "option": {
        "text": Size(1, 75),
        "value": Size(0, 150),
        "description": Size(1, 75),
        "url": Size(1, 3000),
    },
    "option_group": {"label": Size(1, 75), "options": Size(1, 100)},
    "confirm": {
        "title": Size(1, 100),
        "text": Size(1, 300),
        "confirm": Size(1, 30),
        "deny": Size(1, 30),
    },
    "modal": {
        "title": Size(1, 24),
        "submit": Size(1, 24),
        "close": Size(1, 24),
        "blocks": Size(0, 100),
        "private_metadata": Size(0, 3000),
        "callback_id": Size(0, 255),
        "external_id": Size(0, 255),
    },
    "home": {
        "blocks": Size(0, 100),
        "private_metadata": Size(0, 3000),
        "callback_id": Size(0, 255),
        "external_id": Size(0, 255),
    },
}


def errors(kind: str, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield what is too long, too short, too many or too few in one object of a known kind."""
    table = LIMITS.get(kind, {})
    for name, item in value.items():
        size = table.get(name) or _ID.get(name)
        if size is not None:
            yield from _measure(size, item, f"{path}/{name}")


def _measure(size: Size, item: Any, path: str) -> Iterator[str]:
    if isinstance(item, dict) and isinstance(item.get("text"), str):
        item, path = item["text"], f"{path}/text"
    if not isinstance(item, str | list):
        return
    unit = "characters" if isinstance(item, str) else "items"
    if len(item) > size.most:
        yield complain(f"must be less than {size.most + 1} {unit}", path)
    elif len(item) < size.least:
        yield complain(f"must be more than {size.least - 1} {unit}", path)
