"""Buttons, choices, modals, response URLs, App Home and the page's event stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.fakes.workspace import Running, running_workspace

pytestmark = pytest.mark.integration

HERE = "C0INCIDENTS"
ROSA = "U0RESPONDER"
Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


OPTIONS = [{"text": plain("dev"), "value": "dev"}, {"text": plain("prod"), "value": "prod"}]
BLOCKS = [
    {
        "type": "actions",
        "block_id": "b",
        "elements": [
            {"type": "button", "action_id": "go", "text": plain("Go"), "value": "p1"},
            {"type": "static_select", "action_id": "env", "options": OPTIONS},
        ],
    }
]


def modal(title: str = "Why", **more: Any) -> Json:
    field = {"type": "plain_text_input", "action_id": "text", "min_length": 2}
    block = {"type": "input", "block_id": "why", "label": plain("Why"), "element": field}
    return {
        "type": "modal", "callback_id": "c", "title": plain(title), "submit": plain("Send"),
        "blocks": [block], **more,
    }  # fmt: skip


class Recorder:
    """A Bolt app that records what it hears; a test sets how it answers."""

    def __init__(self, running: Running) -> None:
        self.heard: list[Json] = []
        self.answer: Callable[[Json], Json | None] = lambda _: None
        self.app = AsyncApp(client=running.web_client(), signing_secret="s")
        self.app.action("go")(self._interaction)
        self.app.action("env")(self._interaction)
        self.app.view("c")(self._interaction)
        self.app.view_closed("c")(self._interaction)
        for event in ("message", "reaction_added", "app_home_opened", "app_mention"):
            self.app.event(event)(self._event)

    async def _interaction(self, ack: Any, body: Json) -> None:
        self.heard.append(body)
        await ack(**(self.answer(body) or {}))

    async def _event(self, event: Json) -> None:
        self.heard.append(event)

    def of(self, kind: str) -> list[Json]:
        return [h for h in self.heard if h["type"] == kind]


@asynccontextmanager
async def connected(**more: Any) -> AsyncIterator[tuple[Running, Recorder]]:
    async with running_workspace(**more) as running:
        bot = Recorder(running)
        handler = AsyncSocketModeHandler(bot.app, "xapp-sandbox-app")
        await handler.connect_async()
        try:
            yield running, bot
        finally:
            await handler.close_async()


async def heard(bot: Recorder, kind: str, count: int = 1) -> list[Json]:
    async with asyncio.timeout(5):
        while len(bot.of(kind)) < count:  # noqa: ASYNC110 - the recorder is polled
            await asyncio.sleep(0.01)
    return bot.of(kind)


async def posted(running: Running, **more: Any) -> Json:
    client = running.web_client()
    await client.chat_postMessage(channel=HERE, text="card", blocks=BLOCKS, **more)
    return (await running.messages())[-1]


async def clicked(running: Running, bot: Recorder) -> Json:
    """Click a fresh card's button and return what the bot got."""
    message = await posted(running)
    assert (await running.click(message, "go", type="button"))["ok"]
    return bot.of("block_actions")[-1]


