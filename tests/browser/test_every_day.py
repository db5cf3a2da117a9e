"""What a person looks for on a usual day, found in Prefect's UI and in the console: why an order is held and what fixes
it, what changed in an order, a backfill that is tried, begun and canceled. Each test counts the clicks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from homes import new_home
from installation import Installation, Row
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from prefect_ui import BRIEFLY, PATIENCE, PrefectUi, log_in

from cartum_roapp.ledger import backfills, database
from sandbox import Sandbox, Shop

pytestmark = pytest.mark.long

SHOP = "shop-1"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Up, with a shop that is imported and is read when a test says so. RO App takes no products from us."""
    with Sandbox(orders=8, seed=3, rate_limit=0) as box:
        installation = Installation(new_home(tmp_path_factory, "browser"), box)
        try:
            installation.done("up")
            installation.done("account", "add", "main", "--base-url", box.roapp.base_url)
            installation.connect(0)
            installation.completed(installation.start(f"initial-import/{SHOP}"))
            installation.only_by_hand(SHOP)
            box.roapp.faults.product_create = False
            yield installation
        finally:
            installation.close()


@pytest.fixture
def walk(installation: Installation, new_page: Callable[[], Page], pictures: Path) -> Walk:
    found, page = installation.done("ui"), new_page()
    log_in(page, found["ui"], found["login"])
    return Walk(PrefectUi(page, found["ui"], pictures))


@pytest.fixture
def console(installation: Installation, browser: Browser) -> Iterator[Page]:
    """The console's overview, in a browser that knows its login."""
    found = installation.done("ui")
    user, _, password = found["console_login"].partition(":")
    context = browser.new_context(base_url=found["console"], http_credentials={"username": user, "password": password})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/shops")
    yield page
    context.close()


class Walk:
    """A person's way through the UI. `clicks` counts from the run on the dashboard."""

    def __init__(self, ui: PrefectUi) -> None:
        self.ui = ui
        self.clicks = 0
        self.started = ""

    @property
    def main(self) -> Locator:
        return self.ui.page.get_by_role("main")

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def run_on_dashboard(self, flow: str, *tags: str) -> None:
        """From the dashboard, where the newest good run of the flow has these tags, to its page."""
        page, now = self.ui.page, datetime.now(UTC)
        # Else it leaves out what began in the present minute.
        until = {"from": now - timedelta(days=1), "to": now + timedelta(minutes=1)}
        shown = urlencode({name: f"{moment:%Y-%m-%dT%H:%M:%S}.000Z" for name, moment in until.items()})
        page.goto(f"{self.ui.address}/v2/dashboard?{shown}")
        page.get_by_role("tab").nth(2).click()
        page.get_by_role("button", name=re.compile(f"^{flow}")).click()
        newest = page.locator("a[href*='/flow-run/'][title]").first
        for tag in tags:
            expect(
                newest.locator("xpath=ancestor::*[@data-slot='card'][1]").get_by_text(tag, exact=True)
            ).to_be_visible()
        self.clicks = 0
        self.click(newest)
        expect(page.get_by_role("tab", name="Logs")).to_be_visible()

    def artifact(self, description: str) -> None:
        """From the run's page to its artifact."""
        self.click(self.main.get_by_role("tab", name="Artifacts"))
        self.click(self.main.get_by_text(description).first)
        expect(self.main.get_by_role("tab", name="Raw")).to_be_visible()

    def submit(self) -> None:
        """Starts a run with a form that is filled in. A click while the page draws its form goes nowhere."""
        button = self.main.get_by_role("button", name="Submit")
        self.clicks += 1
        for _ in range(10):
            try:
                with self.ui.page.expect_request("**/create_flow_run", timeout=BRIEFLY) as asked:
                    button.click()
                break
            except PlaywrightTimeout:
                continue
        answer = asked.value.response()
        assert answer is not None
        self.started = str(answer.json()["id"])

    def to_run(self, name: str) -> None:
        """To the page of the run that was just started, which has this name once it runs."""
        self.click(self.main.locator(f"a[href*='{self.started}']").first)
        expect(self.main.get_by_text(name, exact=True).first).to_be_visible()

    def menu(self, item: str) -> None:
        """Chooses in the menu ⋮ of a run's page."""
        assert any(self.ui.choose_in_menu(item) for _ in range(10)), f"the menu has no {item}"
        self.clicks += 2

    def numbers(self) -> Locator:
        """What is typed into the list of a form."""
        return self.main.get_by_role("group").filter(has=self.ui.page.get_by_role("button", name="Add item")).last

    def row(self, text: str) -> Locator:
        return self.main.get_by_role("row").filter(has_text=text)


