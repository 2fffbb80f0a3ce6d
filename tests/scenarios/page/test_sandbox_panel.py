"""The panel beside the chat: start an incident, see the clock, reveal the truth only when asked."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.client_api import FakeClientApi

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def test_an_incident_is_started_with_its_seed_and_environment(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat()
    page.get_by_test_id("incident-select").select_option("bad-image")
    expect(page.get_by_test_id("sandbox")).to_contain_text("An image that does not exist.")
    page.get_by_test_id("incident-environment").select_option("staging")
    page.get_by_test_id("incident-seed").fill("7")
    page.get_by_test_id("incident-start").click()
    expect(page.get_by_test_id("incident-status")).to_contain_text("bad-image runs in staging")
    assert api.called("control/incidents") == [
        {"incident": "bad-image", "seed": 7, "environment": "staging"}
    ]


def test_after_a_start_the_question_to_ask_is_offered_but_not_the_cause(
    chat: Open, api: FakeClientApi
) -> None:
    page = chat("#/C0GENERAL")
    page.get_by_test_id("incident-start").click()
    page.get_by_test_id("incident-ask").click()
    expect(page.get_by_test_id("composer")).to_have_value("@sre-bot why is cart slow in prod?")
    expect(page.get_by_role("heading", name="#incidents")).to_be_visible()
    expect(page.get_by_text("the secret")).to_have_count(0)
    assert api.called("messages") == []


def test_the_clock_runs_at_its_rate_in_the_readers_zone(chat: Open) -> None:
    page = chat()
    clock = page.get_by_test_id("sandbox-clock")
    expect(clock).to_contain_text("14:30:")
    expect(clock).to_contain_text("10\N{MULTIPLICATION SIGN}")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)


def test_the_truth_is_hidden_until_it_is_asked_for(chat: Open, api: FakeClientApi) -> None:
    page = chat()
    expect(page.get_by_test_id("truth")).to_be_empty()
    page.get_by_test_id("reveal").click()
    expect(page.get_by_test_id("truth")).to_contain_text("slow_query")
    api.truth = {}
    page.get_by_test_id("incident-start").click()
    expect(page.get_by_test_id("truth")).to_be_empty()
    page.get_by_test_id("reveal").click()
    expect(page.get_by_test_id("truth")).to_contain_text("Nothing is broken")
