"""The manifest asks for what the code uses, and no more."""

import ast
import re
from pathlib import Path
from typing import Any

import yaml

import bot.slack

CODE = Path(bot.slack.__file__).parent
MANIFEST = CODE.parents[1] / "deploy" / "slack-manifest.yaml"

# Scopes that each Web API method needs. Source: docs.slack.dev/reference/methods
NEEDS = {
    "apps_connections_open": set(),  # with the app-level token: connections:write
    "auth_test": set(),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_replies": {"channels:history", "groups:history"},
    "files_upload_v2": {"files:write"},
    "users_info": {"users:read", "users:read.email"},
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}
NO_METHODS = {"is_connected", "send_socket_mode_response", "wss_uri"}  # of the Socket Mode client
# Scopes that each event needs. Source: docs.slack.dev/reference/events
EVENTS = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
}


def manifest() -> Any:
    return yaml.safe_load(MANIFEST.read_text())


def methods_called() -> set[str]:
    called = set()
    for path in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and _is_client(node.value):
                called.add(node.attr)
    return called - NO_METHODS


def _is_client(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in ("client", "_client")


def events_heard() -> set[str]:
    text = "".join(p.read_text() for p in (CODE / "listeners").glob("*.py"))
    return set(re.findall(r'@app\.event\("(\w+)"\)', text))


def test_every_method_is_covered_and_no_scope_is_unused() -> None:
    assert methods_called() == set(NEEDS)
    needed = set().union(*NEEDS.values(), *EVENTS.values(), {"commands"})
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == needed


def test_the_events_subscribed_are_those_that_are_heard() -> None:
    subscribed = manifest()["settings"]["event_subscriptions"]["bot_events"]
    assert set(subscribed) == set(EVENTS)
    assert {name.partition(".")[0] for name in subscribed} == events_heard()


def test_the_command_is_the_one_that_is_heard() -> None:
    commands = manifest()["features"]["slash_commands"]
    assert [c["command"] for c in commands] == ["/sre"]


def test_no_user_token_is_asked_for() -> None:
    assert set(manifest()["oauth_config"]["scopes"]) == {"bot"}
