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
def test_from_an_empty_prefect_to_imported_orders_and_back(
    installation: Installation, open_ui: Callable[[], PrefectUi]
) -> None:
    connect(installation, open_ui())
    delete(installation, open_ui())


def connect(installation: Installation, ui: PrefectUi) -> None:
    shop, account, page = installation.box.shops[0], installation.box.roapp, ui.page
    form = ui.deployment("connect-shop")
    ui.fill(form, "Short name", "mavka")
    ui.fill(form, "Shop name", "Мавка")
    entered = {"Website URL": shop.url, "Login": shop.login}
    ui.add_block(form, "Cartum login", "mavka-login", ("Password", "wrong-password"), **entered)
    ui.add_block(form, "RO App account", "main", ("API key", account.api_key), **{"API address": account.base_url})
    logo = form.get_by_role("img", name="Cartum login", exact=True)
    expect(logo, "a broken logo").not_to_have_js_property("naturalWidth", 0)
    ui.picture("run-form")
    ui.start(form)
    form = ui.next_form("Shop login", contains="the shop refuses login and password")
    expect(ui.value(form, "Shop name")).to_have_value("Мавка")
    ui.picture("refused")
    with page.context.expect_page() as opened:
        form.get_by_role("link", name="Correct mavka-login").first.click(modifiers=["ControlOrMeta"])
    block = PrefectUi(opened.value, ui.address, ui.pictures)
    block.fill(block.page.get_by_role("main"), "Password", shop.password)
    block.page.get_by_role("button", name="Save").click()
    expect(block.page.get_by_text("Block updated successfully").first).to_be_visible()
    block.page.close()
    ui.resume(form)

    form = ui.next_form("Location")
    ui.choose(form, "Location", "Склад")
    ui.choose(form, "Language of product names", "ua")
    ui.picture("settings")
    ui.resume(form)

    form = ui.next_form("Хтозна (77)")
    expect(ui.value(form, "Очікує оплати (7)")).to_contain_text("Очікує оплати (5706140)")
    ui.picture("statuses")
    ui.resume(form)
    form = ui.next_form("Хтозна (77)", contains="is not matched")
    ui.choose(form, "Хтозна (77)", "Новий")
    ui.picture("unmatched")
    ui.resume(form)

    form = ui.next_form("What now?")
    expect(form).to_contain_text('is the location "Склад"')
    ui.picture("summary")
    ui.resume(form)
    ui.ended("Completed")

    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("Мавка: connected").first.click()
    link = page.get_by_role("link", name="Its import is running").first
    expect(link).to_be_visible()
    ui.follow(link, page.get_by_text("mavka: initial import").first)
    ui.ended("Completed")
    ui.picture("imported")
    page.context.close()
    orders = [one for one in account.orders_by_marker() if one.startswith(installation.key(0))]
    assert len(orders) == len(shop.qualifying()) > 0
    assert installation.done("shop", "show", "mavka")["statuses"]["77"] == 5706131


def delete(installation: Installation, ui: PrefectUi) -> None:
    form = ui.deployment("delete-shop")
    ui.choose(form, "Shop", "mavka")
    ui.start(form)
    form = ui.next_form("Type the shop's short name")
    ui.fill(form, "Type the shop's short name", "mavka")
    ui.picture("delete")
    ui.resume(form)
    ui.ended("Completed")
    assert installation.done("shop", "list") == []
    assert installation.ask("/deployments/filter", deployments={"name": {"any_": ["mavka"]}}) == []