async def error(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_click_carries_what_bolt_and_the_bot_need() -> None:
    async with connected() as (running, bot):
        root = await running.say("root")
        client = running.web_client()
        reply = await client.chat_postMessage(
            channel=HERE, thread_ts=root, text="card", blocks=BLOCKS
        )
        message = (await running.thread(root))[1]
        await running.click(message, "go", type="button", value="forged")
        [body] = bot.of("block_actions")
    assert body["actions"][0]["value"] == "p1"
    assert body["container"] == {
        "type": "message", "message_ts": reply["ts"], "channel_id": HERE, "thread_ts": root,
        "is_ephemeral": False,
    }  # fmt: skip
    assert body["message"]["ts"] == reply["ts"]
    assert (body["user"]["id"], body["team"]["id"]) == (ROSA, "T0SANDBOX")


async def test_a_choice_is_kept_in_the_state() -> None:
    async with connected() as (running, bot):
        message = await posted(running)
        chosen = {"text": plain("whatever"), "value": "prod"}
        await running.click(message, "env", type="static_select", selected_option=chosen)
        await running.click(message, "go", type="button")
        body = bot.of("block_actions")[-1]
        refused = await running.click(
            message, "env", type="static_select", selected_option={"value": "mars"}
        )
    assert body["state"]["values"]["b"]["env"]["selected_option"] == OPTIONS[1]
    assert refused["error"] == "invalid_arguments"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"user": "U0NOBODY"}, "user_not_found"),
        ({"user": "U0SREBOT"}, "user_not_found"),
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
        ({"message_ts": "1.000001"}, "message_not_found"),
        ({"action_id": "gone"}, "action_not_found"),
        ({"block_id": None}, "action_not_found"),
        ({"message_ts": 7}, "invalid_arguments"),
        ({"message_ts": None, "view_id": "V0GONE"}, "not_found"),
    ],
)
async def test_a_click_on_what_is_not_there_is_refused(change: Json, expected: str) -> None:
    async with running_workspace() as running:
        message = await posted(running)
        body = {"user": ROSA, "channel": HERE, "message_ts": message["ts"], "block_id": "b"}
        answer = await running.post("actions", **(body | {"action_id": "go"} | change))
    assert (answer["ok"], answer["error"]) == (False, expected)


