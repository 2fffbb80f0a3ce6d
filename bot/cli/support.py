"""What several commands need: the settings, a database, and who is typing."""

import asyncio
import contextlib
import getpass
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

from bot.domain.time import ScaledClock
from bot.settings import Settings, load
from bot.storage.database import Database
from bot.storage.migrate import prepared

if TYPE_CHECKING:
    from bot.sandbox.world.truth import Truth

T = TypeVar("T")


def clock_of(settings: Settings) -> ScaledClock:
    """Return the clock of the watched world."""
    return ScaledClock(origin=settings.origin, rate=settings.clock_rate)


def typing_person() -> str:
    """Return the actor id of whoever is at the keyboard."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"


def told_of(incident: str, seed: int) -> "Truth":
    """Return an incident's truth. Raises: UsageError: names the incidents that there are."""
    from bot.sandbox.world.catalog import UnknownIncident, truth

    try:
        return truth(incident, seed)
    except UnknownIncident as unknown:
        raise click.UsageError(str(unknown)) from unknown


@contextlib.contextmanager
def open_database() -> Iterator[tuple[Settings, Database]]:
    """Yield the settings and an open database at this version's schema. Raises: NotConfigured."""
    settings = load()
    database = prepared(settings.database)
    try:
        yield settings, database
    finally:
        database.close()


def with_database(work: Callable[[Settings, Database], Awaitable[T]]) -> T:
    """Return what `work` returns, run to its end."""
    with open_database() as (settings, database):

        async def body() -> T:
            return await work(settings, database)

        return asyncio.run(body())
