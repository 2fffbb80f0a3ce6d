"""The app as its Slack manifest describes it: a missing scope shows here, not at Slack."""

from collections.abc import Mapping
from typing import Any

from bot.domain.errors import Malformed
from bot.sandbox.workspace.records import App


def app_of(manifest: Mapping[str, Any], *, request_url: str = "") -> App:
    """Return the sandbox's app with the manifest's scopes, events and commands.

    Raises: Malformed: names what is not as Slack's manifests are.
    """
    commands = _section(manifest, "features").get("slash_commands", [])
    if not isinstance(commands, list):
        raise Malformed("manifest: slash_commands is not a list")
    names = [c.get("command") if isinstance(c, Mapping) else c for c in commands]
    return App(
        scopes=_texts(_section(manifest, "oauth_config", "scopes").get("bot"), "scopes.bot"),
        events=_texts(
            _section(manifest, "settings", "event_subscriptions").get("bot_events"), "bot_events"
        ),
        commands=_texts(names, "slash_commands"),
        request_url=request_url,
    )


def _section(manifest: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    found: Any = manifest
    for name in path:
        found = found.get(name, {})
        if not isinstance(found, Mapping):
            raise Malformed(f"manifest: {name} is not a section")
    return found  # type: ignore[no-any-return]  # walked down from parsed YAML


def _texts(given: Any, name: str) -> frozenset[str]:
    if given is None:
        return frozenset()
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise Malformed(f"manifest: {name} is not a list of names")
    return frozenset(given)