def synced(installation: Installation) -> Row:
    return installation.completed(installation.start(f"incremental-sync/{SHOP}"))[0]


def in_roapp(installation: Installation, number: str) -> list[Row]:
    return installation.box.roapp.orders_by_marker().get(f"{installation.key(0)}:{number}", [])


def test_why_an_order_is_held_and_what_fixes_it(installation: Installation, walk: Walk, console: Page) -> None:
    """From the run to the held page; there one click, once staff have added the product in RO App."""
    shop = installation.box.shops[0]
    number = shop.place_order(articles=bought_before(shop))
    shop.add_line(number, f"LAMP-{number}", price=250, title="Лампа")
    synced(installation)
    walk.run_on_dashboard("incremental-sync", "held")
    expect(walk.main.get_by_text(re.compile(f"^order {number}: .*LAMP-{number}"))).to_be_visible()
    fixed = walk.main.get_by_text("why, and how to fix each: ").locator("xpath=..").get_by_role("link")
    page = installation.done("ui")["console"] + f"/shops/{SHOP}/held"
    expect(fixed).to_have_attribute("href", page)

    walk.artifact("incremental-sync, summary")
    assert walk.clicks == 3
    held = walk.row(f"order {number}")
    expect(held).to_contain_text("product-missing: ")
    expect(held).to_contain_text(f"LAMP-{number}")
    expect(held.get_by_role("link", name="fix it")).to_have_attribute("href", page)

    installation.box.roapp.add_product("Лампа", code=f"LAMP-{number}")
    console.goto(page)
    expect(console.locator(f"#order-{number}").get_by_label(f"RO App's product for LAMP-{number}")).to_be_visible()
    console.locator(f"#order-{number}").get_by_role("button", name="Try again", exact=True).click()
    expect(console.get_by_role("status")).to_contain_text("completed, 1 delivered")
    expect(console.locator(f"#order-{number}")).to_have_count(0)
    assert len(in_roapp(installation, number)) == 1


def test_a_status_without_a_match_is_matched_on_the_held_page(installation: Installation, console: Page) -> None:
    """The shop's held records, the status in a list, the button."""
    shop, status = installation.box.shops[0], 77
    number = shop.place_order(articles=bought_before(shop))
    shop.add_status(status, {"ua": "Самовивіз", "ru": "Самовывоз"})
    shop.set_status(number, status)
    synced(installation)
    console.reload()
    console.get_by_role("row").filter(has_text="Мавка 1").get_by_role("link").last.click()
    choice = console.get_by_label(f"RO App status for Самовивіз ({status})")
    choice.select_option(choice.locator("option", has_text="Новий (").get_attribute("value"))
    console.get_by_role("button", name="Match and try again").click()
    expect(console.get_by_role("status")).to_contain_text("completed, 1 delivered")
    assert number not in {one["id"] for one in installation.done("held", "list", SHOP)}
    (order,) = in_roapp(installation, number)
    assert installation.box.roapp.statuses[order["status_id"]]["name"] == "Новий"


def test_a_product_is_chosen_by_its_name_for_the_article_that_waits(installation: Installation, console: Page) -> None:
    """Opened in its place, by the keyboard; the record's own article alone, on a phone and for a screen reader."""
    roapp, shop = installation.box.roapp, installation.box.shops[0]
    number = shop.place_order(articles=bought_before(shop))
    shop.add_line(number, "NEW-1", price=30, title="Пакування")
    _, large = (roapp.add_product(title, code="NEW-1", price="12.5") for title in ("Пакет", "Пакунок"))
    synced(installation)
    console.set_viewport_size({"width": 390, "height": 800})
    console.goto(f"/shops/{SHOP}/held")
    record = console.locator(f"#order-{number}")
    record.get_by_role("link", name="RO App's product for NEW-1").press("Enter")
    offered = record.get_by_role("group", name="RO App's product for NEW-1").get_by_role("radio")
    expect(offered).to_have_count(2)
    expect(offered.first).to_be_focused()
    assert console.evaluate("document.scrollingElement.scrollWidth") <= 390
    found = Axe().run(console).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    record.get_by_label(f"Пакунок, code NEW-1, without an SKU, price 12.50, id {large}").check()
    record.get_by_role("button", name="Choose and try again").click()
    expect(console.get_by_role("status")).to_contain_text("completed, 1 delivered")
    (order,) = in_roapp(installation, number)
    assert large in {item["entity_id"] for item in roapp.items[order["id"]]}


