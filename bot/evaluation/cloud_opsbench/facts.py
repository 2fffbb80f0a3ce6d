"""What Cloud-OpsBench's tools answered besides kubectl: alerts, logs, checks, graph, metrics."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from bot.domain.snapshot import (
    Alert,
    Edge,
    LogTemplate,
    NodeComponent,
    Probe,
    Series,
    Signal,
    Source,
)
from bot.evaluation.cloud_opsbench.secrecy import Veil
from bot.logs.tallying import tally

Calls = Iterable[tuple[Mapping[str, Any], Any]]

ERROR = re.compile(
    r"error|exception|fail|fatal|panic|refused|denied|time ?out|timed out|unavailable|unreachable|"
    r"cannot|unable|killed|no such|not found|unknown|already in use|too many|read.only|warn"
)  # of a line in lower case
SERIOUS = re.compile(r"\b(?:ERROR|FATAL|PANIC)\b|panic:|Exception|error", re.IGNORECASE)
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)? ")
FRAME = (
    "at ",
    "... ",
    "--- End of",
)  # lines of a stack trace below the one that says what happened
MAX_LINE = 1200
LINES_PER_CONTAINER = 2000
TEMPLATES_PER_SERVICE = 60
METRICS = {
    "cpu": (Signal.CPU_CORES, "cores", 1.0),
    "mem": (Signal.MEMORY_BYTES, "B", 1.0),
    "rps": (Signal.REQUEST_RATE, "1/s", 1.0),
    "p50latency": (Signal.LATENCY_P50, "s", 0.001),
    "p90latency": (Signal.LATENCY_P99, "s", 0.001),  # the tail, as it was recorded
    "p95latency": (Signal.LATENCY_P99, "s", 0.001),
    "p99latency": (Signal.LATENCY_P99, "s", 0.001),
    "cpu_cfs": (Signal.CPU_THROTTLED, "ratio", 1.0),  # throttled seconds per second
    "network_receive": (Signal.PACKETS_IN, "1/s", 1.0),
    "network_transmit": (Signal.PACKETS_OUT, "1/s", 1.0),
    "tcp_retans": (Signal.TCP_RETRANSMITS, "1/s", 1.0),
}
COLUMN = re.compile(r"^(.+)-(\w+)$")


def alerts(data: Any, zone: tzinfo) -> tuple[Alert, ...]:
    """Return the alerts of both recorded forms: anomalies of a metric, and failing requests."""
    listed = data.get("alerts") if isinstance(data, Mapping) else data
    found = [a for a in listed or () if isinstance(a, Mapping)] if isinstance(listed, list) else []
    return tuple(_alert(alert, zone) for alert in found)


def _alert(alert: Mapping[str, Any], zone: tzinfo) -> Alert:
    source = Source(system="alerts", query="firing alerts")
    evidence = alert.get("evidence") or alert.get("raw_error") or ""
    texts = [str(e) for e in evidence] if isinstance(evidence, list) else [str(evidence)]
    name = str(alert.get("entity_name") or alert.get("name") or alert.get("entry_service") or "")
    kind = str(alert.get("entity_type") or alert.get("type") or "Service")
    what = alert.get("metric_category") or texts[0].partition(" [")[0]
    if "raw_error" in alert:
        what = "REQUESTS_FAILING"
        texts = [f"{alert.get('request_method', '')} {alert.get('url', '')}: {texts[0]}"]
    return Alert(
        name=str(what),
        service=name or None,
        severity=str(alert.get("status") or "firing"),
        summary=" | ".join(texts),
        started_at=_started(str(alert.get("time_range", "")), zone),
        labels={"kind": kind, "count": str(alert.get("occurrences", ""))},
        source=source,
    )


def _started(text: str, zone: tzinfo) -> datetime | None:
    return _moment(text.partition(" ~ ")[0], zone)


def _moment(text: str, zone: tzinfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return None


def last_firing(data: Any, zone: tzinfo) -> datetime | None:
    """Return the end of the newest alert's time range, None where there is none."""
    listed = data.get("alerts") if isinstance(data, Mapping) else data
    ranges = (str(a.get("time_range", "")) for a in listed or () if isinstance(a, Mapping))
    ends = (_moment(text.partition(" ~ ")[2], zone) for text in ranges)
    return max((end for end in ends if end is not None), default=None)


def edges(calls: Calls) -> tuple[Edge, ...]:
    """Return the service graph that the dependency tool drew."""
    found: dict[tuple[str, str], Edge] = {}
    for arguments, text in calls:
        service = str(arguments.get("service_name", ""))
        source = Source(system="traces", query=f"dependencies of {service}")
        for caller, callee in _drawn(service, str(text)):
            edge = Edge(caller=caller, callee=callee, calls=None, source=source)
            found.setdefault((caller, callee), edge)
    return tuple(found.values())


def _drawn(service: str, text: str) -> Iterator[tuple[str, str]]:
    path: list[tuple[int, str]] = [(-1, service)]
    for line in text.splitlines():
        if "(Called By)]:" in line:
            names = (name.strip() for name in line.partition("]:")[2].split(","))
            yield from ((n, service) for n in names if re.fullmatch(r"[\w.-]+", n) and n != "None")
        elif match := re.search(r"[├└]── ?([\w.-]+)", line):
            depth = match.start()
            while path[-1][0] >= depth:
                path.pop()
            yield path[-1][1], match[1]
            path.append((depth, match[1]))


