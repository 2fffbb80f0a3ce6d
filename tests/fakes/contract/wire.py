"""The wire between an action and its cluster: counts the writes, and can lose one of them."""

import pytest

from bot.domain.errors import Unavailable
from tools.clients.kubernetes import Kubernetes
from tools.clients.kubernetes_errors import Request


class Wire:
    """Every write that was carried out, as (verb, resource, name); dry-runs are none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[tuple[str, str, str]] = []
        self._sent = self._lost_request = self._lost_answer = 0
        original, wire = Kubernetes.call, self

        async def call(client: Kubernetes, request: Request) -> dict[str, object]:
            if not is_write(request):
                return await original(client, request)
            wire._sent += 1
            if wire._sent == wire._lost_request:
                raise Unavailable("Kubernetes", "timed out after 8 s", retry_after_s=8.0)
            answer = await original(client, request)
            wire.written.append((request.verb, request.resource, request.name))
            if wire._sent == wire._lost_answer:
                raise Unavailable("Kubernetes", "timed out after 8 s", retry_after_s=8.0)
            return answer

        monkeypatch.setattr(Kubernetes, "call", call)

    def lose_request(self, number: int) -> None:
        """Let the write of that number from now on (1: the next) not reach the cluster."""
        self._lost_request = self._sent + number

    def lose_answer(self, number: int) -> None:
        """Let the write of that number from now on be carried out, but not be answered."""
        self._lost_answer = self._sent + number

    @property
    def acted(self) -> list[tuple[str, str, str]]:
        """The writes but for the Events that only tell of them."""
        return [w for w in self.written if w[1] != "events"]


def is_write(request: Request) -> bool:
    """Whether the call changes something when it is answered."""
    options = request.body if isinstance(request.body, dict) else {}
    listed = (options.get("deleteOptions") or options).get("dryRun")
    dry = request.query.get("dryRun") == "All" or listed == ["All"]
    return request.method != "GET" and not dry and "reviews" not in request.resource
