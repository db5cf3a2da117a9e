"""A shop is connected, edited and deleted in the console by a real browser: from an empty home to imported orders."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from installation import Installation
from playwright.sync_api import Browser, Page, expect

from sandbox import Sandbox

pytestmark = pytest.mark.long

SHOP = "/shops/mavka"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Up, and nothing connected: no account, no shop. The shop has a status that means nothing to anybody."""
    with Sandbox(orders=8, seed=3, rate_limit=0) as box:
        box.shops[0].add_status(77, {"ua": "Хтозна"})
        installation = Installation(tmp_path_factory.mktemp("browser") / "home", box)
        try:
            installation.done("up")
            yield installation
        finally:
            installation.close()


@pytest.fixture(scope="module")
def page(installation: Installation, browser: Browser) -> Iterator[Page]:
    """The console, in a browser that knows its login. It refuses nothing for its policy of scripts and styles."""
    found = installation.done("ui")
    user, _, password = found["console_login"].partition(":")
    context = browser.new_context(base_url=found["console"], http_credentials={"username": user, "password": password})
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page, refused = context.new_page(), list[str]()
    page.on("console", lambda said: "Content Security Policy" in said.text and refused.append(said.text))
    yield page
    context.close()
    assert refused == []


def test_an_account_is_added_and_a_shop_connected_in_two_steps(installation: Installation, page: Page) -> None:
    shop, roapp = installation.box.shops[0], installation.box.roapp
    page.goto("/shops")
    page.get_by_role("link", name="Connect a shop").click()
    page.get_by_role("link", name="add one").click()
    page.get_by_label("Name", exact=True).fill("main")
    page.get_by_label("API address").fill(roapp.base_url)
    page.get_by_label("API key").fill(roapp.api_key)
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_role("heading", name="main")).to_be_visible()

    page.goto("/shops")
    page.get_by_role("link", name="Connect a shop").click()
    for label, typed in {
        "Short name": "mavka",
        "Shop name": "Мавка",
        "Website URL": shop.url,
        "Login": shop.login,
    }.items():
        page.get_by_label(label).fill(typed)
    password = page.get_by_label("Password")
    password.fill("not-the-password")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#password-problem")).to_contain_text("The shop refuses login and password")
    expect(password).to_have_value("not-the-password")
    password.fill(shop.password)
    page.get_by_role("button", name="Check").click()
    page.get_by_label("Location").select_option(label="Склад (234002)")

    page.reload()
    expect(page.get_by_text("What you typed before has been restored, except the password.")).to_be_visible()
    expect(password).to_have_value("")
    expect(page.get_by_label("Shop name")).to_have_value("Мавка")
    password.fill(shop.password)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_label("Location")).to_have_value("234002")

    page.get_by_role("button", name="Next: statuses").click()
    page.get_by_role("link", name="Accounts").click()
    page.go_back()
    expect(page.get_by_label("Shop name")).to_have_value("Мавка")
    password.fill(shop.password)
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Next: statuses").click()
    save = page.get_by_role("button", name="Save and import")
    save.click()
    expect(page.locator("#statuses-problem")).to_contain_text('77 "Хтозна"')
    page.locator("[id='statuses.77']").select_option(label="Новий (5706131)")
    save.click()
    expect(page).to_have_url(re.compile(re.escape(SHOP) + r"\?(run|ended)="))
    expect(page.get_by_role("status")).to_contain_text("completed, 8 new")
    mine = [one for one in roapp.orders_by_marker() if one.startswith(installation.key(0))]
    assert len(mine) == len(shop.qualifying()) > 0
    assert installation.done("shop", "show", "mavka")["statuses"]["77"] == 5706131
    installation.only_by_hand("mavka")


def test_one_number_takes_three_clicks_and_what_is_typed_outlives_the_lists(
    installation: Installation, page: Page
) -> None:
    page.goto("/shops")
    page.get_by_role("link", name="Мавка").click()
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Trailing window").fill("90")
    expect(page.get_by_label("Location").get_by_role("option")).not_to_have_count(1)  # both systems have answered
    expect(page.get_by_label("Trailing window")).to_have_value("90")
    expect(page.get_by_text("Stored: 60")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Sync now")).to_be_visible()
    assert installation.done("shop", "show", "mavka")["window_days"] == 90


def test_two_tabs_show_both_values_of_a_field(installation: Installation, page: Page) -> None:
    """Enter saves at once, also while the lists of both systems are on their way."""
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(f"{SHOP}/settings")
    for tab, name in ((other, "Калина"), (page, "Верба")):
        tab.get_by_label("Shop name").fill(name)
        tab.keyboard.press("Enter")
        expect(tab.get_by_text("Saved." if tab is other else "1 field needs attention")).to_be_visible()
    expect(page.locator("#name-problem")).to_contain_text("Shop name was changed by somebody else meanwhile.")
    expect(page.get_by_text("Stored: Калина")).to_be_visible()
    expect(page.get_by_label("Shop name")).to_have_value("Верба")
    page.get_by_role("button", name="Use the stored value").click()
    expect(page.get_by_label("Shop name")).to_have_value("Калина")
    expect(page.get_by_text("Stored: Калина")).to_be_hidden()
    page.get_by_label("Shop name").fill("Верба")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Верба")).to_be_visible()
    assert installation.done("shop", "show", "mavka")["name"] == "Верба"
    other.close()


def test_the_form_fits_a_phone_and_the_keyboard(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/shops/new", "/accounts", f"{SHOP}/settings", f"{SHOP}/statuses"):
        page.goto(path)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 390, path
    page.goto(f"{SHOP}/settings")
    page.get_by_label("1. Access and settings").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Statuses")).to_be_visible()
    expect(page.get_by_label("Location")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 720})


def test_a_shop_is_deleted_when_its_name_is_typed(installation: Installation, page: Page) -> None:
    page.goto(f"{SHOP}/settings")
    page.get_by_text("Delete this shop").click()
    page.get_by_label("Type mavka").fill("mavka")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No shop is connected yet.")).to_be_visible()
    assert installation.done("shop", "list") == []
    assert installation.ask("/deployments/filter", deployments={"name": {"any_": ["mavka"]}}) == []
