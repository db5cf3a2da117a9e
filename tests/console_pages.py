"""The console as a browser talks to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

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


def choices(browser: httpx.Client, page: str) -> tuple[dict[str, str], dict[str, str]]:
    """The only choice that a page offers, opened: the hidden fields of its form, and what may be chosen by its id."""
    (address,) = re.findall(r'class="choose" href="([^"]+)"', browser.get(page).text)
    opened = browser.get(unescape(address)).text
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', opened)
    offered = re.findall(r'type="radio" name="ro_id" value="(\d+)"[^>]*> ([^<]+)<', opened)
    return {name: unescape(value) for name, value in fields}, {id: unescape(words) for id, words in offered}
