"""Prefect's UI as a person uses it: forms are filled in field by field, by the titles that stand above them."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect


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

    def deployment(self, name: str) -> None:
        """From the list of deployments to the run form of one."""
        self.page.goto(f"{self.address}/deployments")
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.get_by_role("button", name="Run", exact=True).click()
        self.page.get_by_text("Custom run").click()

    def next_form(self, field: str, contains: str = "") -> Locator:
        """The form with this field, and with this text at it, once the run waits with it."""
        dialog = self.page.get_by_role("dialog").filter(has_text="Resume Flow Run")
        for _ in range(30):
            self.page.get_by_role("button", name="Resume").click()
            expect(dialog.locator(".schema-form-property").first).to_be_visible()
            if self.field(dialog, field).filter(has_text=contains).count():
                return dialog
            # The page has not heard yet of the answer that was just given.
            self.page.wait_for_timeout(1000)
            self.page.reload()
        raise AssertionError(f"no form asks for {field!r}")

    def field(self, form: Locator, title: str) -> Locator:
        titled = self.page.get_by_text(title, exact=True).or_(self.page.get_by_text(f"{title} (Optional)", exact=True))
        return form.locator(".p-label").filter(has=titled).last

    def fill(self, form: Locator, title: str, text: str) -> None:
        self.field(form, title).locator("textarea, input").last.fill(text)

    def choose(self, form: Locator, title: str, beginning: str) -> None:
        """In a drop-down. It opens by the arrow at its right: a click into its text opens and closes it at once."""
        self.field(form, title).locator(".p-select-button__icon").click()
        options = self.page.locator(".p-select-option")
        options.filter(has_text=beginning).first.click()
        expect(options).to_have_count(0)

    def add_block(self, form: Locator, title: str, name: str, secret: tuple[str, str], **fields: str) -> None:
        """With the button beside a drop-down of blocks; `secret` is a field that no picture shows."""
        self.field(form, title).get_by_role("button", name="Add").click()
        dialog = self.page.get_by_role("dialog").filter(has_text="Add a new block")
        self.fill(dialog, "Block Name", name)
        for field, text in fields.items():
            self.fill(dialog, field, text)
        self.picture(f"block-{name}")
        self.fill(dialog, *secret)
        dialog.get_by_role("button", name="Create").click()
        expect(dialog).to_have_count(0)
        expect(self.field(form, title)).to_contain_text(name)

    def start(self, form: Locator) -> None:
        """Submits a run form, and follows the run: to it leads what the page says of it, or the list of runs."""
        self.submit(form)
        expect(form).to_have_count(0)
        self.page.locator("a[href*='flow-run/']").first.click()

    def submit(self, form: Locator) -> None:
        form.get_by_role("button", name="Submit").click()

    def picture(self, name: str) -> None:
        self.page.wait_for_timeout(400)  # what fades in has faded in
        self.page.screenshot(path=self.pictures / f"connect-{name}.png", animations="disabled")
