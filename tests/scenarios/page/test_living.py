"""What changes while one looks: edits, deletions, threads, people, lost connections."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.client_api import FakeClientApi
from tests.scenarios.page import kit
from tests.scenarios.page.conftest import Watch

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def be(page: Page, user: str) -> None:
    page.get_by_test_id("who").click()
    page.get_by_test_id(f"as-{user}").click()
    expect(page.locator("#banner")).to_be_hidden()


def test_edits_show_live_and_are_marked(chat: Open, api: FakeClientApi) -> None:
    ts = api.add(text="investigating, 3 s")
    message = chat().get_by_test_id(f"message-{ts}")
    expect(message).not_to_contain_text("(edited)")
    api.edit(ts, blocks=[kit.section("*root cause found*")])
    expect(message).to_contain_text("root cause found")
    expect(message).to_contain_text("(edited)")
    expect(message).to_have_count(1)


def test_deleted_messages_go_and_a_root_with_replies_leaves_a_trace(
    chat: Open, api: FakeClientApi
) -> None:
    single, root = api.add(text="single"), api.add(text="root")
    api.add(text="reply", thread_ts=root)
    page = chat()
    expect(page.get_by_test_id(f"replies-{root}")).to_contain_text("1 reply")
    api.delete(single)
    api.delete(root)
    expect(page.get_by_test_id(f"message-{single}")).to_have_count(0)
    expect(page.get_by_test_id(f"message-{root}")).to_contain_text("This message was deleted.")
    expect(page.get_by_test_id(f"replies-{root}")).to_be_visible()


def test_replies_are_counted_once_and_shown_in_the_open_thread(
    chat: Open, api: FakeClientApi
) -> None:
    root = api.add(text="root")
    page = chat()
    reply = api.say(text="first", thread_ts=root)
    api.emit(
        {
            "type": "message",
            "channel": "C0INCIDENTS",
            "message": api.rooms["C0INCIDENTS"][reply],
        }
    )
    expect(page.get_by_test_id(f"replies-{root}")).to_contain_text("1 reply")
    page.get_by_test_id(f"replies-{root}").click()
    thread = page.get_by_test_id("thread")
    expect(thread.get_by_test_id(f"message-{reply}")).to_contain_text("first")
    api.say(text="second", thread_ts=root)
    expect(thread).to_contain_text("second")
    expect(page.get_by_test_id(f"replies-{root}")).to_contain_text("2 replies")
    api.emit(
        {"type": "status", "channel": "C0INCIDENTS", "thread_ts": root, "status": "is looking…"}
    )
    expect(page.get_by_test_id("thread-status")).to_have_text("sre-bot is looking…")
    api.say(text="third", thread_ts=root)
    expect(page.get_by_test_id("thread-status")).to_be_empty()


def test_a_permalink_opens_the_thread_and_shows_the_reply(chat: Open, api: FakeClientApi) -> None:
    root = api.add(text="root")
    reply = api.add(text="the reply", thread_ts=root)
    for route in (
        f"#/C0INCIDENTS/{root}/{reply}",
        f"#/C0INCIDENTS/{reply}",
        f"?channel=C0INCIDENTS&ts={reply}&thread_ts={root}",
    ):
        page = chat(route)
        expect(page.get_by_test_id("thread").get_by_test_id(f"message-{reply}")).to_be_visible()
        assert page.url.endswith(f"/#/C0INCIDENTS/{root}/{reply}")
        page.goto("about:blank")
    link = f"/archives/C0INCIDENTS/p{reply.replace('.', '')}?thread_ts={root}"
    ts = api.add(text=f"see <{page.url}|x>")
    page = chat("#/C0INCIDENTS")
    api.say("C0INCIDENTS", text=f"see <{page.url.split('/#')[0]}{link}|that>")
    page.get_by_role("link", name="that", exact=True).click()
    expect(page.get_by_test_id("thread").get_by_test_id(f"message-{reply}")).to_be_visible()
    assert ts


def test_ephemeral_messages_are_for_one_person_only(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    channel = "C0INCIDENTS"
    ts = api.add(text="⛔ Not run", ephemeral_to="U0RESPONDER")
    shown = {k: v for k, v in api.rooms[channel][ts].items() if k != "ephemeral_to"}
    api.emit({"type": "ephemeral", "channel": channel, "message": shown}, "U0RESPONDER")
    expect(page.get_by_test_id(f"message-{ts}")).to_contain_text("Only visible to you")
    be(page, "U0APPROVER")
    expect(page.get_by_test_id(f"message-{ts}")).to_have_count(0)
    be(page, "U0RESPONDER")
    expect(page.get_by_test_id(f"message-{ts}")).to_contain_text("Only visible to you")


def test_who_one_is_goes_with_every_call_and_survives_a_reload(
    chat: Open, api: FakeClientApi
) -> None:
    api.add(blocks=[kit.actions(kit.button("approve"))])
    page = chat()
    for user in ("U0APPROVER", "U0ADMIN", "U0OBSERVER", "U0GUEST", "U0RESPONDER"):
        be(page, user)
        page.get_by_test_id("action-approve").click()
        expect(page.get_by_test_id("action-approve")).to_be_enabled()
        assert api.called("actions")[-1]["user"] == user
    be(page, "U0OBSERVER")
    page.reload()
    expect(page.get_by_test_id("who")).to_contain_text("Otto Observer")


def test_a_lost_stream_reconnects_and_nothing_is_missed(
    chat: Open, api: FakeClientApi, watch: Watch
) -> None:
    watch.allowed.append("Failed to load resource|EventSource|ERR_INCOMPLETE_CHUNKED")
    root = api.add(text="before")
    page = chat(f"#/C0INCIDENTS/{root}")
    api.drop_streams(refuse=True)
    expect(page.locator("#banner")).to_contain_text("Reconnecting")
    missed = api.say(text="missed meanwhile")
    reply = api.say(text="missed reply", thread_ts=root)
    api.edit(root, text="edited meanwhile")
    page.get_by_test_id("composer").fill("sent without a stream")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("channel-messages")).to_contain_text("sent without a stream")
    api.streams_refused = False
    expect(page.locator("#banner")).to_be_hidden(timeout=10_000)
    expect(page.get_by_test_id(f"message-{missed}")).to_be_visible()
    expect(page.get_by_test_id("thread").get_by_test_id(f"message-{reply}")).to_be_visible()
    expect(page.get_by_test_id(f"message-{root}")).to_contain_text("edited meanwhile")
    api.say(text="live again")
    expect(page.get_by_test_id("channel-messages")).to_contain_text("live again")


def test_reactions_are_added_and_taken_back(chat: Open, api: FakeClientApi) -> None:
    ts = api.add(text="a message")
    page = chat()
    message = page.get_by_test_id(f"message-{ts}")
    message.hover()
    page.get_by_test_id(f"react-{ts}").click()
    message.get_by_role("button", name="eyes").click()
    expect(message.get_by_test_id("reaction-eyes")).to_contain_text("1")
    message.get_by_test_id("reaction-eyes").click()
    expect(message.get_by_test_id("reaction-eyes")).to_have_count(0)


def test_other_channels_count_what_one_has_not_read(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    api.say("C0SHOP", text="psst", user="U0APPROVER")
    api.say("C0SHOP", text="psst again", user="U0APPROVER")
    shop = page.get_by_test_id("channel-C0SHOP")
    expect(shop).to_have_accessible_name("team-shop, 2 unread")
    shop.click()
    expect(page.get_by_test_id("channel-messages")).to_contain_text("psst again")
    expect(shop).to_have_accessible_name("team-shop")


def test_new_messages_are_announced_politely(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    api.say(text="<https://x.example|a link> and *news*")
    expect(page.locator("#announcer[aria-live=polite]")).to_contain_text("sre-bot: a link and")


def test_reading_old_messages_is_not_disturbed_by_new_ones(chat: Open, api: FakeClientApi) -> None:
    for number in range(60):
        api.add(text=f"message {number}", user=f"U{number}")
    page = chat()
    scroller = page.get_by_test_id("channel-messages")
    expect(scroller.get_by_text("message 59", exact=True)).to_be_in_viewport()
    api.say(text="at the end")
    expect(scroller.get_by_text("at the end")).to_be_in_viewport()
    scroller.evaluate(
        """node => new Promise(done => {
            node.addEventListener("scroll", () => done(), { once: true });
            node.scrollTop = 0;
        })"""
    )
    api.say(text="one more")
    page.get_by_role("button", name="New messages").click()
    expect(scroller.get_by_text("one more")).to_be_in_viewport()
