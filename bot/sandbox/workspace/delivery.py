"""How events reach the app: one acknowledgement each, Slack's retries, by socket or HTTP."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.sandbox.workspace.limits import Limits
from bot.sandbox.workspace.records import App
from bot.sandbox.workspace.webhook import Webhook

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The app's answer in time. `payload` is None when it only acknowledged."""

    payload: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """No answer: Slack's reason word (timeout, http_error, connection_failed)."""

    reason: str
    final: bool = False  # the app asked for no retry


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One thing for the app: events_api, interactive or slash_commands."""

    kind: str
    payload: Json
    attempt: int = 0
    reason: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def socket_json(self) -> Json:
        """Return the envelope as Socket Mode sends it."""
        body: Json = {
            "envelope_id": self.id,
            "type": self.kind,
            "payload": self.payload,
            "accepts_response_payload": self.kind != "events_api",
        }
        if self.kind == "events_api":
            body |= {"retry_attempt": self.attempt, "retry_reason": self.reason}
        return body


class Carrier(Protocol):
    """An open socket."""

    async def send(self, body: Json) -> None:
        """Send one JSON message. Raises: ConnectionError."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class Delivery:
    """Delivers envelopes. Interactions are tried once and within the ack time; events are retried.

    Events that find no open socket wait `Limits.offline_s` for one, at most `Limits.backlog` of
    them, and are dropped after that (Slack drops them after its three retries).
    """

    def __init__(self, app: App, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._carriers: list[Carrier] = []
        self._next = 0
        self._arrived = asyncio.Event()
        self._acks: dict[str, tuple[Carrier, asyncio.Future[Ack | Missed]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._webhook = Webhook(app)
        self._closed = False
        self.dropped: list[Json] = []  # payloads given up on, for tests and the page

    def emit(self, payload: Mapping[str, Any]) -> None:
        """Deliver an Events API payload in the background, with retries."""
        if self._closed:
            return
        if len(self._tasks) >= self._limits.backlog:
            self.dropped.append(dict(payload))
            return
        task = asyncio.get_running_loop().create_task(self._with_retries(dict(payload)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, kind: str, payload: Json) -> Ack | None:
        """Deliver an interaction and return its acknowledgement, None when none came in time."""
        envelope = Envelope(kind=kind, payload=payload)
        try:
            async with asyncio.timeout(self._limits.ack_s):
                result = await self._attempt(envelope, self._limits.ack_s)
        except TimeoutError:
            return None
        return result if isinstance(result, Ack) else None

    async def _with_retries(self, payload: Json) -> None:
        pauses = (0.0, *(s * self._limits.retry_scale for s in self._limits.retry_after_s))
        reason = ""
        for attempt, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            envelope = Envelope(kind="events_api", payload=payload, attempt=attempt, reason=reason)
            result = await self._attempt(envelope, self._limits.offline_s)
            if isinstance(result, Ack):
                return
            reason = result.reason
            if result.final:
                break
        self.dropped.append(payload)
        del self.dropped[: -self._limits.backlog]

    async def _attempt(self, envelope: Envelope, patience_s: float) -> Ack | Missed:
        if self._app.request_url:
            status, answer = await self._webhook.post(envelope.socket_json(), self._limits.ack_s)
            return Ack(payload=answer) if status == "ok" else _missed(status)
        try:
            async with asyncio.timeout(patience_s):
                carrier = await self._carrier()
        except TimeoutError:
            return Missed(reason="connection_failed", final=True)
        return await self._over_socket(envelope, carrier)

    async def _carrier(self) -> Carrier:
        while not self._carriers:
            self._arrived.clear()
            await self._arrived.wait()
        self._next = (self._next + 1) % len(self._carriers)
        return self._carriers[self._next]

    async def _over_socket(self, envelope: Envelope, carrier: Carrier) -> Ack | Missed:
        answer: asyncio.Future[Ack | Missed] = asyncio.get_running_loop().create_future()
        self._acks[envelope.id] = (carrier, answer)
        try:
            async with asyncio.timeout(self._limits.ack_s):
                await carrier.send(envelope.socket_json())
                return await answer
        except TimeoutError:
            return Missed(reason="timeout")
        except ConnectionError:
            self.left(carrier)
            return Missed(reason="connection_failed")
        finally:
            self._acks.pop(envelope.id, None)

    def acknowledge(self, envelope_id: str, payload: Json | None) -> None:
        """Take an acknowledgement; one that nobody waits for (any more) is ignored, as at Slack."""
        _, answer = self._acks.get(envelope_id, (None, None))
        if answer is not None and not answer.done():
            answer.set_result(Ack(payload=payload))

    def joined(self, carrier: Carrier) -> None:
        """Use a new socket."""
        self._carriers.append(carrier)
        self._arrived.set()

    def left(self, carrier: Carrier) -> None:
        """Stop using a socket; what it did not acknowledge is tried elsewhere."""
        self.retire(carrier)
        for owner, answer in list(self._acks.values()):
            if owner is carrier and not answer.done():
                answer.set_result(Missed(reason="connection_failed"))

    def retire(self, carrier: Carrier) -> None:
        """Send nothing new over a socket, but still take its acknowledgements."""
        if carrier in self._carriers:
            self._carriers.remove(carrier)

    @property
    def sockets(self) -> tuple[Carrier, ...]:
        """The sockets in use."""
        return tuple(self._carriers)

    @property
    def under_way(self) -> int:
        """How many events are not acknowledged yet."""
        return len(self._tasks)

    async def close(self) -> None:
        """Give up everything under way and close all sockets."""
        self._closed = True
        for carrier in self.sockets:
            self.left(carrier)
            with suppress(ConnectionError):
                await carrier.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _missed(status: str) -> Missed:
    return Missed(reason=status.removesuffix("!"), final=status.endswith("!"))