def test_an_order_is_found_by_the_keyboard_alone_by_its_number_in_ro_app(
    installation: Installation, console: Page
) -> None:
    number = installation.box.shops[0].qualifying()[0]
    (order,) = in_roapp(installation, number)
    for _ in ("Shops", "Accounts", "the search"):
        console.keyboard.press("Tab")
    console.keyboard.type(str(order["number"]))
    console.keyboard.press("Enter")
    expect(console.get_by_role("heading", name=f"Order {number}")).to_be_visible()


def test_every_page_fits_a_phone_and_hinders_nobody(installation: Installation, console: Page) -> None:
    """By day and by night; axe finds nothing serious."""
    number = installation.box.shops[0].qualifying()[0]
    installation.done("reconcile", SHOP)
    console.set_viewport_size({"width": 390, "height": 800})
    of_shop = (
        "",
        "/held",
        "/orders",
        f"/orders/{number}",
        "/backfills",
        "/compare",
        "/matches",
        "/settings",
        "/statuses",
    )
    for path in ("/shops", "/shops/new", "/accounts", *(f"/shops/{SHOP}{one}" for one in of_shop)):
        console.goto(path, wait_until="networkidle")
        assert console.evaluate("document.scrollingElement.scrollWidth") <= 390, path
        for scheme in SCHEMES:
            console.emulate_media(color_scheme=scheme)
            found = Axe().run(console).response["violations"]
            assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == [], f"{path}, {scheme}"


def test_a_page_of_another_port_starts_nothing_in_the_console(
    installation: Installation, console: Page, tmp_path: Path
) -> None:
    """Not even in a browser that knows the console's login."""
    before = len(installation.flow_runs())
    target = console.url.removesuffix("/shops") + f"/shops/{SHOP}/sync"
    (tmp_path / "index.html").write_text(
        f'<form method="post" action="{target}"><input name="once" value="x"><button>Win</button></form>'
    )
    serve = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        console.goto(f"http://127.0.0.1:{server.server_port}/")
        console.get_by_role("button").click()
        expect(console.get_by_text("Sent by another site.")).to_be_visible()
        server.shutdown()
    assert len(installation.flow_runs()) == before


def test_what_changed_in_an_order(installation: Installation, walk: Walk, console: Page) -> None:
    """The run, its artifacts, its summary; from there the console has what happened to the order since it is known."""
    shop = installation.box.shops[0]
    number = shop.qualifying()[0]
    before = shop.orders[number]["stat_status"]
    shop.set_status(number, 8 if before != 8 else 2)
    count = shop.orders[number]["products"][0]["quantity"] + 1
    shop.change_line(number, quantity=count)
    synced(installation)
    walk.run_on_dashboard("incremental-sync")
    walk.artifact("incremental-sync, summary")
    assert walk.clicks == 3
    changed = walk.row(f"{name(shop, before)} → {name(shop, shop.orders[number]['stat_status'])}")
    expect(changed).to_contain_text(re.compile(f"line {count - 1} × .* → {count} × "))
    expect(changed.get_by_role("link", name=number, exact=True)).to_have_attribute("href", f"{shop.url}/adminLegacy/")
    (order,) = in_roapp(installation, number)
    expect(changed).to_contain_text(f"no. {order['number']}, id {order['id']}")

    story = changed.get_by_role("link", name="what happened")
    page = installation.done("ui")["console"] + f"/shops/{SHOP}/orders/{number}"
    expect(story).to_have_attribute("href", page)
    console.goto(page)
    expect(console.get_by_role("listitem").filter(has_text=f"→ {count} ×").first).to_be_visible()


