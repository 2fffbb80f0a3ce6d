"""Shape of Block Kit: types, required and unknown properties, by the schema of @slack/types."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

Node = Mapping[str, Any]
_NAMES = {"object": "an object", "array": "an array", "string": "a string", "boolean": "a boolean"}


@cache
def definitions() -> Mapping[str, Node]:
    """Return the schema's definitions by name (`SectionBlock`, `Button`, …)."""
    text = resources.files("bot.sandbox.workspace").joinpath("blocks.schema.json").read_text()
    found: Mapping[str, Node] = json.loads(text)["definitions"]
    return found


def errors(name: str, value: object, path: str) -> list[str]:
    """Return what is wrong with the shape of `value` as the definition `name`."""
    return list(_check(definitions()[name], value, path))


def complain(text: str, path: str) -> str:
    """Return a message as Slack writes them in response_metadata.messages."""
    return f"[ERROR] {text} [json-pointer:{path}]"


def _check(node: Node, value: object, path: str) -> Iterator[str]:
    if "$ref" in node:
        yield from _check(definitions()[_target(node)], value, path)
    elif "anyOf" in node:
        yield from _any(node, value, path)
    elif not _is(node.get("type"), value):
        kind = node.get("type", "")
        yield complain(f"must be {_NAMES.get(kind, f'a {kind}')}", path)
    elif isinstance(value, dict):
        yield from _object(node, value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _check(node.get("items", {}), item, f"{path}/{index}")
    else:
        yield from _scalar(node, value, path)


def _scalar(node: Node, value: object, path: str) -> Iterator[str]:
    if "const" in node and value != node["const"]:
        yield complain(f"must be {node['const']!r}", path)
    elif "enum" in node and value not in node["enum"]:
        yield complain(f"must be one of {node['enum']}", path)


def _target(node: Node) -> str:
    return str(node["$ref"]).removeprefix("#/definitions/")


def _is(kind: str | None, value: object) -> bool:
    if kind is None:
        return True
    if kind in ("number", "integer"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    known = {"object": dict, "array": list, "string": str, "boolean": bool}
    return isinstance(value, known[kind])


def _object(node: Node, value: dict[str, Any], path: str) -> Iterator[str]:
    properties: Mapping[str, Node] = node.get("properties", {})
    for name in node.get("required", ()):
        if name not in value:
            yield complain(f"missing required field: {name}", path)
    for name, item in value.items():
        if name in properties:
            yield from _check(properties[name], item, f"{path}/{name}")
        elif node.get("additionalProperties") is False:
            yield complain(f"unknown field: {name[:80]}", path)


def _any(node: Node, value: object, path: str) -> Iterator[str]:
    """Take the alternatives of the value's own `type`; of those, the least wrong one."""
    if not isinstance(value, dict):
        yield complain("must be an object", path)
        return
    kind = value.get("type")
    fitting = [n for n in _flat(node) if _const(n) in (None, kind)]
    if not fitting:
        yield complain(f"unsupported type: {str(kind)[:80]}", f"{path}/type")
        return
    yield from min((list(_check(n, value, path)) for n in fitting), key=len)


def _flat(node: Node) -> Iterator[Node]:
    if "$ref" in node:
        yield from _flat(definitions()[_target(node)])
    elif "anyOf" in node:
        for choice in node["anyOf"]:
            yield from _flat(choice)
    else:
        yield node


def _const(node: Node) -> str | None:
    found = node.get("properties", {}).get("type", {}).get("const")
    return None if found is None else str(found)
