"""Writes change incidents as scenario folders: a fault, its traces in every signal, and decoys."""
# ruff: noqa: E501 - diffs stay as they are written

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

START = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
MINUTES = 90
ONSET = 60
FILLERS = (
    ("docs: describe the release process", "docs/release.md", None),
    ("chore: update owners", "CODEOWNERS", None),
    ("test: cover the empty basket", "pkg/basket/basket_test.go", "+\tassertEmpty(t, basket)"),
    ("feat: count requests by route", "internal/metrics/routes.go", "+\trouteCount.Inc(route)"),
    ("fix: typo in help text", "cmd/tool/help.go", '-\t"recieve"\n+\t"receive"'),
    ("chore: raise patch versions", "go.mod", "-\tgolang.org/x/text v0.14.0\n+\tgolang.org/x/text v0.14.1"),
    ("refactor: extract response helper", "internal/web/reply.go", None),
    ("ci: cache the build", ".github/workflows/build.yml", "+      - uses: actions/cache@v4"),
    ("style: new banner colours", "web/src/banner.css", "-.b { color: #fff; }\n+.b { color: #eee; }"),
    ("feat: request id in access log", "internal/web/log.go", '+\tlogger = logger.With("rid", rid)'),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric that moves from `usual` to `bad` at a minute, at once or over `ramp` minutes."""

    service: str
    name: str
    usual: float
    bad: float
    at: float = ONSET
    ramp: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """A log line that is new since a minute; `usual` lines are there all the time."""

    service: str
    text: str
    count: int = 300
    level: str = "ERROR"
    at: float = ONSET
    usual: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit; `live` is the service and minute of the deploy that brought it."""

    message: str
    files: tuple[str, ...]
    diff: str | None
    at: float
    live: tuple[str, float] | None = None

    @property
    def sha(self) -> str:
        return hashlib.sha1(f"{self.message}{self.at}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One span below another (index in the list), failing with `error` where there is one."""

    service: str
    name: str
    parent: int | None
    took_ms: float
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A scenario. `culprit` None: no commit is guilty."""

    name: str
    service: str  # of the alert
    metric: str
    summary: str
    metrics: Sequence[Metric]
    lines: Sequence[Line]
    calls: Sequence[Call]
    culprit: Commit | None
    decoys: Sequence[Commit]
    remediation: str = "rollback"
    victims: tuple[str, ...] = ()


def write(incident: Incident, root: Path) -> Path:
    """Write the folder of a scenario and return it."""
    folder = root / incident.name
    context = folder / "data" / "context"
    context.mkdir(parents=True)
    noise = Random(incident.name)
    commits = [*_fillers(), *incident.decoys, *([incident.culprit] if incident.culprit else [])]
    _json(folder / "ground_truth.json", _truth(incident))
    _json(folder / "data" / "alert.json", _alert(incident))
    _json(folder / "data" / "traces.json", _spans(incident.calls))
    _json(folder / "data" / "patterns.json", [_pattern(line) for line in incident.lines])
    _json(context / "commits.json", [_commit(c) for c in sorted(commits, key=lambda c: c.at)])
    _json(context / "deploys.json", [_deploy(c) for c in commits if c.live])
    _json(context / "flags.json", [])
    (folder / "data" / "metrics.csv").write_text(_metrics(incident.metrics, noise))
    logs = "\n".join(json.dumps(record) for record in _logs(incident.lines))
    (folder / "data" / "logs.ndjson").write_text(logs + "\n")
    return folder


def _json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _time(minute: float) -> str:
    return (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _truth(incident: Incident) -> dict[str, Any]:
    return {
        "root_cause_commit": incident.culprit.sha if incident.culprit else "none",
        "first_failing_service": incident.service,
        "blast_radius": list(incident.victims),
        "remediation": incident.remediation,
        "decoy_deploy_commits": [c.sha for c in incident.decoys],
    }


def _alert(incident: Incident) -> dict[str, Any]:
    return {
        "service": incident.service,
        "metric": incident.metric,
        "fired_at": _time(ONSET + 6),
        "severity": "critical",
        "monitor": f"{incident.service}-alarm",
        "summary": incident.summary,
    }


def _fillers() -> Iterator[Commit]:
    for i, (message, path, diff) in enumerate(FILLERS):
        text = f"@@ {path} @@\n{diff}" if diff else None
        yield Commit(message=message, files=(path,), diff=text, at=2 + 7 * i)


def _commit(commit: Commit) -> dict[str, Any]:
    return {
        "sha": commit.sha,
        "author": "a.person",
        "timestamp": _time(commit.at),
        "message": commit.message,
        "files_changed": list(commit.files),
        "diff": commit.diff,
    }


def _deploy(commit: Commit) -> dict[str, Any]:
    assert commit.live is not None
    service, minute = commit.live
    return {
        "timestamp": _time(minute),
        "service": service,
        "commit_sha": commit.sha,
        "version": f"v{minute:.0f}",
    }


def _spans(calls: Sequence[Call]) -> list[dict[str, Any]]:
    return [
        {
            "trace_id": "t1",
            "span_id": f"s{i}",
            "parent_id": None if call.parent is None else f"s{call.parent}",
            "service": call.service,
            "name": call.name,
            "start": _time(ONSET + 3),
            "duration_ms": call.took_ms,
            "status": "ERROR" if call.error else "OK",
            **({"error": call.error} if call.error else {}),
        }
        for i, call in enumerate(calls)
    ]


def _pattern(line: Line) -> dict[str, Any]:
    return {
        "signature": line.text,
        "service": line.service,
        "count": line.count,
        "delta_vs_baseline": f"+{0 if line.usual else line.count}",
        "sentiment": "neutral" if line.usual else "negative",
    }


def _logs(lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
    for line in lines:
        start = 0.0 if line.usual else line.at
        for i in range(8):
            yield {
                "timestamp": _time(start + 0.5 + i * (MINUTES - start) / 9),
                "service": line.service,
                "severity_text": line.level,
                "msg": line.text,
                "trace_id": f"{i:032x}",
                **line.extra,
            }


def _metrics(metrics: Sequence[Metric], noise: Random) -> str:
    rows = ["timestamp,service,metric,value"]
    for minute in range(MINUTES):
        for metric in metrics:
            share = (
                (minute - metric.at) / metric.ramp if metric.ramp else float(minute >= metric.at)
            )
            level = metric.usual + (metric.bad - metric.usual) * min(1.0, max(0.0, share))
            value = level * (1 + 0.04 * noise.uniform(-1, 1))
            rows.append(f"{_time(minute)},{metric.service},{metric.name},{value:.4f}")
    return "\n".join(rows) + "\n"
