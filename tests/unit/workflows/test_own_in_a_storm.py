"""The bot may not act in an incident about itself, also when that comes in the midst of a storm."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.action import Level
from bot.domain.conversation import Thread
from bot.domain.signal import Origin
from bot.storage.incidents import Incidents
from tests.unit.remediation.office import Office
from tests.unit.workflows.ward import PATIENCE_S, Ward

STORM = 12  # more services than there are threads


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    made = Ward(tmp_path)
    made.graph.calls = ()
    yield made
    made.close()


async def test_nothing_is_done_in_it_and_in_the_storms_own_incidents_all_is_as_ever(
    ward: Ward,
) -> None:
    await ward.arrive(*(ward.signal(f"s{n}") for n in range(STORM)))
    await ward.until(lambda: len(ward.tell.faces) == 8)
    await ward.arrive(ward.signal("sre-bot", origin=Origin.SELF, subject="self:work"))
    await ward.until(lambda: len(ward.tell.faces) == 9)
    kept, denied = Incidents(ward.database), []
    for number, face in enumerate(ward.tell.faces):
        name, thread = f"inv-{number}", await _thread(ward, face.incident.id)
        await kept.open_investigation(name, thread, "sre-bot", "what", ward.clock.now())
        staged = await Office(own_incidents=kept).staged_at(Level.L4, investigation_id=name)
        if staged.ruling.denied:
            denied.append((face.incident.service, "never acts on itself" in staged.why))
    assert denied == [("sre-bot", True)]


async def _thread(ward: Ward, incident_id: str) -> Thread:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            face = await ward.store.face(incident_id)
            if face is not None and face.incident.thread is not None:
                return face.incident.thread
            await ward.turn()
