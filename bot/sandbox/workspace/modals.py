"""Modals and App Home: opening, pushing, updating and closing views, told to the page."""

import json
import secrets
from dataclasses import replace
from typing import Any

from bot.sandbox.workspace import blockkit
from bot.sandbox.workspace.content import decoded, with_ids
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import view_json
from bot.sandbox.workspace.records import Json, View
from bot.sandbox.workspace.state import Workspace

_DEEPEST = 3
_MOST_BYTES = 250_000
_MOST_VIEWS = 2000


def checked(given: Any, *, kind: str) -> Json:
    """Return a valid view with ids. Raises: SlackError invalid_arguments, view_too_large."""
    if isinstance(given, str) and len(given) > _MOST_BYTES:
        raise SlackError("view_too_large")
    body = decoded(given, error="invalid_arguments")
    found = blockkit.check_view(body)
    if not found and body["type"] != kind:
        found = [f"[ERROR] must be a view of type {kind} [json-pointer:/view/type]"]
    if found:
        raise SlackError("invalid_arguments", messages=found)
    if len(json.dumps(body)) > _MOST_BYTES:
        raise SlackError("view_too_large")
    return {**body, "blocks": with_ids(body["blocks"])}


def spend(workspace: Workspace, trigger_id: str) -> str:
    """Use up a trigger and return its person.

    Raises: SlackError: invalid_trigger_id, expired_trigger_id, exchanged_trigger_id.
    """
    trigger = workspace.triggers.get(trigger_id)
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if workspace.wall() - trigger.born > workspace.limits.trigger_s:
        raise SlackError("expired_trigger_id")
    workspace.triggers[trigger_id] = replace(trigger, used=True)
    return trigger.user


def open_root(workspace: Workspace, user: str, body: Json) -> View:
    """Open a modal; one that is open is closed."""
    _unique(workspace, body)
    for view_id in reversed(workspace.stacks.get(user, ())):
        _tell(workspace, "view_closed", workspace.views[view_id])
    view = _new(workspace, user, body)
    workspace.stacks[user] = (view.id,)
    _tell(workspace, "view_opened", view)
    return view


def push(workspace: Workspace, user: str, body: Json) -> View:
    """Open a modal on top of the open one. Raises: SlackError push_limit_reached, not_found."""
    stack = workspace.stacks.get(user, ())
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= _DEEPEST:
        raise SlackError("push_limit_reached")
    _unique(workspace, body)
    below = workspace.views[stack[-1]]
    view = _new(workspace, user, body, root_id=below.root_id, previous_id=below.id)
    workspace.stacks[user] = (*stack, view.id)
    _tell(workspace, "view_opened", view)
    return view


def update(workspace: Workspace, old: View, body: Json) -> View:
    """Replace an open view; what was typed into fields that remain is kept."""
    _unique(workspace, body, but=old.id)
    view = replace(old, body=body, hash=_hash())
    workspace.views[view.id] = view
    kept = {b.get("block_id") for b in body["blocks"]}
    state = workspace.inputs.get((view.id, view.user), {})
    workspace.inputs[(view.id, view.user)] = {b: v for b, v in state.items() if b in kept}
    _tell(workspace, "view_updated", view)
    return view


def publish(workspace: Workspace, user: str, body: Json, expected_hash: str = "") -> View:
    """Set a person's App Home. Raises: SlackError hash_conflict."""
    old = workspace.homes.get(user)
    if old is not None and expected_hash not in ("", old.hash):
        raise SlackError("hash_conflict")
    view_id = old.id if old else workspace.new_id("V")
    view = View(id=view_id, user=user, body=body, hash=_hash(), root_id=view_id)
    workspace.homes[user] = view
    workspace.views[view.id] = view
    _tell(workspace, "home_published", view)
    return view


def close(workspace: Workspace, view: View, *, everything: bool = False) -> list[View]:
    """Close a view and those above it, or the whole stack; return what was closed, top first."""
    stack = workspace.stacks.get(view.user, ())
    if view.id not in stack:
        return []
    start = 0 if everything else stack.index(view.id)
    workspace.stacks[view.user] = stack[:start]
    closed = [workspace.views[v] for v in reversed(stack[start:])]
    for gone in closed:
        _tell(workspace, "view_closed", gone)
    return closed


def is_open(workspace: Workspace, view: View) -> bool:
    """Whether a person can see the view."""
    return view.is_home or view.id in workspace.stacks.get(view.user, ())


def _new(
    workspace: Workspace, user: str, body: Json, *, root_id: str = "", previous_id: str = ""
) -> View:
    view_id = workspace.new_id("V")
    view = View(
        id=view_id,
        user=user,
        body=body,
        hash=_hash(),
        root_id=root_id or view_id,
        previous_id=previous_id,
    )
    workspace.views[view.id] = view
    _forget_closed(workspace)
    return view


def _forget_closed(workspace: Workspace) -> None:
    for view in list(workspace.views.values())[: max(0, len(workspace.views) - _MOST_VIEWS)]:
        if view.id not in workspace.stacks.get(view.user, ()) and not view.is_home:
            del workspace.views[view.id]
            workspace.inputs.pop((view.id, view.user), None)


def _unique(workspace: Workspace, body: Json, but: str = "") -> None:
    wanted = body.get("external_id")
    for view in workspace.views.values():
        taken = wanted and view.body.get("external_id") == wanted and view.id != but
        if taken and is_open(workspace, view):
            raise SlackError("duplicate_external_id")


def _hash() -> str:
    return f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}"


def _tell(workspace: Workspace, kind: str, view: View) -> None:
    event = {"type": kind, "user": view.user, "view": view_json(workspace, view)}
    workspace.stream.publish(event, only_for=view.user)
