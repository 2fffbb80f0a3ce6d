"""Hostile text never becomes markup, a script or a request; the page runs under a strict policy."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.sandbox.page.routes import routes
from tests.fakes import client_api
from tests.fakes.client_api import FakeClientApi
from tests.scenarios.page import kit

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

ATTACK = (
    '"><img src=//evil.example/x onerror="window.hit=1"><script>window.hit=1</script>'
    "<svg onload=window.hit=1></svg>'-alert(1)-'<a href=javascript:window.hit=1>x</a>"
)


def strings(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) below `value` that holds a string to be shown."""
    kept = {"type", "action_id", "block_id", "id", "ts", "style", "mimetype", "user", "channel"}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        if isinstance(item, dict | list):
            yield from strings(item)
        elif isinstance(item, str) and key not in kept:
            yield value, key


def full_of(attack: str) -> list[kit.Json]:
    """One of each block, with the attack in every string that a sender chooses."""
    options = [{**kit.option("a"), "description": kit.plain("d")}]
    confirm = {name: kit.plain("x") for name in ("title", "text", "confirm", "deny")}
    elements = [
        kit.button("b", value="v", confirm=confirm, accessibility_label="x"),
        kit.button("u", url="https://x.example"),
        *(
            {"type": kind, "action_id": kind, "placeholder": kit.plain("x"), "options": options}
            for kind in ("static_select", "multi_static_select", "overflow", "checkboxes")
        ),
        {"type": "radio_buttons", "action_id": "r", "options": options},
        {"type": "plain_text_input", "action_id": "p", "initial_value": "x"},
    ]
    image = {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "x"}
    runs = [
        {"type": "text", "text": "x"},
        {"type": "link", "url": "x", "text": "x"},
        {"type": "emoji", "name": "x"},
        {"type": "user", "user_id": "x"},
        {"type": "odd", "text": "x"},
    ]
    rich = [
        {"type": kind, "elements": runs}
        for kind in ("rich_text_section", "rich_text_preformatted", "rich_text_quote")
    ]
    blocks: list[kit.Json] = [
        {"type": "header", "block_id": "h", "text": kit.plain("x")},
        kit.section("x", fields=[kit.mrkdwn("x"), kit.plain("x")], accessory=image),
        {"type": "context", "block_id": "c", "elements": [kit.mrkdwn("x"), image]},
        {**image, "block_id": "i", "title": kit.plain("x")},
        {"type": "markdown", "block_id": "m", "text": "x"},
        {"type": "rich_text", "block_id": "t", "elements": rich},
        kit.actions(*elements),
        kit.ask("q", {"type": "plain_text_input", "action_id": "p"}, hint=kit.plain("x")),
    ]
    for container, key in strings(blocks):
        container[key] = attack
    return [*blocks, {"type": attack, "block_id": "odd"}]


def assert_untouched(page: Page) -> None:
    assert page.evaluate("window.hit") is None
    assert (
        page.evaluate(
            "document.querySelectorAll('main script, aside script, dialog script').length"
        )
        == 0
    )
    assert (
        page.evaluate("document.querySelectorAll('[onerror],[onload],[href^=javascript]').length")
        == 0
    )
    assert page.evaluate("document.querySelectorAll('img[src*=evil]').length") == 0


def test_attacks_in_every_field_of_a_message_stay_text(chat: Open, api: FakeClientApi) -> None:
    ts = api.add(
        text=ATTACK,
        username=ATTACK,
        blocks=full_of(ATTACK),
        attachments=[{"color": ATTACK, "text": ATTACK}, {"blocks": full_of(ATTACK)}],
        files=[
            {"id": "F1", "name": ATTACK, "title": ATTACK, "mimetype": "image/png"},
            {"id": "F2", "name": ATTACK, "url_private": ATTACK, "mimetype": ATTACK},
        ],
        reactions=[{"name": ATTACK, "users": [ATTACK], "count": ATTACK}],
        edited={"user": ATTACK, "ts": ATTACK},
        reply_count=2,
        latest_reply="0",
    )
    api.add(text=ATTACK)
    api.add(text=ATTACK.replace("<", "&lt;").replace(">", "&gt;"), user=ATTACK)
    page = chat(f"#/C0INCIDENTS/{ts}")
    message = page.get_by_test_id(f"message-{ts}")
    expect(message).to_contain_text(ATTACK)
    message.get_by_test_id("action-b").first.click()
    expect(page.get_by_test_id("confirm")).to_contain_text(ATTACK)
    assert_untouched(page)
    page.get_by_test_id("confirm-cancel").click()


