"""A shop is connected through Prefect's UI alone: from an empty Prefect to imported orders; then it is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installation import Installation
from playwright.sync_api import Page, expect
from prefect_ui import PrefectUi, log_in

from sandbox import Sandbox


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


@pytest.fixture
def open_ui(installation: Installation, new_page: Callable[[], Page], pictures: Path) -> Callable[[], PrefectUi]:
    found = installation.done("ui")

    def opened() -> PrefectUi:
        page = new_page()
        log_in(page, found["ui"], found["login"])
        return PrefectUi(page, found["ui"], pictures)

    return opened


@pytest.mark.long
@pytest.mark.alone
def test_from_an_empty_prefect_to_imported_orders_and_back(
    installation: Installation, open_ui: Callable[[], PrefectUi]
) -> None:
    connect(installation, open_ui())
    delete(installation, open_ui())


def connect(installation: Installation, ui: PrefectUi) -> None:
    shop, account, page = installation.box.shops[0], installation.box.roapp, ui.page
    ui.deployment("connect-shop")
    form = page.locator("form")
    ui.fill(form, "Short name", "mavka")
    ui.fill(form, "Shop name", "Мавка")
    entered = {"Website URL": shop.url, "Login": shop.login}
    ui.add_block(form, "Shop login", "mavka-login", ("Password", "wrong-password"), **entered)
    ui.add_block(form, "RO App account", "main", ("API key", account.api_key), **{"API address": account.base_url})
    ui.picture("run-form")
    ui.start(form)
    form = ui.next_form("Shop login")
    expect(ui.field(form, "Shop login")).to_contain_text("the shop refuses login and password")
    expect(ui.field(form, "Shop name").locator("textarea")).to_have_value("Мавка")
    ui.picture("refused")
    with page.context.expect_page() as opened:
        form.get_by_role("link", name="Correct mavka-login").first.click()
    block = PrefectUi(opened.value, ui.address, ui.pictures)
    block.fill(block.page.locator("form"), "Password", shop.password)
    block.page.get_by_role("button", name="Save").click()
    expect(block.page.get_by_text("mavka-login").first).to_be_visible()
    block.page.close()
    ui.submit(form)

    form = ui.next_form("Location")
    ui.choose(form, "Location", "Склад")
    ui.choose(form, "Language of product names", "ua")
    ui.picture("settings")
    ui.submit(form)

    form = ui.next_form("Хтозна (77)")
    expect(ui.field(form, "Очікує оплати (7)")).to_contain_text("Очікує оплати (5706140)")
    ui.picture("statuses")
    ui.submit(form)
    form = ui.next_form("Хтозна (77)", contains="is not matched")
    ui.choose(form, "Хтозна (77)", "Новий")
    ui.picture("unmatched")
    ui.submit(form)

    form = ui.next_form("What now?")
    expect(form).to_contain_text('is the location "Склад"')
    ui.picture("summary")
    ui.submit(form)
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()

    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text("Мавка: connected").first.click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Its import is running").first.click()
    imported = opened.value
    expect(imported.get_by_text("mavka: initial import", exact=True).first).to_be_visible()
    expect(imported.get_by_text("Completed", exact=True).first).to_be_visible()
    imported.screenshot(path=ui.pictures / "connect-imported.png", animations="disabled")
    page.context.close()
    orders = [one for one in account.orders_by_marker() if one.startswith(installation.key(0))]
    assert len(orders) == len(shop.qualifying()) > 0
    assert installation.done("shop", "show", "mavka")["statuses"]["77"] == 5706131


def delete(installation: Installation, ui: PrefectUi) -> None:
    ui.deployment("delete-shop")
    form = ui.page.locator("form")
    ui.fill(form, "Shop", "mavka")
    ui.start(form)
    form = ui.next_form("Type the shop's short name")
    ui.fill(form, "Type the shop's short name", "mavka")
    ui.picture("delete")
    ui.submit(form)
    expect(ui.page.get_by_text("Completed", exact=True).first).to_be_visible()
    assert installation.done("shop", "list") == []
    assert installation.ask("/deployments/filter", deployments={"name": {"any_": ["mavka"]}}) == []
