"""One company per test: the sandbox and the bot as real processes, Chromium at the page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bot.cli.company import Company, Plan
from tests.fakes.story import Hands

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--no-first-run",
]  # fmt: skip
RATE = 60.0  # sandbox seconds per wall second: a ten-minute watch takes ten seconds


@pytest.fixture(scope="module", autouse=True)
def unhurried() -> Iterator[None]:
    """Let an investigation last long: this machine is busy with other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SRE_BOT_INVESTIGATION_SECONDS", "90")
        yield


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    home = tmp_path / "company"
    company = Company(Plan(home=home, rate=RATE))
    company.start()
    yield company
    company.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def hands(company: Company) -> Hands:
    return Hands(company)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, company: Company) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(company.url)
    yield page
    context.close()
