"""What a run did is told order by order, without a word of the buyers; what is held is one number everywhere."""

from __future__ import annotations

import asyncio
import logging

import pytest
from world import Row, World

from cartum_roapp.errors import IntegrationError
from cartum_roapp.ledger import held, held_selection
from cartum_roapp.links import shop_admin
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync import sentence
from cartum_roapp.sync.run import Run
from flows.incremental_sync import sync_changes
from flows.initial_import import import_window
from flows.reconcile import compare_sides
from tasks.links import Links
from tasks.summary import summary_text

CONSOLE = "https://console.example"
BUYER = {"delivery_name": "Соломія Вишневецька", "delivery_phone": "+380671234567", "delivery_address": "вул. Тиха 7"}


def synced(world: World, shop: ShopConfig) -> tuple[Run, Row]:
    """A sync, and its document."""

    async def sync() -> tuple[Run, Row]:
        async with world.opened("incremental-sync", shop) as run:
            return run, await sync_changes(run)

    return asyncio.run(sync())


def test_the_summary_of_a_sync(database: str, caplog: pytest.LogCaptureFixture) -> None:
    with World.of(database, orders=6, settings={"console_url": CONSOLE}) as world:
        shop, box = world.shop(), world.box.shops[0]
        world.imported(shop)
        moved, broken = box.qualifying()[:2]
        placed = str(box.place_order(**BUYER))
        box.edit(moved, stat_status=6, delivery_phone="+380501112233", delivery_name="Інша Людина")
        box.edit(broken, total_sum="not a sum")
        caplog.set_level(logging.INFO, "cartum_roapp")
        caplog.clear()
        run, result = synced(world, shop)

        assert sentence.of_run(result) == "1 new, 1 changed, 1 held"
        touched = {one["number"]: one for one in result["touched"]}
        assert {number: one["what"] for number, one in touched.items()} == {placed: "new", moved: "changed"}
        assert any(change.startswith("status ") and "→" in change for change in touched[moved]["changes"])
        assert "buyer's phone" in touched[moved]["changes"]
        assert touched[placed]["roapp_id"] == world.roapp_order(placed, shop)["id"]
        assert [(one["id"], one["news"]) for one in result["held_records"]] == [(broken, True)]
        told = [record.getMessage() for record in caplog.records]
        read = result["seen"]
        assert f"{read} orders: 1 new, 1 changed, {read - 3} as they were, 1 that can't be read" in told
        assert "delivering 2 orders" in told and "2 of 2 delivered" in told
        held_page = f"{CONSOLE}/shops/{shop.slug}/held"
        assert told[-3:] == [
            "1 held: 1 order-total",
            f"row {broken}: total_sum is not a number.",
            f"why, and how to fix each: {held_page}",
        ]

        text = summary_text(result, Links.of(run))
        assert text.startswith("**1 new, 1 changed, 1 held**\n\n### 1 new\n")
        assert f"[{placed}]({shop_admin(shop.url)})" in text and f"[fix it]({held_page})" in text
        assert f"[what happened]({CONSOLE}/shops/{shop.slug}/orders/{placed})" in text
        for private in (*BUYER.values(), "Соломія", "671234567", "501112233", "Інша"):
            assert private not in text + str(result) + "\n".join(told)


def test_the_summary_of_a_reconciliation_says_what_differs(database: str) -> None:
    with World.of(database, orders=6) as world:
        shop = world.shop()
        world.imported(shop)
        edited = world.box.shops[0].qualifying()[0]
        order = world.roapp_order(edited, shop)
        world.box.roapp.items[order["id"]][0]["price"] = 1
        world.box.roapp.touch(order["id"])

        async def compare() -> tuple[Run, Row]:
            async with world.opened("reconcile", shop) as run:
                return run, await compare_sides(run)

        run, result = asyncio.run(compare())
        text = summary_text(result, Links.of(run))
        assert text.startswith(f"**{sentence.of_comparison(result)}**\n\n### Days that differ\n")
        assert "1 difference: 1 reported" in text.splitlines()[0] and "nothing new" not in text
        named = f"| no. {order['number']}, id {order['id']} |"
        (row,) = [line for line in text.splitlines() if line.startswith(f"| [{edited}]({shop_admin(shop.url)})")]
        assert "edited-in-roapp" in row and "| only reported |" in row and named in row


def test_an_order_that_ro_app_had_already_is_adopted(database: str) -> None:
    with World.of(database, orders=3) as world:
        shop = world.shop()
        world.imported(shop)
        world.purged()

        async def again() -> Row:
            async with world.opened("initial-import", shop) as run:
                return await import_window(run)

        touched = asyncio.run(again())["touched"]
        known = {number: rows[0] for number, rows in world.roapp_orders(shop).items()}
        assert {one["number"]: (one["what"], one["roapp_id"], one["roapp_number"]) for one in touched} == {
            number: ("adopted", row["id"], str(row["number"])) for number, row in known.items()
        }


