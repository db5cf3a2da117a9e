"""`cartum-roapp held …` as people and scripts use it, and the same from Prefect's UI."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from console_pages import visited
from installation import Installation, Row

from sandbox.cartum_shop import CartumShop

SLUG, INDEX = "shop-8", 7
FIELD = "ad_campaign_id"
PHONE, MAIL, NAME = "+380671234509", "held.buyer@example.com", "Соломія Притула-Гетьман"
WHOLE = {"delivery_phone": PHONE, "delivery_email": MAIL, "delivery_name": NAME, "comment": "=cmd|' /C calc'!A0"}


@pytest.fixture(scope="module")
def cli(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    installation.done("import", SLUG)
    installation.done("shop", "pause", SLUG)
    installation.only_by_hand(SLUG)  # what began before the pause is over
    yield installation
    installation.done("shop", "delete", SLUG, "--yes", "--purge")


@pytest.fixture(scope="module")
def shop(cli: Installation) -> CartumShop:
    return cli.box.shops[INDEX]


@pytest.fixture(scope="module")
def records(cli: Installation, shop: CartumShop) -> dict[str, str]:
    """What is held until the replay delivers it: a refused order and a row that can't be read."""
    cli.box.roapp.faults.required_order_fields = (FIELD,)
    order = shop.place_order(**WHOLE)
    row = shop.place_order(total_sum="not a sum", **WHOLE)
    cli.done("sync", SLUG)
    assert {(one["entity"], one["id"]) for one in cli.done("held", "list", SLUG)} == {("order", order), ("row", row)}
    return {"order": order, "row": row}


def in_roapp(cli: Installation, number: str) -> list[Any]:
    return cli.box.roapp.orders_by_marker().get(f"{cli.key(INDEX)}:{number}", [])


def latest(cli: Installation) -> Row:
    body = {"sort": "EXPECTED_START_TIME_DESC", "limit": 1, "flow_runs": {"tags": {"all_": [f"shop:{SLUG}"]},
            "state": {"type": {"not_any_": ["SCHEDULED"]}}}}  # fmt: skip
    return dict(cli.prefect.post("/flow_runs/filter", json=body).raise_for_status().json()[0])


def summary(cli: Installation, run: Row) -> str:
    (found,) = [one["data"] for one in cli.artifacts(run["id"]) if one["type"] == "markdown"]
    return str(found)


def test_the_list_is_narrowed(cli: Installation, records: dict[str, str]) -> None:
    def ids(*options: str) -> set[str]:
        return {one["id"] for one in cli.done("held", "list", *options)}

    assert ids("--entity", "row") == {records["row"]}
    assert ids(SLUG, "--code", "refused") == {records["order"]}
    assert ids("--code", "refused", "--code", "order-total") == set(records.values())
    assert ids("--code", "product-missing") == set()
    assert cli.command("held", "list", "--entity", "orders").code == 2
    assert cli.command("held", "list", "ghost").code == 2


def test_a_sync_says_what_is_held(cli: Installation, records: dict[str, str]) -> None:
    text = summary(cli, latest(cli))
    assert "### 2 held: " in text
    for entity, code in (("order", "refused"), ("row", "order-total")):
        assert f"| {entity} {records[entity]} (new) | {code}: " in text


def test_one_record_with_all_that_is_known(cli: Installation, shop: CartumShop, records: dict[str, str]) -> None:
    ended = cli.command("held", "show", SLUG, records["order"])
    (record,) = ended.document["records"]
    assert (record["code"], record["field"], record["attempts"]) == ("refused", FIELD, 1)
    assert datetime.fromisoformat(record["first_at"]) == datetime.fromisoformat(record["last_at"])
    assert FIELD in record["message"] and record["fix"]
    order, row = ended.document["order"], shop.orders[records["order"]]
    assert (order["number"], order["status_id"], order["roapp_id"]) == (records["order"], 1, None)
    assert order["delivery"] == "held; RO App does not have it yet"
    assert sorted((float(line["price"]), float(line["quantity"])) for line in order["lines"]) == sorted(
        (float(line["price"]), float(line["quantity"])) for line in row["products"]
    )
    bound = next(number for number in shop.qualifying() if in_roapp(cli, number))
    found = cli.done("held", "show", SLUG, bound)
    assert (found["records"], found["order"]["delivery"]) == ([], "delivered")
    assert found["order"]["roapp_id"] == in_roapp(cli, bound)[0]["id"]


