"""Reads one fault of a Nezha day into a case: three minutes, a fault-free minute, and CPU so far.

Of `faults.json` only the time is used. Source of the data: Yu et al., ESEC/FSE 2023.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.errors import Malformed
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Edge, Series, Signal, Snapshot, Source, Span
from bot.domain.time import Window
from bot.perception.case import Answer, Case

ENVIRONMENT = "recorded"
MINUTES = 3
FAULT_FREE = "fault_free_minute"
POD = re.compile(r"^(?P<service>.+?)-[0-9a-f]{6,10}-[a-z0-9]{5}$")
LOGGED = re.compile(r"^\S+ +(?P<level>[A-Z]+) +(?P<place>\S+#\d+) +(?P<text>.*)", re.S)
VARIABLE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|\d+")
LEVELS = {"ERROR": "error", "WARN": "warning"}
TRACES = Source(system="traces", query="all traces")
METRICS = Source(system="metrics", query="CPU by pod")
LONGEST = 160  # characters of a template
MAX_BYTES = 256 * 1024 * 1024
csv.field_size_limit(16 * 1024 * 1024)

Events = Mapping[tuple[str, str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry of `faults.json`; the pod is the truth and never reaches the facts."""

    at: datetime
    pod: str
    kind: str

    @property
    def name(self) -> str:
        """The case's name: its time."""
        return self.at.strftime("%Y-%m-%dT%H:%M:%S")


