"""Prefect's UI (V2, in which people land) as a person uses it: forms are filled in field by field, by the titles that
stand above them."""

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

    def deployment(self, name: str) -> Locator:
        """From the list of deployments to the run form of one."""
        self.page.goto(f"{self.address}/v2/deployments")
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_text("Custom run").click()
        expect(self.page.get_by_role("heading", name="Parameters")).to_be_visible()
        return self.page.get_by_role("main")

    def next_form(self, field: str, contains: str = "") -> Locator:
        """The form with this field, and with this text in it, once the run waits with it."""
        dialog = self.page.get_by_role("dialog", name="Resume Flow Run")
        shown = "none"
        for _ in range(60):
            if not self.choose_in_menu("Resume"):
                continue
            try:
                # Each field has a menu of its own. What draws them is fetched when the dialog opens.
                dialog.get_by_role("button", name="Open menu").first.wait_for(timeout=PATIENCE)
                shown = dialog.inner_text(timeout=BRIEFLY)
            except PlaywrightTimeout:  # the page drew itself anew, which closed the dialog
                self.page.reload()
                continue
            if dialog.get_by_text(self._titled(field)).count() and contains in shown:
                return dialog
            # The page has not heard yet of the answer that was just given.
            self.page.wait_for_timeout(1000)
            self.page.reload()
        raise AssertionError(f"no form asks for {field!r}; the last one shown: {shown}")

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
        typed = form.get_by_role("textbox", name=self._titled(title))
        return typed.or_(form.get_by_role("button", name=re.compile(f"^Select {re.escape(title)}")))

    def fill(self, form: Locator, title: str, text: str) -> None:
        form.get_by_role("textbox", name=self._titled(title)).fill(text)

    def choose(self, form: Locator, title: str, beginning: str) -> None:
        """In a drop-down."""
        self.value(form, title).click()
        options = self.page.get_by_role("option")
        options.filter(has_text=re.compile(f"^{re.escape(beginning)}")).first.click()
        expect(options).to_have_count(0)

    def block(self, form: Locator, type_: str) -> Locator:
        """The field that takes a block of this type."""
        return form.get_by_role("group").filter(has=self.page.get_by_role("img", name=type_, exact=True)).last

    def add_block(self, form: Locator, type_: str, name: str, secret: tuple[str, str], **fields: str) -> None:
        """With the button beside a drop-down of blocks; `secret` is a field that no picture shows."""
        field = self.block(form, type_)
        field.get_by_role("button", name="Add").click()
        dialog = self.page.get_by_role("dialog", name="Create New Block")
        dialog.get_by_role("textbox").first.fill(name)
        for title, text in fields.items():
            self.fill(dialog, title, text)
        self.picture(f"block-{name}")
        self.fill(dialog, *secret)
        dialog.get_by_role("button", name="Create").click()
        expect(dialog).to_have_count(0)
        expect(field.get_by_role("button", name="Select a block")).to_have_text(name)

    def start(self, form: Locator) -> None:
        """Submits a run form, and follows the run: by the notice, as lists may not name it yet."""
        submit, notice = form.get_by_role("button", name="Submit"), self.page.get_by_role("button", name="View run")
        # With a block that was just added the form checks itself once without it, and stays.
        for _ in range(3):
            submit.click()
            try:
                notice.click(timeout=PATIENCE)
                return
            except PlaywrightTimeout:
                continue
        raise AssertionError("the form starts no run")

    def resume(self, form: Locator) -> None:
        """Answers a form of a run that waits."""
        form.get_by_role("button", name="Resume").click()
        expect(form).to_have_count(0)

    def follow(self, link: Locator, to: Locator) -> None:
        """Clicks a link of a text until `to` is shown: the page draws its text anew a moment after it is shown, and a
        click at that moment goes nowhere."""
        for _ in range(10):
            if link.is_visible():
                link.click()
            try:
                to.wait_for(timeout=BRIEFLY)
                return
            except PlaywrightTimeout:
                continue
        expect(to).to_be_visible()

    def ended(self, state: str) -> None:
        """Returns once the page of the run shows that state."""
        expect(self.page.get_by_role("main").get_by_text(state, exact=True).first).to_be_visible()

    def picture(self, name: str) -> None:
        self.page.wait_for_timeout(400)  # what fades in has faded in
        self.page.screenshot(path=self.pictures / f"connect-{name}.png", animations="disabled")

    @staticmethod
    def _titled(title: str) -> re.Pattern[str]:
        return re.compile(rf"^{re.escape(title)}( \(Optional\))?$")