def test_a_backfill_is_tried_begun_and_canceled(installation: Installation, walk: Walk) -> None:
    """The form of the dry run; its copy, which sends; Cancel."""
    shop, page = installation.box.shops[0], walk.ui.page
    old = [datetime.now(UTC) - timedelta(days=days) for days in (90, 95)]
    numbers = [shop.place_order(created=one, status=3, articles=bought_before(shop)) for one in old]
    page.goto(f"{walk.ui.address}/v2/deployments")
    walk.click(
        page.get_by_role("row").filter(has_text="backfill").get_by_role("link", name="backfill", exact=True).first
    )
    walk.click(walk.main.get_by_role("button", name="Run", exact=True))
    walk.click(page.get_by_text("Custom run"))
    walk.click(walk.ui.value(walk.main, "Shops"))
    walk.click(page.get_by_role("option", name=SHOP, exact=True))
    page.keyboard.press("Escape")
    for number in numbers:
        walk.click(walk.main.get_by_role("button", name="Add item"))
        walk.numbers().get_by_role("textbox").last.fill(number)
    walk.submit()
    what = f"{SHOP}: backfill orders {', '.join(numbers)}"
    walk.to_run(f"{what}, dry run")
    walk.ui.ended("Completed")
    tried = page.url
    walk.artifact(f"{SHOP}: dry run")
    for number in numbers:
        expect(walk.row(number)).to_contain_text("create")
    assert walk.clicks == 11
    assert [in_roapp(installation, number) for number in numbers] == [[], []]

    with database.locked(installation.engine, "account:main"):  # nobody delivers
        page.goto(tried)
        walk.clicks = 0
        walk.menu("Copy to new run")
        expect(walk.numbers().get_by_role("textbox")).to_have_count(2)
        walk.click(walk.main.get_by_role("switch", name="Dry run"))
        walk.submit()
        assert walk.clicks == 4
        walk.to_run(what)
        installation.become(
            lambda: installation.value("SELECT count(*) FROM backfills WHERE stored_at IS NOT NULL"), bool
        )
        walk.clicks = 0
        walk.menu("Cancel")
        walk.click(page.get_by_role("alertdialog").get_by_role("button", name="Cancel Flow Run"))
        walk.ui.ended("Cancelled")
    assert walk.clicks == 3
    (ended,) = backfills.listed(installation.engine, installation.key(0))
    assert (ended.state, ended.waiting, ended.counts["taken_out"]) == ("canceled", 0, 2)
    synced(installation)
    assert [in_roapp(installation, number) for number in numbers] == [[], []]


def test_a_look_is_done_and_another_backfill_is_canceled_in_the_console(
    installation: Installation, console: Page
) -> None:
    """What can be canceled shows up while it runs, and Back leads to the page before the run."""
    shop = installation.box.shops[0]
    old = [datetime.now(UTC) - timedelta(days=days) for days in (92, 97)]
    done, canceled = (shop.place_order(created=one, status=3, articles=bought_before(shop)) for one in old)
    console.goto(f"/shops/{SHOP}")
    console.get_by_role("link", name="Backfills").click()

    def look_and_do(number: str) -> None:
        console.get_by_label("Only these order numbers").fill(number)
        console.get_by_role("button", name="Look").click()
        expect(console.get_by_role("row").filter(has_text=number).first).to_contain_text("create")
        expect(console.get_by_label("Only these order numbers")).to_have_value(number)
        console.get_by_role("button", name="Do it").click()

    look_and_do(done)
    expect(console.get_by_role("status")).to_contain_text("completed")
    assert len(in_roapp(installation, done)) == 1
    with database.locked(installation.engine, "account:main"):  # nobody delivers
        look_and_do(canceled)
        console.get_by_role("button", name="Cancel").click()
        expect(console.get_by_text("1 order is taken out of the queue")).to_be_visible()
    assert in_roapp(installation, canceled) == []


def bought_before(shop: Shop) -> list[tuple[str, int]]:
    """What RO App has since the import."""
    return [(str(shop.orders[shop.qualifying()[0]]["products"][0]["article"]), 1)]


def name(shop: Shop, status: int) -> str:
    return str(shop.statuses[status]["title"]["ua"])
