"""The page, the sandbox's workspace and an unmodified Bolt app together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Page, async_playwright, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from tests.fakes.workspace import Running, running_workspace
from tests.scenarios.page import kit
from tests.scenarios.page.conftest import FLAGS, Watch

pytestmark = pytest.mark.browser

MODAL = {
    "type": "modal",
    "callback_id": "reject_reason",
    "title": kit.plain("Reject"),
    "submit": kit.plain("Reject"),
    "blocks": [kit.ask("why", {"type": "plain_text_input", "action_id": "reason"})],
}


def small_app(workspace: Running, chart: Path) -> AsyncApp:
    """An app that answers a mention with a report, a picture and buttons."""
    app = AsyncApp(client=workspace.web_client(), signing_secret="sandbox-signing-secret")

    @app.event("app_mention")
    async def mentioned(event: Any, client: Any) -> None:
        where = {"channel": event["channel"], "thread_ts": event["ts"]}
        posted = await client.chat_postMessage(**where, text="investigating")
        await client.files_upload_v2(
            **where, file=str(chart), filename="p99.png", title="p99", alt_txt="p99 rose"
        )
        blocks = [
            kit.section("*root cause found*"),
            kit.actions(kit.button("reject", "Reject…"), kit.button("silent", "Silent")),
        ]
        await client.chat_update(
            channel=event["channel"], ts=posted["ts"], text="found", blocks=blocks
        )
        await client.chat_postEphemeral(
            channel=event["channel"], user=event["user"], text="a whisper"
        )

    @app.action("reject")
    async def reject(ack: Any, body: Any, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("reject_reason")
    async def rejected(ack: Any, body: Any, client: Any) -> None:
        reason = body["view"]["state"]["values"]["why"]["reason"]["value"]
        if len(reason) < 5:
            await ack(response_action="errors", errors={"why": "a little longer"})
            return
        await ack()
        await client.chat_postMessage(channel="C0INCIDENTS", text=f"rejected: {reason}")

    @app.command("/sre")
    async def command(ack: Any, body: Any) -> None:
        await ack(text=f"you said {body['text']}")

    @app.event("app_home_opened")
    async def home(event: Any, client: Any) -> None:
        view = {"type": "home", "blocks": [kit.section(f"home of <@{event['user']}>")]}
        await client.views_publish(user_id=event["user"], view=view)

    @app.event("message")
    async def other() -> None:
        """Every message comes; nothing is to be done."""

    return app


@asynccontextmanager
async def opened(chromium: str, workspace: Running) -> AsyncIterator[Page]:
    watch = Watch(workspace.url)
    expect.set_options(timeout=10_000)  # two cores, shared with other test workers
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page(base_url=workspace.url)
        page.set_default_timeout(8000)
        watch.allowed.append("404")  # this workspace has no world, so no /control
        page.on("request", lambda request: watch.request(request.url))
        page.on("pageerror", lambda error: watch.errors.append(str(error)))
        page.on("console", lambda line: watch.console(line.type, line.text))
        yield page
        await browser.close()
    assert watch.errors == []
    assert watch.foreign == []


async def test_a_whole_conversation_with_an_unmodified_app(chromium: str, tmp_path: Path) -> None:
    chart = tmp_path / "p99.png"
    Image.new("RGB", (600, 300), "#3a7ca5").save(chart)
    async with running_workspace() as workspace, opened(chromium, workspace) as page:
        handler = AsyncSocketModeHandler(small_app(workspace, chart), "xapp-sandbox-app")
        await page.goto("/")
        await expect(page.locator("#banner")).to_contain_text("not connected")
        await handler.connect_async()
        await expect(page.locator("#banner")).to_be_hidden(timeout=10_000)
        await mention_and_read(page)
        await reject_with_a_reason(page)
        await command_and_home(page)
        root = (await workspace.messages())[0]["ts"]
        link = await workspace.web_client().chat_getPermalink(
            channel="C0INCIDENTS", message_ts=root
        )
        await page.goto(link["permalink"])
        await expect(page.get_by_test_id("thread")).to_contain_text("root cause found")
        await handler.close_async()


async def mention_and_read(page: Page) -> None:
    await page.get_by_test_id("composer").fill("@sre-bot why is *checkout* slow <b>")
    await page.get_by_test_id("composer").press("Enter")
    channel = page.get_by_test_id("channel-messages")
    await expect(channel).to_contain_text("@sre-bot why is checkout slow <b>")
    await expect(channel.get_by_text("Only visible to you")).to_be_visible()
    await channel.get_by_text("2 replies").click()
    thread = page.get_by_test_id("thread")
    await expect(thread).to_contain_text("root cause found")
    await expect(thread).to_contain_text("(edited)")
    image = thread.get_by_role("img", name="p99 rose")
    await expect(image).to_be_visible()
    assert await image.evaluate("node => node.decode().then(() => node.naturalWidth)") == 600


async def reject_with_a_reason(page: Page) -> None:
    await page.get_by_test_id("thread").get_by_test_id("action-reject").click()
    for reason, answer in (("", "complete this required"), ("no", "a little longer")):
        await page.get_by_test_id("action-reason").fill(reason)
        await page.get_by_test_id("modal-submit").click()
        await expect(page.get_by_test_id("error-why")).to_contain_text(answer)
    await page.get_by_test_id("action-reason").fill("no good at all")
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("modal")).to_have_count(0)
    await expect(page.get_by_test_id("channel-messages")).to_contain_text("rejected: no good")


async def command_and_home(page: Page) -> None:
    await page.get_by_test_id("composer").fill("/sre status")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("channel-messages")).to_contain_text("you said status")
    await page.get_by_test_id("home").click()
    await expect(page.get_by_test_id("home-view")).to_contain_text("home of @Rosa Responder")
    await page.get_by_test_id("channel-C0INCIDENTS").click()
