"""Changes single values of a YAML manifest in place: comments, order and layout stay."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from bot.domain.errors import Malformed

MOST_DOCUMENTS = 200
MAX_TEXT = 512 * 1024
_STEP = re.compile(r"([A-Za-z0-9_\-/]+)|\[([^\[\]]{1,253})\]")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@-]{1,500}")
Value = str | int


def steps(path: str) -> tuple[str, ...]:
    """Return the steps of "spec.template.spec.containers[app].image".

    A step in brackets is an item of a list by its `name`, or a key that holds dots. Raises:
    Malformed.
    """
    rest, found = path, []
    while rest:
        match = _STEP.match(rest)
        if match is None:
            raise Malformed(f"{path[:80]} is not a path such as spec.replicas")
        found.append(match[1] or match[2])
        rest = rest[match.end() :]
        if rest.startswith(".") and len(rest) > 1:
            rest = rest[1:]
        elif rest and not rest.startswith("["):
            raise Malformed(f"{path[:80]} is not a path such as spec.replicas")
    if not found or len(found) > 20:
        raise Malformed(f"{path[:80]} is not a path such as spec.replicas")
    return tuple(found)


def holds(text: str, kind: str, name: str) -> bool:
    """Whether a manifest has an object of this kind and name. Raises: Malformed."""
    return any(_is(document, kind, name) for document in _documents(text))


def objects(text: str) -> list[Mapping[str, Any]]:
    """Return the objects of a manifest as data. Raises: Malformed."""
    try:
        found = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Malformed("the manifest is not YAML that can be read") from None
    return [document for document in found if isinstance(document, dict)]


def edited(text: str, changes: Mapping[str, Value], *, kind: str = "", name: str = "") -> str:
    """Return the text with the values at the paths changed, of the one object named (or the only).

    Raises: Malformed: no such object or value, several, or one that is no single plain value.
    """
    chosen = [d for d in _documents(text) if not kind or _is(d, kind, name)]
    if len(chosen) != 1:
        what = f"{kind}/{name}" if kind else "object"
        raise Malformed(f"the manifest has {len(chosen)} of {what}, and one is needed")
    places = [(_scalar(chosen[0], path), value) for path, value in changes.items()]
    for node, value in sorted(places, key=lambda p: -int(p[0].start_mark.index)):
        start, end = node.start_mark.index, node.end_mark.index
        text = f"{text[:start]}{_written(node, value)}{text[end:]}"
    _check(text, changes, kind, name)
    return text


def _check(text: str, changes: Mapping[str, Value], kind: str, name: str) -> None:
    """Read it back: what is not read as it was meant is not proposed."""
    chosen = [d for d in _documents(text) if not kind or _is(d, kind, name)]
    for path, value in changes.items():
        node = _scalar(chosen[0], path) if len(chosen) == 1 else None
        if node is None or node.value != str(value):
            raise Malformed(f"{path} cannot be changed without changing more")


def _documents(text: str) -> list[yaml.Node]:
    if len(text) > MAX_TEXT or "\t" in text[:1]:
        raise Malformed("the manifest is too large to be edited")
    try:
        found = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Malformed("the manifest is not YAML that can be read") from None
    if len(found) > MOST_DOCUMENTS:
        raise Malformed("the manifest has too many objects to be edited")
    return found


def _is(document: yaml.Node, kind: str, name: str) -> bool:
    try:
        found = (_scalar(document, "kind").value, _scalar(document, "metadata.name").value)
    except Malformed:
        return False
    return found == (kind, name)


def _scalar(document: yaml.Node, path: str) -> yaml.ScalarNode:
    node: yaml.Node | None = document
    for step in steps(path):
        node = _below(node, step)
    if not isinstance(node, yaml.ScalarNode):
        raise Malformed(f"the manifest has no single value at {path}")
    if node.style in ("|", ">"):
        raise Malformed(f"{path} is a block of text, which a person has to edit")
    if node.start_mark.line != node.end_mark.line:
        raise Malformed(f"{path} goes over several lines, which a person has to edit")
    return node


def _below(node: yaml.Node | None, step: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        found = [value for key, value in node.value if _value(key) == step]
        return found[0] if len(found) == 1 else None
    if isinstance(node, yaml.SequenceNode):
        named = [item for item in node.value if _value(_below(item, "name")) == step]
        return named[0] if len(named) == 1 else None
    return None


def _value(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _written(node: yaml.ScalarNode, value: Value) -> str:
    """Return a value as YAML: quoted where it was, or where it would be read as something else."""
    if isinstance(value, int):
        return str(value)
    if node.style == "'" and "'" not in value and value.isprintable():
        return f"'{value}'"
    plain = _PLAIN.fullmatch(value) and yaml.safe_load(value) == value
    return value if plain and node.style is None else json.dumps(value, ensure_ascii=True)


def paths_of(tree: Sequence[str]) -> Iterator[str]:
    """Yield the names that are manifests by their ending."""
    return (name for name in tree if name.endswith((".yaml", ".yml")))
