"""Wires what takes signals in: the inbox, the webhooks, and the sources that are watched."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from starlette.routing import BaseRoute

from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, SreBotError
from bot.domain.redaction import redact
from bot.domain.time import Clock
from bot.intake.committing import GroupCommit
from bot.intake.doors import Doors, Secrets, routes
from bot.settings import Settings
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.supervision import supervised

LOG = logging.getLogger(__name__)
Source = Callable[[], Coroutine[Any, Any, None]]  # runs until it is cancelled
SHORTEST = 16  # characters of a secret
PRUNED_EVERY_S = 3600.0  # wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What the bot itself takes in."""

    inbox: SignalInbox
    keep: timedelta  # how long what was dealt with is known

    @asynccontextmanager
    async def running(self, *sources: Source) -> AsyncIterator[None]:
        """Watch the sources and keep the inbox small while the block runs."""
        works = [supervised("tidying the inbox", self._tidy, every_s=PRUNED_EVERY_S)]
        works += [supervised("a source of signals", source) for source in sources]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _tidy(self) -> None:
        while True:
            try:
                await self.inbox.prune(self.keep)
            except SreBotError as error:
                LOG.warning("the inbox was not tidied: %s", redact(str(error)))
            await asyncio.sleep(PRUNED_EVERY_S)


def intake_of(settings: Settings, database: Database, wall: Clock) -> Intake:
    """Return the inbox of the bot."""
    return Intake(inbox=SignalInbox(database, wall), keep=timedelta(days=settings.inbox_days))


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """What senders knock at; `commits` is to be closed after the last answer."""

    routes: list[BaseRoute]
    commits: GroupCommit


def webhooks_of(
    settings: Settings, database: Database, environments: tuple[Environment, ...], wall: Clock
) -> Webhooks:
    """Return the doors to the inbox. Raises: NotConfigured: a secret is too short."""
    inbox = SignalInbox(database, wall)
    commits = GroupCommit(inbox)
    doors = Doors(
        keep=commits,
        bury=inbox.bury,
        clock=wall,
        secrets=secrets_of(settings),
        environments=environments,
    )
    return Webhooks(routes=routes(doors), commits=commits)


def secrets_of(settings: Settings) -> Secrets:
    """Return what the doors' senders know. Raises: NotConfigured: a secret can be guessed."""
    return Secrets(
        pagerduty=_revealed(
            "SRE_BOT_PAGERDUTY_WEBHOOK_SECRETS", settings.pagerduty_webhook_secrets
        ),
        alertmanager=_revealed("SRE_BOT_ALERTMANAGER_SECRETS", settings.alertmanager_secrets),
        signals=_revealed("SRE_BOT_WEBHOOK_SECRETS", settings.webhook_secrets),
    )


def _revealed(name: str, secrets: tuple[SecretStr, ...]) -> tuple[str, ...]:
    found = tuple(secret.get_secret_value() for secret in secrets)
    if any(len(secret.strip()) < SHORTEST for secret in found):
        raise NotConfigured(f"{name}: each secret needs at least {SHORTEST} characters")
    return found
