"""A real Prometheus on loopback, over a past that promtool writes."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

TRIES = 5  # another process may take a free port before the server does


class DidNotStart(Exception):
    """The server ended before it answered."""


def write_past(program: str, folder: Path, past: str) -> None:
    """Make OpenMetrics text the history of the Prometheus that is then served in this folder."""
    (folder / "past.om").write_text(past)
    promtool = str(Path(program).with_name("promtool"))
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", "past.om", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@contextmanager
def serving(program: str, folder: Path, *flags: str) -> Iterator[str]:
    """Yield the URL of a Prometheus with the folder's `prometheus.yml` and history."""
    command = [
        program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error",
        *flags,
    ]  # fmt: skip
    server, url = _started(command, folder)
    try:
        yield url
    finally:
        _end(server)


def _started(command: list[str], folder: Path) -> "tuple[subprocess.Popen[bytes], str]":
    for left in reversed(range(TRIES)):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            place = f"127.0.0.1:{free.getsockname()[1]}"
        server = subprocess.Popen([*command, f"--web.listen-address={place}"], cwd=folder)
        try:
            _wait_for(f"http://{place}", server, folder)
        except DidNotStart:
            if not left:
                raise
        except BaseException:
            _end(server)
            raise
        else:
            return server, f"http://{place}"
    raise AssertionError("unreachable")


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    server.wait(20)


def _wait_for(url: str, server: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until this server is ready, and not another one on the same port."""
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(300):
            if server.poll() is not None:
                raise DidNotStart("Prometheus")
            with suppress(requests.RequestException):
                if session.get(f"{url}/-/ready", timeout=1).ok:
                    told = session.get(f"{url}/api/v1/status/runtimeinfo", timeout=1).json()
                    if Path(told["data"]["CWD"]).samefile(folder):
                        return
            time.sleep(0.1)
    raise AssertionError("Prometheus is not ready")
