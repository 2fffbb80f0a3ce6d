"""Several replicas on one PostgreSQL: each job ends once, whoever dies, sleeps or is replaced."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import psycopg
import pytest

from bot.workflows.journal import libpq_url
from bot.workflows.seat import LOST
from tests.fakes.postgres import Postgres, own_postgres, program
from tests.fakes.replica import TABLES, Part, Replica, noted
from tests.fakes.servers import require

pytestmark = pytest.mark.integration
PATIENCE_S = 60.0


class Troupe:
    """Replicas on one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.all: list[Replica] = []
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            connection.execute(TABLES)

    def join(self, name: str, version: int = 1) -> Replica:
        replica = Replica(Part(url=self.url, name=name, version=version))
        self.all.append(replica)
        return replica

    def count(self, step: str) -> Counter[str]:
        """Return how often each job's step was carried out."""
        rows = noted(self.url, "SELECT job FROM effects WHERE step = %s", step)
        return Counter(job for (job,) in rows)

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, self.story()
            time.sleep(0.05)

    def story(self) -> list[object]:
        sql = "SELECT workflow_uuid, status, executor_id FROM dbos.workflow_status"
        return [*noted(self.url, sql), *noted(self.url, "SELECT * FROM effects ORDER BY at")]

    def waiting(self) -> int:
        """Return how many jobs have begun to wait."""
        sql = "SELECT count(*) FROM dbos.operation_outputs WHERE function_name = %s"
        return int(noted(self.url, sql, "wait for a message")[0][0])

    def statuses(self) -> Counter[str]:
        rows = noted(self.url, "SELECT status FROM dbos.workflow_status")
        return Counter(status for (status,) in rows)

    def mend(self) -> list[int | None]:
        """Start those that ended again, as a Deployment does; their exit statuses."""
        ended = [r for r in self.all if r.process.exitcode is not None]
        statuses = [r.process.exitcode for r in ended]
        for replica in ended:
            self.all.remove(replica)
            self.join(replica.part.name)
            replica.close()
        return statuses


@pytest.fixture
def troupe(postgres_url: str) -> Iterator[Troupe]:
    troupe = Troupe(postgres_url)
    yield troupe
    for replica in troupe.all:
        replica.close()


def test_of_three_replicas_one_is_killed_and_one_sleeps_and_all_work_ends_once(
    troupe: Troupe,
) -> None:
    killed, sleeper, stays = (troupe.join(name) for name in ("killed", "sleeper", "stays"))
    for replica in (killed, sleeper, stays):
        replica.order("start", [f"{replica.part.name} {n}" for n in range(4)])
    troupe.until(lambda: len(troupe.count("first")) == 12)
    jobs = sorted(troupe.count("first"))
    for replica in (killed, sleeper):  # each dies while it acts
        mine = [job for job in jobs if job.startswith(replica.part.name)]
        stays.order("approve", mine)
        troupe.until(lambda mine=mine: set(mine) <= set(troupe.count("begin to act")))
        replica.signal(signal.SIGKILL if replica is killed else signal.SIGSTOP)
    stays.order("approve", jobs)
    troupe.until(lambda: len(troupe.count("last")) == 12)
    [(woken_at,)] = noted(troupe.url, "SELECT clock_timestamp()")
    sleeper.signal(signal.SIGCONT)
    assert sleeper.ended() == LOST
    time.sleep(0.5)
    assert troupe.count("act") == Counter(jobs)
    assert troupe.count("last") == Counter(jobs)
    assert troupe.statuses() == Counter(SUCCESS=12)
    late = noted(
        troupe.url, "SELECT step FROM effects WHERE replica = 'sleeper' AND at > %s", woken_at
    )
    assert late == []


def test_approvals_wait_through_a_rolling_upgrade(troupe: Troupe) -> None:
    old = [troupe.join(f"old {n}") for n in range(2)]
    for replica in old:
        replica.order("start", [f"{replica.part.name}, job {n}" for n in range(3)])
    troupe.until(lambda: troupe.waiting() == 6)
    before = sorted(troupe.count("first"))
    new = troupe.join("new", version=2)
    new.order("start", ["of the new"])
    old[0].order("leave")
    assert old[0].ended() == 0
    new.order("approve", before[:2])
    troupe.until(lambda: len(troupe.count("last")) == 2)
    old[1].order("leave")
    assert old[1].ended() == 0
    new.order("approve", [*before, "of the new"])
    troupe.until(lambda: len(troupe.count("last")) == 7)
    assert troupe.count("act") == Counter([*before, "of the new"])
    assert troupe.count("first") == troupe.count("last") == troupe.count("act")
    assert troupe.count("tell") == Counter(["of the new"])  # what began before goes the old way
    assert troupe.statuses() == Counter(SUCCESS=7)


@pytest.fixture
def server() -> Iterator[Postgres]:
    require(program("initdb"), "postgresql", "PostgreSQL")
    with own_postgres(durable=True) as server:
        yield server


@pytest.mark.long
def test_a_crash_of_postgresql_in_mid_flight_loses_nothing_and_repeats_nothing(
    server: Postgres,
) -> None:
    troupe = Troupe(server.url)
    try:
        one, two = troupe.join("one"), troupe.join("two")
        one.order("start", ["1", "2", "3"])
        two.order("start", ["4", "5", "6"])
        troupe.until(lambda: troupe.waiting() == 6)
        two.order("approve", ["1", "4"])
        troupe.until(lambda: {"1", "4"} <= set(troupe.count("begin to act")))
        server.stop(signal.SIGQUIT)
        assert [one.ended(), two.ended()] == [LOST, LOST]  # nobody works without a seat
        server.start()
        assert troupe.mend() == [LOST, LOST]
        troupe.all[0].order("approve", list("123456"))
        troupe.until(lambda: len(troupe.count("last")) == 6)
        assert troupe.count("act") == Counter("123456")
        assert troupe.count("first") == troupe.count("last") == Counter("123456")
        assert troupe.statuses() == Counter(SUCCESS=6)
    finally:
        for replica in troupe.all:
            replica.close()
