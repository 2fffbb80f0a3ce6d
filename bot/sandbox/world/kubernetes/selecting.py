"""Label and field selectors, limits and continuation of lists."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.world.kubernetes.errors import bad_request
from bot.sandbox.world.records import Json

NAME = r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?"
Test = Callable[[Json], bool]
FIELDS: dict[str, tuple[str, ...]] = {
    "pods": ("spec.nodeName", "status.phase", "spec.restartPolicy", "status.podIP",
             "spec.serviceAccountName"),
    "events": ("involvedObject.kind", "involvedObject.name", "involvedObject.namespace",
               "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.fieldPath",
               "reason", "type", "source", "reportingComponent"),
    "nodes": ("spec.unschedulable",),
    "secrets": ("type",),
    "namespaces": ("status.phase",),
}  # fmt: skip


def label_test(text: str) -> Test:
    """Return a predicate for a label selector. Raises: ApiError 400."""
    tests = [_requirement(part.strip()) for part in _split(text) if part.strip()]
    return lambda body: all(t(body["metadata"].get("labels") or {}) for t in tests)


def _split(text: str) -> list[str]:
    """Split at commas that are not within parentheses."""
    if len(text) > 4000:
        raise bad_request("the label selector is too long")
    return re.split(r",(?![^()]*\))", text)


def _requirement(part: str) -> Test:
    found = re.fullmatch(rf"({NAME})\s+(in|notin)\s+\(([^()]*)\)", part)
    if found:
        key, values = found[1], {v.strip() for v in found[4].split(",")}
        if found[3] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    found = re.fullmatch(rf"({NAME})\s*(==|=|!=)\s*([A-Za-z0-9._-]*)", part)
    if found:
        key, value = found[1], found[4]
        if found[3] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    found = re.fullmatch(rf"(!?)({NAME})", part)
    if found is None:
        raise bad_request(f"unable to parse requirement: {part!r}")
    key, absent = found[2], bool(found[1])
    return lambda labels: (key in labels) != absent


def field_test(plural: str, text: str) -> Test:
    """Return a predicate for a field selector. Raises: ApiError 400."""
    allowed = ("metadata.name", "metadata.namespace", *FIELDS.get(plural, ()))
    tests: list[Test] = []
    for part in (p.strip() for p in text.split(",") if p.strip()):
        found = re.fullmatch(r"([A-Za-z.]+)\s*(==|=|!=)\s*([^=!]*)", part)
        if found is None:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        if found[1] not in allowed:
            raise bad_request(
                f'Unable to find "{plural}" that match label selector "", field selector "{text}": '
                f"field label not supported: {found[1]}"
            )
        tests.append(_field(found[1], found[3], found[2] != "!="))
    return lambda body: all(t(body) for t in tests)


def _field(path: str, wanted: str, equal: bool) -> Test:
    def check(body: Json) -> bool:
        value: Any = body
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        shown = "" if value is None else str(value)
        return (shown == wanted) == equal

    return check


def page(items: list[Json], limit: str, token: str) -> tuple[list[Json], Json]:
    """Return one page of a list and the list's metadata. Raises: ApiError 400, 410."""
    start = _decode(token) if token else 0
    try:
        count = int(limit) if limit else 0
    except ValueError as error:
        raise bad_request(f"strconv.ParseInt: parsing {limit[:40]!r}: invalid syntax") from error
    if count <= 0:
        return items[start:], {}
    rest = len(items) - start - count
    if rest <= 0:
        return items[start:], {}
    mark = base64.urlsafe_b64encode(json.dumps({"v": 1, "start": start + count}).encode()).decode()
    return items[start : start + count], {"continue": mark, "remainingItemCount": rest}


def _decode(token: str) -> int:
    try:
        found = json.loads(base64.urlsafe_b64decode(token.encode()))
        start = found["start"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise bad_request("continue key is not valid") from error
    if not isinstance(start, int) or not 0 <= start < 10_000_000:
        raise bad_request("continue key is not valid")
    return start
