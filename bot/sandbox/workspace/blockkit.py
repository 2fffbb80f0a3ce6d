"""Block Kit checker: shape, limits and rules, so that what passes here passes at Slack."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from bot.sandbox.workspace import blockkit_limits, blockkit_rules, blockkit_shape
from bot.sandbox.workspace.blockkit_shape import complain

Surface = Literal["message", "modal", "home"]
_MOST_ERRORS = 20


def check(blocks: object, *, surface: Surface) -> list[str]:
    """Return what Slack would refuse in `blocks`, with JSON pointers; empty = valid.

    Never raises, whatever `blocks` is.
    """
    return _check_blocks(blocks, surface, "/blocks")[:_MOST_ERRORS]


def check_view(view: object) -> list[str]:
    """Return what Slack would refuse in a modal or App Home view; empty = valid."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return [complain("must be a view of type modal or home", "/view")]
    surface: Surface = "modal" if view["type"] == "modal" else "home"
    found = blockkit_shape.errors("ModalView" if surface == "modal" else "HomeView", view, "/view")
    if found:
        return found[:_MOST_ERRORS]
    found = [
        *blockkit_limits.errors(surface, view, "/view"),
        *blockkit_rules.of_view(view, "/view"),
        *_check_blocks(view["blocks"], surface, "/view/blocks"),
    ]
    return found[:_MOST_ERRORS]


def _check_blocks(blocks: object, surface: Surface, path: str) -> list[str]:
    if not isinstance(blocks, list):
        return [complain("must be an array", path)]
    found = list(blockkit_rules.of_surface(blocks, surface, path))
    for index, block in enumerate(blocks[: blockkit_rules.MOST_BLOCKS[surface]]):
        found += _check_block(block, f"{path}/{index}", surface)
    return found


def _check_block(block: object, path: str, surface: Surface) -> list[str]:
    shape = blockkit_shape.errors("KnownBlock", block, path)
    if shape or not isinstance(block, dict):
        return shape
    found: list[str] = []
    for kind, value, where in _objects(block, path):
        found += blockkit_limits.errors(kind, value, where)
        found += blockkit_rules.of_object(kind, value, where)
        if kind == "file_input" and surface != "modal":
            found.append(complain("`file_input` is only for modals", where))
    return found


_NESTED: Mapping[str, str] = {
    "options": "option",
    "initial_options": "option",
    "initial_option": "option",
    "option_groups": "option_group",
    "confirm": "confirm",
}


def _objects(value: Mapping[str, Any], path: str, kind: str = "") -> Iterator[blockkit_rules.Visit]:
    """Walk every object of a block with its kind: its own `type`, or what its place says."""
    kind = kind or str(value.get("type", ""))
    yield kind, value, path
    for name, item in value.items():
        inner = "" if kind == "confirm" else _NESTED.get(name, "")
        if isinstance(item, dict):
            yield from _objects(item, f"{path}/{name}", inner)
        elif isinstance(item, list):
            yield from _listed(item, f"{path}/{name}", inner)


def _listed(items: Sequence[Any], path: str, kind: str) -> Iterator[blockkit_rules.Visit]:
    for index, item in enumerate(items):
        if isinstance(item, dict):
            yield from _objects(item, f"{path}/{index}", kind)
        elif isinstance(item, list):
            yield from _listed(item, f"{path}/{index}", kind)
