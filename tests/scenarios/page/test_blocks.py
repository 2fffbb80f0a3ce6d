"""Block Kit: all of it is drawn, tells the app what was chosen, and never breaks the page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.client_api import FakeClientApi
from tests.scenarios.page import kit

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def test_blocks_that_only_show_something(chat: Open, api: FakeClientApi) -> None:
    image = {"type": "image", "image_url": "/slack/files/F1/a.png", "alt_text": "a graph"}
    blocks = [
        {"type": "header", "block_id": "h", "text": kit.plain("Head :eyes: <b>")},
        kit.section("*text*", fields=[kit.mrkdwn("*a*\n1"), kit.plain("b")], accessory=image),
        {"type": "divider", "block_id": "d"},
        {"type": "context", "block_id": "c", "elements": [kit.mrkdwn("small _print_"), image]},
        {**image, "block_id": "i", "title": kit.plain("The title")},
        {"type": "markdown", "block_id": "m", "text": "## Sub\n**strong**"},
        {"type": "hologram", "block_id": "x"},
        {"type": "section", "block_id": "y", "text": {"type": "mrkdwn", "text": {"no": "text"}}},
        {"type": "actions", "block_id": "z", "elements": "nonsense"},
        None,
    ]
    ts = api.add(blocks=blocks)
    after = api.add(text="still here")
    message = chat().get_by_test_id(f"message-{ts}")
    expect(message.get_by_role("heading", name="Head")).to_have_text("Head 👀 <b>")
    expect(message.locator(".field").first).to_contain_text("a\n1")
    expect(message.locator("hr")).to_have_count(1)
    expect(message.locator(".block-context em")).to_have_text("print")
    expect(message.get_by_role("button", name="Enlarge image: a graph")).to_be_visible()
    expect(message.locator("figcaption")).to_have_text("The title")
    expect(message.get_by_role("heading", name="Sub")).to_be_visible()
    expect(message.locator(".unknown")).to_contain_text(["“hologram”", "malformed", "“undefined”"])
    expect(message.page.get_by_test_id(f"message-{after}")).to_contain_text("still here")


def test_rich_text_is_drawn(chat: Open, api: FakeClientApi) -> None:
    runs = [
        {"type": "text", "text": "both", "style": {"bold": True, "italic": True}},
        {"type": "link", "url": "https://x.example/", "text": "site"},
        {"type": "link", "url": "javascript:alert(1)", "text": "trap"},
        {"type": "user", "user_id": "U0APPROVER"},
        {"type": "emoji", "name": "fire"},
        {"type": "text", "text": "x=1", "style": {"code": True}},
    ]
    lists = {
        "type": "rich_text_list",
        "style": "ordered",
        "indent": 0,
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}],
    }
    pre = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a\n  b"}]}
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]}
    section = {"type": "rich_text_section", "elements": runs}
    ts = api.add(
        blocks=[{"type": "rich_text", "block_id": "r", "elements": [section, lists, pre, quote]}]
    )
    message = chat().get_by_test_id(f"message-{ts}")
    expect(message.locator("em strong, strong em")).to_have_text("both")
    expect(message.get_by_role("link", name="site")).to_have_attribute("rel", "noopener noreferrer")
    expect(message.get_by_role("link", name="trap")).to_have_count(0)
    expect(message).to_contain_text("@Anil Approver🔥")
    expect(message.locator("ol li")).to_have_text("one")
    expect(message.locator("pre")).to_have_text("a\n  b")
    expect(message.locator("blockquote")).to_contain_text("said")


def test_attachments_are_drawn(chat: Open, api: FakeClientApi) -> None:
    ts = api.add(
        attachments=[
            {"color": "#ff0000", "blocks": [kit.section("in *blocks*")]},
            {"color": "x;background:url(//evil.example)", "text": "in <https://a.example|text>"},
        ]
    )
    message = chat().get_by_test_id(f"message-{ts}")
    expect(message.locator(".attachment strong")).to_have_text("blocks")
    expect(message.locator(".attachment").nth(1)).to_contain_text("in text")


def test_every_element_tells_the_app_what_was_chosen(chat: Open, api: FakeClientApi) -> None:
    options = [kit.option("a"), kit.option("b")]
    elements = [
        kit.button("go", value="7"),
        {"type": "static_select", "action_id": "one", "options": options},
        {"type": "multi_static_select", "action_id": "many", "options": options},
        {"type": "users_select", "action_id": "who"},
        {"type": "overflow", "action_id": "more", "options": options},
        {"type": "radio_buttons", "action_id": "radio", "options": options},
        {"type": "checkboxes", "action_id": "check", "options": options},
        {"type": "datepicker", "action_id": "day"},
    ]
    api.add(blocks=[kit.actions(element, block_id=element["action_id"]) for element in elements])
    page = chat()
    page.get_by_test_id("action-go").click()
    page.get_by_test_id("action-one").select_option("b")
    page.get_by_test_id("action-many").click()
    page.locator(".multi-list").get_by_test_id("option-a").click()
    page.locator(".multi-list").get_by_test_id("option-b").click()  # it is still open
    page.keyboard.press("Escape")
    page.get_by_test_id("action-who").select_option("U0APPROVER")
    page.get_by_test_id("action-more").click()
    page.get_by_test_id("action-more-1").click()
    page.get_by_test_id("action-radio").get_by_test_id("option-b").click()
    page.get_by_test_id("action-check").get_by_test_id("option-a").click()
    page.get_by_test_id("action-day").fill("2026-11-21")
    expect(page.locator(".notice")).to_have_count(0)
    kit.until(page, lambda: len(api.called("actions")) > len(elements))  # "many" tells twice
    told = {call["action_id"]: call for call in api.called("actions")}
    a, b = options
    assert told["go"]["value"] == "7"
    assert told["one"]["selected_option"] == b
    assert told["many"]["selected_options"] == [a, b]
    assert told["who"]["selected_user"] == "U0APPROVER"
    assert told["more"]["selected_option"] == b
    assert told["radio"]["selected_option"] == b
    assert told["check"]["selected_options"] == [a]
    assert told["day"]["selected_date"] == "2026-11-21"
    assert {call["type"] for call in told.values()} == {e["type"] for e in elements}
    assert {call["block_id"] for call in told.values()} == {e["action_id"] for e in elements}


def test_a_click_waits_for_its_acknowledgement_and_is_sent_once(
    chat: Open, api: FakeClientApi
) -> None:
    api.answering.clear()
    ts = api.add(blocks=[kit.actions(kit.button("approve", "Approve", value="p1"))])
    page = chat()
    approve = page.get_by_test_id("action-approve")
    approve.click()
    expect(approve).to_be_disabled()
    approve.click(force=True)
    approve.press("Enter")
    api.edit(ts, text="an edit must not enable it again")
    expect(approve).to_be_disabled()
    api.answering.set()
    expect(approve).to_be_enabled()
    expect(approve).to_be_focused()
    assert len(api.called("actions")) == 1


def test_an_app_that_does_not_acknowledge_is_reported(chat: Open, api: FakeClientApi) -> None:
    api.action_answer = {"ok": False, "error": "not_acknowledged"}
    ts = api.add(blocks=[kit.actions(kit.button("approve"))])
    page = chat()
    page.get_by_test_id("action-approve").click()
    expect(page.get_by_test_id(f"notice-{ts}")).to_contain_text("This app did not respond")
    api.action_answer = {"ok": True, "acked": True}
    page.get_by_test_id("action-approve").click()
    expect(page.get_by_test_id(f"notice-{ts}")).to_have_count(0)


def test_a_confirmation_comes_before_the_click_counts(chat: Open, api: FakeClientApi) -> None:
    confirm = {
        "title": kit.plain("Really?"),
        "text": kit.mrkdwn("In *prod* <script>x</script>"),
        "confirm": kit.plain("Do it"),
        "deny": kit.plain("No"),
        "style": "danger",
    }
    api.add(blocks=[kit.actions(kit.button("run", confirm=confirm))])
    page = chat()
    page.get_by_test_id("action-run").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("In prod <script>x</script>")
    expect(page.get_by_test_id("confirm-cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("confirm")).to_have_count(0)
    assert api.called("actions") == []
    page.get_by_test_id("action-run").click()
    page.get_by_test_id("confirm-ok").click()
    expect(page.get_by_test_id("confirm")).to_have_count(0)
    expect(page.get_by_test_id("action-run")).to_be_enabled()
    assert len(api.called("actions")) == 1


def test_a_link_button_opens_its_page_and_tells_the_app(chat: Open, api: FakeClientApi) -> None:
    api.add(
        blocks=[
            kit.actions(
                kit.button("graph", url="https://graphs.example/x"),
                kit.button("trap", url="javascript:alert(1)"),
            )
        ]
    )
    page = chat()
    graph = page.get_by_test_id("action-graph")
    expect(graph).to_have_attribute("href", "https://graphs.example/x")
    expect(graph).to_have_attribute("target", "_blank")
    expect(page.locator("a[data-testid=action-trap]")).to_have_count(0)


def test_files_and_images_open_large_and_have_alternative_text(
    chat: Open, api: FakeClientApi
) -> None:
    chart = {"id": "F1", "name": "p99.png", "title": "p99", "mimetype": "image/png"}
    api.add(files=[{**chart, "url_private": "/slack/files/F1/p99.png", "alt_txt": "p99 rose"}])
    log = {"id": "F2", "name": "a.log", "mimetype": "text/plain", "size": 2048}
    api.add(files=[{**log, "url_private": "http://127.0.0.1:1/slack/files/F2/a.log"}])
    page = chat()
    image = page.get_by_test_id("file-F1").get_by_role("img")
    expect(image).to_have_attribute("alt", "p99 rose")
    expect(page.get_by_test_id("file-F2")).to_contain_text("a.log2 kB")
    page.get_by_role("button", name="Enlarge image: p99 rose").click()
    expect(page.get_by_test_id("viewer").locator("img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("viewer")).to_have_count(0)
    expect(page.get_by_role("button", name="Enlarge image: p99 rose")).to_be_focused()


def test_an_image_of_another_host_is_named_and_not_fetched(chat: Open, api: FakeClientApi) -> None:
    image = {"type": "image", "block_id": "i", "image_url": "https://evil.example/x.png"}
    ts = api.add(blocks=[{**image, "alt_text": "a cat"}])
    message = chat().get_by_test_id(f"message-{ts}")
    expect(message).to_contain_text("a cat (not loaded: it is on evil.example)")
    expect(message.locator("img")).to_have_count(0)
