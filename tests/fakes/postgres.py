"""A real PostgreSQL on a free port, in a temporary directory, stopped at the end."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TRIES = 5  # another process may take a free port before the server does
PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql/bin")


def program(name: str) -> str | None:
    """Return the path of a PostgreSQL program, the newest version first."""
    found = sorted(Path(PLACES[0]).glob(f"*/bin/{name}"), reverse=True)
    return str(found[0]) if found else shutil.which(name)


class DidNotStart(Exception):
    """The server ended before it answered."""


@dataclass
class Postgres:
    """A server on a free port; it can be stopped and started again on the same data."""

    directory: Path
    user: dict[str, object]
    durable: bool = False
    port: int = 0
    server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://bot@127.0.0.1:{self.port}/postgres"

    @property
    def quiet(self) -> dict[str, object]:
        return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **self.user}

    def make(self) -> None:
        initdb = program("initdb")
        assert initdb
        subprocess.run(
            [initdb, "-D", str(self.directory / "data"), "-U", "bot", "-A", "trust",
             "--locale=C.UTF-8", "-N"],
            check=True, **self.quiet,
        )  # fmt: skip

    def start_on_a_free_port(self) -> None:
        for left in reversed(range(TRIES)):
            self.port = _free_port()
            try:
                self.start()
            except DidNotStart:
                if not left:
                    raise
            else:
                return

    def start(self) -> None:
        postgres = program("postgres")
        assert postgres
        self.server = subprocess.Popen(
            [postgres, "-D", str(self.directory / "data"), "-p", str(self.port),
             "-k", str(self.directory), "-c", "listen_addresses=127.0.0.1",
             "-c", f"fsync={'on' if self.durable else 'off'}", "-c", "max_connections=200"],
            **self.quiet,
        )  # fmt: skip
        self._wait_until_ready(self.server)

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        import psycopg

        for _ in range(200):
            if server.poll() is not None:
                raise DidNotStart("PostgreSQL")
            try:
                place = f"host=127.0.0.1 port={self.port} user=bot dbname=postgres"
                with psycopg.connect(place) as connection:
                    found = connection.execute("SHOW data_directory").fetchone()
            except psycopg.OperationalError:
                found = None
            if found == (str(self.directory / "data"),):  # else it is another one on this port
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(0.1)
        raise AssertionError("PostgreSQL did not answer")

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """Stop it; SIGQUIT ends it as a crash does."""
        if self.server is not None:
            self.server.send_signal(sign)
            self.server.wait(20)
            self.server = None


@contextlib.contextmanager
def own_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Yield a running server. With `durable`, what was committed survives its crash."""
    user = _server_user()
    with tempfile.TemporaryDirectory(prefix="sre-bot-pg-") as directory:
        if user:
            os.chown(directory, user["user"], user["group"])
        server = Postgres(Path(directory), user, durable=durable)
        server.make()
        server.start_on_a_free_port()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of an empty database."""
    with own_postgres() as server:
        yield server.url


def _server_user() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise AssertionError("no user to run PostgreSQL as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
