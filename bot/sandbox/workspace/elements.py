"""Interactive elements: finding the one that was used, and what it then says to the app."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Json

_CLICKED = ("button", "workflow_button", "overflow", "icon_button", "feedback_buttons")
_SELECTED: Mapping[str, tuple[str, type]] = {
    "static_select": ("selected_option", dict),
    "external_select": ("selected_option", dict),
    "radio_buttons": ("selected_option", dict),
    "overflow": ("selected_option", dict),
    "checkboxes": ("selected_options", list),
    "multi_static_select": ("selected_options", list),
    "multi_external_select": ("selected_options", list),
    "users_select": ("selected_user", str),
    "multi_users_select": ("selected_users", list),
    "conversations_select": ("selected_conversation", str),
    "multi_conversations_select": ("selected_conversations", list),
    "channels_select": ("selected_channel", str),
    "multi_channels_select": ("selected_channels", list),
    "datepicker": ("selected_date", str),
    "timepicker": ("selected_time", str),
    "datetimepicker": ("selected_date_time", int),
    "plain_text_input": ("value", str),
    "email_text_input": ("value", str),
    "url_text_input": ("value", str),
    "number_input": ("value", str),
}


def find(blocks: Iterable[Json], block_id: Any, action_id: Any) -> Json:
    """Return an element with its `block_id`. Raises: SlackError action_not_found."""
    for block in blocks:
        if block.get("block_id") != block_id:
            continue
        for element in elements(block):
            if element.get("action_id") == action_id:
                return {**element, "block_id": block_id}
    raise SlackError("action_not_found")


def elements(block: Json) -> list[Json]:
    """Return the interactive elements of a block."""
    candidates = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
    return [e for e in candidates if isinstance(e, dict) and e.get("action_id")]


def take(element: Json, said: Mapping[str, Any]) -> tuple[Json, Json | None]:
    """Return the action for the payload, and the state to keep (None for what has no state).

    What a button says is the app's own `value`, never the client's. Raises: SlackError
    invalid_arguments: the client chose what is not offered.
    """
    kind = element["type"]
    action: Json = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": element["block_id"],
    }
    for name in ("text", "value", "style", "url"):
        if kind in ("button", "workflow_button") and name in element:
            action[name] = element[name]
    if kind not in _SELECTED:
        return action, None
    chosen = selected(element, said)
    return action | chosen, None if kind in _CLICKED else {"type": kind, **chosen}


def selected(element: Json, said: Mapping[str, Any]) -> Json:
    """Return the checked choice of a stateful element, as state.values holds it."""
    name, kind = _SELECTED[element["type"]]
    value = said.get(name)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise SlackError("invalid_arguments", messages=[f"[ERROR] {name} has a wrong type"])
    if name in ("selected_option", "selected_options"):
        value = _offered(element, value)
    if isinstance(value, list) and name != "selected_options" and not _all_text(value):
        raise SlackError("invalid_arguments", messages=[f"[ERROR] {name} has a wrong type"])
    return {name: value}


def _all_text(values: list[Any]) -> bool:
    return all(isinstance(v, str) for v in values)


def _offered(element: Json, value: Any) -> Any:
    groups = element.get("option_groups") or [{"options": element.get("options", [])}]
    options = {o.get("value"): o for group in groups for o in group["options"]}
    asked = value if isinstance(value, list) else [value] if value is not None else []
    if element["type"] in ("external_select", "multi_external_select"):
        return value
    chosen = []
    for option in asked:
        key = option.get("value") if isinstance(option, dict) else None
        if not isinstance(key, str) or key not in options:
            raise SlackError("invalid_arguments", messages=["[ERROR] this option is not offered"])
        chosen.append(options[key])
    if isinstance(value, list):
        return chosen
    return chosen[0] if chosen else None


def initial(element: Json) -> Json | None:
    """Return the state that an element starts with, None for one without state."""
    if element["type"] not in _SELECTED or element["type"] in _CLICKED:
        return None
    name, kind = _SELECTED[element["type"]]
    value = element.get(
        name.replace("selected_", "initial_", 1) if name != "value" else "initial_value"
    )
    return {"type": element["type"], name: [] if value is None and kind is list else value}
