"""views.*: modals and App Home."""

from collections.abc import Mapping

from bot.sandbox.workspace import modals
from bot.sandbox.workspace.call import Call, Method
from bot.sandbox.workspace.errors import SlackError, missing
from bot.sandbox.workspace.objects import view_json
from bot.sandbox.workspace.records import Json, View


def _body(call: Call, kind: str) -> Json:
    if call.args.get("view") is None:
        raise missing("view")
    return modals.checked(call.args["view"], kind=kind)


def _trigger(call: Call) -> str:
    return (
        call.text("trigger_id") if "trigger_id" in call.args else call.text("interactivity_pointer")
    )


def _open(call: Call) -> Json:
    body, trigger = _body(call, "modal"), _trigger(call)
    user = modals.spend(call.workspace, trigger)
    return _shown(call, modals.open_root(call.workspace, user, body))


def _push(call: Call) -> Json:
    workspace, body, trigger = call.workspace, _body(call, "modal"), _trigger(call)
    user = modals.spend(workspace, trigger)
    if workspace.triggers[trigger].view_id not in workspace.stacks.get(user, ()):
        raise SlackError("invalid_trigger_id")
    return _shown(call, modals.push(workspace, user, body))


def _update(call: Call) -> Json:
    workspace = call.workspace
    old = _existing(call)
    if call.text("hash", "") not in ("", old.hash):
        raise SlackError("hash_conflict")
    return _shown(call, modals.update(workspace, old, _body(call, "modal")))


def _existing(call: Call) -> View:
    view_id, external_id = call.text("view_id", ""), call.text("external_id", "")
    if not view_id and not external_id:
        raise missing("view_id")
    for view in reversed(list(call.workspace.views.values())):
        named = view.id == view_id or (external_id and view.body.get("external_id") == external_id)
        if named and not view.is_home and modals.is_open(call.workspace, view):
            return view
    raise SlackError("not_found")


def _publish(call: Call) -> Json:
    user = call.workspace.users.get(call.text("user_id"))
    if user is None or user.is_bot:
        raise SlackError("user_not_found")
    body = _body(call, "home")
    return _shown(call, modals.publish(call.workspace, user.id, body, call.text("hash", "")))


def _shown(call: Call, view: View) -> Json:
    return {"view": view_json(call.workspace, view)}


METHODS: Mapping[str, Method] = {
    "views.open": Method(run=_open, tier=4),
    "views.push": Method(run=_push, tier=4),
    "views.update": Method(run=_update, tier=4),
    "views.publish": Method(run=_publish, tier=4),
}
