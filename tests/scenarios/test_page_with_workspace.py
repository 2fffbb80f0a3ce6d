"""The page in headless Chromium, the real workspace, an unmodified Bolt app: one conversation."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from tests.fakes.workspace import Running, running_workspace

pytestmark = pytest.mark.browser

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360"
    "606060000000050001a5f645400000000049454e44ae426082"
)


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


CARD = {
    "type": "actions",
    "elements": [{"type": "button", "action_id": "reject", "text": plain("Reject…")}],
}
MODAL = {
    "type": "modal",
    "callback_id": "reject_reason",
    "title": plain("Reject"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why?"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def taught(running: Running) -> AsyncApp:
    """Return a bot that replies with a chart and a card, and takes a reason in a modal."""
    app = AsyncApp(client=running.web_client(), signing_secret="s")

    @app.event("app_mention")
    async def mention(event: dict[str, Any], client: Any) -> None:
        place = {"channel": event["channel"], "thread_ts": event["ts"]}
        await client.chat_postMessage(**place, text="Roll back?", blocks=[CARD])
        await client.files_upload_v2(**place, filename="p99.png", content=PNG, title="p99")

    @app.action("reject")
    async def reject(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("reject_reason")
    async def reason(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        said = body["view"]["state"]["values"]["why"]["text"]["value"]
        [card] = [
            m
            for messages in running.workspace.messages.values()
            for m in messages.values()
            if m.text == "Roll back?"
        ]
        await client.chat_update(
            channel=card.channel, ts=card.ts, text=f"Rejected: {said}", blocks=[]
        )

    @app.event("message")
    async def message() -> None:
        return

    return app


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with running_workspace() as found:
        handler = AsyncSocketModeHandler(taught(found), "xapp-sandbox-app")
        await handler.connect_async()
        yield found
        await handler.close_async()


@pytest.fixture
async def page(running: Running, chromium: str) -> AsyncIterator[Page]:
    flags = ["--no-sandbox", "--disable-gpu"]
    wrong: list[str] = []
    expect.set_options(timeout=10_000)  # two cores, shared with other test workers
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        page = await browser.new_page(base_url=running.url)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        await browser.close()
    assert wrong == []


async def test_a_conversation_from_mention_to_edited_card(page: Page, running: Running) -> None:
    await page.goto("/#/C0INCIDENTS")
    composer = page.get_by_test_id("composer")
    await composer.fill("@sre-bot why is checkout slow?")
    await composer.press("Enter")
    async with asyncio.timeout(20):
        while not (messages := await running.messages()):  # noqa: ASYNC110 - state is polled
            await asyncio.sleep(0.02)
    root = messages[0]
    assert root["text"] == "<@U0SREBOT> why is checkout slow?"
    await page.get_by_test_id(f"replies-{root['ts']}").click()
    await page.get_by_test_id("action-reject").click()
    await expect(page.get_by_test_id("modal-title")).to_have_text("Reject")
    await page.get_by_test_id("modal").get_by_label("Why?").fill("it is innocent")
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("modal")).to_have_count(0)
    await expect(page.get_by_text("Rejected: it is innocent")).to_be_visible()
    chart = page.get_by_role("img", name="p99").first
    await expect(chart).to_be_visible()
    assert await chart.evaluate("image => image.naturalWidth") == 1