def probes(calls: Calls) -> tuple[Probe, ...]:
    """Return the connectivity checks: one per service and port."""
    found = []
    for arguments, answer in calls:
        service = str(arguments.get("service_name", ""))
        port = arguments.get("port")
        text = answer if isinstance(answer, str) else json.dumps(answer)
        source = Source(system="checks", query=f"connect to {service}:{port}")
        ok = "Connection Succeeded" in text and "Connection Failed" not in text
        number = int(port) if isinstance(port, int | float | str) and str(port).isdigit() else None
        found.append(
            Probe(target=service, port=number, ok=ok, detail=text.strip()[:400], source=source)
        )
    return tuple(found)


def components(calls: Calls, veil: Veil) -> tuple[NodeComponent, ...]:
    """Return the state of each node's services, as systemd shows it."""
    found = []
    for arguments, answer in calls:
        node, name = str(arguments.get("node_name", "")), str(arguments.get("service_name", ""))
        text = str(answer)
        active = re.search(r"Active: (\w+ ?(?:\([\w-]+\))?)", text)
        if not active:
            continue
        source = Source(system="nodes", query=f"systemctl status {name} (on {node})")
        detail = veil.text("\n".join(text.splitlines()[2:6]))
        running = active[1].startswith("active (running)")
        found.append(
            NodeComponent(
                node=node, component=name, running=running, detail=detail[:400], source=source
            )
        )
    return tuple(found)


def logs(calls: Calls, raw: Mapping[str, Any], veil: Veil) -> tuple[LogTemplate, ...]:
    """Return the error lines of each service, masked and counted."""
    found: list[LogTemplate] = []
    for arguments, answer in calls:
        service = str(arguments.get("service_name", ""))
        for key, lines in _reported(answer):
            found.extend(_templates(service, key, lines, veil))
    for name, lines in raw.items():
        service, _, rest = name.partition(".")
        text = lines.splitlines() if isinstance(lines, str) else [str(line) for line in lines]
        tail = [(line, 1) for line in text[-LINES_PER_CONTAINER:] if _telling(line)]
        found.extend(_templates(service, rest, tail, veil))
    return tuple({(t.service, t.container, t.previous, t.template): t for t in found}.values())


def _telling(line: str) -> bool:
    return bool(ERROR.search(line[:MAX_LINE].lower()))


def _reported(answer: Any) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    if isinstance(answer, str):
        try:
            answer = json.loads(answer) if answer.strip() else {}
        except ValueError:
            answer = {"": answer.splitlines()}
    if not isinstance(answer, Mapping):
        return
    if isinstance(answer.get("patterns"), list):
        patterns = [p for p in answer["patterns"] if isinstance(p, Mapping)]
        yield "", [(str(p.get("sample", "")), int(p.get("count") or 1)) for p in patterns]
        return
    for key, lines in answer.items():
        if isinstance(lines, list):
            split = [part for line in lines for part in str(line).splitlines()[:3]]
            yield ("" if key == "app" else key), [(part, 1) for part in split]


def _templates(
    service: str, container: str, lines: Iterable[tuple[str, int]], veil: Veil
) -> Iterator[LogTemplate]:
    told = [(plain, count) for line, count in lines if (plain := _plain(line))]
    tallies = tally([plain for plain, _ in told])
    counts = [(t, sum(told[n][1] for n in t.lines)) for t in tallies]
    counts.sort(key=lambda item: -item[1])
    previous = container == "previous" or container.endswith(".previous")
    holder = container.removesuffix("previous").rstrip(".")
    source = Source(
        system="logs", query=f"error lines of {service}" + (f" ({holder})" * bool(holder))
    )
    for one, count in counts[:TEMPLATES_PER_SERVICE]:
        example = told[one.lines[-1]][0]
        yield LogTemplate(
            service=service,
            pod=None,
            container=holder or None,
            previous=previous,
            level="error" if SERIOUS.search(example) else "warning",
            template=veil.text(one.template),
            example=veil.text(example),
            count=count,
            baseline_count=None,
            first_at=None,
            last_at=None,
            source=source,
        )


def _plain(line: str) -> str:
    plain = STAMP.sub("", line[:MAX_LINE]).strip()
    return "" if plain.startswith(FRAME) else plain


def series(text: str, zone: tzinfo, *, until: datetime | None) -> tuple[Series, ...]:
    """Return the metric table's columns as series; a success rate becomes an error ratio."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    last = until.timestamp() if until else float("inf")
    kept = [row for row in rows[1:] if (_epoch(row[0], zone) or 0.0) <= last]
    if not kept:
        return ()
    moments = [_epoch(row[0], zone) for row in kept]
    found = []
    for i, column in enumerate(rows[0]):
        match = COLUMN.match(column)
        values = [_number(row[i]) for row in kept if len(row) > i]
        if match and len(values) == len(moments) and None not in moments:
            found.append(_series(match[1], match[2], moments, values))
    return tuple(found)


def _series(name: str, metric: str, times: list[Any], values: list[float]) -> Series:
    signal, unit, factor = METRICS.get(metric, (metric, "", 1.0))
    if metric == "success_rate":
        signal, unit = Signal.ERROR_RATIO, "ratio"
        values = [1.0 - value for value in values]
    return Series(
        signal=str(signal),
        service=name,
        times=tuple(times),
        values=tuple(value * factor for value in values),
        unit=unit,
        source=Source(system="prometheus", query=f"{metric} of {name}"),
        labels={"metric": metric},
    )


def _epoch(text: str, zone: tzinfo) -> float | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
    except ValueError:
        return None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
