"""A hand in the make-believe PagerDuty, beside the chat: page somebody, and answer there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.sandbox.pagerduty.routes import PagerDuty
from tests.fakes.pagerduty import an_account
from tests.scenarios.page.conftest import Served

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def beside(pager: ASGIApp, inner: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        there = str(scope.get("path", "")).startswith("/control/pagerduty")
        await (pager if there else inner)(scope, receive, send)

    return app


def test_somebody_is_paged_and_answers(chat: Open, served: Served, tmp_path: Path) -> None:
    pager = PagerDuty(an_account())
    assert served.app is not None
    served.app = beside(Starlette(routes=pager.routes()), served.app)
    page = chat()
    page.get_by_test_id("pager").locator("summary").click()
    page.get_by_test_id("pager-title").fill("checkout is slow")
    expect(page.get_by_test_id("pager-service")).to_contain_text("checkout (prod)")
    page.get_by_test_id("pager-open").click()
    row = page.get_by_test_id("pager-page")
    expect(row).to_contain_text("#1 checkout is slow · triggered · high urgency · Rosa Responder")
    page.get_by_test_id("pager-person").select_option("PADA001")
    row.get_by_test_id("pager-deed").select_option("note:Looking at it")
    row.get_by_test_id("pager-do").click()
    expect(row).to_contain_text("Ada Administrator: Looking at it")
    row.get_by_test_id("pager-deed").select_option("acknowledge")
    row.get_by_test_id("pager-do").click()
    expect(row).to_contain_text("acknowledged")
    row.get_by_test_id("pager-deed").select_option("resolve")
    row.get_by_test_id("pager-do").click()
    expect(row).to_contain_text("resolved")
    page.screenshot(path=tmp_path / "pager.png")
    (incident,) = pager.account.incidents.values()
    assert (incident.status, list(incident.acknowledged)) == ("resolved", ["PADA001"])
