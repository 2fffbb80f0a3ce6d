"""How the engine's work ends: counted, and what failed is known to all replicas."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Permanent, Unavailable
from bot.domain.incident import OWN
from bot.domain.telemetry import Unwatched, watched
from bot.workflows.endings import kind_of
from bot.workflows.engine import Engine, step

INCIDENT = f"{OWN}20261121-0300-x"
LONG_AGO, NEVER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


class Ends(Unwatched):
    """Remembers how workflows ended."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def ended(self, kind: str, end: str) -> None:
        self.heard.append((kind, end))


@dataclass
class Works:
    """An engine whose work fails when it is told to."""

    folder: Path
    ends: Ends = field(default_factory=Ends)

    def open(self) -> None:
        with watched(self.ends):
            self.engine = Engine(f"sqlite:///{self.folder / 'journal.sqlite'}", poll_s=0.01)
            self.engine.register("investigate", self._body)
        self.engine.launch()

    async def _body(self, order: Any) -> str:
        return await step("look", str, lambda: self._look(order))

    async def _look(self, order: Any) -> str:
        if order.get("fails"):
            raise Permanent("no such field")
        if order.get("waits"):
            await asyncio.sleep(60)
        return "seen"

    async def run(self, name: str, **order: Any) -> None:
        await self.engine.start("investigate", name, {"investigation_id": name, **order})


@pytest.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
    works = Works(tmp_path)
    works.open()
    yield works
    works.engine.close()


async def test_an_error_is_counted_and_found_with_what_it_was_about(works: Works) -> None:
    await works.run("inv-1", mention={"event_id": INCIDENT}, fails=True)
    await works.run("inv-2")
    with pytest.raises(Permanent):
        await works.engine.result("inv-1")
    await works.engine.result("inv-2")
    assert sorted(works.ends.heard) == [("investigate", "done"), ("investigate", "failed")]
    (failed,) = await works.engine.failed(LONG_AGO)
    assert (failed.kind, failed.workflow, failed.investigation) == ("investigate", "inv-1", "inv-1")
    assert (failed.incident, failed.error) == (INCIDENT, "no such field")
    assert await works.engine.failed(NEVER) == ()


async def test_what_a_stop_puts_off_has_not_ended(works: Works) -> None:
    await works.run("inv-1", waits=True)
    await asyncio.sleep(0.3)
    works.engine.close()
    assert works.ends.heard == []
    works.open()
    assert await works.engine.failed(LONG_AGO) == ()


@pytest.mark.parametrize(
    ("status", "unfinished"),
    [("PENDING", 1), ("ENQUEUED", 1), ("DELAYED", 1), ("SUCCESS", 0), ("ERROR", 0),
     ("CANCELLED", 0)],
)  # fmt: skip
async def test_what_is_queued_or_put_off_is_unfinished_too(
    works: Works, status: str, unfinished: int
) -> None:
    await works.run("inv-1")
    await works.engine.result("inv-1")
    with contextlib.closing(sqlite3.connect(works.folder / "journal.sqlite")) as journal, journal:
        journal.execute("UPDATE workflow_status SET status = ?", (status,))
    assert await works.engine.unfinished() == unfinished
    assert await works.engine.alive("inv-1") is bool(unfinished)


async def test_what_is_not_at_its_end_is_counted_together(works: Works) -> None:
    for number in range(5):
        await works.run(f"inv-{number}")
        await works.engine.result(f"inv-{number}")
    with contextlib.closing(sqlite3.connect(works.folder / "journal.sqlite")) as journal, journal:
        for number, status in enumerate(("PENDING", "PENDING", "ENQUEUED", "DELAYED")):
            change = "UPDATE workflow_status SET status = ? WHERE workflow_uuid = ?"
            journal.execute(change, (status, f"inv-{number}"))
    assert await works.engine.unfinished() == 4


async def test_a_journal_that_cannot_be_read_is_said_to_be_away(works: Works) -> None:
    with contextlib.closing(sqlite3.connect(works.folder / "journal.sqlite")) as journal, journal:
        journal.execute("ALTER TABLE workflow_status RENAME TO gone")
    with pytest.raises(Unavailable):
        await works.engine.unfinished()
    with contextlib.closing(sqlite3.connect(works.folder / "journal.sqlite")) as journal, journal:
        journal.execute("ALTER TABLE gone RENAME TO workflow_status")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("investigate", "investigate"), ("due:digest:C0SHOP", "digest"), ("since:digest:C1", "since"),
     ("due:", ""), ("", "")],
)  # fmt: skip
def test_a_kind_names_nobody(name: str, kind: str) -> None:
    assert kind_of(name) == kind
