"""Carries webhooks to their subscribers: in order per incident, again after a failure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bot.sandbox.pagerduty.records import Event
from bot.sandbox.pagerduty.signing import Delivery, delivery

WITHIN_S = 5.0  # a subscriber that answers later counts as one that did not
ATTEMPTS = 12
KEPT = 1_000


@dataclass(slots=True, kw_only=True)
class Subscription:
    """Who wants to be told. `secrets`: two while one is being rotated."""

    id: str
    url: str
    secrets: tuple[str, ...]
    waiting: dict[str, asyncio.Queue[Delivery]] = field(default_factory=dict)


class Deliverer:
    """One task an incident and subscription. `log`: what became of each, the newest last."""

    def __init__(self, *, pause_s: float = 0.5) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.log: list[tuple[str, int]] = []  # (webhook id, HTTP status; 0: no answer)
        self._pause_s = pause_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def subscribe(self, name: str, url: str, secrets: tuple[str, ...]) -> None:
        """Tell `url` from now on; the same name again replaces it, what waits stays in order."""
        known = self.subscriptions.get(name)
        if known is None:
            self.subscriptions[name] = Subscription(id=name, url=url, secrets=secrets)
        else:
            known.url, known.secrets = url, secrets

    def tell(self, event: Event) -> None:
        """Put an event into the queues of all subscribers."""
        if self._session is None:
            return
        for subscription in self.subscriptions.values():
            made = delivery(event, subscription=subscription.id, secrets=subscription.secrets)
            queue = subscription.waiting.get(event.incident)
            if queue is None:
                queue = subscription.waiting[event.incident] = asyncio.Queue()
                task = asyncio.create_task(self._carry(subscription, event.incident, queue))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            queue.put_nowait(made)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block runs; what waits at its end is lost with the make-believe."""
        timeout = aiohttp.ClientTimeout(total=WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout) as self._session:
            try:
                yield
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        self._session = None

    async def _carry(
        self, subscription: Subscription, incident: str, queue: asyncio.Queue[Delivery]
    ) -> None:
        while not queue.empty():
            made = await queue.get()
            for attempt in range(ATTEMPTS):
                status = await self._send(subscription, made)
                if status < 500 and status not in (0, 429):
                    break
                await asyncio.sleep(min(self._pause_s * 2**attempt, 30.0))
        del subscription.waiting[incident]

    async def _send(self, subscription: Subscription, made: Delivery) -> int:
        assert self._session is not None  # noqa: S101 - only while running
        try:
            async with self._session.post(
                subscription.url, data=made.body, headers=dict(made.headers), allow_redirects=False
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        self.log = [*self.log[-KEPT:], (made.headers["X-Webhook-Id"], status)]
        return status
