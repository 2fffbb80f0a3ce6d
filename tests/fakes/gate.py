"""A door in front of one of the sandbox's systems that a test can hold shut."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.fakes.loopback import Asked, Loopback, Reply, loopback

LET_GO_S = 60.0  # a forgotten door opens by itself


def never() -> bool:
    return False


@dataclass
class Gate:
    """Forwards to `target`; holds a request as long as `holds()` says so."""

    target: str
    holds: Callable[[], bool] = never
    server: Loopback = field(default_factory=lambda: Loopback(url=""))
    held: threading.Event = field(default_factory=threading.Event)
    _open: threading.Event = field(default_factory=threading.Event)

    def hold(self, holds: Callable[[], bool]) -> None:
        """From now on hold what comes while `holds()`."""
        self.held.clear()
        self._open.clear()
        self.holds = holds

    def open(self) -> None:
        """Let everything through."""
        self.holds = never
        self._open.set()

    def answer(self, asked: Asked) -> Reply:
        if self.holds():
            self.held.set()
            self._open.wait(LET_GO_S)
        with requests.Session() as http:
            http.trust_env = False
            answer = http.request(
                asked.method, f"{self.target}{asked.path}", params=asked.query, data=asked.body,
                headers={"Content-Type": asked.headers.get("Content-Type", "")}, timeout=30,
            )  # fmt: skip
        kind = {"Content-Type": answer.headers.get("Content-Type", "")}
        return Reply(status=answer.status_code, body=answer.content, headers=kind)


@contextmanager
def gate_to(target: str) -> Iterator[Gate]:
    """Yield an open gate in front of `target`."""
    gate = Gate(target=target)
    with loopback(gate.answer) as server:
        gate.server = server
        yield gate
        gate.open()