def faults_in(directory: Path) -> list[Fault]:
    """Return the faults in the order of time. Raises: Malformed: names the file."""
    path = directory / "faults.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found = [
            Fault(
                at=datetime.fromisoformat(str(row["inject_time"])).replace(tzinfo=UTC),
                pod=str(row["inject_pod"]),
                kind=str(row["inject_type"]),
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed(f"{path}: not a list of faults: {str(error)[:120]}") from error
    return sorted(found, key=lambda f: f.at)


def service_of(pod: str) -> str:
    """Return the workload's name without the replica set's hash and the pod's suffix."""
    match = POD.match(pod)
    return match["service"] if match else pod


def convert(directory: Path, at: datetime) -> Case:
    """Return what was seen in the three minutes from `at`, and before. Raises: Malformed."""
    day = directory / at.strftime("%Y-%m-%d")
    minutes = [at + timedelta(minutes=m) for m in range(MINUTES)]
    now = _spans(*(_files(day, kind, minutes) for kind in ("trace", "log")))
    if not now:
        raise Malformed(f"{day}: no trace at {at:%H:%M}")
    free = day / FAULT_FREE
    before = _spans(*(sorted((free / kind).glob(f"*_{kind}.csv")) for kind in ("trace", "log")))
    start, end = min(s.start for s in now), at + timedelta(minutes=MINUTES)
    window = Window(start=start, end=max(end, max(s.start for s in now) + timedelta(seconds=1)))
    facts = Snapshot(
        environment=ENVIRONMENT,
        window=window,
        now=window.end,
        spans=(*_earlier(before, start), *now),
        series=tuple(_cpu(day / "metric", window.end)),
        edges=tuple(_edges(now)),
    )
    return _case(facts)


def _case(facts: Snapshot) -> Case:
    empty = Snapshot(environment=facts.environment, window=facts.window, now=facts.now)
    answers = []
    for fact, name in ((Fact.SPANS, "spans"), (Fact.SERIES, "series"), (Fact.EDGES, "edges")):
        part = replace(empty, looked_at=(name,), **{name: getattr(facts, name)})
        answers.append(Answer(need=Need(fact=fact, window=facts.window), facts=part, took_s=0.0))
    return Case(
        environment=facts.environment, question=None, window=facts.window, now=facts.now,
        tool="nezha", answers=tuple(answers),
    )  # fmt: skip


def _files(day: Path, kind: str, minutes: Iterable[datetime]) -> list[Path]:
    paths = (day / kind / f"{minute:%H_%M}_{kind}.csv" for minute in minutes)
    return [path for path in paths if path.is_file()]


def _earlier(spans: Sequence[Span], start: datetime) -> Iterator[Span]:
    """Move a fault-free minute, taken at another time of the day, to just before the window."""
    if not spans:
        return
    shift = start - timedelta(seconds=60) - max(s.start for s in spans)
    for span in spans:
        yield replace(span, start=span.start + shift)


def _spans(traces: Iterable[Path], logs: Iterable[Path]) -> list[Span]:
    events: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in logs:
        for row in _rows(path, ("TraceID", "SpanID", "Log")):
            events[row["TraceID"], row["SpanID"]].append(_event(row["Log"]))
    return [
        span
        for path in traces
        for row in _rows(path, ("TraceID", "SpanID", "ParentID", "PodName", "OperationName"))
        if (span := _span(row, events)) is not None
    ]


def _span(row: Mapping[str, str], events: Events) -> Span | None:
    try:
        start = datetime.fromtimestamp(int(row["StartTimeUnixNano"]) / 1e9, UTC)
        duration = float(row["Duration"]) / 1e6
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return None
    return Span(
        trace_id=row["TraceID"],
        span_id=row["SpanID"],
        parent_id=None if row["ParentID"] == "root" else row["ParentID"],
        service=service_of(row["PodName"]),
        operation=row["OperationName"],
        start=start,
        duration_s=duration,
        error=False,
        attributes={},
        source=TRACES,
        events=tuple(events.get((row["TraceID"], row["SpanID"]), ())),
        pod=row["PodName"],
    )


def _event(text: str) -> str:
    """Return level and template of a log line as the container runtime wrapped it in JSON."""
    try:
        line = str(json.loads(text)["log"])
    except (ValueError, KeyError, TypeError, RecursionError):
        line = text
    match = LOGGED.match(line)
    if match is None:
        return f"info: {VARIABLE.sub('<*>', line)[:LONGEST].strip()}"
    return f"{LEVELS.get(match['level'], 'info')}: {match['place']}"


def _cpu(folder: Path, until: datetime) -> Iterator[Series]:
    limit = until.timestamp()
    for path in sorted(folder.glob("*_metric.csv")):
        pod = path.name.removesuffix("_metric.csv")
        points = []
        for row in _rows(path, ("TimeStamp", "CpuUsage(m)")):
            try:
                moment, value = float(row["TimeStamp"]), float(row["CpuUsage(m)"]) / 1000
            except (ValueError, TypeError):
                continue
            if moment <= limit:
                points.append((moment, value))
        if points:
            times, values = zip(*sorted(points), strict=True)
            yield Series(
                signal=Signal.CPU_CORES, service=service_of(pod), times=times, values=values,
                unit="cores", source=METRICS, labels={"pod": pod},
            )  # fmt: skip


def _edges(spans: Sequence[Span]) -> Iterator[Edge]:
    by_id = {(s.trace_id, s.span_id): s.service for s in spans}
    calls: dict[tuple[str, str], int] = defaultdict(int)
    for span in spans:
        caller = by_id.get((span.trace_id, span.parent_id or ""))
        if caller and caller != span.service:
            calls[caller, span.service] += 1
    for (caller, callee), count in sorted(calls.items()):
        yield Edge(caller=caller, callee=callee, calls=count, source=TRACES)


def _rows(path: Path, wanted: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a table that has the wanted columns. Raises: Malformed."""
    if path.stat().st_size > MAX_BYTES:
        raise Malformed(f"{path.name}: larger than {MAX_BYTES // 1024 // 1024} MiB")
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        if missing := set(wanted) - set(reader.fieldnames or ()):
            raise Malformed(f"{path.name}: has no column {sorted(missing)[0]}")
        try:
            yield from (row for row in reader if None not in (row[name] for name in wanted))
        except csv.Error as error:
            raise Malformed(f"{path.name}: {error}") from error
