"""One process, one seat: nobody works in the place of one that lives, and somebody for the dead."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bot.domain.errors import NotConfigured, Unavailable
from bot.workflows.journal import libpq_url
from bot.workflows.seat import FileSeat, Lease, ServerSeat

PATIENCE_S = 20.0
LEASE = Lease(lease_s=20.0, beat_s=0.05, take_within_s=0.2)
TABLE = """CREATE SCHEMA dbos; CREATE TABLE dbos.workflow_status (workflow_uuid text, status text,
 executor_id text, application_version text, owner_xid text, queue_name text,
 started_at_epoch_ms bigint, updated_at bigint)"""


class Server:
    """A PostgreSQL with the engine's table of workflows, and seats at it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sql = psycopg.connect(libpq_url(url), autocommit=True)
        self.sql.execute(TABLE)
        self.lost = threading.Event()
        self.taken: list[ServerSeat] = []

    def seat(self, name: str, version: int = 1, lease: Lease = LEASE) -> ServerSeat:
        seat = ServerSeat(self.url, name, version=version, lease=lease, lost=self.lost.set)
        self.taken.append(seat)
        return seat

    def workflow(
        self, name: str, executor: str, status: str = "PENDING", version: str = "1"
    ) -> None:
        self.sql.execute(
            "INSERT INTO dbos.workflow_status VALUES (%s, %s, %s, %s, 'x', NULL, 1, 1)",
            (name, status, executor, version),
        )

    def state(self, name: str) -> tuple[str, str]:
        """Return status and version."""
        found = self.sql.execute(
            "SELECT status, application_version FROM dbos.workflow_status WHERE workflow_uuid = %s",
            (name,),
        ).fetchone()
        assert found
        return found[0], found[1]

    def end_sessions(self) -> None:
        self.sql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'sre-bot seat' AND datname = current_database()"
        )

    def close(self) -> None:
        for seat in self.taken:
            seat.release()
        self.sql.close()


@pytest.fixture
def server(postgres_url: str) -> Iterator[Server]:
    server = Server(postgres_url)
    yield server
    server.close()


def until(done: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if done():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen in time")


def test_a_journal_in_a_file_has_one_seat(tmp_path: Path) -> None:
    first, second = FileSeat(tmp_path / "j.sqlite"), FileSeat(tmp_path / "j.sqlite")
    first.take()
    with pytest.raises(NotConfigured, match="Another sre-bot runs"):
        second.take()
    first.release()
    second.take()
    second.check()
    second.release()


def test_the_seat_at_a_file_ends_with_the_process_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from bot.workflows.seat import FileSeat\n"
        "seat = FileSeat(Path(sys.argv[1])); seat.take()\n"
        "print('taken', flush=True); time.sleep(60)"
    )
    path = tmp_path / "j.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=os.environ
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        seat = FileSeat(path)
        with pytest.raises(NotConfigured):
            seat.take()
        process.kill()
        process.wait()
        seat.take()
        seat.release()


@pytest.mark.integration
def test_two_replicas_cannot_have_one_name(server: Server) -> None:
    server.seat("a").take()
    with pytest.raises(NotConfigured, match="SRE_BOT_EXECUTOR_ID"):
        server.seat("a").take()
    server.seat("b").take()


@pytest.mark.integration
def test_who_comes_after_one_that_left_has_its_seat_and_its_work(server: Server) -> None:
    before = server.seat("a")
    before.take()
    server.workflow("w", "a")
    before.release()
    server.seat("a", lease=Lease(take_within_s=10.0)).take()
    assert server.state("w") == ("ENQUEUED", "1")


@pytest.mark.integration
def test_work_of_a_living_replica_is_left_alone_and_that_of_a_dead_one_is_taken_up(
    server: Server,
) -> None:
    living, dead = server.seat("living"), server.seat("dead")
    living.take()
    dead.take()
    server.workflow("its own", "living")
    server.workflow("left", "dead")
    server.workflow("ended", "dead", status="SUCCESS")
    server.seat("other").take()
    threading.Event().wait(0.3)
    assert server.state("left") == ("PENDING", "1")
    dead.release()
    until(lambda: server.state("left") == ("ENQUEUED", "1"))
    assert server.state("its own") == ("PENDING", "1")
    assert server.state("ended") == ("SUCCESS", "1")
    assert not server.lost.is_set()


@pytest.mark.integration
def test_newer_code_goes_on_with_older_work_and_never_the_other_way_round(server: Server) -> None:
    server.workflow("of old code", "gone", version="1")
    server.workflow("waits in the queue", "gone", status="ENQUEUED", version="1")
    server.workflow("of new code", "gone too", version="3")
    server.workflow("of who knows what", "gone too", version="a1b2")
    server.seat("new", version=2).take()
    until(lambda: server.state("of old code") == ("ENQUEUED", "2"))
    assert server.state("waits in the queue") == ("ENQUEUED", "2")
    assert server.state("of new code") == ("PENDING", "3")
    assert server.state("of who knows what") == ("PENDING", "a1b2")


@pytest.mark.integration
def test_a_replica_whose_connection_drops_ends(server: Server) -> None:
    seat = server.seat("a")
    seat.take()
    seat.check()
    server.end_sessions()
    until(server.lost.is_set)


@pytest.mark.integration
def test_a_replica_that_was_silent_for_too_long_has_no_seat_and_knows_it(server: Server) -> None:
    stopped = server.seat("stopped", lease=Lease(lease_s=0.4, margin_s=0.1, beat_s=60.0))
    stopped.take()
    stopped.check()
    assert not server.lost.is_set()
    server.seat("stopped", lease=Lease(take_within_s=PATIENCE_S)).take()  # the server gave it away
    stopped.check()
    assert server.lost.is_set()


@pytest.mark.integration
def test_without_a_database_there_is_no_seat(postgres_url: str) -> None:
    nobody = postgres_url.rsplit(":", 1)[0] + ":1/postgres"
    with pytest.raises(Unavailable, match="no seat"):
        ServerSeat(nobody, "a", version=1).take()


@pytest.mark.integration
def test_before_the_first_start_nobody_left_anything(postgres_url: str) -> None:
    lost = threading.Event()
    seat = ServerSeat(postgres_url, "a", version=1, lease=LEASE, lost=lost.set)
    seat.take()
    threading.Event().wait(0.2)
    seat.check()
    seat.release()
    assert not lost.is_set()
