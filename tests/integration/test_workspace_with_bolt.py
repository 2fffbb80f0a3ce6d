"""Unmodified slack_bolt and slack_sdk against the sandbox's workspace on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from tests.fakes.workspace import Running, running_workspace

BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "reject",
            "text": {"type": "plain_text", "text": "Reject"},
            "value": "p1",
        }
    ],
}
MODAL = {
    "type": "modal",
    "callback_id": "reject_reason",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why?"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


async def eventually(condition: Callable[[], Awaitable[Any]], within_s: float = 5.0) -> Any:
    """Return the first true answer."""
    async with asyncio.timeout(within_s):
        while not (answer := await condition()):  # noqa: ASYNC110 - a page polls as well
            await asyncio.sleep(0.02)
        return answer


def bolt(running: Running) -> AsyncApp:
    return AsyncApp(
        client=running.web_client(),
        signing_secret="sandbox-signing-secret",
        process_before_response=True,
    )


def teach(app: AsyncApp) -> None:
    """A small bot: reply with a button, open a modal from it, whisper what was typed."""

    @app.event("app_mention")
    async def mention(event: dict[str, Any], client: Any) -> None:
        await client.chat_postMessage(
            channel=event["channel"], thread_ts=event["ts"], text="Looking", blocks=[BUTTON]
        )

    @app.action("reject")
    async def reject(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        place = {"channel": body["channel"]["id"], "ts": body["message"]["thread_ts"]}
        view = MODAL | {"private_metadata": f"{place['channel']} {place['ts']}"}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("reject_reason")
    async def reason(ack: Any, body: dict[str, Any], client: Any) -> None:
        said = body["view"]["state"]["values"]["reason"]["text"]["value"]
        if said == "no":
            await ack(response_action="errors", errors={"reason": "Say more."})
            return
        await ack()
        channel, ts = body["view"]["private_metadata"].split()
        await client.chat_postEphemeral(
            channel=channel, user=body["user"]["id"], thread_ts=ts, text=f"Noted: {said}"
        )

    @app.command("/sre")
    async def command(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"You said {command['text']}")

    @app.event("message")
    async def message() -> None:
        return


@asynccontextmanager
async def bot_in(running: Running, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    """Connect the app over Socket Mode while the block runs."""
    handler = AsyncSocketModeHandler(app, "xapp-sandbox-app")
    await handler.connect_async()
    try:
        yield handler
    finally:
        await handler.close_async()


async def first_reply(running: Running, ts: str) -> dict[str, Any]:
    async def replies() -> Any:
        return (await running.thread(ts))[1:]

    found: list[dict[str, Any]] = await eventually(replies)
    return found[0]


@pytest.mark.integration
async def test_a_mention_leads_to_a_reply_in_the_thread() -> None:
    async with running_workspace() as running:
        app = bolt(running)
        teach(app)
        async with bot_in(running, app):
            ts = await running.say("@sre-bot why is checkout slow?")
            reply = await first_reply(running, ts)
    assert (reply["user"], reply["thread_ts"]) == ("U0SREBOT", ts)


@pytest.mark.integration
async def test_a_button_leads_to_a_modal_and_its_submission_to_a_whisper() -> None:
    async with running_workspace() as running:
        app = bolt(running)
        teach(app)
        async with bot_in(running, app):
            ts = await running.say("@sre-bot why is checkout slow?")
            reply = await first_reply(running, ts)
            assert await running.click(reply, "reject") == {"ok": True, "acked": True}
            [view_id] = running.workspace.stacks["U0RESPONDER"]
            assert (await submit(running, view_id, "no"))["errors"] == {"reason": "Say more."}
            assert await submit(running, view_id, "it is innocent") == {"ok": True}
            assert running.workspace.stacks["U0RESPONDER"] == ()

            async def whispered() -> Any:
                return [
                    m for m in await running.thread(ts, user="U0RESPONDER") if m["text"] == NOTE
                ]

            [note] = await eventually(whispered)
            assert note not in await running.thread(ts, user="U0OBSERVER")


NOTE = "Noted: it is innocent"


async def submit(running: Running, view_id: str, text: str) -> Any:
    values = {"reason": {"text": {"type": "plain_text_input", "value": text}}}
    return await running.post(
        "views/submit", user="U0RESPONDER", view_id=view_id, state={"values": values}
    )


@pytest.mark.integration
async def test_a_slash_command_shows_its_acknowledgement_to_the_person_only() -> None:
    async with running_workspace() as running:
        app = bolt(running)
        teach(app)
        said = {"user": "U0RESPONDER", "channel": "C0INCIDENTS", "command": "/sre", "text": "hi"}
        async with bot_in(running, app):
            assert (await running.post("commands", **said))["ok"]
        assert (await running.messages(user="U0RESPONDER"))[-1]["text"] == "You said hi"
        assert await running.messages(user="U0OBSERVER") == []
