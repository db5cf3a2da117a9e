"""Prefect's UI (V2, in which people land) as a person uses it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

BRIEFLY, PATIENCE = 3_000, 20_000  # milliseconds


def log_in(page: Page, address: str, login: str) -> None:
    """By the login page, where every way into the UI begins."""
    page.goto(address)
    page.get_by_placeholder("admin:pass").fill(login)
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()


class PrefectUi:
    """One browser page. Pictures go to `pictures`."""

    def __init__(self, page: Page, address: str, pictures: Path) -> None:
        self.page = page
        self.address = address
        self.pictures = pictures

    def choose_in_menu(self, item: str) -> bool:
        """In the menu ⋮ of a run. Returns False, with the page loaded again, where the run is not far enough for that
        item, or the page drew itself anew and closed the menu.
        """
        try:
            self.page.get_by_role("main").get_by_role("button", name="Open menu").first.click()
            self.page.get_by_role("menuitem", name=item, exact=True).click(timeout=BRIEFLY)
        except PlaywrightTimeout:
            self.page.reload()
            return False
        return True

    def value(self, form: Locator, title: str) -> Locator:
        """What is typed or chosen in a field."""
        titled = re.compile(rf"^{re.escape(title)}( \(Optional\))?$")
        typed = form.get_by_role("textbox", name=titled)
        return typed.or_(form.get_by_role("button", name=re.compile(f"^Select {re.escape(title)}")))

    def ended(self, state: str) -> None:
        """Returns once the page of the run shows that state."""
        expect(self.page.get_by_role("main").get_by_text(state, exact=True).first).to_be_visible()
