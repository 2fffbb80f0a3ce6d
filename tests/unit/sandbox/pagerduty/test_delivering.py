"""Webhooks reach their subscriber in order and signed, also when it was away for a while."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.sandbox.pagerduty.account import Opening
from bot.sandbox.pagerduty.delivering import Deliverer
from bot.sandbox.pagerduty.signing import signature
from tests.fakes.pagerduty import ANIL, SERVICE, an_account


@dataclass
class Subscriber:
    """Keeps what it accepted. `refuse`: statuses to answer with first."""

    refuse: list[int] = field(default_factory=list)
    got: list[tuple[str, str]] = field(default_factory=list)  # incident, kind
    tried: list[str] = field(default_factory=list)  # webhook ids
    wrong: int = 0
    secret: str = "new"

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.tried.append(request.headers["X-Webhook-Id"])
        if signature(self.secret, raw) not in request.headers["X-PagerDuty-Signature"].split(","):
            self.wrong += 1
        if self.refuse:
            return web.Response(status=self.refuse.pop(0))
        event = json.loads(raw)["event"]
        self.got.append((event["data"].get("title", ""), event["event_type"]))
        return web.Response(status=202)


@pytest.fixture
async def subscriber() -> AsyncIterator[tuple[Subscriber, str]]:
    made, app = Subscriber(), web.Application()
    app.router.add_post("/", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield made, f"http://{host}:{port}/"
    await runner.cleanup()


async def settled(subscriber: Subscriber, events: int) -> None:
    async with asyncio.timeout(10):
        while len(subscriber.got) < events:  # noqa: ASYNC110 - what it looks at tells nobody
            await asyncio.sleep(0.01)


async def test_what_was_refused_comes_again_in_order_under_its_id(
    subscriber: tuple[Subscriber, str],
) -> None:
    there, url = subscriber
    account, deliverer = an_account(), Deliverer(pause_s=0.01)
    account.listeners.append(deliverer.tell)
    deliverer.subscribe("PSUB001", url, ("old", "new"))
    there.refuse = [503, 429, 500]
    async with deliverer.running():
        one = account.open(Opening(service=SERVICE, title="one"))
        account.acknowledge(one, ANIL)
        account.resolve(one, ANIL)
        await settled(there, 3)
    assert there.got == [
        ("one", "incident.triggered"),
        ("one", "incident.acknowledged"),
        ("one", "incident.resolved"),
    ]
    assert len(set(there.tried)) == 3
    assert there.wrong == 0


async def test_what_a_subscriber_does_not_want_is_dropped_and_holds_up_nothing(
    subscriber: tuple[Subscriber, str],
) -> None:
    there, url = subscriber
    account, deliverer = an_account(), Deliverer(pause_s=0.01)
    account.listeners.append(deliverer.tell)
    deliverer.subscribe("PSUB001", url, ("new",))
    there.refuse = [403]
    async with deliverer.running():
        one = account.open(Opening(service=SERVICE, title="one"))
        account.acknowledge(one, ANIL)
        await settled(there, 1)
    assert there.got == [("one", "incident.acknowledged")]
    assert [status for _, status in deliverer.log] == [403, 202]


async def test_who_was_away_gets_all_of_it_at_the_new_address(
    subscriber: tuple[Subscriber, str],
) -> None:
    there, url = subscriber
    account, deliverer = an_account(), Deliverer(pause_s=0.01)
    account.listeners.append(deliverer.tell)
    deliverer.subscribe("PSUB001", "http://127.0.0.1:9/", ("new",))
    async with deliverer.running():
        one = account.open(Opening(service=SERVICE, title="one"))
        account.note(one, "we look at it", ANIL)
        await asyncio.sleep(0.05)
        deliverer.subscribe("PSUB001", url, ("new",))
        await settled(there, 2)
    assert [kind for _, kind in there.got] == ["incident.triggered", "incident.annotated"]
