"""users.*, usergroups.*, team.*, bots.*, auth.*, api.*, assistant.*: who is who."""

from collections.abc import Mapping

from bot.sandbox.workspace import seed
from bot.sandbox.workspace.call import Call, Method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.objects import group_json, user_json
from bot.sandbox.workspace.records import Json


def _api_test(call: Call) -> Json:
    shown = {k: v for k, v in call.args.items() if k != "token"}
    if "error" in shown:
        raise SlackError(str(shown["error"])[:200], extra={"args": shown})
    return {"args": shown} if shown else {}


def _auth_test(call: Call) -> Json:
    app = call.workspace.app
    return {
        "url": f"{call.workspace.url}/",
        "team": seed.TEAM_NAME,
        "user": app.name,
        "team_id": seed.TEAM,
        "user_id": app.bot_user,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


def _team_info(call: Call) -> Json:
    if call.text("team", seed.TEAM) != seed.TEAM:
        raise SlackError("team_not_found")
    url = f"{call.workspace.url}/"
    team = {"id": seed.TEAM, "name": seed.TEAM_NAME, "domain": seed.TEAM_DOMAIN, "url": url}
    return {"team": {**team, "email_domain": "sandbox.example", "icon": {"image_default": True}}}


def _bots_info(call: Call) -> Json:
    app = call.workspace.app
    if call.text("bot", app.bot_id) != app.bot_id:
        raise SlackError("bot_not_found")
    bot = {"id": app.bot_id, "deleted": False, "name": app.name, "app_id": app.id}
    return {"bot": {**bot, "user_id": app.bot_user, "updated": 0, "icons": {}}}


def _users_info(call: Call) -> Json:
    found = call.workspace.users.get(call.text("user"))
    if found is None:
        raise SlackError("user_not_found")
    return {"user": user_json(found)}


def _users_list(call: Call) -> Json:
    page, more = call.page(list(call.workspace.users.values()), default=200, most=1000)
    return {"members": [user_json(u) for u in page], "cache_ts": 0, **more}


def _by_email(call: Call) -> Json:
    email = call.text("email").lower()
    for user in call.workspace.users.values():
        if user.email == email:
            return {"user": user_json(user)}
    raise SlackError("users_not_found")


def _groups(call: Call) -> Json:
    found = [group_json(g) for g in call.workspace.groups.values()]
    if not call.flag("include_users"):
        found = [{k: v for k, v in g.items() if k != "users"} for g in found]
    return {"usergroups": found}


def _group_users(call: Call) -> Json:
    found = call.workspace.groups.get(call.text("usergroup"))
    if found is None:
        raise SlackError("no_such_subteam")
    return {"users": list(found.users)}


def _status(call: Call) -> Json:
    workspace, channel = call.workspace, call.channel("channel_id")
    root = workspace.message(call.joined(channel).id, call.text("thread_ts"))
    if root is None:
        raise SlackError("invalid_thread_ts")
    status = call.text("status", "")
    workspace.statuses[(channel.id, root.ts)] = status
    workspace.stream.publish(
        {"type": "status", "channel": channel.id, "thread_ts": root.ts, "status": status}
    )
    return {}


def _open_connection(call: Call) -> Json:
    host = call.workspace.url.partition("://")[2]
    ticket = call.workspace.new_ticket()
    return {"url": f"ws://{host}/slack/socket?ticket={ticket}&app_id={call.workspace.app.id}"}


_USERS = ("users:read",)
METHODS: Mapping[str, Method] = {
    "api.test": Method(run=_api_test, tier=4, token="none"),  # noqa: S106 - a kind of token
    "auth.test": Method(run=_auth_test, tier=0, token="any"),  # noqa: S106 - a kind of token
    # Slack says tier 1; a bot that is killed and started again needs more.
    "apps.connections.open": Method(run=_open_connection, tier=2, token="app"),  # noqa: S106 - a kind
    "team.info": Method(run=_team_info, tier=3, scopes=("team:read",)),
    "bots.info": Method(run=_bots_info, tier=3, scopes=_USERS),
    "users.info": Method(run=_users_info, tier=4, scopes=_USERS),
    "users.list": Method(run=_users_list, tier=2, scopes=_USERS),
    "users.lookupByEmail": Method(run=_by_email, tier=3, scopes=("users:read.email",)),
    "usergroups.list": Method(run=_groups, tier=2, scopes=("usergroups:read",)),
    "usergroups.users.list": Method(run=_group_users, tier=2, scopes=("usergroups:read",)),
    "assistant.threads.setStatus": Method(
        run=_status, tier=4, scopes=("assistant:write", "chat:write")
    ),
}  # fmt: skip
