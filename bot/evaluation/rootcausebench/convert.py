"""Reads a RootCauseBench scenario folder into a case: alert, metrics, logs, spans, changes.

Nothing of the folder's name, of `ground_truth.json`, or of which files exist reaches the facts.
Flag changes are left out: in this data set, and only here, they are always distractors.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Snapshot
from bot.domain.time import Window
from bot.evaluation.rootcausebench import facts
from bot.perception.case import Answer, Case

ENVIRONMENT = "recorded"
DATA = "data"
MAX_BYTES = 64 * 1024 * 1024
LATE = timedelta(minutes=30)  # an incident's own lines come at most this long before its alert

Rows = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything of a scenario folder that may be looked at, as it was read."""

    alert: Mapping[str, Any]
    metrics: Rows
    logs: Rows
    patterns: Rows
    spans: Rows
    commits: Rows
    deploys: Rows


def is_folder(directory: Path) -> bool:
    """Say whether a folder looks like a scenario."""
    return (directory / DATA / "context").is_dir()


def convert(directory: Path) -> Case:
    """Return a scenario folder as a case, one answer per kind of fact. Raises: Malformed."""
    whole = load_snapshot(directory)
    empty = Snapshot(environment=whole.environment, window=whole.window, now=whole.now)
    answers = []
    for fact in Fact:
        part = replace(empty, looked_at=(fact.value,), **{fact.value: getattr(whole, fact.value)})
        answers.append(Answer(need=Need(fact=fact, window=whole.window), facts=part, took_s=0.0))
    return Case(
        environment=whole.environment,
        question=None,
        window=whole.window,
        now=whole.now,
        tool="rootcausebench",
        answers=tuple(answers),
    )


def load_snapshot(directory: Path) -> Snapshot:
    """Return all facts of a scenario folder. Raises: Malformed: names the file."""
    recording = _read(directory)
    window = _window(recording)
    spans = facts.spans(recording.spans)
    fired = facts.moment(recording.alert.get("fired_at")) or window.end
    return Snapshot(
        environment=ENVIRONMENT,
        window=window,
        now=window.end,
        series=facts.series(recording.metrics),
        logs=facts.logs(recording.logs, recording.patterns, since=fired - LATE),
        spans=spans,
        edges=facts.edges(spans),
        changes=(*facts.commits(recording.commits), *facts.deploys(recording.deploys)),
        alerts=facts.alerts(recording.alert),
    )


def _read(directory: Path) -> Recording:
    data = directory / DATA
    if not data.is_dir():
        raise Malformed(f"{directory}: no folder {DATA} in it")
    alert = _json(data / "alert.json")
    return Recording(
        alert=alert if isinstance(alert, Mapping) else {},
        metrics=list(csv.DictReader(io.StringIO(_text(data / "metrics.csv")))),
        logs=list(_lines(data / "logs.ndjson")),
        patterns=_rows(data / "patterns.json"),
        spans=_rows(data / "traces.json"),
        commits=_rows(data / "context" / "commits.json"),
        deploys=_rows(data / "context" / "deploys.json"),
    )


def _window(recording: Recording) -> Window:
    """From the first to the last moment of any signal. Raises: Malformed: there is none."""
    stamps = (*_stamps(recording.metrics), *_stamps(recording.logs))
    found = [m for m in map(facts.moment, stamps) if m is not None]
    found = found or [m for m in [facts.moment(recording.alert.get("fired_at"))] if m is not None]
    if not found:
        raise Malformed("neither metrics.csv, logs.ndjson nor alert.json has a moment in it")
    return Window(start=min(found), end=max(found) + timedelta(seconds=1))


def _stamps(rows: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    return (row.get("timestamp") for row in rows)


def _rows(path: Path) -> Rows:
    found = _json(path)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the records of a file with one JSON object a line; broken lines are skipped."""
    for line in _text(path).splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, Mapping):
            yield found


def _json(path: Path) -> Any:
    text = _text(path)
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{path.name}: not JSON: {str(error)[:120]}") from error


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    if path.stat().st_size > MAX_BYTES:
        raise Malformed(f"{path.name}: larger than {MAX_BYTES // 1024 // 1024} MiB")
    return path.read_text(encoding="utf-8-sig", errors="replace")