async def test_a_trigger_opens_one_modal_and_only_soon() -> None:
    async with connected() as (running, bot):
        client = running.web_client()
        trigger = (await clicked(running, bot))["trigger_id"]
        late = (await clicked(running, bot))["trigger_id"]
        bad = client.views_open(trigger_id=trigger, view=modal(title="x" * 25))
        assert await error(bad) == "invalid_arguments"
        assert (await client.views_open(trigger_id=trigger, view=modal()))["view"]["hash"]
        again = client.views_open(trigger_id=trigger, view=modal())
        assert await error(again) == "exchanged_trigger_id"
        made_up = client.views_open(trigger_id="1.2.abc", view=modal())
        assert await error(made_up) == "invalid_trigger_id"
        triggers = running.workspace.triggers
        triggers[late] = replace(triggers[late], born=triggers[late].born - 4)
        assert await error(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"


async def open_modal(running: Running, bot: Recorder, **more: Any) -> str:
    trigger = (await clicked(running, bot))["trigger_id"]
    opened = await running.web_client().views_open(trigger_id=trigger, view=modal(**more))
    return str(opened["view"]["id"])


async def submit(running: Running, view_id: str, text: str = "because", **more: Any) -> Json:
    values = {"why": {"text": {"type": "plain_text_input", "value": text}}}
    body = {"user": ROSA, "view_id": view_id, "state": {"values": values}} | more
    answer: Json = await running.post("views/submit", **body)
    return answer


async def test_a_submission_brings_its_values_and_closes_the_modal() -> None:
    async with connected() as (running, bot):
        view_id = await open_modal(running, bot, private_metadata="m")
        assert await submit(running, view_id) == {"ok": True}
        [body] = bot.of("view_submission")
        assert body["view"]["state"]["values"]["why"]["text"]["value"] == "because"
        assert (body["view"]["private_metadata"], body["view"]["id"]) == ("m", view_id)
        assert (await submit(running, view_id))["error"] == "not_found"


@pytest.mark.parametrize("text", ["", "x"])
async def test_a_required_field_is_asked_for_before_the_app_hears_of_it(text: str) -> None:
    async with connected() as (running, bot):
        view_id = await open_modal(running, bot)
        answer = await submit(running, view_id, text)
        assert (answer["response_action"], list(answer["errors"])) == ("errors", ["why"])
        assert bot.of("view_submission") == []


async def test_the_app_may_answer_a_submission_with_another_view() -> None:
    async with connected() as (running, bot):
        view_id = await open_modal(running, bot)
        bot.answer = lambda _: {"response_action": "push", "view": modal("Second")}
        assert (await submit(running, view_id))["response_action"] == "push"
        first, second = running.workspace.stacks[ROSA]
        assert running.workspace.views[second].previous_id == first
        bot.answer = lambda _: {"response_action": "update", "view": modal("Other")}
        assert (await submit(running, second))["response_action"] == "update"
        assert running.workspace.views[second].body["title"]["text"] == "Other"
        bot.answer = lambda _: {"response_action": "errors", "errors": {"nowhere": "x"}}
        assert (await submit(running, second))["error"] == "invalid_response"
        bot.answer = lambda _: {"response_action": "clear"}
        assert (await submit(running, second))["response_action"] == "clear"
        assert running.workspace.stacks[ROSA] == ()


async def test_somebody_else_cannot_submit_my_modal() -> None:
    async with connected() as (running, bot):
        view_id = await open_modal(running, bot)
        assert (await submit(running, view_id, user="U0OBSERVER"))["error"] == "not_found"


async def test_closing_is_told_to_the_app_that_asked_for_it() -> None:
    async with connected() as (running, bot):
        quiet = await open_modal(running, bot)
        assert (await running.post("views/close", user=ROSA, view_id=quiet))["ok"]
        loud = await open_modal(running, bot, notify_on_close=True)
        assert (await running.post("views/close", user=ROSA, view_id=loud))["ok"]
        assert [b["view"]["id"] for b in bot.of("view_closed")] == [loud]


async def test_an_update_needs_the_present_hash() -> None:
    async with connected() as (running, bot):
        client = running.web_client()
        view_id = await open_modal(running, bot)
        stale = client.views_update(view_id=view_id, hash="1.old", view=modal("New"))
        assert await error(stale) == "hash_conflict"
        done = await client.views_update(view_id=view_id, view=modal("New"))
        assert done["view"]["title"]["text"] == "New"
        assert await error(client.views_update(view_id="V0NONE", view=modal())) == "not_found"


async def test_a_response_url_replaces_whispers_and_runs_out() -> None:
    async with connected() as (running, bot):
        message = await posted(running)
        await running.click(message, "go", type="button")
        client = AsyncWebhookClient(bot.of("block_actions")[0]["response_url"])
        assert (await client.send(text="done", replace_original=True)).body == "ok"
        assert (await running.messages())[-1]["text"] == "done"
        assert "blocks" not in (await running.messages())[-1]
        await client.send(text="only you", response_type="ephemeral")
        assert (await running.messages(user=ROSA))[-1]["text"] == "only you"
        assert (await running.messages(user="U0OBSERVER"))[-1]["text"] == "done"
        await client.send(text="all", response_type="in_channel")
        bad = await client.send(text="x", blocks=[{"type": "section"}])
        assert (bad.status_code, json.loads(bad.body)["error"]) == (400, "invalid_blocks")
        assert (await client.send(delete_original=True)).status_code == 200
        assert [m["text"] for m in await running.messages()] == ["all"]
        used = await client.send(text="once more")
        assert (used.status_code, json.loads(used.body)["error"]) == (404, "used_url")
        gone = await AsyncWebhookClient(f"{running.url}/slack/response/made-up").send(text="x")
        assert (gone.status_code, json.loads(gone.body)["error"]) == (404, "expired_url")


async def test_app_home_is_told_published_and_shown() -> None:
    async with connected() as (running, bot):
        assert (await running.get("home", user=ROSA))["view"] is None
        [event] = await heard(bot, "app_home_opened")
        assert (event["user"], event["tab"]) == (ROSA, "home")
        client = running.web_client()
        home = {"type": "home", "blocks": [{"type": "divider"}]}
        await client.views_publish(user_id=ROSA, view=home)
        assert (await running.get("home", user=ROSA))["view"]["type"] == "home"
        assert (await running.get("home", user="U0ADMIN"))["view"] is None
        stale = client.views_publish(user_id=ROSA, view=home, hash="1.old")
        assert await error(stale) == "hash_conflict"


async def test_reactions_and_edits_are_events() -> None:
    async with connected() as (running, bot):
        message = await posted(running)
        body = {"user": ROSA, "channel": HERE, "ts": message["ts"], "name": "eyes"}
        assert (await running.post("reactions", **body))["ok"]
        assert (await running.post("reactions", **body))["error"] == "already_reacted"
        [event] = await heard(bot, "reaction_added")
        assert (event["reaction"], event["item"]["ts"]) == ("eyes", message["ts"])


async def next_of(lines: AsyncIterator[Json], kind: str) -> Json:
    async for event in lines:
        if event["type"] == kind:
            return event
    raise AssertionError(f"the stream ended before {kind}")


@asynccontextmanager
async def stream(running: Running, user: str) -> AsyncIterator[AsyncIterator[Json]]:
    async with running.http.get(f"{running.url}/client/events", params={"user": user}) as reply:

        async def events() -> AsyncIterator[Json]:
            async for line in reply.content:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

        found = events()
        async with asyncio.timeout(10):
            await next_of(found, "hello")
            yield found


async def test_the_page_hears_of_everything_that_its_person_may_see() -> None:
    async with connected() as (running, bot), stream(running, ROSA) as events:
        client = running.web_client()
        message = await posted(running)
        assert (await next_of(events, "message"))["message"]["ts"] == message["ts"]
        await client.chat_update(channel=HERE, ts=message["ts"], text="new")
        assert (await next_of(events, "message_changed"))["message"]["text"] == "new"
        await client.chat_postEphemeral(channel=HERE, user="U0ADMIN", text="not for Rosa")
        await client.chat_postEphemeral(channel=HERE, user=ROSA, text="for Rosa")
        assert (await next_of(events, "ephemeral"))["message"]["text"] == "for Rosa"
        view_id = await open_modal(running, bot)
        assert (await next_of(events, "view_opened"))["view"]["id"] == view_id
        await submit(running, view_id)
        assert (await next_of(events, "view_closed"))["view"]["id"] == view_id
        await client.files_upload_v2(channel=HERE, filename="a.txt", content="x")
        assert (await next_of(events, "file"))["file"]["name"] == "a.txt"
        await client.chat_delete(channel=HERE, ts=message["ts"])
        assert (await next_of(events, "message_deleted"))["ts"] == message["ts"]


async def test_a_page_that_goes_away_leaves_nothing_behind() -> None:
    async with running_workspace() as running:
        async with stream(running, ROSA):
            assert running.workspace.stream.listeners == 1
        async with asyncio.timeout(5):
            while running.workspace.stream.listeners:
                await running.say("anybody?")
                await asyncio.sleep(0.01)


async def test_a_page_that_does_not_read_is_told_to_read_again() -> None:
    async with running_workspace() as running:
        listening = running.workspace.stream.listen(ROSA)
        assert (await anext(listening))["type"] == "hello"
        for number in range(1500):
            running.workspace.stream.publish({"type": "n", "n": number})
        assert [event["type"] async for event in listening] == ["resync"]
        assert running.workspace.stream.listeners == 0


async def test_speaking_is_checked_as_slack_does() -> None:
    async with running_workspace() as running:
        body: Json = {"user": ROSA, "channel": HERE, "text": "x"}
        for change, expected in (
            ({"text": " "}, "no_text"),
            ({"text": "x" * 40_001}, "msg_too_long"),
            ({"text": 7}, "invalid_arguments"),
            ({"channel": "C0NOWHERE"}, "channel_not_found"),
            ({"user": "U0NOBODY"}, "user_not_found"),
            ({"thread_ts": "1.000001"}, "thread_not_found"),
        ):
            assert (await running.post("messages", **(body | change)))["error"] == expected
        assert (await running.post("messages", **(body | {"text": "x" * 40_000})))["ok"]


async def test_the_state_names_people_channels_and_groups() -> None:
    async with running_workspace() as running:
        state = await running.get("state")
    assert state["bot_user"] == {"id": "U0SREBOT", "name": "sre-bot"}
    members = {c["id"]: c["bot_is_member"] for c in state["channels"]}
    assert members == {"C0INCIDENTS": True, "C0SHOP": True, "C0GENERAL": False}
    assert {u["id"]: u["role"] for u in state["users"]}["U0OBSERVER"] == "observer"
