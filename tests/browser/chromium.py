"""A real Chromium, whichever can be had: one that is there, Playwright's own, or Debian's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: The graph of a run is drawn in software here, and a page stands still meanwhile: it is for the pictures only.
WITHOUT_GRAPHS = "--disable-3d-apis"
#: Where `pytest --pictures` puts the pictures of the documentation.
PICTURES = Path(__file__).parents[2] / "docs" / "images"
NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALLED_WITHIN = 600


@contextmanager
def chromium(*, graphs: bool = False) -> Iterator[Browser]:
    """Fails where no Chromium can be had: what a person sees was not looked at, and that is no success."""
    with sync_playwright() as playwright:
        browser = _found(playwright, FLAGS if graphs else [*FLAGS, WITHOUT_GRAPHS])
        yield browser
        browser.close()


def _found(playwright: Playwright, flags: list[str]) -> Browser:
    if there := next(filter(None, map(shutil.which, NAMES)), None):
        return playwright.chromium.launch(executable_path=there, args=flags)
    own, tried = _own(playwright, flags), []
    if own is None:
        tried.append(_run(sys.executable, "-m", "playwright", "install", "chromium-headless-shell"))
        own = _own(playwright, flags)
    if own is not None:
        return own
    if shutil.which("apt-get") and os.geteuid() == 0:
        tried += [_run("apt-get", "update"), _run("apt-get", "install", "-y", "--no-install-recommends", "chromium")]
        if there := shutil.which("chromium"):
            return playwright.chromium.launch(executable_path=there, args=flags)
    pytest.fail(
        "There is no Chromium for the browser tests, and none could be installed. Install it (Debian: apt-get install "
        "chromium; else: python -m playwright install chromium), then repeat.\n" + "\n".join(tried),
        pytrace=False,
    )


def _own(playwright: Playwright, flags: list[str]) -> Browser | None:
    try:
        return playwright.chromium.launch(args=flags)
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
