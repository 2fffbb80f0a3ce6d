"""A door in memory: what was kept and buried, and requests through the ASGI interface."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Unavailable
from bot.domain.signal import Signal
from bot.intake.doors import Doors, Secrets, routes
from bot.intake.reading import Limits
from bot.intake.signature import sign
from tests.unit.remediation.office import FakeClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGERDUTY, OLDER, ALERTS, SIGNED = (
    "pagerduty-secret",
    "an-older-secret-",
    "alerts-secret-16",
    "s" * 16,
)
PLACES = (
    Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), aliases=("production",)),
    Environment(name="dev", tier=Tier.DEVELOPMENT, namespaces=("shop",)),
)


@dataclass
class Door:
    """The app, and what came of it. While `down`, nothing can be kept."""

    kept: list[Signal] = field(default_factory=list)
    buried: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False
    limits: Limits = field(default_factory=Limits)
    secrets: Secrets = field(
        default_factory=lambda: Secrets(
            pagerduty=(PAGERDUTY, OLDER), alertmanager=(ALERTS,), signals=(SIGNED,)
        )
    )

    def __post_init__(self) -> None:
        doors = Doors(
            keep=self, bury=self.bury, clock=FakeClock(moment=NOW), secrets=self.secrets,
            environments=PLACES, limits=self.limits,
        )  # fmt: skip
        self.app = Starlette(routes=routes(doors))

    async def put(self, signals: Sequence[Signal], at: datetime) -> None:
        assert at.tzinfo is not None
        if self.down:
            raise Unavailable("database", "gone")
        self.kept += signals

    async def bury(self, origin: str, body: str, error: str, at: datetime) -> None:
        if self.down:
            raise Unavailable("database", "gone")
        self.buried.append((origin, body, error))

    @property
    def untouched(self) -> bool:
        return not self.kept and not self.buried


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


async def send(
    app: Any, path: str, body: bytes | Sequence[Any],
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (), method: str = "POST",
) -> Answer:  # fmt: skip
    """Send one request; `body` in parts: as messages of the ASGI interface."""
    sent: list[Any] = []
    parts = list(body) if not isinstance(body, bytes) else [
        {"type": "http.request", "body": body, "more_body": False}
    ]  # fmt: skip
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)

    async def receive() -> Any:
        part = parts.pop(0)
        return await part() if callable(part) else part

    async def answer(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"",
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in pairs],
    }  # fmt: skip
    await app(scope, receive, answer)
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return Answer(int(sent[0]["status"]), found, b"".join(m.get("body", b"") for m in sent[1:]))


def by_pagerduty(body: bytes, secret: str = PAGERDUTY) -> dict[str, str]:
    return {"X-PagerDuty-Signature": sign(body, secret), "X-Webhook-Id": "w1"}


def stamped(body: bytes, secret: str = SIGNED, at: datetime = NOW) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = sign(stamp.encode() + b"." + body, secret)
    return {"X-Sre-Bot-Signature": signature, "X-Sre-Bot-Timestamp": stamp}


BEARER = {"Authorization": f"Bearer {ALERTS}"}
