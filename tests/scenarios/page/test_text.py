"""How texts are drawn: mrkdwn, Markdown and dates; hostile text stays text and stays fast."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.client_api import FakeClientApi
from tests.scenarios.page import kit

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

DRAW = """async ([module, name, text]) => {
  const draw = (await import(`/static/${module}.js`))[name];
  const names = { me: {id: 'U1'}, tz: 'Europe/Berlin', now: () => 1795262400,
    users: new Map(), channels: new Map([['C1', {}]]),
    userName: (id, other) => (id === 'U1' ? 'Rosa' : other),
    channelName: (id, other) => (id === 'C1' ? 'shop' : other),
    groupName: (id, other) => other };
  const box = document.createElement('div');
  const start = performance.now();
  box.append(draw(text, names));
  const ms = performance.now() - start;
  return { html: box.innerHTML.replaceAll('\\n', ''), text: box.textContent, ms };
}"""


@pytest.fixture
def draw(chat: Open) -> Callable[..., dict[str, Any]]:
    page = chat()
    return lambda text, module="mrkdwn", name="mrkdwn": page.evaluate(DRAW, [module, name, text])


def line(html: str) -> str:
    return f'<span class="line">{html}</span>'


LINK = 'class="link" target="_blank" rel="noopener noreferrer"'


def test_mrkdwn_is_drawn_as_slack_draws_it(draw: Callable[..., dict[str, Any]]) -> None:
    expected = {
        "*bold* _italic_ ~gone~": "<strong>bold</strong> <em>italic</em> <s>gone</s>",
        "*bold _and italic_*": "<strong>bold <em>and italic</em></strong>",
        "snake_case_name and 2*3*4": "snake_case_name and 2*3*4",
        "* not bold * _": "* not bold * _",
        "(*bold*), *bold*.": "(<strong>bold</strong>), <strong>bold</strong>.",
        "`code *not bold* &lt;b&gt;`": "<code>code *not bold* &lt;b&gt;</code>",
        "a &amp;&lt;&gt; b": "a &amp;&lt;&gt; b",
        "&amp;lt;": "&amp;lt;",
        "<https://x.example/a?b=1&amp;c=2|the *link*>": (
            f'<a href="https://x.example/a?b=1&amp;c=2" {LINK}>the *link*</a>'
        ),
        "see https://x.example/a.": (
            f'see <a href="https://x.example/a" {LINK}>https://x.example/a</a>.'
        ),
        "*<https://x.example/|x>*": f'<strong><a href="https://x.example/" {LINK}>x</a></strong>',
        "<javascript:alert(1)|click>": "&lt;javascript:alert(1)|click&gt;",
        "<data:text/html,x|click>": "&lt;data:text/html,x|click&gt;",
        "<@U1> <@U2|otto>": (
            '<span class="mention mine">@Rosa</span> <span class="mention">@otto</span>'
        ),
        "<#C1> <#C9|gone>": (
            '<a class="mention" href="#/C1">#shop</a> <span class="mention">#gone</span>'
        ),
        "<!subteam^S1|@sre>": '<span class="mention">@sre</span>',
        "<!here>": '<span class="mention mine">@here</span>',
        ":nonsense: 14:03:22": ":nonsense: 14:03:22",
        "<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
    }
    drawn = {text: draw(text)["html"] for text in expected}
    assert drawn == {text: line(html) for text, html in expected.items()}


def test_emoji_have_names_for_screen_readers(draw: Callable[..., dict[str, Any]]) -> None:
    assert 'role="img" aria-label="red circle"' in draw(":red_circle: broken")["html"]


def test_code_blocks_quotes_and_lists_keep_their_lines(
    draw: Callable[..., dict[str, Any]],
) -> None:
    assert draw("a\n```x *y*\n  &lt;z&gt;```\nb")["html"] == (
        line("a") + '<pre tabindex="0">x *y*  &lt;z&gt;</pre>' + line("b")
    )
    assert draw("&gt; one\n&gt; two\nthree")["html"] == (
        f'<blockquote class="quote">{line("one")}{line("two")}</blockquote>{line("three")}'
    )
    assert draw("&gt;&gt;&gt; all\nthe rest")["html"].startswith('<blockquote class="quote">')
    assert draw("• one\n1  two")["html"].count('class="line item') == 2
    assert draw("```never closed")["text"] == "```never closed"


def test_dates_are_written_in_the_readers_zone(draw: Callable[..., dict[str, Any]]) -> None:
    assert draw("<!date^1795262400^{date_num} {time}|x>")["text"].strip() == "2026-11-21 13:00"
    assert draw("<!date^1795262400^{date_pretty} at {time_secs}|x>")["text"].strip() == (
        "today at 13:00:00"
    )
    assert draw("<!date^1795258800^{ago}|x>")["text"].strip() == "1 hour ago"
    assert draw("<!date^soon^{time}|fallback>")["text"].strip() == "fallback"


HOSTILE = [
    "*a " * 14_000,
    "_*~" * 14_000,
    "<" * 40_000,
    "`" * 39_999,
    ":a" * 20_000,
    "http://" * 6_000,
    "> " * 20_000,
    "*a" + "`" * 20_000 + "<" * 20_000,
    "[a](" * 10_000,
    "**a" * 13_000,
    "\n" * 40_000,
]


def test_hostile_text_is_drawn_quickly(draw: Callable[..., dict[str, Any]]) -> None:
    slow = {
        f"{module}: {hostile[:6]!r}": ms
        for hostile in HOSTILE
        for module in ("mrkdwn", "markdown")
        if (ms := draw(hostile, module, module)["ms"]) > 1500
    }
    assert slow == {}


def test_markdown_is_drawn(draw: Callable[..., dict[str, Any]]) -> None:
    text = (
        "# Title\nsome **bold** and `code` [site](https://x.example)\n\n- one\n- two\n\n> quoted\n"
    )
    html = draw(
        text + "\n```\nraw **x**\n```\n| a | b |\n|---|---|\n| 1 | 2 |", "markdown", "markdown"
    )["html"]
    for part in (
        '<h3 class="block-header">Title</h3>',
        "<strong>bold</strong>",
        "<code>code</code>",
        f'<a href="https://x.example/" {LINK}>site</a>',
        '<li class="indent-0">one</li>',
        '<blockquote class="quote">',
        "raw **x**",
        "<th>a</th>",
        "<td>2</td>",
    ):
        assert part in html
    assert "href" not in draw("[x](javascript:alert(1))", "markdown", "markdown")["html"]


def test_what_a_person_typed_is_drawn_from_its_text(chat: Open, api: FakeClientApi) -> None:
    block = {
        "type": "rich_text",
        "block_id": "typed",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "*look* here"}]}
        ],
    }
    ts = api.add(user="U0APPROVER", text="*look* here", client_msg_id="x", blocks=[block])
    page = chat()
    expect(page.get_by_test_id(f"message-{ts}").locator("strong")).to_have_text("look")


def test_times_change_with_the_person(chat: Open, api: FakeClientApi) -> None:
    ts = api.add(blocks=[kit.section("since <!date^1795262400^{time}|x>")])
    page = chat()
    expect(page.get_by_test_id(f"message-{ts}")).to_contain_text("since 13:00")
    page.get_by_test_id("who").click()
    page.get_by_test_id("as-U0APPROVER").click()
    expect(page.get_by_test_id(f"message-{ts}")).to_contain_text("since 17:30")
