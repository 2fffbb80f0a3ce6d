"""A real PostgreSQL on a free port, in a temporary directory, stopped at the end."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql/bin")


def program(name: str) -> str | None:
    """Return the path of a PostgreSQL program, the newest version first."""
    found = sorted(Path(PLACES[0]).glob(f"*/bin/{name}"), reverse=True)
    return str(found[0]) if found else shutil.which(name)


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of an empty database."""
    initdb, postgres = program("initdb"), program("postgres")
    assert initdb
    assert postgres
    user = _server_user()
    with tempfile.TemporaryDirectory(prefix="sre-bot-pg-") as directory:
        data = Path(directory) / "data"
        if user:
            os.chown(directory, user["user"], user["group"])
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **user}
        subprocess.run(
            [initdb, "-D", str(data), "-U", "bot", "-A", "trust", "--locale=C.UTF-8", "-N"],
            check=True, **quiet,
        )  # fmt: skip
        port = _free_port()
        server = subprocess.Popen(
            [postgres, "-D", str(data), "-p", str(port), "-k", directory,
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"],
            **quiet,
        )  # fmt: skip
        try:
            _wait_until_ready(port, server)
            yield f"postgresql+psycopg://bot@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(20)


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


def _wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(200):
        assert server.poll() is None, "PostgreSQL did not start"
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=bot dbname=postgres").close()
        except psycopg.OperationalError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(0.1)
        else:
            return
    raise AssertionError("PostgreSQL did not answer")
