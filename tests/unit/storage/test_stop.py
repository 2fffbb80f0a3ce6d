"""The kill switch: thrown by another process, it holds every replica within a second."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.action import ExecutionStatus
from bot.remediation.desk import Times
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from tests.unit.remediation.office import FakeClock
from tests.unit.remediation.sql_office import SqlOffice

MANY = 45  # what each replica has to do
PAUSE_S = 0.4  # with all of it, longer than another process takes to start and stop them


@dataclass
class Hurrying(FakeClock):
    """A clock that is later by a step at each look."""

    step: timedelta = timedelta(0)

    def now(self) -> datetime:
        self.moment += self.step
        return self.moment


async def other_process(url: str, home: Path, *command: str) -> None:
    environment = {**os.environ, "DATABASE_URL": url, "SRE_BOT_HOME": str(home)}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "bot", *command], env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


async def act(office: SqlOffice, name: str, seen: asyncio.Event) -> int:
    """Carry out what was staged, one after the other; return how many were refused.

    After the test has `seen` enough there are no pauses any more.
    """
    gateway, refused = office.gateway(), 0
    for number in range(MANY):
        acted = await gateway.execute(f"{name}-{number}-p1")
        refused += "(rule kill-switch)" in acted.why
        if acted.execution is not None:
            assert acted.execution.status is ExecutionStatus.APPLIED
            await gateway.release(acted.execution.key)
        await asyncio.sleep(0 if seen.is_set() else PAUSE_S)
    return refused


async def test_a_stop_from_another_process_holds_every_replica_within_a_second(
    database: Database, url: str, tmp_path: Path
) -> None:
    second = Database(url)
    replicas = [SqlOffice(database=d, environment="dev") for d in (database, second)]
    for office in replicas:  # ten minutes between two looks at the clock: no hourly cap is reached
        office.clock = Hurrying(step=timedelta(minutes=10))
        office.times = Times(offer_s=timedelta(days=365).total_seconds())
    for number, office in enumerate(replicas):
        await office.stage_many(f"r{number}", MANY)
    seen = asyncio.Event()
    gateways = [
        asyncio.create_task(act(office, f"r{n}", seen)) for n, office in enumerate(replicas)
    ]
    while not all(office.writes for office in replicas):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    await other_process(url, tmp_path, "stop", "storm")
    stopped = [len(office.writes) for office in replicas]
    await asyncio.sleep(1.0)
    within = [len(office.writes) for office in replicas]
    seen.set()
    refused = await asyncio.gather(*gateways)
    assert [len(office.writes) for office in replicas] == within, "a replica went on"
    assert all(n >= 1 for n in stopped)
    assert all(n >= 3 for n in refused)
    entries = await AuditLog(database).entries(subject="kill_switch")
    assert [(e.event, e.text) for e in entries] == [("stopped", "storm")]
    second.close()
