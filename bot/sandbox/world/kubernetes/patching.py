"""Applies the three kinds of patch to an object's JSON."""

import copy
from typing import Any

from bot.sandbox.world.kubernetes.errors import ApiError, bad_request
from bot.sandbox.world.records import Json

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
KEYS = {
    "containers": "name", "initContainers": "name", "env": "name", "volumes": "name",
    "volumeMounts": "mountPath", "ports": "containerPort", "imagePullSecrets": "name",
}  # fmt: skip
MAX_OPERATIONS = 500


def patched(body: Json, patch: Any, kind: str) -> Json:
    """Return the object with the patch applied. Raises: ApiError 400, 415, 422."""
    kind = kind.split(";")[0].strip()
    if kind == JSON_PATCH:
        return _json_patch(copy.deepcopy(body), patch)
    if kind not in (MERGE, STRATEGIC):
        raise ApiError(
            415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            f"{JSON_PATCH}, {MERGE}, {STRATEGIC}",
        )  # fmt: skip
    if not isinstance(patch, dict):
        raise bad_request("the patch is not an object")
    found = merge(copy.deepcopy(body), patch, strategic=kind == STRATEGIC)
    if not isinstance(found, dict):
        raise bad_request("the patch removes the object")
    return found


def merge(old: Any, patch: Any, *, strategic: bool, field: str = "") -> Any:
    """Return `old` merged with `patch`; strategic merges lists of named things by their name."""
    if isinstance(patch, dict):
        return _merge_object(old, patch, strategic)
    if strategic and isinstance(patch, list) and isinstance(old, list) and field in KEYS:
        return _merge_list(old, patch, KEYS[field])
    return copy.deepcopy(patch)


def _merge_object(old: Any, patch: Json, strategic: bool) -> Json:
    if strategic and patch.get("$patch") == "replace":
        return {k: copy.deepcopy(v) for k, v in patch.items() if k != "$patch"}
    out = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if strategic and name.startswith("$"):
            continue
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge(out.get(name), value, strategic=strategic, field=name)
    return out


def _merge_list(old: list[Any], patch: list[Any], key: str) -> list[Any]:
    out = list(old)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {str(item)[:100]} does not contain declared merge key: {key}")
        place = next(
            (i for i, o in enumerate(out) if isinstance(o, dict) and o.get(key) == item[key]), None
        )
        if item.get("$patch") == "delete":
            if place is not None:
                out.pop(place)
        elif place is None:
            out.append(merge({}, item, strategic=True))
        else:
            out[place] = merge(out[place], item, strategic=True)
    return out


def _json_patch(body: Json, operations: Any) -> Json:
    if not isinstance(operations, list) or len(operations) > MAX_OPERATIONS:
        raise bad_request("a JSON patch is a list of at most 500 operations")
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise bad_request("a JSON patch operation needs op and path")
        _operate(body, operation)
    return body


def _operate(body: Json, operation: Json) -> None:
    op, path = operation.get("op"), operation["path"]
    steps = _steps(path)
    if not steps:
        raise bad_request("the whole document cannot be replaced")
    if op in ("add", "replace", "test") and "value" not in operation:
        raise bad_request(f"{op} operation at {path[:200]} has no value")
    parent = _walk(body, steps[:-1], path)
    if op == "test":
        if _get(parent, steps[-1], path) != operation["value"]:
            raise ApiError(422, "Invalid", f"testing value {path[:200]} failed")
    elif op in ("add", "replace"):
        _put(parent, steps[-1], (op, path), copy.deepcopy(operation["value"]))
    elif op == "remove":
        _remove(parent, steps[-1], path)
    elif op in ("copy", "move"):
        _transfer(body, operation, steps)
    else:
        raise bad_request(f"unexpected kind: {str(op)[:40]}")


def _transfer(body: Json, operation: Json, steps: list[str]) -> None:
    source = operation.get("from")
    if not isinstance(source, str) or not _steps(source):
        raise bad_request(f"{operation['op']} needs a path in from")
    origin = _steps(source)
    if operation["op"] == "move" and steps[: len(origin)] == origin:
        raise bad_request("an object cannot be moved into itself")
    holder = _walk(body, origin[:-1], source)
    value = copy.deepcopy(_get(holder, origin[-1], source))
    if operation["op"] == "move":
        _remove(holder, origin[-1], source)
    _put(_walk(body, steps[:-1], operation["path"]), steps[-1], ("add", operation["path"]), value)


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise bad_request(f"{path[:200]} is not a JSON pointer")
    return [s.replace("~1", "/").replace("~0", "~") for s in path.split("/")[1:]]


def _missing(path: str) -> ApiError:
    text = (
        f"the server rejected our request due to an error in our request: no such path {path[:200]}"
    )
    return ApiError(422, "Invalid", text)


def _walk(value: Any, steps: list[str], path: str) -> Any:
    for step in steps:
        value = _get(value, step, path)
    return value


def _get(holder: Any, step: str, path: str) -> Any:
    if isinstance(holder, dict) and step in holder:
        return holder[step]
    if isinstance(holder, list):
        return holder[_index(holder, step, path)]
    raise _missing(path)


def _index(holder: list[Any], step: str, path: str, *, end: bool = False) -> int:
    if not step.isascii() or not step.isdigit() or len(step) > 6:
        raise _missing(path)
    place = int(step)
    if place >= len(holder) + end:
        raise _missing(path)
    return place


def _put(holder: Any, step: str, what: tuple[str, str], value: Any) -> None:
    op, path = what
    if isinstance(holder, dict):
        if op == "replace" and step not in holder:
            raise _missing(path)
        holder[step] = value
    elif isinstance(holder, list) and op == "add":
        place = len(holder) if step == "-" else _index(holder, step, path, end=True)
        holder.insert(place, value)
    elif isinstance(holder, list):
        holder[_index(holder, step, path)] = value
    else:
        raise _missing(path)


def _remove(holder: Any, step: str, path: str) -> None:
    _get(holder, step, path)
    if isinstance(holder, dict):
        del holder[step]
    else:
        holder.pop(_index(holder, step, path))
