"""What a person types, as Slack stores it: escaped, mentions resolved, and its rich text."""

import re
from collections.abc import Iterator

from bot.sandbox.workspace.records import Json
from bot.sandbox.workspace.state import Workspace

_NAMED = re.compile(r"(?<![\w@])@([a-z0-9][a-z0-9._-]*[a-z0-9])|(?<![\w&#])#([a-z0-9][a-z0-9_-]*)")
_KEPT = re.compile(r"&lt;(@U\w+|#C\w+|!subteam\^S\w+)&gt;")
_TOKEN = re.compile(r"<(@|#|!subteam\^)(\w+)>")
_KINDS = {
    "@": ("user", "user_id"),
    "#": ("channel", "channel_id"),
    "!subteam^": ("usergroup", "usergroup_id"),
}


def stored(workspace: Workspace, typed: str) -> str:
    """Return the text with `& < >` escaped and `@name`, `#channel` as Slack's references."""
    escaped = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    names = {u.name: f"<@{u.id}>" for u in workspace.users.values()}
    names |= {g.handle: f"<!subteam^{g.id}>" for g in workspace.groups.values()}
    rooms = {c.name: f"<#{c.id}>" for c in workspace.channels.values() if c.name}

    def resolve(found: re.Match[str]) -> str:
        if found[1] is not None:
            return names.get(found[1], found[0])
        return rooms.get(found[2], found[0])

    return _KEPT.sub(r"<\1>", _NAMED.sub(resolve, escaped))


def rich_text(text: str) -> tuple[Json, ...]:
    """Return the rich_text block that Slack's composer makes of a message."""
    section = {"type": "rich_text_section", "elements": list(_elements(text))}
    return ({"type": "rich_text", "block_id": "typed", "elements": [section]},)


def _elements(text: str) -> Iterator[Json]:
    end = 0
    for found in _TOKEN.finditer(text):
        if found.start() > end:
            yield _plain(text[end : found.start()])
        kind, field = _KINDS[found[1]]
        yield {"type": kind, field: found[2]}
        end = found.end()
    if end < len(text):
        yield _plain(text[end:])


def _plain(text: str) -> Json:
    shown = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return {"type": "text", "text": shown}
