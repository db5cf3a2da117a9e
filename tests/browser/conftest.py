"""A real Chromium, whichever can be had: one that is there, Playwright's own, or Debian's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALLED_WITHIN = 600
PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module alone: while it is open, its event loop is in the way of other tests. Fails where no Chromium
    can be had: what a person sees was not looked at, and that is no success."""
    with sync_playwright() as playwright:
        browser = _found(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Waits as long as a busy machine needs. What stood on it is part of the report of a test that failed."""
    context = browser.new_context(viewport={"width": 1440, "height": 1100}, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page = context.new_page()
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        print(f"{page.url}\n{page.locator('body').inner_text()}")
    context.close()


def _found(playwright: Playwright) -> Browser:
    if there := next(filter(None, map(shutil.which, NAMES)), None):
        return playwright.chromium.launch(executable_path=there, args=FLAGS)
    own, tried = _own(playwright), []
    if own is None:
        tried.append(_run(sys.executable, "-m", "playwright", "install", "chromium-headless-shell"))
        own = _own(playwright)
    if own is not None:
        return own
    if shutil.which("apt-get") and os.geteuid() == 0:
        tried += [_run("apt-get", "update"), _run("apt-get", "install", "-y", "--no-install-recommends", "chromium")]
        if there := shutil.which("chromium"):
            return playwright.chromium.launch(executable_path=there, args=FLAGS)
    pytest.fail(
        "There is no Chromium for the browser tests, and none could be installed. Install it (Debian: apt-get install "
        "chromium; else: python -m playwright install chromium), then repeat.\n" + "\n".join(tried),
        pytrace=False,
    )


def _own(playwright: Playwright) -> Browser | None:
    try:
        return playwright.chromium.launch(args=FLAGS)
    except PlaywrightError:
        return None


def _run(*command: str) -> str:
    """Runs it; gives the command with the end of what it said."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=INSTALLED_WITHIN,
            cwd=Path("/"),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"$ {' '.join(command)}: {type(error).__name__}"
    return f"$ {' '.join(command)}: exit {done.returncode}\n{(done.stdout + done.stderr)[-600:]}"
