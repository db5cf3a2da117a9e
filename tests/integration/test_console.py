"""The console over HTTP: whom it answers, what its pages show, what its forms do."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from console_pages import choices, run_of, sent, visited
from installation import Installation
from prefect_side import PrefectSide
from processes import Process

from blocks.store import load_shop
from cartum_roapp import service
from cartum_roapp.service.state import State
from cartum_roapp.shops.choices import Choice
from cartum_roapp.shops.status_match import StatusMatch
from deployments import shops

SLUG, INDEX = "shop-10", 9


@pytest.fixture(scope="module")
def house(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    installation.done("import", SLUG)
    installation.only_by_hand(SLUG)
    yield installation
    installation.done("shop", "delete", SLUG, "--yes", "--purge")
    for status in (77, 78):  # other tests connect this shop, too
        installation.box.shops[INDEX].statuses.pop(status, None)


@pytest.fixture(scope="module")
def address(house: Installation) -> str:
    return str(house.done("ui")["console"])


@pytest.fixture(scope="module")
def browser(house: Installation) -> Iterator[httpx.Client]:
    with visited(house) as client:
        yield client


async def matched_at_once(*statuses: int, to: int) -> Mapping[int, int]:
    """Both systems are asked for each before one is saved; gives the shop's pairs then."""
    stored = await load_shop(SLUG)
    for found in [StatusMatch(stored, "", Choice(status), Choice(to)) for status in statuses]:
        await shops.match(found)
    return (await load_shop(SLUG)).statuses


def test_a_wrong_login_is_refused(house: Installation) -> None:
    with visited(house, "admin:guessed") as stranger, visited(house) as owner:
        assert stranger.get("/shops", auth=None).status_code == 401  # type: ignore[arg-type]
        assert stranger.get("/shops").status_code == 401
        assert owner.get("/shops").status_code == 200


def test_other_hosts_and_origins_do_nothing(house: Installation, browser: httpx.Client, address: str) -> None:
    port = urlsplit(address).port
    assert browser.get("/shops", headers={"Host": f"console.example:{port}"}).status_code == 400
    before = house.value("SELECT count(*) FROM runs")
    for origin in ("https://evil.example", f"http://127.0.0.1:{port + 1}", "null", None):  # type: ignore[operator]
        headers = {"Origin": origin} if origin else {}
        assert browser.post(f"/shops/{SLUG}/pause", data={"once": "x"}, headers=headers).status_code == 403
    assert browser.get(f"/shops/{SLUG}/pause").headers["location"] == f"/shops/{SLUG}"
    assert "Pause" in browser.get(f"/shops/{SLUG}").text
    assert house.value("SELECT count(*) FROM runs") == before