def test_attacks_in_modals_home_errors_and_the_panel_stay_text(
    chat: Open, api: FakeClientApi
) -> None:
    api.truth = {ATTACK: {"cause": ATTACK, ATTACK: {"x": ATTACK}}}
    api.home = {"id": "VH", "type": "home", "blocks": full_of(ATTACK)}
    api.submit_answer = {"ok": True, "response_action": "errors", "errors": {"q": ATTACK}}
    page = chat("#/home")
    expect(page.get_by_test_id("home-view")).to_contain_text(ATTACK)
    view = kit.modal(*full_of(ATTACK), title=kit.plain(ATTACK), submit=kit.plain(ATTACK))
    api.emit({"type": "view_opened", "view": view})
    expect(page.get_by_test_id("modal-title")).to_have_text(ATTACK)
    page.get_by_test_id("modal").locator(".block-input").get_by_test_id("action-p").fill(ATTACK)
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("error-q")).to_have_text(ATTACK)
    page.get_by_test_id("modal-close").click()
    page.get_by_test_id("reveal").click()
    expect(page.get_by_test_id("truth")).to_contain_text(ATTACK)
    assert_untouched(page)


def test_attacks_in_names_and_addresses_stay_text(
    chat: Open, api: FakeClientApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [{**user, "real_name": ATTACK} for user in client_api.USERS]
    channels = [{**channel, "name": ATTACK, "topic": ATTACK} for channel in client_api.CHANNELS]
    monkeypatch.setattr(client_api, "USERS", users)
    monkeypatch.setattr(client_api, "CHANNELS", channels)
    api.add(text="hello <@U0APPROVER> in <#C0SHOP>", user="U0APPROVER")
    page = chat()
    expect(page.get_by_test_id("channel-messages")).to_contain_text(f"@{ATTACK}")
    page.get_by_test_id("who").click()
    page.get_by_test_id("composer").press_sequentially("@a")
    assert_untouched(page)
    page.goto("/#/%3Cimg%20src=x%20onerror=window.hit=1%3E/%E0%A4%A")
    expect(page.get_by_text("There is no such channel.")).to_be_visible()
    assert_untouched(page)


def test_malformed_events_do_not_stop_the_page(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    for event in (
        {"type": "nonsense"},
        {"type": "message"},
        {"type": "message", "channel": "C0INCIDENTS", "message": None},
        {"type": "message_changed", "channel": "C0INCIDENTS"},
        {"type": "message_deleted"},
        {"type": "view_opened"},
        {"type": "view_closed"},
        {"type": "reaction", "channel": "CNONE", "ts": "1", "reactions": []},
        {"type": "file", "file": None},
        {"type": "__proto__"},
    ):
        api.emit(event)
    api.say(text="after all that")
    expect(page.get_by_test_id("channel-messages")).to_contain_text("after all that")


def test_the_page_forbids_what_it_does_not_need() -> None:
    client = TestClient(Starlette(routes=routes()))
    for path in ("/", "/static/main.js", "/static/base.css"):
        answer = client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_the_pages_own_files_are_served() -> None:
    client = TestClient(Starlette(routes=routes()))
    for path in ("/static/routes.py", "/static/__init__.py", "/static/../routes.py", "/static/"):
        assert client.get(path).status_code == 404
