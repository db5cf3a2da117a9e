"""The console's page of backfills over HTTP: a dry run, the run that does the same, a cancel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from console_pages import run_of, sent, visited
from installation import Installation

from cartum_roapp.ledger import database
from sandbox import Shop

#: As test_console.py, so that both share the shop.
SLUG, INDEX = "shop-10", 9
PATH = f"/shops/{SLUG}/backfills"


@pytest.fixture(scope="module")
def browser(installation: Installation) -> Iterator[httpx.Client]:
    installation.connect(INDEX)
    installation.done("import", SLUG)
    installation.only_by_hand(SLUG)
    with visited(installation) as client:
        yield client
    installation.done("shop", "delete", SLUG, "--yes", "--purge")


@pytest.fixture
def shop(installation: Installation) -> Shop:
    return installation.box.shops[INDEX]


def old_orders(shop: Shop, count: int) -> list[str]:
    """Orders that no import takes, of an article that RO App has."""
    article = [(str(shop.orders[shop.qualifying()[0]]["products"][0]["article"]), 1)]
    return [
        shop.place_order(created=datetime.now(UTC) - timedelta(days=90 + one), status=3, articles=article)
        for one in range(count)
    ]


def looked(installation: Installation, browser: httpx.Client, **named: str) -> str:
    """The id of the dry run of these orders, which is through."""
    run = run_of(sent(browser, f"{PATH}/look", once=" ".join(named.values()), **named))
    installation.completed(run)
    return run


def in_roapp(installation: Installation, number: str) -> bool:
    return f"{installation.key(INDEX)}:{number}" in installation.box.roapp.orders_by_marker()


def test_what_was_looked_at_is_done_as_the_shop_has_it_by_then(
    installation: Installation, browser: httpx.Client, shop: Shop
) -> None:
    kept, changed = old_orders(shop, 2)
    run = looked(installation, browser, numbers=f"{kept}, {changed}")
    part = browser.get(f"/shops/{SLUG}/runs/{run}", headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == f"{PATH}?look={run}"
    page = browser.get(f"{PATH}?look={run}").text
    shown = re.findall(r"<td>(\d+)</td><td>(\w+)</td>", page)
    assert sorted(shown) == [(kept, "create"), (changed, "create")]
    assert "A real run takes about" in page
    assert not in_roapp(installation, kept)

    shop.edit(changed, delivery_name="Інша Людина")
    clicks = [run_of(sent(browser, f"{PATH}/do", look=run, once="done-twice")) for _ in range(2)]
    assert clicks[0] == clicks[1]
    installation.completed(clicks[0])
    assert [in_roapp(installation, number) for number in (kept, changed)] == [True, True]
    assert f"orders {kept}" in browser.get(PATH).text


def test_what_is_no_look_at_this_shop_is_not_done(installation: Installation, browser: httpx.Client) -> None:
    refused = sent(browser, f"{PATH}/look", once="nothing")
    assert (refused.status_code, "Nothing is named." in refused.text) == (422, True)
    refused = sent(browser, f"{PATH}/look", once="odd", created_from="yesterday", numbers="1001")
    assert (refused.status_code, 'value="1001"' in refused.text) == (422, True)
    refused = sent(browser, f"{PATH}/look", once="odd", numbers="١٠٠١x")
    assert (refused.status_code, "no order number" in refused.text) == (422, True)
    sync = installation.start(f"incremental-sync/{SLUG}")
    installation.completed(sync)
    for look in (sync, "no-id"):
        assert sent(browser, f"{PATH}/do", look=look, once="x").status_code == 400
        assert browser.get(f"{PATH}?look={look}").status_code == 400


def test_a_look_says_what_can_not_be_done(installation: Installation, browser: httpx.Client, shop: Shop) -> None:
    (odd,) = old_orders(shop, 1)
    shop.edit(odd, total_sum="not a sum")
    run = looked(installation, browser, numbers=f"{odd} 999999")
    page = browser.get(f"{PATH}?look={run}").text
    assert "There is nothing to do." in page
    assert f"<td>row {odd}</td>" in page
    assert "The shop does not have: 999999." in page


def test_a_cancel_says_how_many_are_taken_out(installation: Installation, browser: httpx.Client, shop: Shop) -> None:
    numbers = old_orders(shop, 2)
    look = looked(installation, browser, numbers=" ".join(numbers))
    with database.locked(installation.engine, "account:main"):  # nobody delivers
        run = run_of(sent(browser, f"{PATH}/do", look=look, once="canceled"))
        open_ = "SELECT max(id) FROM backfills WHERE stored_at IS NOT NULL AND state = 'open'"
        id = str(installation.become(lambda: installation.value(open_), bool))
        answer = sent(browser, f"{PATH}/cancel", id=id)
    assert "2 orders are taken out of the queue, 0 were delivered" in browser.get(answer.headers["location"]).text
    assert sent(browser, f"{PATH}/cancel", id="999999").status_code == 404
    installation.completed(run)
    assert not any(in_roapp(installation, number) for number in numbers)
