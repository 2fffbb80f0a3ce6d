"""Log lines to templates: what structured lines say, mined, counted, with level and domain."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.domain.redaction import redact
from bot.domain.snapshot import LogTemplate, Source
from bot.logs.domains import Lexicon
from bot.logs.records import records
from bot.logs.tallying import tally

MAX_LINE = 2000
MAX_TEMPLATES = 400

_LOGFMT = re.compile(r'(?:^|\s)(msg|message|event|error|err|exception)="((?:[^"\\]|\\.){0,1000})"')
_LEVEL = re.compile(
    r"(?:\"?(?:level|severity|lvl)\"?\s*[=:]\s*\"?|\[|\b)"
    r"(fatal|panic|critical|emerg|error|err|warning|warn|info|debug|trace)\b",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"\b(exception|traceback|failed|failure|refused|timed out|timeout|unavailable|denied|no such"
    r"|cannot|unable to|exhausted|no space left|deadlock|out of memory|oom)\b",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What one record of several lines said, and the entry of its first line."""

    entry: Entry
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """One template of one run of a container: its records in the window, how many before."""

    template: str
    entry: Entry
    said: str
    count: int
    before: int
    moments: tuple[datetime, ...]


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


def level_of(line: str) -> str:
    """Return "error", "warning", "info" or "" by what the line says of itself."""
    found = _LEVEL.search(line[:400])
    if found:
        return _LEVELS[found.group(1).lower()]
    return "error" if _TROUBLE.search(line[:400]) else ""


def templates(
    entries: Iterable[Entry], source: Source, *, baseline_known: bool
) -> tuple[tuple[LogTemplate, ...], int]:
    """Return templates with counts, and how many were cut: errors first, new ones before others.

    Lines are counted per service, container and run. A template whose lines all are of the window
    before is kept too, with count 0: that it stopped can be a sign.
    """
    lexicon = Lexicon()
    counts = [count for told in _sources(entries) for count in _counted(told)]
    ranked = sorted(counts, key=_rank)
    kept = tuple(
        _template(c, source, lexicon, baseline_known=baseline_known) for c in ranked[:MAX_TEMPLATES]
    )
    return kept, max(0, len(ranked) - MAX_TEMPLATES)


def _sources(entries: Iterable[Entry]) -> list[list[_Told]]:
    """Return what each service's container said: lines of a stack trace are of one record."""
    runs: dict[tuple[str, str | None], dict[tuple[str | None, bool], list[Entry]]] = {}
    for entry in entries:
        runs.setdefault((entry.service, entry.container), {}).setdefault(
            (entry.pod, entry.previous), []
        ).append(entry)
    return [[told for run in of_run.values() for told in _told(run)] for of_run in runs.values()]


def _told(run: list[Entry]) -> list[_Told]:
    if all(entry.at is not None for entry in run):
        run = sorted(run, key=lambda e: e.at or datetime.min)  # noqa: DTZ901 - never without a time
    found = records(message_of(entry.text.rstrip()) for entry in run)
    return [_Told(entry=run[record.first], said=record.text) for record in found]


def _counted(told: list[_Told]) -> Iterator[_Count]:
    for one in tally([t.said for t in told]):
        runs: dict[bool, list[_Told]] = {}
        for number in one.lines:
            runs.setdefault(told[number].entry.previous, []).append(told[number])
        for of_run in runs.values():
            now = [t for t in of_run if not t.entry.baseline]
            shown = (now or of_run)[0]
            yield _Count(
                template=one.template,
                entry=shown.entry,
                said=shown.said,
                count=len(now),
                before=len(of_run) - len(now),
                moments=tuple(t.entry.at for t in now if t.entry.at is not None),
            )


def _rank(count: _Count) -> tuple[int, bool, int, str]:
    order = {"error": 0, "warning": 1}
    return (order.get(_level(count), 2), count.before > 0, -count.count, count.template)


def _level(count: _Count) -> str:
    return count.entry.level or level_of(count.entry.text)


def _template(
    count: _Count, source: Source, lexicon: Lexicon, *, baseline_known: bool
) -> LogTemplate:
    entry = count.entry
    level = _level(count)
    example = count.said if count.said.startswith(entry.text) else entry.text  # with its cause
    domain = lexicon.domain(count.said[:MAX_LINE]) if level in ("error", "warning") else None
    return LogTemplate(
        service=entry.service,
        pod=entry.pod,
        container=entry.container,
        previous=entry.previous,
        level=level,
        template=redact(count.template),
        example=redact(example[:MAX_LINE]),
        count=count.count,
        baseline_count=count.before if baseline_known else None,
        first_at=min(count.moments, default=None),
        last_at=max(count.moments, default=None),
        source=source,
        domain=domain or "",
    )
