"""Rules of Block Kit that neither a schema nor a length can say: surfaces, duplicates, choices."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.sandbox.workspace.blockkit_shape import complain

Path = str
Visit = tuple[str, Mapping[str, Any], Path]

# Slack documents neither; both are measured, see the public issue bolt-js 2509.
MOST_WEIGHT = 13_200
BLOCK_WEIGHT = 125
TOO_LONG = "msg_blocks_too_long: the blocks of a message hold about 13000 characters together"
MOST_BLOCKS: Mapping[str, int] = {"message": 50, "modal": 100, "home": 100}
_VIEW_BLOCKS = frozenset(
    (
        *("actions", "alert", "card", "carousel", "container", "context", "divider"),
        *("header", "image", "input", "rich_text", "section", "table", "video"),
    )
)
_SURFACES: Mapping[str, frozenset[str]] = {
    "message": _VIEW_BLOCKS
    | frozenset(("context_actions", "data_table", "markdown", "plan", "task_card")),
    "modal": _VIEW_BLOCKS,
    "home": _VIEW_BLOCKS,
}
_GROUPED = ("static_select", "external_select", "multi_static_select", "multi_external_select")


def of_surface(blocks: Sequence[Any], surface: str, path: str) -> Iterator[str]:
    """Yield what the surface refuses: too many blocks, types it does not draw, repeated ids."""
    if len(blocks) > MOST_BLOCKS[surface]:
        yield complain(f"no more than {MOST_BLOCKS[surface]} items allowed", path)
    kinds = [b.get("type") for b in blocks if isinstance(b, dict)]
    for index, kind in enumerate(kinds):
        if isinstance(kind, str) and kind not in _SURFACES[surface]:
            yield complain(f"`{kind[:40]}` is not allowed in a {surface}", f"{path}/{index}/type")
    if kinds.count("table") + kinds.count("data_table") > 1:
        yield complain("only_one_table_allowed", path)
    yield from _repeated("block_id", [b for b in blocks if isinstance(b, dict)], path)
    if surface == "message" and _weight(blocks) > MOST_WEIGHT:
        yield complain(TOO_LONG, path)
    written = sum(len(b["text"]) for b in blocks if _is_markdown(b))
    if written > 12_000:
        yield complain("markdown blocks hold more than 12000 characters together", path)


def _weight(blocks: Sequence[Any]) -> int:
    """Return how much of a message's room the blocks take: their texts, and each block itself."""
    total, waiting = BLOCK_WEIGHT * len(blocks), list(blocks)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            text = node.get("text")
            total += len(text) if isinstance(text, str) else 0
        if isinstance(node, dict | list):
            waiting += node.values() if isinstance(node, dict) else node
    return total


def _is_markdown(block: Any) -> bool:
    return (
        isinstance(block, dict)
        and block.get("type") == "markdown"
        and isinstance(block.get("text"), str)
    )


def _repeated(name: str, items: Sequence[Any], path: str) -> Iterator[str]:
    seen = Counter(i.get(name) for i in items if isinstance(i, dict) and _named(i, name))
    for value, times in seen.items():
        if times > 1:
            yield complain(f"`{name}` {str(value)[:60]!r} is not unique", path)


def _named(item: Mapping[str, Any], name: str) -> bool:
    return isinstance(item.get(name), str)


def of_object(kind: str, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield what is wrong inside one object of a well-formed shape."""
    rule = {
        "section": _section,
        "actions": _actions,
        "context_actions": _actions,
        "table": _table,
        "plain_text_input": _lengths,
    }.get(kind)
    if rule is not None:
        yield from rule(value, path)
    if "options" in value or "option_groups" in value or kind in _GROUPED[::2]:
        yield from _choices(kind, value, path)


def _section(value: Mapping[str, Any], path: str) -> Iterator[str]:
    if "text" not in value and "fields" not in value:
        yield complain("a section needs `text` or `fields`", path)
    for index, field in enumerate(value.get("fields", ())):
        if len(field["text"]) > 2000:
            yield complain("must be less than 2001 characters", f"{path}/fields/{index}/text")


def _actions(value: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _repeated("action_id", value["elements"], f"{path}/elements")


def _table(value: Mapping[str, Any], path: str) -> Iterator[str]:
    for index, row in enumerate(value["rows"]):
        if not 1 <= len(row) <= 20:
            yield complain("a row has 1 to 20 cells", f"{path}/rows/{index}")


def _lengths(value: Mapping[str, Any], path: str) -> Iterator[str]:
    least, most = value.get("min_length", 0), value.get("max_length", 3000)
    if not 0 <= least <= 3000 or not 1 <= most <= 3000 or least > most:
        yield complain("`min_length` and `max_length` are 0 to 3000, in this order", path)


def _choices(kind: str, value: Mapping[str, Any], path: str) -> Iterator[str]:
    if kind == "option_group":
        return
    if ("options" in value) == ("option_groups" in value):
        yield complain("exactly one of `options` and `option_groups` is needed", path)
    groups = value.get("option_groups", [{"options": value.get("options", [])}])
    options = [option for group in groups for option in group["options"]]
    yield from _repeated("value", options, f"{path}/options")
    for option in options:
        if "url" in option and kind != "overflow":
            yield complain("`url` is only for options of an overflow menu", path)
        if option["text"]["type"] == "mrkdwn" and kind not in ("checkboxes", "radio_buttons"):
            yield complain("options of this element are plain_text", path)
    chosen = [*value.get("initial_options", ())]
    chosen += [value["initial_option"]] if "initial_option" in value else []
    if any(choice not in options for choice in chosen):
        yield complain("an initial option must be one of the options", path)


def of_view(view: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield what is wrong with a view as a whole."""
    kinds = [b.get("type") for b in view.get("blocks", ()) if isinstance(b, dict)]
    if view.get("type") == "modal" and "input" in kinds and "submit" not in view:
        yield complain("a modal with input blocks needs `submit`", path)
