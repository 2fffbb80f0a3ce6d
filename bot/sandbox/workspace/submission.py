"""Submitting a modal: its values, what Slack requires of them, and the app's response_action."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.sandbox.workspace import elements, modals
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Json, View
from bot.sandbox.workspace.state import Workspace

_REQUIRED = "Please complete this required field."
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def complete_values(view: View, given: Any, before: Mapping[str, Any]) -> Json:
    """Return state.values for every stateful element of the view.

    A value is what the page sends; without one, what was set before, or what the element starts
    with. Raises: SlackError invalid_arguments.
    """
    if not isinstance(given, dict) or not all(isinstance(v, dict) for v in given.values()):
        raise SlackError("invalid_arguments", messages=["[ERROR] state.values is malformed"])
    values: Json = {}
    for block_id, element in _stateful(view):
        action_id = element["action_id"]
        said = given.get(block_id, {}).get(action_id)
        kept = before.get(block_id, {}).get(action_id)
        if said is None:
            same = isinstance(kept, dict) and kept.get("type") == element["type"]
            state = kept if same else elements.initial(element)
        elif isinstance(said, dict):
            state = {"type": element["type"], **elements.selected(element, said)}
        else:
            raise SlackError("invalid_arguments", messages=["[ERROR] state.values is malformed"])
        values.setdefault(block_id, {})[action_id] = state
    return values


def _stateful(view: View) -> Iterator[tuple[str, Json]]:
    for block in view.body["blocks"]:
        for element in elements.elements(block):
            if elements.initial(element) is not None:
                yield block["block_id"], element


def required_but_empty(view: View, values: Json) -> dict[str, str]:
    """Return a message per input block that Slack's client would not let pass."""
    found: dict[str, str] = {}
    for block in view.body["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values.get(block["block_id"], {}).get(element["action_id"]) or {}
        said = next((v for k, v in state.items() if k != "type"), None)
        if not said and not block.get("optional") and element["type"] != "file_input":
            found[block["block_id"]] = _REQUIRED
        elif isinstance(said, str) and (problem := _unfit(element, said)):
            found[block["block_id"]] = problem
    return found


def _unfit(element: Json, said: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if element["type"] == "plain_text_input" and not least <= len(said) <= most:
        return f"Please write {least} to {most} characters."
    if element["type"] == "number_input" and not _NUMBER.fullmatch(said):
        return "Please enter a number."
    return ""


def apply_ack(workspace: Workspace, view: View, payload: dict[str, Any] | None) -> Json:
    """Do what the app answered to a submission. Raises: SlackError invalid_response."""
    action = (payload or {}).get("response_action")
    if payload is None or action is None:
        modals.close(workspace, view)
        return {}
    if action == "clear":
        modals.close(workspace, view, everything=True)
    elif action == "errors":
        return {"response_action": "errors", "errors": _errors(view, payload.get("errors"))}
    elif action in ("update", "push"):
        _replace(workspace, view, action, payload.get("view"))
    else:
        raise SlackError("invalid_response", messages=["[ERROR] unknown response_action"])
    return {"response_action": action}


def _errors(view: View, given: Any) -> dict[str, str]:
    inputs = {b["block_id"] for b in view.body["blocks"] if b["type"] == "input"}
    if not isinstance(given, dict) or not given or not given.keys() <= inputs:
        raise SlackError("invalid_response", messages=["[ERROR] errors must name input blocks"])
    return {block: str(text) for block, text in given.items()}


def _replace(workspace: Workspace, view: View, action: str, given: Any) -> None:
    try:
        body = modals.checked(given, kind="modal")
        if action == "update":
            modals.update(workspace, view, body)
        else:
            modals.push(workspace, view.user, body)
    except SlackError as problem:
        raise SlackError("invalid_response", messages=problem.messages) from problem
