"""Fixtures: a Slack on loopback, the bot's app on top of it, and what goes with them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.app import create_app_at
from bot.slack.desk import Desk, SlackOptions
from bot.slack.notifier import SlackNotifier
from bot.slack.web import Web
from tests.unit.slack.fakes import CHANNEL, TOKEN, FakeSlack, FakeTeammate, MemoryOutbox

Send = Callable[..., Awaitable[BoltResponse]]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    workspace = FakeSlack()
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=TOKEN, base_url=f"{slack.url}api/")


@pytest.fixture
def teammate() -> FakeTeammate:
    return FakeTeammate()


@pytest.fixture
def outbox() -> MemoryOutbox:
    return MemoryOutbox()


@pytest.fixture
def notifier(client: AsyncWebClient, outbox: MemoryOutbox) -> SlackNotifier:
    return SlackNotifier(client, outbox, lambda chart, suspect: b"png", edit_interval_s=0.05)


@pytest.fixture
def desk(client: AsyncWebClient, teammate: FakeTeammate) -> Desk:
    options = SlackOptions(
        signing_secret="secret", incident_channels=frozenset({CHANNEL}), handover_s=0.3
    )
    desk = Desk(teammate=teammate, client=client, options=options)
    desk.opening = Web(timeout_s=20.0, longest_wait_s=0.5)  # a busy machine is not what is tested
    return desk


@pytest.fixture
def send(desk: Desk) -> Send:
    """Deliver a payload as Socket Mode does, and wait for what comes after the acknowledgement."""
    app = create_app_at(desk)

    async def deliver(body: Any, **headers: str) -> BoltResponse:
        request = AsyncBoltRequest(
            mode="socket_mode", body=body, headers={k: [v] for k, v in headers.items()}
        )
        answer = await app.async_dispatch(request)
        await desk.settle()
        return answer

    return deliver