def test_what_is_held_no_more_is_named_and_what_is_held_again_is_not(database: str) -> None:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        shop, box = world.shop(), world.box.shops[0]
        world.imported(shop)
        held_for_its_total, held_for_its_status = box.qualifying()
        box.edit(held_for_its_total, total_sum="not a sum")
        box.edit(held_for_its_status, stat_status=6)
        known = {ours: theirs for ours, theirs in shop.statuses.items() if ours != 6}
        before = world.shop(statuses=known)
        assert len(synced(world, before)[1]["held_records"]) == 2
        assert synced(world, before)[1]["touched"] == [], "an idle run"

        box.edit(held_for_its_total, total_sum=box.orders[held_for_its_total]["total_default"])
        run, result = synced(world, shop)
        assert {one["number"]: (one["what"], one["changes"]) for one in result["touched"]} == {
            held_for_its_total: ("released", ["held no more (row), order-total: the row can be read now"]),
            held_for_its_status: ("released", ["held no more (status), status-unmatched: the status is matched now"]),
        }
        text = summary_text(result, Links.of(run))
        assert "### 2 released\n" in text and "what was held" in text
        assert synced(world, shop)[1]["touched"] == []


def test_what_changed_and_is_held_still_is_not_told_as_released(database: str) -> None:
    with World.of(database, orders=1, delivered=0, older=0) as world:
        shop, box = world.shop(), world.box.shops[0]
        world.imported(shop)
        world.box.roapp.faults.product_create = False
        number = box.place_order(articles=[("CAP-2", 1)])
        assert [one["id"] for one in synced(world, shop)[1]["held_records"]] == [number]
        box.edit(number, stat_status=6)
        (one,) = synced(world, shop)[1]["touched"]
        assert (one["number"], one["what"]) == (number, "changed")
        assert [change.partition(" ")[0] for change in one["changes"]] == ["status"]


def test_what_is_tried_again_and_refused_again_is_no_news(database: str) -> None:
    with World.of(database, orders=1, delivered=0, older=0) as world:
        shop, box = world.shop(), world.box.shops[0]
        world.imported(shop)
        (number,) = box.qualifying()
        world.box.roapp.faults.refused_statuses = (shop.statuses[6],)
        box.set_status(number, 6)
        assert [one["what"] for one in synced(world, shop)[1]["touched"]] == ["changed"]
        with world.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE held SET last_at = last_at - interval '1 hour'")
        world.box.roapp.clear_calls()
        assert synced(world, shop)[1]["touched"] == []
        assert any(call.path.endswith("/status") for call in world.box.roapp.calls), "it was tried"


def test_what_an_earlier_run_had_read_is_named_when_it_is_written(database: str) -> None:
    with World.of(database, orders=1, delivered=0, older=0) as world:
        shop = world.shop()
        world.imported(shop)
        (number,) = world.box.shops[0].qualifying()
        world.box.shops[0].edit(number, stat_status=6)
        world.box.roapp.faults.fail("error", times=99)
        with pytest.raises(IntegrationError):
            world.synced(shop)
        world.box.roapp.faults.calm()
        with world.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
        (one,) = synced(world, shop)[1]["touched"]
        assert (one["number"], one["what"]) == (number, "delivered")
        assert any(change.startswith("set the status (POST ") for change in one["changes"])


def test_held_is_one_number_and_dismissed_ones_are_apart(database: str, caplog: pytest.LogCaptureFixture) -> None:
    with World.of(database, orders=6) as world:
        shop, box = world.shop(), world.box.shops[0]
        world.imported(shop)
        first, second = box.qualifying()[:2]
        for number in (first, second):
            box.edit(number, total_sum="not a sum")
        synced(world, shop)
        records = held_selection.find(world.engine, shop.key, [second])
        with world.engine.begin() as connection:
            held.dismiss(connection, shop.key, records)
        caplog.set_level(logging.INFO, "cartum_roapp")
        caplog.clear()
        run, result = synced(world, shop)
        assert (result["held"], result["dismissed"]) == (1, 1) == tuple(held.counts(world.engine, shop.key).values())
        assert [(one["id"], one["news"]) for one in result["held_records"]] == [(first, False)]
        assert result["touched"] == []
        text = summary_text(result, Links.of(run))
        assert "### 1 held: 1 order-total" in text and "1 dismissed: " in text
        assert sentence.of_run(result) == f"{result['seen']} orders, nothing new, 1 held"
        assert [record.getMessage() for record in caplog.records] == ["1 held: 1 order-total"], "an idle run"
