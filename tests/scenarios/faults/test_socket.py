"""Socket Mode that is dropped every ten seconds, at a fifteenth of the time: all heard, once."""

import asyncio

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.socket import drop_all
from bot.slack.app import create_app_at
from bot.slack.desk import Desk, SlackOptions
from bot.slack.run import run_socket_mode
from tests.fakes.workspace import Running, running_workspace
from tests.unit.slack.fakes import FakeTeammate

APP_TOKEN = "xapp-sandbox-app"
EVERY_S, DROPS, SAID = 0.66, 8, 40


async def drop(running: Running) -> None:
    for _ in range(DROPS):
        await asyncio.sleep(EVERY_S)
        await drop_all(running.workspace)


async def test_everything_that_is_said_meanwhile_is_heard_and_the_link_says_how_it_is() -> None:
    teammate, stop, seen = FakeTeammate(), asyncio.Event(), []
    async with running_workspace() as running:
        client: AsyncWebClient = running.web_client()
        desk = Desk(teammate=teammate, client=client, options=SlackOptions())
        connected = asyncio.Event()
        listening = asyncio.create_task(
            run_socket_mode(
                create_app_at(desk), APP_TOKEN, stop, connected=connected.set, seen=seen.append
            )
        )
        await asyncio.wait_for(connected.wait(), 10)
        dropping = asyncio.create_task(drop(running))
        for number in range(SAID):
            await running.say(f"<@U0SREBOT> question {number}")
            await asyncio.sleep(EVERY_S * DROPS / SAID)
        await dropping
        async with asyncio.timeout(30):
            while len(teammate.mentions) < SAID:  # noqa: ASYNC110 - state is polled
                await asyncio.sleep(0.02)
        assert await seen[0]()  # connected again
        stop.set()
        await listening
        assert not running.workspace.delivery.dropped
    said = sorted(m.text for m in teammate.mentions.values())
    assert len(said) == len(set(said)) == SAID  # each under one event id, whatever was redelivered
    assert not await seen[0]()
