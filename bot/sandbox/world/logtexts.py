"""What programs of the shop say all day, and how each language writes it down."""

from datetime import UTC, datetime

import numpy as np

from bot.sandbox.world.topology import Role, Service

WORDS = ("price", "address", "currency", "variant", "coupon", "region", "carrier", "locale")
EVERYDAY: dict[str, tuple[tuple[str, str, float], ...]] = {
    "http": (
        ("info", "handled request {id} in {ms} ms status=200", 0.05),
        ("info", "handled request {id} in {ms} ms status=404", 0.004),
        ("debug", "loaded {n} entries from {word} in {ms} ms", 0.02),
        ("info", "connection pool stats: open={n} idle={n}", 0.008),
        ("warn", "client closed request {id} before the answer was sent", 0.0012),
        ("warn", "deprecated field {word} in request {id}", 0.0008),
        ("info", "refreshed {n} settings", 0.002),
    ),
    "worker": (
        ("info", "sent message {id} in {ms} ms", 0.06),
        ("info", "acknowledged batch of {n}", 0.02),
        ("warn", "recipient {id} bounced, will not retry", 0.0015),
    ),
    "batch": (
        ("info", "report {id}: {n} rows in {ms} ms", 0.03),
        ("info", "next report in {n} s", 0.01),
    ),
    "database": (
        ("log", "checkpoint starting: time", 0.003),
        ("log", "checkpoint complete: wrote {n} buffers", 0.003),
        ("log", 'automatic vacuum of table "shop.public.{word}": index scans: 1', 0.002),
        ("log", "connection authorized: user=shop database=shop", 0.004),
        ("log", "could not receive data from client: Connection reset by peer", 0.0006),
    ),
    "cache": (
        ("info", "{n} changes in 300 seconds. Saving...", 0.003),
        ("info", "Background saving terminated with success", 0.003),
    ),
    "queue": (
        ("info", "accepting AMQP connection <0.{n}.0>", 0.004),
        ("info", "closing AMQP connection <0.{n}.0>", 0.004),
    ),
}
UPSTREAM = {
    "500": "call to {callee} failed: HTTP 500, request {id}",
    "503": "call to {callee} failed: HTTP 503 Service Unavailable, request {id}",
    "504": "call to {callee} timed out after {limit} ms, request {id}",
}
OWN = "request {id} failed: status=500"
SHED = "request {id} refused: status=503, too busy"


def everyday(service: Service) -> tuple[tuple[str, str, float], ...]:
    """Return (level, text, lines per second) that a pod of this service writes on any day."""
    return EVERYDAY.get(str(service.role), EVERYDAY["http"])


def filled(text: str, generator: np.random.Generator) -> str:
    """Return a text with its blanks filled."""
    while "{" in text:
        before, _, rest = text.partition("{")
        blank, found, after = rest.partition("}")
        if not found:
            return text
        text = before + _value(blank, generator) + after
    return text


def _value(blank: str, generator: np.random.Generator) -> str:
    if blank == "ms":
        return str(int(np.exp(generator.normal(3.3, 0.9))) + 1)
    if blank == "n":
        return str(int(generator.integers(1, 60)))
    if blank == "id":
        return f"{int(generator.integers(0, 2**48)):012x}"
    if blank == "word":
        return str(WORDS[int(generator.integers(0, len(WORDS)))])
    return blank


def written(service: Service, at: float, level: str, text: str) -> str:
    """Return a line as the service's language writes it."""
    moment = datetime.fromtimestamp(at, UTC)
    stamp = moment.strftime("%Y-%m-%d %H:%M:%S") + f",{int(moment.microsecond / 1000):03d}"
    iso = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(moment.microsecond / 1000):03d}Z"
    if service.role is Role.DATABASE:
        return f"{stamp.replace(',', '.')} UTC [{1000 + int(at) % 400}] {level.upper()}:  {text}"
    if service.role is Role.CACHE:
        mark = "#" if level in ("warning", "error") else "*"
        day = moment.strftime("%d %b %Y %H:%M:%S")
        return f"1:M {day}.{moment.microsecond // 1000:03d} {mark} {text}"
    return _by_language(service, (at, stamp, iso), level, text)


def _by_language(service: Service, when: tuple[float, str, str], level: str, text: str) -> str:
    at, stamp, iso = when
    if service.language == "java":
        return f"{stamp} {level.upper():5} [exec-{int(at * 7) % 20}] c.shop.{service.name} - {text}"
    if service.language == "python":
        return f"{stamp} {level.upper()} {service.name.replace('-', '_')}.main: {text}"
    if service.language == "node":
        quoted = text.replace('"', "'")
        return f'{{"level":"{level}","time":"{iso}","service":"{service.name}","msg":"{quoted}"}}'
    return f'time={iso} level={level} msg="{text}"'
