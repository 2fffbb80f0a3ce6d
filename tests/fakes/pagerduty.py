"""The sandbox's PagerDuty behind the tests' loopback server, with one service of ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.environment import Environment, Tier
from bot.sandbox.pagerduty.account import Account, Opening
from bot.sandbox.pagerduty.calls import Call
from bot.sandbox.pagerduty.directory import BOT_EMAIL, TOKEN, Directory, directory, service_id
from bot.sandbox.pagerduty.records import Incident
from bot.sandbox.pagerduty.rest import Rest
from tests.fakes.loopback import Asked, Loopback, Reply, loopback

START = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
ROSA, ANIL, ADA = "PROSA01", "PANIL01", "PADA001"
SERVICE = service_id("prod", "checkout")


class SteppingClock:
    """Each look at it is a second later."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def wall_seconds(self, seconds: float) -> float:
        return seconds


def an_account(directory_: Directory | None = None) -> Account:
    return Account(SteppingClock(), directory_ or directory({"prod": ("checkout", "cart")}))


@dataclass
class Pager:
    """The account, its REST API, and every request as it was.

    `lost`: answers that get lost. `instead`: what is answered while it is set.
    """

    account: Account = field(default_factory=an_account)
    url: str = ""
    lost: int = 0
    instead: Reply | None = None
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rest = Rest(self.account)

    def open(self, title: str = "checkout is slow", **how: Any) -> Incident:
        return self.account.open(Opening(service=SERVICE, title=title, **how))

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was written: method and path, and on whose behalf."""
        return self.rest.writes

    def __call__(self, asked: Asked) -> Reply:
        if self.instead is not None:
            return self.instead
        answer = self.rest.answer(as_call(asked))
        if asked.method != "GET" and answer.status < 300 and self.lost:
            self.lost -= 1
            return Reply(drop=True)
        return Reply(status=answer.status, body=answer.body, headers=answer.headers)

    def environment(self, token: Path, **settings: Any) -> Environment:
        token.write_text(TOKEN)
        connection: Mapping[str, Any] = {
            "url": self.url, "token_file": str(token), "from": BOT_EMAIL,
            "services": {"checkout": SERVICE, "cart": service_id("prod", "cart")}, **settings,
        }  # fmt: skip
        return Environment(
            name="prod", tier=Tier.PRODUCTION, namespaces=("shop",),
            connections={"pagerduty": connection},
        )  # fmt: skip


def as_call(asked: Asked) -> Call:
    return Call(
        method=asked.method,
        path=asked.path,
        query=tuple(asked.query.items()),
        headers={name.lower(): value for name, value in asked.headers.items()},
        body=asked.body,
    )


@contextmanager
def pager() -> Iterator[Pager]:
    """Serve a PagerDuty on loopback while the context lasts."""
    made = Pager()
    running: Loopback
    with loopback(made) as running:
        made.url, made.asked = running.url, running.asked
        yield made
