"""The Block Kit checker refuses what Slack refuses and passes what Slack takes."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.workspace.blockkit import Surface, check, check_view

Json = dict[str, Any]


def plain(text: str = "Go") -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "*hi*") -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", **(more or {"text": mrkdwn()})}


def button(action_id: str = "a", **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(), **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def option(value: str = "v", text: str = "T", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def select(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "s", **(more or {"options": [option()]})}


def given_input(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("Why"), "element": element, **more}


TEXT_INPUT = {"type": "plain_text_input", "action_id": "t"}
RICH = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "user", "user_id": "U1"}, {"type": "emoji", "name": "x"}],
                }
            ],
        },
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "kubectl"}]},
    ],
}
CONFIRM = {
    "title": plain("Sure?"),
    "text": mrkdwn("It rolls back."),
    "confirm": plain("Yes"),
    "deny": plain("No"),
}

GOOD: dict[str, list[Json]] = {
    "nothing": [],
    "divider": [{"type": "divider"}],
    "header": [{"type": "header", "text": plain("x" * 150)}],
    "longest section": [section(text=mrkdwn("x" * 3000))],
    "ten fields": [section(fields=[mrkdwn("x" * 1000)] * 10)],
    "longest field": [section(fields=[mrkdwn("x" * 2000)])],
    "accessory": [section(text=mrkdwn(), accessory=button(value="v" * 2000))],
    "styles and confirm": [actions(button("a", style="primary", confirm=CONFIRM), button("b"))],
    "25 buttons": [actions(*(button(str(i)) for i in range(25)))],
    "link button": [actions(button(url="https://x.example/1"))],
    "context": [{"type": "context", "elements": [mrkdwn(), plain()]}],
    "image": [{"type": "image", "image_url": "https://x.example/a.png", "alt_text": "p99"}],
    "slack file": [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "p99"}],
    "rich text": [RICH],
    "markdown": [{"type": "markdown", "text": "**bold**" * 1000}],
    "table": [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}],
    "select": [actions(select(options=[option(str(i)) for i in range(100)]))],
    "groups": [actions(select(option_groups=[{"label": plain(), "options": [option()]}]))],
    "radio": [actions({"type": "radio_buttons", "action_id": "r", "options": [option()]})],
    "overflow": [section(text=mrkdwn(), accessory={
        "type": "overflow", "action_id": "o", "options": [option(url="https://x.example")]})],
    "users select": [actions({"type": "users_select", "action_id": "u"})],
    "input in a message": [given_input(TEXT_INPUT)],
    "plan": [{"type": "plan", "title": "Steps", "tasks": [
        {"type": "task_card", "task_id": "1", "title": "look", "status": "complete"}]}],
    "context actions": [{"type": "context_actions", "elements": [
        {"type": "feedback_buttons", "action_id": "f",
         "positive_button": {"text": plain("Right"), "value": "1"},
         "negative_button": {"text": plain("Wrong"), "value": "0"}}]}],
    "50 blocks": [{"type": "divider"}] * 50,
    "the same action id in two blocks": [actions(button("a")), actions(button("a"))],
}  # fmt: skip

BAD: dict[str, tuple[Any, str]] = {
    "no list": ({"type": "divider"}, "/blocks"),
    "none": (None, "/blocks"),
    "text for a block": (["x"], "/blocks/0"),
    "unknown type": ([{"type": "sektion"}], "/blocks/0/type"),
    "no type": ([{"text": mrkdwn()}], "/blocks/0/type"),
    "type of another kind": ([{"type": ["section"]}], "/blocks/0/type"),
    "51 blocks": ([{"type": "divider"}] * 51, "/blocks"),
    "unknown property": ([section(text=mrkdwn(), colour="red")], "/blocks/0"),
    "empty section": ([{"type": "section"}], "/blocks/0"),
    "empty text": ([section(text=mrkdwn(""))], "/blocks/0/text/text"),
    "long section": ([section(text=mrkdwn("x" * 3001))], "/blocks/0/text/text"),
    "mrkdwn header": ([{"type": "header", "text": mrkdwn()}], "/blocks/0/text/type"),
    "long header": ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
    "eleven fields": ([section(fields=[mrkdwn()] * 11)], "/blocks/0/fields"),
    "long field": ([section(fields=[mrkdwn("x" * 2001)])], "/blocks/0/fields/0/text"),
    "empty actions": ([actions()], "/blocks/0/elements"),
    "26 buttons": ([actions(*(button(str(i)) for i in range(26)))], "/blocks/0/elements"),
    "mrkdwn button": ([actions(button(text=mrkdwn()))], "/blocks/0/elements/0/text/type"),
    "long button": ([actions(button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text"),
    "long value": ([actions(button(value="x" * 2001))], "/blocks/0/elements/0/value"),
    "number value": ([actions(button(value=7))], "/blocks/0/elements/0/value"),
    "unknown style": ([actions(button(style="green"))], "/blocks/0/elements/0/style"),
    "disabled": ([actions(button(disabled=True))], "/blocks/0/elements/0"),
    "duplicate action": ([actions(button("a"), button("a"))], "/blocks/0/elements"),
    "duplicate block": ([{"type": "divider", "block_id": "b"}] * 2, "/blocks"),
    "long block id": ([{"type": "divider", "block_id": "b" * 256}], "/blocks/0/block_id"),
    "no alt text": ([{"type": "image", "image_url": "https://x"}], "/blocks/0"),
    "image of nothing": ([{"type": "image", "alt_text": "x"}], "/blocks/0"),
    "image of two": ([{"type": "image", "alt_text": "x", "image_url": "https://x",
                       "slack_file": {"id": "F1"}}], "/blocks/0"),
    "eleven in context": ([{"type": "context", "elements": [mrkdwn()] * 11}], "/blocks/0/elements"),
    "button in context": ([{"type": "context", "elements": [button()]}],
                          "/blocks/0/elements/0/type"),
    "101 options": ([actions(select(options=[option(str(i)) for i in range(101)]))],
                    "/blocks/0/elements/0/options"),
    "no options": ([actions({"type": "static_select", "action_id": "s"})], "/blocks/0/elements/0"),
    "options and groups": ([actions(select(options=[option()], option_groups=[
        {"label": plain(), "options": [option()]}]))], "/blocks/0/elements/0"),
    "long option": ([actions(select(options=[option(text="x" * 76)]))],
                    "/blocks/0/elements/0/options/0/text/text"),
    "long option value": ([actions(select(options=[option("x" * 151)]))],
                          "/blocks/0/elements/0/options/0/value"),
    "same option twice": ([actions(select(options=[option(), option()]))],
                          "/blocks/0/elements/0/options"),
    "initial option not offered": ([actions(select(
        options=[option()], initial_option=option("w")))], "/blocks/0/elements/0"),
    "long confirm": ([actions(button(confirm=CONFIRM | {"title": plain("x" * 101)}))],
                     "/blocks/0/elements/0/confirm/title/text"),
    "file block": ([{"type": "file", "external_id": "x", "source": "remote"}], "/blocks/0/type"),
    "two tables": ([{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}] * 2,
                   "/blocks"),
    "long markdown": ([{"type": "markdown", "text": "x" * 12_001}], "/blocks/0/text"),
    "much markdown": ([{"type": "markdown", "text": "x" * 7000}] * 2, "/blocks"),
    "too much together": ([section(text=mrkdwn("x" * 2900))] * 5, "/blocks"),
    "bad rich text": ([{"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}],
                      "/blocks/0/elements/0/type"),
    "file input in a message": ([given_input({"type": "file_input", "action_id": "f"})],
                                "/blocks/0/element"),
}  # fmt: skip


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Why"), "blocks": list(blocks), **more}


GOOD_VIEWS: dict[str, Json] = {
    "modal": modal(section()),
    "form": modal(given_input(TEXT_INPUT), submit=plain("Send"), close=plain("No")),
    "metadata": modal(
        section(), private_metadata="x" * 3000, callback_id="c", notify_on_close=True
    ),
    "file input": modal(
        given_input({"type": "file_input", "action_id": "f"}), submit=plain("Send")
    ),
    "home": {"type": "home", "blocks": [section()] * 100},
}

BAD_VIEWS: dict[str, tuple[Any, str]] = {
    "not a view": ("x", "/view"),
    "message": ({"type": "message", "blocks": []}, "/view"),
    "no title": ({"type": "modal", "blocks": []}, "/view"),
    "long title": (modal(title=plain("x" * 25)), "/view/title/text"),
    "mrkdwn title": (modal(title=mrkdwn()), "/view/title/type"),
    "input without submit": (modal(given_input(TEXT_INPUT)), "/view"),
    "long metadata": (modal(private_metadata="x" * 3001), "/view/private_metadata"),
    "101 blocks": (modal(*[{"type": "divider"}] * 101), "/view/blocks"),
    "bad block": (modal(section(text=mrkdwn(""))), "/view/blocks/0/text/text"),
    "markdown in a modal": (modal({"type": "markdown", "text": "x"}), "/view/blocks/0/type"),
    "id of the server": (modal(id="V1"), "/view"),
    "home with title": ({"type": "home", "title": plain(), "blocks": []}, "/view"),
    "blocks missing": ({"type": "home"}, "/view"),
    "lengths crossed": (
        modal(given_input(TEXT_INPUT | {"min_length": 9, "max_length": 3}), submit=plain()),
        "/view/blocks/0/element",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_slack_takes_passes(name: str) -> None:
    assert check(GOOD[name], surface="message") == []


@pytest.mark.parametrize("name", BAD)
def test_what_slack_refuses_is_refused_and_named(name: str) -> None:
    blocks, pointer = BAD[name]
    found = check(blocks, surface="message")
    assert any(f"[json-pointer:{pointer}]" in message for message in found), found


@pytest.mark.parametrize("name", GOOD_VIEWS)
def test_good_views_pass(name: str) -> None:
    assert check_view(GOOD_VIEWS[name]) == []


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_bad_views_are_refused_and_named(name: str) -> None:
    view, pointer = BAD_VIEWS[name]
    found = check_view(view)
    assert any(f"[json-pointer:{pointer}]" in message for message in found), found


def test_a_modal_holds_twice_as_many_blocks_as_a_message() -> None:
    blocks = [{"type": "divider"}] * 100
    assert check(blocks, surface="message")
    assert check(blocks, surface="modal") == check(blocks, surface="home") == []


def test_a_typical_message_is_checked_in_two_milliseconds() -> None:
    blocks = [*GOOD["ten fields"], *GOOD["25 buttons"], *GOOD["rich text"], *GOOD["select"]] * 2
    check(blocks, surface="message")  # reads the schema
    start = time.perf_counter()
    for _ in range(20):
        check(GOOD["styles and confirm"] * 5, surface="message")
    assert (time.perf_counter() - start) / 20 < 0.02  # generous: the machine is shared


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "text",
                    "elements",
                    "options",
                    "fields",
                    "element",
                    "value",
                    "block_id",
                    "rows",
                ]
            ),
            inner
            | st.sampled_from(
                ["section", "actions", "mrkdwn", "plain_text", "button", "static_select", "table"]
            ),
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(blocks=_JSON, surface=st.sampled_from(["message", "modal", "home"]))
@settings(max_examples=300, deadline=None)
def test_any_json_is_judged_without_an_exception(blocks: Any, surface: Surface) -> None:
    assert isinstance(check(blocks, surface=surface), list)
    assert isinstance(check_view({"type": "modal", "title": plain(), "blocks": blocks}), list)
    assert isinstance(check_view(blocks), list)
