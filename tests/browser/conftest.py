"""Browser and pages of a test. What stood on the pages is part of the report of a test that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import PICTURES, chromium
from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

PATIENCE = 60_000  # milliseconds; as long as a busy machine needs
REPORTED_WITHIN = 5_000


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """Of one module alone: while it is open, its event loop is in the way of other tests."""
    with chromium(graphs=pytestconfig.option.pictures) as browser:
        yield browser


@pytest.fixture
def pictures(tmp_path: Path, pytestconfig: pytest.Config) -> Path:
    """Where pictures go: away after the test, or into the documentation."""
    return PICTURES if pytestconfig.option.pictures else tmp_path


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[], Page]]:
    """Gives a page that shares nothing with those before it, as if the browser had been started anew."""
    contexts: list[BrowserContext] = []
    heard: list[str] = []

    def page() -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 1100}, locale="en-GB", timezone_id="UTC")
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.on("console", lambda said: heard.append(f"{said.type}: {said.text}"))
        context.on("weberror", lambda said: heard.append(f"raised: {said.error}"))
        return context.new_page()

    expect.set_options(timeout=PATIENCE)
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        for shown in (page for context in contexts for page in context.pages):
            print(f"{shown.url}\n{_text(shown)}")
        print("What the pages said:", *heard[-20:], sep="\n")
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    return new_page()


def _text(page: Page) -> str:
    try:
        return page.locator("body").inner_text(timeout=REPORTED_WITHIN)
    except PlaywrightError as error:
        return f"(it stands still: {error.message.splitlines()[0]})"
