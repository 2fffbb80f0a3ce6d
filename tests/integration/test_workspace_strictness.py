"""The sandbox's Web API refuses what Slack refuses, with Slack's error names."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.limits import Limits
from bot.sandbox.workspace.manifest import app_of
from bot.sandbox.workspace.state import Fault
from tests.fakes.workspace import Running, running_workspace

pytestmark = pytest.mark.integration

HERE = "C0INCIDENTS"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_workspace() as found:
        yield found


@pytest.fixture
def client(running: Running) -> AsyncWebClient:
    return running.web_client()


async def refusal(call: Any) -> Any:
    """Await a call that must be refused and return the answer."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def error(call: Any) -> str:
    return str((await refusal(call))["error"])


@pytest.mark.parametrize(
    ("token", "method", "expected"),
    [
        ("", "conversations.list", "not_authed"),
        ("xoxb-wrong", "conversations.list", "invalid_auth"),
        ("xapp-sandbox-app", "chat.postMessage", "not_allowed_token_type"),
        ("xoxb-sandbox-bot", "apps.connections.open", "not_allowed_token_type"),
        ("xoxb-sandbox-bot", "chat.meMessage", "unknown_method"),
        ("", "api.test", None),
        ("xoxb-sandbox-bot", "auth.test", None),
    ],
)
async def test_tokens_and_methods(
    running: Running, token: str, method: str, expected: str | None
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with running.http.post(f"{running.url}/slack/api/{method}", headers=headers) as reply:
        assert (reply.status, (await reply.json()).get("error")) == (200, expected)


@pytest.mark.parametrize("how", ["query", "form", "json", "multipart", "token in form"])
async def test_arguments_come_in_every_way_that_slack_reads(running: Running, how: str) -> None:
    args: dict[str, str] = {"channel": HERE, "text": "grüß <@U0RESPONDER>"}
    auth = {"Authorization": "Bearer xoxb-sandbox-bot"}
    multipart = aiohttp.FormData(default_to_multipart=True)
    for name, value in args.items():
        multipart.add_field(name, value)
    sent: dict[str, Any] = {
        "query": {"params": args, "headers": auth},
        "form": {"data": args, "headers": auth},
        "json": {"json": args, "headers": auth},
        "multipart": {"data": multipart, "headers": auth},
        "token in form": {"data": args | {"token": "xoxb-sandbox-bot"}},
    }[how]
    async with running.http.post(f"{running.url}/slack/api/chat.postMessage", **sent) as reply:
        answer = await reply.json()
    assert answer["message"]["text"] == args["text"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0GENERAL", "text": "x"}, "not_in_channel"),
        ({"channel": HERE, "text": ""}, "no_text"),
        ({"channel": HERE, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": HERE, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": HERE, "text": "x", "thread_ts": "tomorrow"}, "thread_not_found"),
        ({"channel": HERE, "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
        ({"channel": HERE, "text": "x", "blocks": {}}, "invalid_blocks_format"),
        ({"channel": HERE, "text": "x", "metadata": {"a": 1}}, "invalid_metadata_schema"),
        ({"channel": HERE, "text": "x", "attachments": ["a"]}, "invalid_attachments"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
async def test_posting_is_refused_as_slack_does(
    client: AsyncWebClient, args: dict[str, Any], expected: str
) -> None:
    assert await error(client.api_call("chat.postMessage", json=args)) == expected


async def test_invalid_blocks_name_the_block(client: AsyncWebClient) -> None:
    blocks = [SECTION, {"type": "header", "text": {"type": "plain_text", "text": "x" * 200}}]
    answer = await refusal(client.chat_postMessage(channel=HERE, text="x", blocks=blocks))
    assert answer["error"] == "invalid_blocks"
    assert "/blocks/1/text/text" in answer["response_metadata"]["messages"][0]


async def test_a_slack_file_image_must_exist(client: AsyncWebClient) -> None:
    image = {"type": "image", "alt_text": "p99", "slack_file": {"id": "F0NONE"}}
    assert (
        await error(client.chat_postMessage(channel=HERE, text="x", blocks=[image]))
        == "invalid_blocks"
    )


async def test_a_reply_is_no_place_for_a_thread(running: Running, client: AsyncWebClient) -> None:
    ts = await running.say("root")
    reply = await client.chat_postMessage(channel=HERE, thread_ts=ts, text="reply")
    late = client.chat_postMessage(channel=HERE, thread_ts=reply["ts"], text="deeper")
    assert await error(late) == "thread_not_found"


async def test_only_own_messages_can_be_changed(running: Running, client: AsyncWebClient) -> None:
    ts = await running.say("mine")
    assert await error(client.chat_update(channel=HERE, ts=ts, text="x")) == "cant_update_message"
    assert await error(client.chat_delete(channel=HERE, ts=ts)) == "cant_delete_message"
    assert await error(client.chat_update(channel=HERE, ts="1.0", text="x")) == "message_not_found"


async def test_blocks_that_are_too_long_together_have_their_own_error(
    client: AsyncWebClient,
) -> None:
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 5
    call = client.chat_postMessage(channel=HERE, text="x", blocks=long)
    assert await error(call) == "msg_blocks_too_long"


async def test_an_edit_takes_less_text_than_a_post(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=HERE, text="x" * 5000)
    edit = client.chat_update(channel=HERE, ts=posted["ts"], text="y" * 4001)
    assert await error(edit) == "msg_too_long"


async def test_an_edit_keeps_blocks_that_it_does_not_mention(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=HERE, text="a", blocks=[SECTION])
    edited = await client.chat_update(channel=HERE, ts=posted["ts"], text="b")
    assert edited["message"]["blocks"] == posted["message"]["blocks"]
    emptied = await client.chat_update(channel=HERE, ts=posted["ts"], text="b", blocks=[])
    assert "blocks" not in emptied["message"]


async def test_timestamps_are_unique_and_grow(client: AsyncWebClient) -> None:
    stamps = [(await client.chat_postMessage(channel=HERE, text="x"))["ts"] for _ in range(20)]
    assert stamps == sorted(set(stamps), key=float)


async def test_metadata_comes_back_only_when_asked(client: AsyncWebClient) -> None:
    metadata = {"event_type": "investigation", "event_payload": {"id": "inv-1"}}
    await client.chat_postMessage(channel=HERE, text="x", metadata=metadata)
    plain = (await client.conversations_history(channel=HERE))["messages"][0]
    asked = (await client.conversations_history(channel=HERE, include_all_metadata=True))[
        "messages"
    ]
    assert ("metadata" in plain, asked[0]["metadata"]) == (False, metadata)


async def test_history_and_replies_come_in_pages(running: Running, client: AsyncWebClient) -> None:
    root = await running.say("root")
    for number in range(5):
        await client.chat_postMessage(channel=HERE, thread_ts=root, text=f"reply {number}")
        await running.say(f"message {number}")
    texts: list[str] = []
    async for page in await client.conversations_history(channel=HERE, limit=2):
        texts += [m["text"] for m in page["messages"]]
    assert texts == [*(f"message {n}" for n in reversed(range(5))), "root"]
    replies = await client.conversations_replies(channel=HERE, ts=root, limit=4)
    assert [m["text"] for m in replies["messages"]] == ["root", "reply 0", "reply 1", "reply 2"]
    assert replies["has_more"] is True
    assert replies["messages"][0]["reply_count"] == 5
    assert await error(client.conversations_replies(channel=HERE, ts="1.0")) == "thread_not_found"
    lost = client.conversations_history(channel=HERE, cursor="bm9wZQ==")
    assert await error(lost) == "invalid_cursor"
    assert await error(client.conversations_history(channel=HERE, limit=5000)) == "invalid_limit"


async def test_history_between_two_moments(running: Running, client: AsyncWebClient) -> None:
    stamps = [await running.say(str(number)) for number in range(4)]
    found = await client.conversations_history(channel=HERE, oldest=stamps[0], latest=stamps[3])
    assert [m["text"] for m in found["messages"]] == ["2", "1"]
    found = await client.conversations_history(
        channel=HERE, oldest=stamps[0], latest=stamps[3], inclusive=True
    )
    assert [m["text"] for m in found["messages"]] == ["3", "2", "1", "0"]


async def test_people_channels_and_groups(client: AsyncWebClient) -> None:
    assert await error(client.users_info(user="U0NOBODY")) == "user_not_found"
    assert await error(client.users_lookupByEmail(email="x@y.example")) == "users_not_found"
    found = await client.users_lookupByEmail(email="rosa@sandbox.example")
    assert found["user"]["id"] == "U0RESPONDER"
    guest = await client.users_info(user="U0GUEST")
    assert guest["user"]["is_restricted"] is True
    mine = await client.users_conversations()
    assert [c["id"] for c in mine["channels"]] == ["C0INCIDENTS", "C0SHOP"]
    joined = await client.conversations_join(channel="C0GENERAL")
    assert joined["channel"]["is_member"] is True
    group = await client.usergroups_users_list(usergroup="S0APPROVERS")
    assert "U0APPROVER" in group["users"]
    opened = await client.conversations_open(users="U0RESPONDER")
    posted = await client.chat_postMessage(channel="U0RESPONDER", text="psst")
    assert posted["channel"] == opened["channel"]["id"]


async def test_reactions(running: Running, client: AsyncWebClient) -> None:
    ts = await running.say("look")
    await client.reactions_add(channel=HERE, timestamp=ts, name="eyes")
    again = client.reactions_add(channel=HERE, timestamp=ts, name="eyes")
    assert await error(again) == "already_reacted"
    found = await client.reactions_get(channel=HERE, timestamp=ts)
    assert found["message"]["reactions"] == [{"name": "eyes", "users": ["U0SREBOT"], "count": 1}]
    await client.reactions_remove(channel=HERE, timestamp=ts, name="eyes")
    gone = client.reactions_remove(channel=HERE, timestamp=ts, name="eyes")
    assert await error(gone) == "no_reaction"


async def test_an_ephemeral_message_needs_its_reader_in_the_channel(client: AsyncWebClient) -> None:
    call = client.chat_postEphemeral(channel=HERE, user="U0NOBODY", text="x")
    assert await error(call) == "user_not_in_channel"


async def test_a_permalink_leads_to_the_page(running: Running, client: AsyncWebClient) -> None:
    ts = await running.say("root")
    reply = await client.chat_postMessage(channel=HERE, thread_ts=ts, text="x")
    found = await client.chat_getPermalink(channel=HERE, message_ts=reply["ts"])
    async with running.http.get(found["permalink"], allow_redirects=False) as answer:
        assert answer.headers["location"] == f"/#/{HERE}/{ts}/{reply['ts']}"


async def test_a_file_goes_through_the_three_steps(
    running: Running, client: AsyncWebClient
) -> None:
    ts = await running.say("chart?")
    png = b"\x89PNG\r\n\x1a\n" + b"x" * 100
    done = await client.files_upload_v2(
        channel=HERE, thread_ts=ts, filename="p99 chart.png", content=png, title="p99",
        initial_comment="p99 of checkout",
    )  # fmt: skip
    file = done["file"]
    async with running.http.get(file["url_private"]) as answer:
        assert (await answer.read(), answer.headers["content-type"]) == (png, "image/png")
    reply = (await running.thread(ts))[1]
    assert (reply["text"], reply["files"][0]["title"]) == ("p99 of checkout", "p99")
    twice = client.files_completeUploadExternal(files=[{"id": file["id"], "title": "x"}])
    assert await error(twice) == "file_not_found"
    image = {"type": "image", "alt_text": "p99", "slack_file": {"id": file["id"]}}
    assert (await client.chat_postMessage(channel=HERE, text="x", blocks=[image]))["ok"]


async def test_an_upload_of_another_length_is_refused(
    running: Running, client: AsyncWebClient
) -> None:
    asked = await client.files_getUploadURLExternal(filename="a.txt", length=5)
    async with running.http.post(asked["upload_url"], data=b"too much") as answer:
        assert answer.status == 400
    done = client.files_completeUploadExternal(files=[{"id": asked["file_id"], "title": "x"}])
    assert await error(done) == "file_not_found"


async def test_html_is_never_shown_but_only_saved(running: Running, client: AsyncWebClient) -> None:
    done = await client.files_upload_v2(channel=HERE, filename="a.html", content="<script>")
    async with running.http.get(done["file"]["url_private"]) as answer:
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["content-type"] == "application/octet-stream"


async def test_a_scope_that_the_manifest_lacks_is_missing() -> None:
    manifest = {"oauth_config": {"scopes": {"bot": ["chat:write"]}}}
    async with running_workspace(app=app_of(manifest)) as running:
        client = running.web_client()
        assert (await client.chat_postMessage(channel=HERE, text="x"))["ok"]
        answer = await refusal(client.reactions_add(channel=HERE, timestamp="1.0", name="eyes"))
        assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")
        said = {"user": "U0RESPONDER", "channel": HERE, "command": "/sre", "text": ""}
        assert (await running.post("commands", **said))["error"] == "unknown_command"


async def test_posts_are_limited_per_channel_and_say_when_to_retry() -> None:
    async with running_workspace(limits=Limits(post_burst=2)) as running:
        client = running.web_client()
        for _ in range(2):
            await client.chat_postMessage(channel=HERE, text="x")
        answer = await refusal(client.chat_postMessage(channel=HERE, text="x"))
        assert (answer.status_code, answer["error"]) == (429, "ratelimited")
        assert answer.headers["Retry-After"] == "1"
        assert (await client.chat_postMessage(channel="C0SHOP", text="x"))["ok"]


async def test_methods_are_limited_by_tier() -> None:
    limits = Limits(tiers={1: 1, 2: 2, 3: 3, 4: 4})
    async with running_workspace(limits=limits) as running:
        client = running.web_client()
        for _ in range(4):
            await client.users_info(user="U0ADMIN")
        answer = await refusal(client.users_info(user="U0ADMIN"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "15")


async def test_failures_can_be_injected() -> None:
    faults = {
        "chat.update": Fault(status=500),
        "chat.delete": Fault(status=429, error="ratelimited", retry_after_s=7),
        "team.info": Fault(drop=True),
    }
    async with running_workspace(faults=lambda method, _: faults.get(method)) as running:
        url = f"{running.url}/slack/api"
        async with running.http.post(f"{url}/chat.update") as reply:
            assert reply.status == 500
        async with running.http.post(f"{url}/chat.delete") as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
        with pytest.raises(aiohttp.ClientError):
            async with running.http.post(f"{url}/team.info") as reply:
                await reply.read()


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[1]", "json_not_object"),
        ("application/json", b"[" * 100_000, "invalid_json"),
        ("application/json", b"\xff", "invalid_json"),
        ("text/plain", b"x", "invalid_post_type"),
        ("application/x-www-form-urlencoded", b"\xff", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"a=1&" * 2000, "invalid_form_data"),
        ("multipart/form-data", b"x", "invalid_form_data"),
        ("application/json", b" " * 2_000_001, "request_too_large"),
    ],
)
async def test_malformed_bodies_are_refused_by_name(
    running: Running, content_type: str, body: bytes, expected: str
) -> None:
    headers = {"Content-Type": content_type, "Authorization": "Bearer xoxb-sandbox-bot"}
    url = f"{running.url}/slack/api/chat.postMessage"
    async with running.http.post(url, data=io.BytesIO(body), headers=headers) as reply:
        answer = json.loads(await reply.text())
    assert (answer["ok"], answer["error"]) == (False, expected)


async def test_a_foreign_host_header_is_refused(running: Running) -> None:
    async with running.http.get(
        f"{running.url}/client/state", headers={"Host": "evil.example"}
    ) as reply:
        assert reply.status == 400


async def test_the_page_api_takes_no_forms(running: Running) -> None:
    body = {"user": "U0ADMIN", "channel": HERE, "text": "x"}
    async with running.http.post(f"{running.url}/client/messages", data=body) as reply:
        assert (await reply.json())["error"] == "invalid_post_type"
