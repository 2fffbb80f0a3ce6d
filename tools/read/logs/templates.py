"""Log lines to templates: mask what varies, count what is the same, guess the level."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.redaction import redact
from bot.domain.snapshot import LogTemplate, Source

MAX_LINE = 2000
MAX_TEMPLATES = 400

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), "<*>"),
    (
        re.compile(r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?"),
        "<*>",
    ),
    (re.compile(r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b"), "<*>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<*>"),
    (
        re.compile(
            r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE
        ),
        "<*>",
    ),
    (
        re.compile(
            r"(?<![A-Za-z0-9_])(?<!status=)(?<!status )(?<!code=)[+-]?\d+(?:[.,]\d+)*(?=\b|[a-zµ%])"
        ),
        "<*>",
    ),
)

_LOGFMT = re.compile(r'(?:^|\s)(msg|message|event|error|err|exception)="((?:[^"\\]|\\.){0,1000})"')
_LEVEL = re.compile(
    r"(?:\"?(?:level|severity|lvl)\"?\s*[=:]\s*\"?|\[|\b)"
    r"(fatal|panic|critical|emerg|error|err|warning|warn|info|debug|trace)\b",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(exception|traceback|failed|failure|refused|timed out|timeout|unavailable|denied)\b",
    re.IGNORECASE,
)
_LEVELS = {
    "fatal": "error",
    "panic": "error",
    "critical": "error",
    "emerg": "error",
    "error": "error",
    "err": "error",
    "warning": "warning",
    "warn": "warning",
    "info": "info",
    "debug": "info",
    "trace": "info",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One log line with where and when it was written. `baseline`: from the window before."""

    at: datetime | None
    text: str
    service: str
    pod: str | None = None
    container: str | None = None
    previous: bool = False
    level: str = ""
    baseline: bool = False


@dataclass(slots=True)
class _Count:
    entry: Entry
    template: str
    count: int = 0
    before: int = 0
    first: datetime | None = None
    last: datetime | None = None


def message_of(line: str) -> str:
    """Return what a structured line (JSON, logfmt) says, with its error; any other line whole."""
    if line.startswith("{"):
        fields = _json_fields(line)
    else:
        fields = {k: v.replace('\\"', '"') for k, v in _LOGFMT.findall(line[:MAX_LINE])}
    said = next((fields[k] for k in ("msg", "message", "event") if fields.get(k)), "")
    wrong = next((fields[k] for k in ("error", "err", "exception") if fields.get(k)), "")
    if not said:
        return line
    return f"{said}: {wrong}" if wrong and wrong not in said else said


def _json_fields(line: str) -> dict[str, str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str)}


def mask(line: str) -> str:
    """Return the line with ids, times, addresses and numbers as <*>; HTTP statuses stay."""
    text = line[:MAX_LINE]
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text.strip()


def level_of(line: str) -> str:
    """Return "error", "warning", "info" or "" by what the line says of itself."""
    found = _LEVEL.search(line[:400])
    if found:
        return _LEVELS[found.group(1).lower()]
    return "error" if _TROUBLE.search(line[:400]) else ""


def templates(
    entries: Iterable[Entry], source: Source, *, baseline_known: bool
) -> tuple[tuple[LogTemplate, ...], int]:
    """Return templates with counts, errors and then the most frequent first, and how many were cut.

    Lines are counted per service, container and run. A template whose lines all are of the window
    before is kept too, with count 0: that it stopped can be a sign.
    """
    counts: dict[tuple[str, str | None, bool, str], _Count] = {}
    for entry in entries:
        template = mask(message_of(entry.text))
        key = (entry.service, entry.container, entry.previous, template)
        count = counts.get(key)
        if count is None:
            count = counts[key] = _Count(entry, template)
        _add(count, entry)
    ranked = sorted(counts.values(), key=_rank)
    kept = tuple(
        _template(c, source, baseline_known=baseline_known) for c in ranked[:MAX_TEMPLATES]
    )
    return kept, max(0, len(ranked) - MAX_TEMPLATES)


def _add(count: _Count, entry: Entry) -> None:
    if entry.baseline:
        count.before += 1
        return
    if count.count == 0:
        count.entry = entry
    count.count += 1
    if entry.at is not None:
        count.first = entry.at if count.first is None else min(count.first, entry.at)
        count.last = entry.at if count.last is None else max(count.last, entry.at)


def _rank(count: _Count) -> tuple[int, int, str]:
    order = {"error": 0, "warning": 1}
    level = count.entry.level or level_of(count.entry.text)
    return (order.get(level, 2), -count.count, count.template)


def _template(count: _Count, source: Source, *, baseline_known: bool) -> LogTemplate:
    entry = count.entry
    return LogTemplate(
        service=entry.service,
        pod=entry.pod,
        container=entry.container,
        previous=entry.previous,
        level=entry.level or level_of(entry.text),
        template=redact(count.template),
        example=redact(entry.text[:MAX_LINE]),
        count=count.count,
        baseline_count=count.before if baseline_known else None,
        first_at=count.first,
        last_at=count.last,
        source=source,
    )
