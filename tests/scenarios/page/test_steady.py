"""What one presses stays what it is until it is released, whatever comes in meanwhile."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fakes.client_api import FakeClientApi
from tests.scenarios.page import kit

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def pressed_while(page: Page, control: Locator, happens: Callable[[], str]) -> None:
    """Press a control, let something happen, and release when the page has heard of it."""
    control.hover()
    page.mouse.down()
    words = happens()
    expect(page.locator("#announcer")).to_contain_text(words)
    page.mouse.up()


def test_a_menu_opens_though_a_message_comes_between_press_and_release(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat()

    def a_message() -> str:
        api.say(text="checkout is slow")
        return "checkout is slow"

    pressed_while(page, page.get_by_test_id("who"), a_message)
    expect(page.get_by_test_id("as-U0APPROVER")).to_be_visible()
    expect(page.get_by_test_id("channel-messages")).to_contain_text("checkout is slow")
    pressed_while(page, page.get_by_test_id("as-U0APPROVER"), a_message)
    expect(page.get_by_test_id("who")).to_contain_text("Anil Approver")


def test_a_button_of_a_card_that_is_edited_under_the_press_is_the_one_that_was_pressed(
    chat: Open, api: FakeClientApi
) -> None:
    card = api.add(blocks=[kit.actions(kit.button("approve", value="what was shown"))])
    page = chat()

    def edited() -> str:
        api.edit(card, blocks=[kit.section("*Another plan*")])
        api.say(text="the card changed")
        return "the card changed"

    pressed_while(page, page.get_by_test_id("action-approve"), edited)
    expect(page.get_by_test_id(f"message-{card}")).to_contain_text("Another plan")
    kit.until(page, lambda: bool(api.called("actions")))
    assert [call["value"] for call in api.called("actions")] == ["what was shown"]


def test_a_field_of_a_dialog_is_pressed_though_its_view_changes(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat()
    api.emit({"type": "view_opened", "view": kit.modal(kit.section("before"))}, "U0RESPONDER")
    expect(page.get_by_test_id("modal")).to_contain_text("before")

    def updated() -> str:
        view = kit.modal(kit.section("after"))
        api.emit({"type": "view_updated", "view": view}, "U0RESPONDER")
        api.say(text="it changed")
        return "it changed"

    pressed_while(page, page.get_by_test_id("modal-submit"), updated)
    expect(page.get_by_test_id("modal")).to_have_count(0)
    assert len(api.called("views/submit")) == 1


def test_a_press_that_never_ends_does_not_hold_the_news_back(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat()
    page.get_by_test_id("channel-messages").hover()
    page.mouse.down()
    ts = api.say(text="root cause found")
    expect(page.get_by_test_id(f"message-{ts}")).to_be_visible()
    page.mouse.up()


def test_the_menu_of_people_keeps_its_place_while_messages_come(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat()
    page.get_by_test_id("who").click()
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.dataset.testid")
    ts = api.say(text="news")
    expect(page.get_by_test_id(f"message-{ts}")).to_be_visible()
    assert page.evaluate("document.activeElement.dataset.testid") == chosen
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("who")).not_to_contain_text("Responder")
