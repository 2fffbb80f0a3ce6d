"""Writing: sending, suggestions, commands, drafts, and what happens when sending fails."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.client_api import FakeClientApi

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def test_enter_sends_and_the_message_comes_back(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    composer = page.get_by_test_id("composer")
    composer.fill("@sre-bot why is checkout slow")
    composer.press("Enter")
    expect(page.get_by_test_id("channel-messages")).to_contain_text("why is checkout slow")
    expect(composer).to_have_value("")
    assert api.called("messages") == [
        {"user": "U0RESPONDER", "channel": "C0INCIDENTS", "text": "@sre-bot why is checkout slow"}
    ]


def test_shift_enter_breaks_the_line_and_the_button_sends(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    page.get_by_test_id("composer").press_sequentially("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("composer")).to_have_value("")
    assert [call["text"] for call in api.called("messages")] == ["one\ntwo"]


def test_blank_text_is_not_sent(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    page.get_by_test_id("composer").fill("  \n ")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("send")).to_be_disabled()
    assert api.called("messages") == []


def test_an_at_sign_suggests_the_bot_first_and_enter_takes_it(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat()
    composer = page.get_by_test_id("composer")
    composer.press_sequentially("@")
    expect(page.get_by_test_id("composer-suggestions").get_by_role("option").first).to_contain_text(
        "@sre-bot"
    )
    composer.press_sequentially("sr")
    page.keyboard.press("Enter")
    expect(composer).to_have_value("@sre-bot ")
    assert api.called("messages") == []


def test_a_full_mention_alone_is_sent_by_enter(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    page.get_by_test_id("composer").press_sequentially("@sre-bot")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("composer")).to_have_value("")
    assert [call["text"] for call in api.called("messages")] == ["@sre-bot"]


def test_escape_closes_the_suggestions_only(chat: Open) -> None:
    page = chat()
    composer = page.get_by_test_id("composer")
    composer.press_sequentially("@a")
    expect(page.get_by_test_id("composer-suggestions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("composer-suggestions")).to_be_hidden()
    expect(composer).to_have_value("@a")


def test_an_example_fills_the_composer(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    page.get_by_role("button", name="@sre-bot why is checkout slow").click()
    expect(page.get_by_test_id("composer")).to_have_value("@sre-bot why is checkout slow")
    expect(page.get_by_test_id("composer")).to_be_focused()
    assert api.called("messages") == []


def test_a_slash_command_goes_to_the_commands_endpoint(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    page.get_by_test_id("composer").fill("/sre ask why is  checkout slow")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("composer")).to_have_value("")
    assert api.called("messages") == []
    assert api.called("commands") == [
        {
            "user": "U0RESPONDER",
            "channel": "C0INCIDENTS",
            "command": "/sre",
            "text": "ask why is  checkout slow",
        }
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("unknown_command", "no such command"),
        ("not_acknowledged", "did not respond"),
        ("something_new", "something_new"),
    ],
)
def test_a_refused_command_says_why_and_keeps_the_text(
    chat: Open, api: FakeClientApi, error: str, words: str
) -> None:
    api.command_answer = {"ok": False, "error": error}
    page = chat()
    page.get_by_test_id("composer").fill("/sre nonsense")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_test_id("composer")).to_have_value("/sre nonsense")


def test_a_refused_message_keeps_what_was_typed(chat: Open, api: FakeClientApi) -> None:
    api.send_answer = {"ok": False, "error": "msg_too_long"}
    page = chat()
    page.get_by_test_id("composer").fill("x" * 40_001)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("too long")
    assert len(page.get_by_test_id("composer").input_value()) == 40_001


def test_each_conversation_keeps_its_own_draft(chat: Open) -> None:
    page = chat()
    page.get_by_test_id("composer").fill("half a thought")
    page.get_by_test_id("channel-C0SHOP").click()
    expect(page.get_by_test_id("composer")).to_have_value("")
    page.get_by_test_id("channel-C0INCIDENTS").click()
    expect(page.get_by_test_id("composer")).to_have_value("half a thought")


def test_a_reply_goes_into_the_thread(chat: Open, api: FakeClientApi) -> None:
    root = api.add(text="root")
    page = chat(f"#/C0INCIDENTS/{root}")
    page.get_by_test_id("thread-composer").fill("an answer")
    page.get_by_test_id("thread-send").click()
    expect(page.get_by_test_id("thread")).to_contain_text("an answer")
    assert api.called("messages")[0]["thread_ts"] == root
    expect(page.get_by_test_id(f"replies-{root}")).to_contain_text("1 reply")
    expect(page.get_by_test_id("channel-messages")).not_to_contain_text("an answer")
