"""The page in headless Chromium against the fake client API.

Every test that uses `page` also proves a quiet console, and no request to another host.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    TimeoutError,
    expect,
    sync_playwright,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fakes.client_api import FakeClientApi, ServerThread

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
LOADED_AGAIN = 3  # pods that come and go change the machine's network again and again


@dataclass
class Watch:
    """What a page did that it must not do."""

    origin: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    # Chromium says so when the machine's interfaces change during a test; not the page's doing.
    allowed: list[str] = field(default_factory=lambda: ["ERR_NETWORK_CHANGED"])

    def attach(self, page: Page) -> None:
        page.on("request", lambda request: self.request(request.url))
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("console", lambda line: self.console(line.type, line.text))

    def request(self, url: str) -> None:
        if not url.startswith((self.origin, "blob:" + self.origin)):
            self.foreign.append(url)

    def console(self, kind: str, text: str) -> None:
        expected = any(re.search(pattern, text) for pattern in self.allowed)
        if kind in {"error", "warning"} and not expected:
            self.errors.append(f"{kind}: {text}")


@dataclass
class Served:
    """An application that hands over to the one of the running test."""

    app: ASGIApp | None = None
    origin: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=10_000)  # two cores, shared with other test workers
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One server and address for a module, so that the browser keeps the page's files."""
    served = Served()
    server = ServerThread(served)
    served.origin = server.start()
    yield served
    server.stop()


@pytest.fixture
def api(tmp_path: Path, served: Served) -> Iterator[FakeClientApi]:
    chart = tmp_path / "chart.png"
    Image.new("RGB", (900, 420), "#3a7ca5").save(chart)
    api = FakeClientApi(image=chart)
    served.app = api.app()
    yield api
    api.close()


@pytest.fixture
def origin(served: Served) -> str:
    return served.origin


@pytest.fixture
def watch(origin: str) -> Watch:
    return Watch(origin)


@pytest.fixture(scope="module")
def context(browser: Browser, served: Served) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=served.origin, viewport={"width": 1280, "height": 800}, timezone_id="UTC"
    )
    context.set_default_timeout(8000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, watch: Watch, api: FakeClientApi) -> Iterator[Page]:
    page = context.new_page()
    watch.attach(page)
    yield page
    page.close()
    assert watch.errors == []
    assert watch.foreign == []
    assert api.violations == []


@pytest.fixture
def chat(page: Page) -> Callable[..., Page]:
    """Open the client at a route and wait until it is connected and loaded."""

    def open_at(route: str = "#/C0INCIDENTS") -> Page:
        load: Callable[[], object] = partial(page.goto, f"/{route}")
        for _ in range(1 + LOADED_AGAIN):
            try:
                load()
                page.get_by_test_id("who").wait_for(timeout=6000)
            except TimeoutError:  # a script was lost when the machine's network changed
                load = page.reload
            except Error:  # the page itself was
                continue
            else:
                break
        expect(page.locator("#banner")).to_be_hidden()
        expect(page.get_by_test_id("who")).to_be_visible()
        return page

    return open_at