def test_answers_may_not_be_framed_stored_or_scripted(browser: httpx.Client) -> None:
    for path in ("/shops", "/nothing", "/static/console.css"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    page = browser.get("/shops").text
    assert not re.search(r"<script(?! src)| on\w+=| style=", page)


def test_a_shops_page_shows_its_month_without_a_style_or_script(browser: httpx.Client) -> None:
    page = browser.get(f"/shops/{SLUG}").text
    assert re.search(r'role="img" aria-label="Orders placed on each of the last 30 days: [1-9]\d* delivered, ', page)
    assert '<rect class="delivered"' in page
    assert len(re.findall('<td class="day">', page)) == 30
    assert not re.search(r"<script(?! src)| on\w+=| style=", page)


def test_an_order_is_found_by_either_number_and_names_its_buyer_there_alone(
    house: Installation, browser: httpx.Client
) -> None:
    shop = house.box.shops[INDEX]
    number = shop.qualifying()[0]
    (order,) = house.box.roapp.orders_by_marker()[f"{house.key(INDEX)}:{number}"]
    for asked in (number, order["number"], str(order["id"])):
        found = browser.get("/shops", params={"q": asked}, follow_redirects=True)
        assert f"Order {number}" in found.text, asked
    buyer = " ".join(shop.orders[number]["delivery_name"].split())
    assert buyer in found.text
    assert str(order["id"]) in found.text
    for path in ("/shops", f"/shops/{SLUG}", f"/shops/{SLUG}/orders", f"/shops/{SLUG}/held"):
        assert buyer not in browser.get(path).text
    assert "No shop or order has this number or name" in browser.get("/shops", params={"q": "no such thing"}).text
    assert browser.get(f"/shops/{SLUG}/orders/999999").status_code == 404
    for before in ("2026-11-30T14:05:09+23:59 1", "2026-11-30T14:05:09 1", "yesterday 1"):
        refused = browser.get(f"/shops/{SLUG}/orders", params={"before": before})
        assert (refused.status_code, "must be a time with its zone" in refused.text) == (400, True), before


def test_an_order_stands_next_to_what_ro_app_shows_of_it(house: Installation, browser: httpx.Client) -> None:
    """Staff sell one more and add a line; the last column has both, and the total with them."""
    roapp, shop = house.box.roapp, house.box.shops[INDEX]
    number = shop.place_order(articles=[("KR-799", 2)], total_sum=2 * 799)
    house.done("sync", SLUG)
    (order,) = roapp.orders_by_marker()[f"{house.key(INDEX)}:{number}"]
    (item,) = roapp.items[order["id"]]
    item["quantity"] = 3
    another = {name: value for name, value in item.items() if name != "id"}
    added = another | {"entity_id": roapp.add_product("Пакет"), "quantity": 1, "price": 5}
    roapp.add_item(order["id"], **added)
    page = sent(browser, f"/shops/{SLUG}/orders/{number}/compare", once="1").text
    rows = [
        [*map(str.strip, re.findall(r"(?s)<td>(.*?)</td>", row))] for row in re.findall(r"(?s)<tr>(.*?)</tr>", page)
    ]
    lines = [row[1:] for row in rows if len(row) == 4 and "×" in "".join(row)]
    assert lines == [["2 × 799.00", "2 × 799.00", "3 × 799.00"], ["", "", "1 × 5.00"]]
    assert ["Total", "1598.00", "1598.00", "2402.00"] in rows
    (status,) = (row for row in rows if row[:1] == ["Status"])
    assert status[2:] == [roapp.statuses[order["status_id"]]["name"]] * 2
    item["quantity"] = 2
    roapp.items[order["id"]].pop()
    roapp.touch(order["id"])


def test_texts_of_the_shop_are_no_markup(house: Installation, browser: httpx.Client) -> None:
    shop = house.box.shops[INDEX]
    number = shop.place_order(delivery_name="<script>alert(1)</script>")
    house.done("sync", SLUG)
    page = browser.get(f"/shops/{SLUG}/orders/{number}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_sync_now_starts_one_run_however_often_it_is_clicked(
    house: Installation, browser: httpx.Client, address: str
) -> None:
    number = house.box.shops[INDEX].place_order()
    runs = {run_of(sent(browser, f"/shops/{SLUG}/sync", once="clicked-twice")) for _ in range(2)}
    assert len(runs) == 1
    (run,) = runs
    house.completed(run)
    assert "1 new" in browser.get(f"/shops/{SLUG}/runs/{run}").text
    page = {"HX-Request": "true", "HX-Current-URL": f"{address}/shops/{SLUG}?run={run}"}
    followed = browser.get(f"/shops/{SLUG}/runs/{run}", headers=page)
    assert followed.headers["HX-Redirect"] == f"/shops/{SLUG}?ended={run}", "the page shows what it has done"
    assert "1 new" in browser.get(f"/shops/{SLUG}/runs/{run}?ended", headers=page).text
    assert f"/orders/{number}" in browser.get(f"/shops/{SLUG}/orders").text


def test_a_held_record_is_dismissed_with_a_reason_and_tried_again(house: Installation, browser: httpx.Client) -> None:
    roapp, shop = house.box.roapp, house.box.shops[INDEX]
    roapp.faults.required_order_fields = ("ad_campaign_id",)
    number = shop.place_order()
    house.done("sync", SLUG)
    roapp.faults.required_order_fields = ()
    page = browser.get(f"/shops/{SLUG}/held").text
    assert "another part of it <small>refused</small> (1)" in page
    assert f'id="order-{number}"' in page
    path, record = f"/shops/{SLUG}/held/dismiss", {"id": number, "entity": "order", "code": "refused"}
    refused = sent(browser, path, **record, reason="x" * 201)
    assert (refused.status_code, "200 characters" in refused.text) == (400, True)
    assert sent(browser, path, **record | {"code": "currency-differs"}).status_code == 400, (
        "it is held for another reason"
    )
    unknown = sent(browser, f"/shops/{SLUG}/orders/{number}/compare", once="1")
    assert "RO App does not have this order yet." in unknown.text
    dismissed = sent(browser, path, **record, reason="entered by hand")
    assert "The record was dismissed." in browser.get(dismissed.headers["location"]).text
    assert f'id="order-{number}"' not in browser.get(f"/shops/{SLUG}/held").text
    assert "entered by hand" in browser.get(f"/shops/{SLUG}/held?dismissed").text
    run = run_of(sent(browser, f"/shops/{SLUG}/held/retry", id=number, entity="order", once=number))
    house.completed(run)
    ended = browser.get(f"/shops/{SLUG}/runs/{run}")
    assert "1 delivered" in ended.text, ended.text
    assert f"{house.key(INDEX)}:{number}" in roapp.orders_by_marker()
    assert "Nothing is held" in browser.get(f"/shops/{SLUG}/held").text


def test_one_status_is_matched_and_what_was_held_for_it_goes_through(
    house: Installation, browser: httpx.Client
) -> None:
    """Another unmatched one does not hinder it."""
    shop, roapp = house.box.shops[INDEX], house.box.roapp
    number, other = (shop.place_order() for _ in range(2))
    for status, title, of in ((77, "Самовивіз", number), (78, "Хтозна", other)):
        shop.add_status(status, {"ua": title, "ru": title})
        shop.set_status(of, status)
    house.done("sync", SLUG)
    assert "RO App status for Самовивіз (77)" in browser.get(f"/shops/{SLUG}/held").text
    path, ours = f"/shops/{SLUG}/held/match", "77"
    theirs = next(str(id) for id, one in roapp.statuses.items() if one["name"] == "Новий")
    refused = sent(browser, path, status=ours, roapp_status="Новий", once="1")
    assert (refused.status_code, "RO App has no status" in refused.text) == (400, True)
    house.completed(run_of(sent(browser, path, status=ours, roapp_status=theirs, once="2")))
    assert [one["id"] for one in house.done("held", "list", SLUG)] == [other]
    (order,) = roapp.orders_by_marker()[f"{house.key(INDEX)}:{number}"]
    assert roapp.statuses[order["status_id"]]["name"] == "Новий"
    with PrefectSide(house).prefect_here():
        assert {78, 79} <= asyncio.run(matched_at_once(78, 79, to=order["status_id"])).keys()


def test_a_product_is_chosen_for_the_article_that_its_order_waits_for(
    house: Installation, browser: httpx.Client
) -> None:
    """Two orders, one on the held page, one on its own; another article or product is nothing that a form may name."""
    roapp, shop = house.box.roapp, house.box.shops[INDEX]
    number = shop.place_order(articles=[("KR-799", 1)])
    shop.add_line(number, "PAIR-1", 1, price=30, title="Пакування")
    ids = [
        roapp.add_product(title, code="PAIR-1", sku=sku, price="12.5")
        for title, sku in (("Пакет", "P-1"), ("Пакунок", "P-2"))
    ]
    house.done("sync", SLUG)
    held, path = f"/shops/{SLUG}/held", f"/shops/{SLUG}/held/choose"
    asked, offered = choices(browser, held)
    assert "KR-799" not in browser.get(held).text
    assert offered == {
        str(ids[0]): f"Пакет, code PAIR-1, SKU P-1, price 12.50, id {ids[0]}",
        str(ids[1]): f"Пакунок, code PAIR-1, SKU P-2, price 12.50, id {ids[1]}",
    }
    assert choices(browser, f"/shops/{SLUG}/orders/{number}")[1] == offered
    for forged, says in (
        ({"which": "KR-799"}, f"Order {number} is not held for &#39;KR-799&#39;, or no longer."),
        ({"id": "999999"}, "Order 999999 is not held for &#39;PAIR-1&#39;, or no longer."),
        ({"ro_id": "999999999"}, "product 999999999 is none of those that may be meant"),
        ({"ro_id": "0"}, "id is a number above 0"),
    ):
        refused = sent(browser, path, **(asked | {"ro_id": str(ids[1])} | forged))
        assert (refused.status_code, says in refused.text) == (400, True), refused.text
    assert "Nothing has been chosen." in browser.get(f"/shops/{SLUG}/matches").text
    house.completed(run_of(sent(browser, path, **asked, ro_id=str(ids[1]))))
    (order,) = roapp.orders_by_marker()[f"{house.key(INDEX)}:{number}"]
    assert ids[1] in {item["entity_id"] for item in roapp.items[order["id"]]}
    gone = browser.get(path, params={"entity": "order", "id": number, "kind": "product", "which": "PAIR-1"})
    assert (gone.status_code, "or no longer" in gone.text) == (422, True)
    page = browser.get(f"/shops/{SLUG}/matches").text
    assert f"<td>product {ids[1]}</td>" in page and 'aria-label="Unset the product of PAIR-1"' in page
    unset = {"kind": "product", "which": "PAIR-1"}
    sent_back = sent(browser, f"/shops/{SLUG}/matches/unset", **unset)
    assert "The choice was taken back." in browser.get(sent_back.headers["location"]).text
    assert "Nothing has been chosen." in browser.get(f"/shops/{SLUG}/matches").text
    assert sent(browser, f"/shops/{SLUG}/matches/unset", **unset).status_code == 400
    roapp.edit_product(ids[0], code="ONE-1", sku="ONE-1")


def test_a_buyer_is_chosen_on_the_order_s_page(house: Installation, browser: httpx.Client) -> None:
    """By name and the last digits, which the list of what is held does not show."""
    roapp, shop, phone = house.box.roapp, house.box.shops[INDEX], "+380671112233"
    number = shop.place_order(articles=[("KR-799", 1)], delivery_phone=phone, delivery_email="")
    ids = [roapp.add_contact(first, last_name="Коваль", phones=[phone]) for first in ("Олена", "Лена")]
    house.done("sync", SLUG)
    asked, offered = choices(browser, f"/shops/{SLUG}/orders/{number}")
    assert offered == {
        str(ids[0]): f"Олена Коваль, phone …2233, id {ids[0]}",
        str(ids[1]): f"Лена Коваль, phone …2233, id {ids[1]}",
    }
    assert "Коваль" not in browser.get(f"/shops/{SLUG}/held").text
    house.completed(run_of(sent(browser, f"/shops/{SLUG}/held/choose", **asked, ro_id=str(ids[1]))))
    (order,) = roapp.orders_by_marker()[f"{house.key(INDEX)}:{number}"]
    assert order["client_id"] == ids[1]
    unset = sent(browser, f"/shops/{SLUG}/matches/unset", kind="contact", which=number)
    assert unset.status_code == 303
    roapp.edit_contact(ids[0], phones=["+380671112299"])


def test_the_last_comparison_says_what_differs_and_puts_right(house: Installation, browser: httpx.Client) -> None:
    """Put right is what is safe, as every night: the marker in the notes."""
    path, roapp = f"/shops/{SLUG}/compare", house.box.roapp
    assert "has not been compared yet" in browser.get(path).text
    number = house.box.shops[INDEX].qualifying()[0]
    (order,) = roapp.orders_by_marker()[f"{house.key(INDEX)}:{number}"]
    roapp.orders[order["id"]]["manager_notes"] = "Подзвонити"
    roapp.touch(order["id"])
    answer = sent(browser, path, once="compared")
    assert answer.headers["location"].startswith(f"{path}?run=")
    house.completed(run_of(answer))
    page = browser.get(path).text
    assert "1 difference: 1 reported" in page and "Orders that differ" in page
    assert f'<td><a href="/shops/{SLUG}/orders/{number}">{number}</a></td>' in page
    assert "<td>marker-missing</td>" in page and "days agree" in page
    assert "1 difference" in browser.get(f"/shops/{SLUG}").text
    house.completed(run_of(sent(browser, path, once="put right", repair="yes")))
    assert "1 difference: 1 repaired" in browser.get(path).text
    assert f"{house.key(INDEX)}:{number}" in roapp.orders_by_marker()


def test_ui_opens_the_console(house: Installation, address: str, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o755)
    house.done("ui", "--open", BROWSER=str(browser))
    assert opened.read_text() == address


def test_the_console_comes_back_when_it_is_killed(house: Installation, address: str, browser: httpx.Client) -> None:
    before = Process.of(service.state(house.config).pids["console"])
    assert before is not None
    before.signal(signal.SIGKILL)

    def serves_again(state: State) -> bool:
        return state.serves("console") and state.pids["console"] != before.pid

    house.become(lambda: service.state(house.config), serves_again)
    assert browser.get("/shops").status_code == 200
    assert house.done("ui")["console"] == address
