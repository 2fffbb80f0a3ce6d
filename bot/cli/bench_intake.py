"""`sre-bot bench intake`: webhooks a second that the HTTP door commits, and how long each takes."""

import asyncio
import itertools
import json
import multiprocessing
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

CONNECTIONS = 200
MS = 1000.0
SECRET_BYTES = 24
STARTED_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent: `rate` deliveries a second (0: as fast as they are answered)."""

    rate: float
    seconds: float  # wall
    secret: str
    port: int


@dataclass(slots=True)
class Tally:
    """What came back: seconds from when each was due until it was answered, and the statuses."""

    waits: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, status: int, waited: float) -> None:
        """Count one answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.waits.append(waited)


@click.command("intake")
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(1, 3600))
@click.option("--rate", default=500.0, show_default=True, type=click.FloatRange(0),
              help="Webhooks a second; 0: as many as are answered.")  # fmt: skip
@click.option("--database-url", default="", help="An empty database; default: a SQLite file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def intake(seconds: float, rate: float, database_url: str, *, as_json: bool) -> None:
    """Send signed PagerDuty and Alertmanager webhooks to a door of its own process.

    Sent at fixed times, whether or not the earlier ones were answered: what a slow answer delays
    counts as waiting.
    """
    with tempfile.TemporaryDirectory(prefix="sre-bot-bench-") as home:
        url = database_url or f"sqlite:///{Path(home) / 'bench.sqlite'}"
        found = _measured(url, seconds, rate)
    click.echo(json.dumps(found, indent=2) if as_json else _told(found))


def _measured(url: str, seconds: float, rate: float) -> dict[str, Any]:
    from bot.cli.bench_intake_door import run
    from bot.settings import normal_url

    secret = secrets.token_urlsafe(SECRET_BYTES)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    door = context.Process(target=run, args=(normal_url(url), secret, theirs))
    door.start()
    try:
        if not ours.poll(STARTED_WITHIN_S):
            raise click.ClickException("the door did not open")
        load = Load(rate=rate, seconds=seconds, secret=secret, port=ours.recv())
        cpu, started = time.process_time(), time.monotonic()
        tally = asyncio.run(_send(load))
        took, own = time.monotonic() - started, time.process_time() - cpu
        ours.send("stop")
        facts = ours.recv() if ours.poll(STARTED_WITHIN_S) else {}
    finally:
        door.join(10)
        door.kill()
    return _figures(tally, took, own, facts)


def _figures(tally: Tally, took: float, own: float, facts: dict[str, Any]) -> dict[str, Any]:
    waits = sorted(tally.waits) or [0.0]
    kept = tally.statuses.get(202, 0)
    return {
        "database": facts.get("database", "?"),
        "cores": os.cpu_count(),
        "seconds": round(took, 1),
        "answered": len(tally.waits),
        "accepted": kept,
        "stored": facts.get("stored", 0),
        "statuses": {str(k): v for k, v in sorted(tally.statuses.items())},
        "per_second": round(kept / took, 1),
        "p50_ms": round(waits[len(waits) // 2] * MS, 1),
        "p99_ms": round(waits[int(0.99 * (len(waits) - 1))] * MS, 1),
        "max_ms": round(waits[-1] * MS, 1),
        "generator_cpu": round(own / took, 3),
        "door_cpu": round(facts.get("cpu_s", 0.0) / took, 3),
        "door_cpu_ms_each": round(facts.get("cpu_s", 0.0) / max(1, kept) * MS, 2),
        "door_memory_mb": round(facts.get("memory_mb", 0.0), 1),
    }


def _told(found: dict[str, Any]) -> str:
    return (
        f"{found['database']}, {found['cores']} cores, {found['seconds']} s: "
        f"{found['per_second']} webhooks/s committed; {found['accepted']} accepted of "
        f"{found['answered']} answered, {found['stored']} stored\n"
        f"answer: median {found['p50_ms']} ms   p99 {found['p99_ms']} ms   "
        f"max {found['max_ms']} ms   statuses {found['statuses']}\n"
        f"CPU: generator {found['generator_cpu']:.0%} of a core, door {found['door_cpu']:.0%} "
        f"({found['door_cpu_ms_each']} ms a webhook); "
        f"door's memory at most {found['door_memory_mb']} MB"
    )


async def _send(load: Load) -> Tally:
    """Send from as many connections as it takes, each delivery at its time."""
    tally, numbers, started = Tally(), itertools.count(), time.monotonic()
    await asyncio.gather(*(_connection(load, tally, numbers, started) for _ in range(CONNECTIONS)))
    return tally


async def _connection(load: Load, tally: Tally, numbers: Iterator[int], started: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    try:
        while True:
            number = next(numbers)
            now = time.monotonic()
            due = started + number / load.rate if load.rate else now
            if due - started >= load.seconds:
                return
            if due > now:
                await asyncio.sleep(due - now)
            writer.write(_request(load, number))
            tally.add(await _status(reader), time.monotonic() - due)
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    """Return an answer's status; its body is read and dropped."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = head.partition("content-length:")[2].partition("\r\n")[0].strip()
    await reader.readexactly(int(length or 0))
    return int(head.split(" ", 2)[1])


def _request(load: Load, number: int) -> bytes:
    """Return one delivery as bytes: PagerDuty's and Alertmanager's in turn."""
    from bot.intake.signature import sign

    if number % 2:
        body = json.dumps(_alerts(number)).encode()
        path, header = "alertmanager", f"Authorization: Bearer {load.secret}"
    else:
        body = json.dumps(_event(number)).encode()
        path, header = "pagerduty", f"X-PagerDuty-Signature: {sign(body, load.secret)}"
    head = (
        f"POST /webhooks/{path} HTTP/1.1\r\nHost: door\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{header}\r\n\r\n"
    )
    return head.encode() + body


def _event(number: int) -> dict[str, Any]:
    """Return an event as PagerDuty sends it, about 1 kB."""
    service = f"service-{number % 40}"
    references = {
        name: {"id": f"P{name}", "type": f"{name}_reference", "summary": f"The {name} of {service}",
               "html_url": f"https://acme.pagerduty.com/{name}/P{name}"}
        for name in ("escalation_policy", "priority")
    }  # fmt: skip
    return {
        "event": {
            "id": f"01BENCH{number}", "event_type": "incident.triggered",
            "resource_type": "incident", "occurred_at": "2026-03-01T12:00:00.000Z",
            "agent": {"id": "PUSER", "type": "user_reference", "summary": "Somebody"},
            "client": None,
            "data": {
                "id": f"PI{number}", "type": "incident", "number": number, "status": "triggered",
                "html_url": f"https://acme.pagerduty.com/incidents/PI{number}",
                "created_at": "2026-03-01T12:00:00Z", "title": f"{service} answers slowly",
                "service": {"id": "PSVC", "type": "service_reference", "summary": service},
                "assignees": [{"id": "PUSER", "type": "user_reference", "summary": "Somebody"}],
                "urgency": "high", "incident_key": f"key-{number}", **references,
            },
        }
    }  # fmt: skip


def _alerts(number: int) -> dict[str, Any]:
    """Return a notification of one alert as Alertmanager sends it, about 1 kB."""
    labels = {
        "alertname": "HighLatency", "service": f"service-{number % 40}", "severity": "warning",
        "namespace": "shop", "pod": f"service-{number % 40}-7c9f-{number}", "cluster": "eu-1",
    }  # fmt: skip
    alert = {
        "status": "firing", "labels": labels, "startsAt": "2026-03-01T12:00:00Z",
        "annotations": {"summary": "p99 is 4.1 s, usually 0.2 s", "description": "since 14:03"},
        "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"{number:016x}",
        "generatorURL": "https://prometheus.example/graph?g0.expr=up",
    }  # fmt: skip
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "bot", "groupLabels": labels, "commonLabels": labels,
        "commonAnnotations": alert["annotations"], "externalURL": "https://alerts.example",
        "alerts": [alert],
    }  # fmt: skip
