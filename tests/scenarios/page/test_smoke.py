"""The page opens, sends and receives."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_message_is_sent_with_enter_and_comes_back_in_the_channel(chat, api):
    page = chat()
    composer = page.get_by_test_id("composer")
    composer.fill("@sre-bot why is checkout slow")
    composer.press("Enter")
    expect(page.get_by_test_id("channel-messages")).to_contain_text("why is checkout slow")
    expect(composer).to_have_value("")
    assert api.called("messages") == [
        {"user": "U0RESPONDER", "channel": "C0INCIDENTS", "text": "@sre-bot why is checkout slow"}
    ]
