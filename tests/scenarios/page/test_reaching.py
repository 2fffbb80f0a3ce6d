"""On a phone and without a mouse: one pane at a time, large targets, everything by keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.fakes.client_api import FakeClientApi
from tests.scenarios.page import kit

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
MIN_TARGET_PX = 40


@pytest.fixture
def phone(page: Page) -> Page:
    page.set_viewport_size({"width": 390, "height": 844})
    return page


def no_sideways_scrolling(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_phone_shows_one_pane_at_a_time(phone: Page, chat: Open, api: FakeClientApi) -> None:
    root = api.add(text="root")
    api.add(text="word " * 200 + "x" * 300, thread_ts=root)
    page = chat()
    expect(page.get_by_test_id("channel-messages")).to_be_visible()
    expect(page.locator("#sidebar")).to_be_hidden()
    page.get_by_test_id(f"replies-{root}").click()
    expect(page.get_by_test_id("thread")).to_be_visible()
    expect(page.get_by_test_id("channel-messages")).to_be_hidden()
    assert no_sideways_scrolling(page)
    page.get_by_test_id("back-channel").click()
    expect(page.get_by_test_id("channel-messages")).to_be_visible()
    page.get_by_test_id("back-menu").click()
    expect(page.get_by_test_id("channel-C0SHOP")).to_be_visible()
    expect(page.get_by_test_id("sandbox")).to_be_visible()
    assert no_sideways_scrolling(page)
    page.get_by_test_id("home").click()
    expect(page.get_by_test_id("home-view")).to_be_visible()
    page.go_back()
    page.get_by_test_id("channel-C0SHOP").click()
    expect(page.get_by_role("heading", name="#team-shop")).to_be_visible()
    expect(page.get_by_test_id("who")).to_be_visible()


def test_a_phones_targets_are_large(phone: Page, chat: Open, api: FakeClientApi) -> None:
    root = api.add(
        blocks=[kit.actions(kit.button("approve", "Approve"), kit.button("reject", "Reject…"))],
        reactions=[{"name": "eyes", "users": [], "count": 1}],
    )
    api.add(thread_ts=root, text="reply")
    page = chat()
    small = "Array.from(document.querySelectorAll('button,a[href],select,summary,textarea'))"
    small += f""".filter((node) => {{ const box = node.getBoundingClientRect();
      return box.width && box.height < {MIN_TARGET_PX} && !node.matches('.skip,.stamp'); }})
      .map((node) => node.outerHTML.slice(0, 90))"""
    assert page.evaluate(small) == []
    page.get_by_test_id("back-menu").click()
    assert page.evaluate(small) == []
    api.emit({"type": "view_opened", "view": kit.modal(kit.actions(kit.button("x")))})
    expect(page.get_by_test_id("modal")).to_be_visible()
    assert page.evaluate(small) == []
    assert page.get_by_test_id("modal").bounding_box() == {
        "x": 0, "y": 0, "width": 390, "height": 844,
    }  # fmt: skip


def test_everything_can_be_done_with_the_keyboard(chat: Open, api: FakeClientApi) -> None:
    root = api.add(text="root")
    api.add(thread_ts=root, blocks=[kit.actions(kit.button("approve", "Approve"))])
    page = chat()
    expect(page.get_by_test_id("composer")).to_be_focused()

    def tab_to(testid: str, key: str = "Tab") -> None:
        for _ in range(60):
            if page.evaluate("document.activeElement.dataset.testid") == testid:
                return
            page.keyboard.press(key)
        raise AssertionError(f"{testid} is not reached with {key}")

    tab_to(f"replies-{root}", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("thread-composer")).to_be_focused()
    tab_to("action-approve", "Shift+Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("action-approve")).to_be_enabled()
    assert len(api.called("actions")) == 1
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("thread")).to_be_hidden()
    expect(page.get_by_test_id(f"replies-{root}")).to_be_focused()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("composer")).to_be_focused()
    tab_to("who", "Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("who")).to_contain_text("Anil Approver")
    tab_to("channel-C0SHOP")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="#team-shop")).to_be_visible()


def test_every_control_has_a_name_and_ids_are_unique(chat: Open, api: FakeClientApi) -> None:
    options = [kit.option("a")]
    root = api.add(
        blocks=[
            kit.actions(
                {"type": "static_select", "action_id": "s", "options": options},
                {"type": "overflow", "action_id": "o", "options": options},
                {"type": "datepicker", "action_id": "d"},
            )
        ]
    )
    page = chat(f"#/C0INCIDENTS/{root}")
    api.emit(
        {
            "type": "view_opened",
            "view": kit.modal(
                kit.ask("why", {"type": "plain_text_input", "action_id": "p"}),
                kit.ask("day", {"type": "datepicker", "action_id": "e"}),
            ),
        }
    )
    expect(page.get_by_role("textbox", name="Why")).to_be_visible()
    expect(page.get_by_label("Day")).to_be_visible()
    nameless = """Array.from(document.querySelectorAll(
        'button,a[href],select,summary,textarea,input'))
      .filter((node) => !(node.textContent.trim() || node.getAttribute('aria-label') ||
        node.getAttribute('aria-labelledby') || node.labels?.length))
      .map((node) => node.outerHTML)"""
    assert page.evaluate(nameless) == []
    doubled = """Array.from(document.querySelectorAll('[id]')).map((node) => node.id)
      .filter((id, at, all) => all.indexOf(id) !== at)"""
    assert page.evaluate(doubled) == []


def test_both_colour_schemes_have_readable_contrast(
    browser: Browser, origin: str, api: FakeClientApi
) -> None:
    root = api.add(blocks=[kit.section("`code` <https://x.example|link> *bold* <@U0APPROVER>")])
    api.add(user="U0RESPONDER", text="text")
    for scheme in ("light", "dark"):
        context: BrowserContext = browser.new_context(base_url=origin, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto("/")
        expect(page.get_by_test_id(f"message-{root}")).to_be_visible()
        assert page.evaluate(CONTRAST) == [], scheme
        context.close()


# Text whose contrast with the nearest painted background is below WCAG AA (4.5 : 1).
CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const node of document.querySelectorAll('#app *')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.getClientRects().length || node.closest('.emoji, option')) continue;
    const colours = [parse(getComputedStyle(node).color), ground(node)];
    const [one, two] = colours.map(light).sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) bad.push(`${node.tagName}.${node.className} ${ratio} ${node.textContent}`);
  }
  return bad;
}"""
