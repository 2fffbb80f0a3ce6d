"""A real Prometheus on loopback, over a past that promtool writes."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests


def write_past(program: str, folder: Path, past: str) -> None:
    """Make OpenMetrics text the history of the Prometheus that is then served in this folder."""
    (folder / "past.om").write_text(past)
    promtool = str(Path(program).with_name("promtool"))
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", "past.om", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@contextmanager
def serving(program: str, folder: Path, *flags: str) -> Iterator[str]:
    """Yield the URL of a Prometheus with the folder's `prometheus.yml` and history."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        program, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", *flags,
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=folder)
    try:
        _wait_for(f"http://127.0.0.1:{port}/-/ready", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(200):
            assert server.poll() is None, "Prometheus did not start"
            with suppress(requests.RequestException):
                if session.get(url, timeout=1).ok:
                    return
            time.sleep(0.1)
    raise AssertionError("Prometheus is not ready")