@pytest.mark.parametrize("entity", ["order", "row"])
def test_buyers_are_shown_only_to_who_asks(cli: Installation, records: dict[str, str], entity: str) -> None:
    found = cli.done("held", "show", SLUG, records[entity])
    whole = str(cli.done("held", "show", SLUG, records[entity], "--payload"))
    for personal in (PHONE, PHONE[-9:], MAIL, NAME):
        assert personal not in str(found)
        assert personal in whole
    if entity == "row":
        row = found["row"]
        assert (row["total_sum"], row["delivery_phone"], row["order_id"]) == ("not a sum", "•••", int(records["row"]))


def test_all_of_one_order_on_the_command_line(cli: Installation, records: dict[str, str]) -> None:
    found = cli.done("order", "show", SLUG, records["order"])
    assert [one["code"] for one in found["held"]] == ["refused"]
    assert (found["order"]["roapp_id"], found["links"]["roapp"]) == (None, None)
    assert found["links"]["shop"].startswith(cli.box.shops[INDEX].url)
    assert [one["kind"] for one in found["timeline"] if one["kind"] != "call"][-1] == "held"
    assert {cli.flow_run(one["run"])["name"] for one in found["timeline"]} == {f"{SLUG}: sync"}
    assert any(one["text"].startswith("make the order (POST /orders): HTTP 4") for one in found["timeline"])
    whole = str(cli.done("order", "show", SLUG, records["order"], "--personal"))
    for personal in (PHONE[-9:], MAIL, NAME):
        assert personal not in str(found)
        assert personal in whole
    unknown = records["order"] + "7"
    ended = cli.command("order", "show", SLUG, unknown)
    assert (ended.code, f"the ledger knows no order {unknown}." in ended.said) == (2, True)
    assert f"bring it by a backfill (`cartum-roapp backfill {SLUG} --ids {unknown}`)" in ended.said
    ended = cli.command("backfill", SLUG, "--ids", unknown)
    assert (ended.code, ended.document["not_in_shop"]) == (2, [unknown]), "the command that it names"
    none = cli.command("order", "show", SLUG, "abc")
    assert (none.code, "Give the number that the shop shows" in none.said) == (2, True)
    assert "resend" not in none.said + ended.said and "backfill" not in none.said


@pytest.mark.parametrize("command", ["show", "replay", "dismiss"])
def test_an_id_that_nobody_knows_is_2_and_names_near_ones(
    cli: Installation, records: dict[str, str], command: str
) -> None:
    runs, before = cli.value("SELECT count(*) FROM runs"), latest(cli)["id"]
    ended = cli.command("held", command, SLUG, records["order"] + "7")
    assert ended.code == 2
    assert records["order"] in ended.document["error"]["fix"]
    assert (cli.value("SELECT count(*) FROM runs"), latest(cli)["id"]) == (runs, before)
    assert cli.value("SELECT paused_because FROM shops WHERE slug = :slug", slug=SLUG) == "Paused by hand."


def test_a_dry_run_replays_nothing(cli: Installation, records: dict[str, str]) -> None:
    writes = cli.box.roapp.counts()
    found = cli.done("held", "replay", SLUG, "--all", "--dry-run")
    assert found["dry_run"] is True
    assert {one["id"] for one in found["records"]} == set(records.values())
    assert found["calls"] == 0
    assert cli.box.roapp.counts() == writes
    assert records["order"] in summary(cli, latest(cli))
    assert len(cli.done("held", "replay", SLUG, "--all", "--limit", "1", "--dry-run")["records"]) == 1


