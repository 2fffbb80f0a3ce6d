"""The small things that kubectl prints: times, ages, ports, selectors, taints, tolerations."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import NOTHING, clean

AGE_PART = re.compile(r"(\d+)([ywdhms])")
AGE = re.compile(r"^(?:\d+[ywdhms])+$")
COUNTED_AGE = re.compile(r"^(\S+)(?: \(x(\d+) over (\S+)\))?$")
SECONDS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
EXPRESSION = re.compile(
    r"([\w./-]+)\s+(in|notin|not in|gt|lt)\s+[\[(]([^\])]*)[\])]", re.IGNORECASE
)
OPERATORS = {"in": "In", "notin": "NotIn", "not in": "NotIn", "gt": "Gt", "lt": "Lt"}


def moment(text: str) -> str | None:
    """Return "Fri, 28 Nov 2025 15:31:20 +0800" as the API writes it, None if it is no time."""
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return rfc3339(found) if found.tzinfo else None


def rfc3339(time: datetime) -> str:
    """Return an aware time as "2025-11-28T07:31:20Z"."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age_seconds(text: str) -> float | None:
    """Return "2m13s" as 133.0, None for what is not an age."""
    if not AGE.match(text.strip()):
        return None
    return float(sum(int(n) * SECONDS[unit] for n, unit in AGE_PART.findall(text)))


def counted_age(text: str) -> tuple[float | None, int, float | None]:
    """Return "19s (x15 over 101s)" as last seen, count and first seen, ages in seconds."""
    match = COUNTED_AGE.match(text.strip())
    if not match:
        return None, 1, None
    last = age_seconds(match[1])
    return last, int(match[2] or 1), age_seconds(match[3]) if match[3] else last


def ago(seconds: float | None, now: datetime) -> str | None:
    """Return the API's time of something that old."""
    return None if seconds is None else rfc3339(now - timedelta(seconds=seconds))


def whole(text: str, default: int | None = None) -> int | None:
    """Return the leading integer of a text, the default if there is none."""
    match = re.match(r"-?\d+", text.strip())
    return int(match.group()) if match else default


def port_or_name(text: str) -> int | str:
    """Return a port number, or the name of a port."""
    return int(text) if text.isdigit() else text


def container_ports(text: str) -> list[dict[str, Any]]:
    """Return "8848/TCP, 53/UDP" as the API's container ports."""
    found = re.findall(r"(\d+)/(\w+)(?: \(([^)]+)\))?", text)
    return [clean({"containerPort": int(p), "protocol": q, "name": n}) for p, q, n in found]


def labels_of(text: str) -> dict[str, str]:
    """Return "app=x,tier=y" as labels; items without `=` are left out."""
    parts = (item.strip().partition("=") for item in text.split(",") if item.strip() not in NOTHING)
    return {key: value for key, found, value in parts if found}


def label_selector(text: str) -> dict[str, Any]:
    """Return "app=x,tier in (a,b),!old" as the API's label selector."""
    expressions = [
        {"key": key, "operator": OPERATORS[op.lower()], "values": _words(values)}
        for key, op, values in EXPRESSION.findall(text)
    ]
    rest = EXPRESSION.sub("", text)
    for item in (part.strip() for part in rest.split(",")):
        if item.startswith("!"):
            expressions.append({"key": item[1:], "operator": "DoesNotExist"})
        elif item and "=" not in item and item not in NOTHING:
            expressions.append({"key": item, "operator": "Exists"})
    return clean({"matchLabels": labels_of(rest), "matchExpressions": expressions})


def taint(text: str) -> dict[str, Any]:
    """Return "dedicated=gpu:NoSchedule" as the API's taint."""
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return clean({"key": key, "value": value, "effect": effect})


def toleration(text: str) -> dict[str, Any]:
    """Return "example.com/key:NoExecute op=Exists for 300s" as the API's toleration."""
    head, _, rest = text.partition(" ")
    plain, colon, effect = head.rpartition(":")
    key, equals, value = (plain if colon else head).partition("=")
    seconds = re.search(r"for (\d+)s", rest)
    if text.startswith("op=Exists"):
        return {"operator": "Exists"}
    return clean(
        {
            "key": key,
            "operator": "Equal" if equals else "Exists",
            "value": value,
            "effect": effect if colon else "",
            "tolerationSeconds": int(seconds[1]) if seconds else None,
        }
    )


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", text.strip()) if word]
