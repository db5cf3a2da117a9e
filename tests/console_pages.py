"""The console as a browser talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from installation import Installation


@contextmanager
def visited(house: Installation, login: str = "") -> Iterator[httpx.Client]:
    """A browser at the installation's console, which knows this login; the right one unless named."""
    found = house.done("ui")
    user, _, password = (login or found["console_login"]).partition(":")
    with httpx.Client(base_url=found["console"], auth=(user, password), trust_env=False, timeout=60) as client:
        yield client


def sent(browser: httpx.Client, path: str, **fields: str | list[str]) -> httpx.Response:
    """The answer to a form of the console's own pages."""
    return browser.post(path, data=fields, headers={"Origin": str(browser.base_url).rstrip("/")})


def run_of(answer: httpx.Response) -> str:
    """The run that the answer to a form leads to."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?run=")[2]
