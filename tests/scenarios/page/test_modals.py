"""Modals and App Home: fields, errors beside them, updates that keep what was typed, stacks."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.client_api import FakeClientApi
from tests.scenarios.page import kit

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

REASON = kit.ask("why", {"type": "plain_text_input", "action_id": "reason", "multiline": True})
ME = "U0RESPONDER"


def show(api: FakeClientApi, view: kit.Json, kind: str = "view_opened") -> None:
    api.emit({"type": kind, "user": ME, "view": view}, ME)


def test_a_modal_sends_the_state_of_every_field(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    options = [kit.option("a"), kit.option("b")]
    show(
        api,
        kit.modal(
            REASON,
            kit.ask("pick", {"type": "static_select", "action_id": "s", "options": options}),
            kit.ask(
                "many",
                {
                    "type": "multi_static_select",
                    "action_id": "m",
                    "options": options,
                    "initial_options": [options[0]],
                },
            ),
            kit.ask("radio", {"type": "radio_buttons", "action_id": "r", "options": options}),
            kit.ask("check", {"type": "checkboxes", "action_id": "c", "options": options}),
            kit.ask("day", {"type": "datepicker", "action_id": "d"}, optional=True),
            kit.ask("who", {"type": "users_select", "action_id": "u"}, optional=True),
        ),
    )
    dialog = page.get_by_role("dialog", name="A question")
    expect(dialog.get_by_label("Why")).to_be_focused()
    dialog.get_by_label("Why").fill("because\nof this")
    dialog.get_by_test_id("action-s").select_option("b")
    dialog.get_by_test_id("action-r").get_by_test_id("option-a").click()
    dialog.get_by_test_id("action-c").get_by_test_id("option-a").click()
    dialog.get_by_test_id("action-c").get_by_test_id("option-b").click()
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("modal")).to_have_count(0)
    (call,) = api.called("views/submit")
    a, b = options
    assert call["view_id"] == "V1"
    assert call["state"]["values"] == {
        "why": {"reason": {"type": "plain_text_input", "value": "because\nof this"}},
        "pick": {"s": {"type": "static_select", "selected_option": b}},
        "many": {"m": {"type": "multi_static_select", "selected_options": [a]}},
        "radio": {"r": {"type": "radio_buttons", "selected_option": a}},
        "check": {"c": {"type": "checkboxes", "selected_options": [a, b]}},
        "day": {"d": {"type": "datepicker", "selected_date": None}},
        "who": {"u": {"type": "users_select", "selected_user": None}},
    }


def test_errors_of_a_submission_stand_beside_their_fields(chat: Open, api: FakeClientApi) -> None:
    api.submit_answer = {
        "ok": True,
        "response_action": "errors",
        "errors": {"why": "Say more <b>please</b>"},
    }
    page = chat()
    show(api, kit.modal(REASON))
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("error-why")).to_contain_text("complete this required field")
    assert api.called("views/submit") == []
    field = page.get_by_test_id("action-reason")
    field.fill("no")
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("error-why")).to_have_text("Say more <b>please</b>")
    expect(field).to_have_value("no")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("Say more <b>please</b>")
    api.submit_answer = {"ok": True}
    field.fill("no, because")
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("modal")).to_have_count(0)


def test_a_submission_that_is_not_acknowledged_keeps_the_modal(
    chat: Open, api: FakeClientApi
) -> None:
    api.submit_answer = {"ok": False, "error": "not_acknowledged"}
    page = chat()
    show(api, kit.modal(REASON))
    page.get_by_test_id("action-reason").fill("text")
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("modal-problem")).to_contain_text("did not respond")
    expect(page.get_by_test_id("action-reason")).to_have_value("text")


def test_an_updated_view_keeps_what_was_typed(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    show(api, kit.modal(REASON))
    field = page.get_by_test_id("action-reason")
    field.fill("half a th")
    show(api, kit.modal(kit.section("now with *news*"), REASON), "view_updated")
    expect(page.get_by_test_id("modal")).to_contain_text("now with news")
    expect(field).to_have_value("half a th")
    expect(field).to_be_focused()
    page.keyboard.type("ought")
    expect(field).to_have_value("half a thought")


def test_a_pushed_view_lies_on_top_and_going_back_shows_the_first(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat()
    show(api, kit.modal(REASON))
    page.get_by_test_id("action-reason").fill("kept")
    show(api, kit.modal(kit.section("second"), view_id="V2", previous_view_id="V1", submit=None))
    expect(page.get_by_test_id("modal")).to_contain_text("second")
    expect(page.get_by_test_id("modal-submit")).to_have_count(0)
    page.get_by_test_id("modal-cancel").click()
    expect(page.get_by_test_id("action-reason")).to_have_value("kept")
    page.get_by_test_id("modal-close").click()
    expect(page.get_by_test_id("modal")).to_have_count(0)
    kit.until(page, lambda: len(api.called("views/close")) >= 2)
    assert [call["view_id"] for call in api.called("views/close")] == ["V2", "V1"]


def test_clear_closes_every_view(chat: Open, api: FakeClientApi) -> None:
    api.submit_answer = {"ok": True, "response_action": "clear"}
    page = chat()
    show(api, kit.modal(REASON))
    show(api, kit.modal(kit.section("second"), view_id="V2", previous_view_id="V1"))
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("modal")).to_have_count(0)
    show(api, kit.modal(REASON, view_id="V3"))
    expect(page.get_by_test_id("modal")).to_be_visible()
    api.emit({"type": "view_closed", "user": ME, "view": {"id": "V3"}}, ME)
    expect(page.get_by_test_id("modal")).to_have_count(0)


def test_escape_closes_and_tab_stays_inside(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    show(api, kit.modal(REASON))
    expect(page.get_by_test_id("action-reason")).to_be_focused()
    inside = "document.querySelector('[data-testid=modal]').contains(document.activeElement)"
    for key in ["Tab"] * 6 + ["Shift+Tab"] * 6:
        page.keyboard.press(key)
        assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("modal")).to_have_count(0)
    expect(page.get_by_test_id("composer")).to_be_focused()


def test_buttons_in_a_modal_name_the_view(chat: Open, api: FakeClientApi) -> None:
    api.action_answer = {"ok": False, "error": "not_acknowledged"}
    page = chat()
    show(api, kit.modal(kit.actions(kit.button("more", value="1")), REASON))
    page.get_by_test_id("action-reason").fill("kept")
    page.get_by_test_id("modal").get_by_test_id("action-more").click()
    expect(page.get_by_test_id("modal-problem")).to_contain_text("did not respond")
    expect(page.get_by_test_id("action-reason")).to_have_value("kept")
    (call,) = api.called("actions")
    assert call["view_id"] == "V1"
    assert "channel" not in call


def test_app_home_is_drawn_updated_and_clickable(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    page.get_by_test_id("home").click()
    expect(page.get_by_test_id("home-view")).to_contain_text("not published anything")
    view = {
        "id": "VH",
        "type": "home",
        "blocks": [kit.section("one"), kit.actions(kit.button("k"))],
    }
    api.emit({"type": "home_published", "user": ME, "view": view}, ME)
    page.get_by_test_id("action-k").click()
    expect(page.get_by_test_id("action-k")).to_be_enabled()
    view["blocks"] = [kit.section("two")]
    api.emit({"type": "home_published", "user": ME, "view": view}, ME)
    expect(page.get_by_test_id("home-view")).to_contain_text("two")
    assert api.called("actions")[0]["view_id"] == "VH"