def read_csv(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff"), "Excel needs the mark to show Cyrillic"
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_a_replay_says_what_became_of_each(cli: Installation, shop: CartumShop, records: dict[str, str]) -> None:
    found = cli.done("held", "replay", SLUG, *records.values())
    assert {one["id"]: one["outcome"] for one in found["records"]} == dict.fromkeys(records.values(), "held")
    assert {one["entity"]: one["code"] for one in found["records"]} == {"order": "refused", "row": "order-total"}
    cli.box.roapp.faults.required_order_fields = ()
    shop.edit(records["row"], total_sum=100)
    found = cli.done("held", "replay", SLUG, *records.values())
    assert [one["outcome"] for one in found["records"]] == ["delivered"] * 2
    assert (found["delivered"], found["held"]) == (2, 0)
    assert all(len(in_roapp(cli, number)) == 1 for number in records.values())
    run = latest(cli)
    assert (run["name"], run["state_type"]) == (f"{SLUG}: replay of 2 records", "COMPLETED")
    assert f"| row {records['row']} | order-total | delivered |" in summary(cli, run)
    nothing = cli.done("held", "replay", SLUG, records["order"])
    assert (nothing["records"], nothing["calls"]) == ([], 0)


def test_an_order_is_sent_again(cli: Installation, shop: CartumShop, records: dict[str, str]) -> None:
    number, ghost = records["order"], str(int(records["row"]) + 500)
    (order,) = in_roapp(cli, number)
    cli.box.roapp.items[order["id"]][0].update(quantity=77)
    cli.box.roapp.touch(order["id"])
    ended = cli.command("order", "resend", SLUG, number, ghost)
    assert ended.code == 2 and f"the shop has no order {ghost}" in ended.said
    found = ended.document
    assert [one["outcome"] for one in found["resent"]] == ["delivered", "missing"]
    (line,) = found["resent"][0]["written"]
    assert line.startswith("change a line (PATCH ")
    assert found["resent"][0]["roapp_number"] == order["number"]
    (run,) = cli.completed(cli.start("resend-orders/resend-orders", shop=SLUG, numbers=[number]))
    assert f") | delivered | no. {order['number']}, id {order['id']} | nothing |" in " ".join(
        str(one["data"]) for one in cli.artifacts(run["id"])
    )
    assert cli.command("order", "resend", SLUG, "A-1").code == 2
    cli.box.roapp.items[order["id"]][0].update(quantity=78)
    cli.box.roapp.touch(order["id"])
    all_of_them = cli.done("order", "resend", SLUG, "--all")["resent"]
    assert {one["outcome"] for one in all_of_them if one["number"] == number} == {"delivered"}, all_of_them


def test_a_replay_of_nothing_named_is_2_and_starts_no_run(cli: Installation) -> None:
    before = latest(cli)["id"]
    ended = cli.command("held", "replay", SLUG)
    assert (ended.code, ended.document["error"]["fields"][0]["field"]) == (2, "id")
    assert latest(cli)["id"] == before


def test_a_replay_from_the_ui(cli: Installation, shop: CartumShop) -> None:
    cli.box.roapp.faults.required_order_fields = (FIELD,)
    number = shop.place_order()
    cli.done("sync", SLUG)
    cli.box.roapp.faults.required_order_fields = ()
    (run,) = cli.completed(
        cli.start("replay-held/replay-held", shop=SLUG, entity="order", code="refused", dry_run=False)
    )
    assert len(in_roapp(cli, number)) == 1
    assert f"| order {number} | refused | delivered |" in summary(cli, run)
    (failed,) = cli.ended(cli.start("replay-held/replay-held", shop=SLUG))
    assert "nothing is named" in failed["state"]["message"]


def test_an_order_that_was_deleted_is_left_or_made_again(cli: Installation, shop: CartumShop) -> None:
    number = next(number for number in shop.qualifying() if in_roapp(cli, number))
    cli.box.roapp.delete_order(in_roapp(cli, number)[0]["id"])
    shop.set_waybill(number, "20450000000001")
    cli.done("sync", SLUG)
    (record,) = cli.done("held", "list", SLUG)
    assert record["code"] == "deleted-in-roapp" and "--make-again" in record["fix"]
    assert [one["id"] for one in cli.done("held", "dismiss", SLUG, number)["dismissed"]] == [number]
    assert cli.done("held", "list", SLUG) == []
    assert [one["id"] for one in cli.done("held", "list", SLUG, "--dismissed")] == [number]
    found = cli.done("held", "replay", SLUG, number, "--make-again")
    assert [one["outcome"] for one in found["records"]] == ["delivered"]
    assert len(in_roapp(cli, number)) == 1
    assert cli.done("held", "list", SLUG, "--dismissed") == []


def test_a_status_that_the_owner_matches_goes_with_the_next_sync(cli: Installation, shop: CartumShop) -> None:
    number = next(number for number in shop.qualifying() if in_roapp(cli, number))
    target = sorted(cli.box.roapp.statuses)[4]
    statuses = json.loads(cli.file(INDEX).read_text())["statuses"]
    edited = cli.file(INDEX, statuses={**statuses, "9": target})
    shop.add_status(9, {"ua": "На складі"})
    shop.set_status(number, 9)
    cli.done("sync", SLUG)
    (record,) = cli.done("held", "list", SLUG)
    assert (record["entity"], record["id"], record["code"]) == ("status", number, "status-unmatched")
    cli.done("shop", "apply", str(edited))
    cli.done("sync", SLUG)
    assert cli.done("held", "list", SLUG) == []
    assert in_roapp(cli, number)[0]["status_id"] == target

    shop.add_status(10, {"ua": "Скасовано здавна"})
    shop.set_status(number, 10)
    cli.done("sync", SLUG)
    del shop.statuses[10]  # the order keeps it
    cli.done("shop", "edit", SLUG, "--set", f"statuses.10={target}")
    cli.done("shop", "check", SLUG)
    cli.done("sync", SLUG)
    assert [one["code"] for one in cli.done("held", "list", SLUG)] == []
    shop.set_status(number, 2)
    del shop.statuses[9]


def test_products_that_orders_wait_for_are_exported_for_an_import_into_roapp(
    cli: Installation, shop: CartumShop
) -> None:
    roapp, file = cli.box.roapp, f"/shops/{SLUG}/held/products.csv"
    roapp.faults.product_create = False
    try:
        bought_before = [(str(shop.orders[shop.qualifying()[0]]["products"][0]["article"]), 1)]
        first = shop.place_order(articles=bought_before)
        for article, title in (("NEW-1", "Пакування"), ("NEW-2", "Листівка"), ("-7", "Стрічка")):
            shop.add_line(first, article, 1, price=30, title=title)
        second = shop.place_order(articles=bought_before)
        shop.add_line(second, "NEW-1", 2, price=30, title="Пакування")
        cli.done("sync", SLUG)
        (why,) = {one["message"] for one in cli.done("held", "list", SLUG) if one["id"] == first}
        assert "nor 2 other products" in why and "the console's Held page" in str(cli.done("held", "list", SLUG))
        with visited(cli) as browser:
            rows = {row["SKU"]: row for row in read_csv(browser.get(file).text)}
        assert (rows["NEW-1"]["Name"], float(rows["NEW-1"]["Price"])) == ("Пакування", 30)
        assert rows.keys() == {"NEW-1", "NEW-2", "-7"}
        for row in rows.values():
            roapp.add_product(row["Name"], code=row["Code"], sku=row["SKU"], price=row["Price"])
        found = cli.done("held", "replay", SLUG, first, second)
        assert [one["outcome"] for one in found["records"]] == ["delivered"] * 2
        with visited(cli) as browser:
            assert read_csv(browser.get(file).text) == []
    finally:
        roapp.faults.product_create = True
