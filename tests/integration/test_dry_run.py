"""A dry run says what the real run then does, and writes nothing: neither in RO App nor in the ledger."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import Row, World

from cartum_roapp.backfill_words import summary, what
from cartum_roapp.ledger import runs, tables
from cartum_roapp.report.tables import of_plan
from cartum_roapp.shops import ShopConfig
from tasks.links import Links
from tasks.sections import sections

UNMATCHED = 9
#: The record of the run itself, what is counted of it, and the call budget that it keeps.
NOT_COMPARED = {"runs", "counters", "call_slots"}


def contents(world: World) -> dict[str, list[str]]:
    """All rows of all tables."""
    with world.engine.connect() as connection:
        return {
            name: sorted(connection.scalars(text(f"SELECT one::text FROM {name} one")))
            for name in tables.metadata.tables
            if name not in NOT_COMPARED
        }


def mixed(world: World, chance: random.Random) -> list[str]:
    """Orders of every kind; gives the numbers of all."""
    shop, roapp = world.box.shops[0], world.box.roapp
    world.imported()
    known = list(shop.qualifying())
    chance.shuffle(known)
    shop.set_status(known[0], 6)
    shop.change_line(known[1], 0, quantity=chance.randint(3, 9))
    shop.set_waybill(known[2], "20450000000001")
    shop.edit_buyer(known[2], phone="+380671112299")
    shop.add_line(known[3], "UMB-1", 2)
    shop.remove_line(known[3], 0)
    forget(world, known[4:6])  # their RO App orders carry the marker still
    shop.set_status(known[5], 6)
    roapp.delete_order(world.roapp_order(known[6])["id"])
    shop.set_waybill(known[6], "20450000000002")
    shop.add_status(UNMATCHED, {"ua": "Резерв"})
    shop.set_status(known[7], UNMATCHED)
    old = datetime.now(UTC) - timedelta(days=90)
    buyer = {"delivery_phone": "+380509998877", "delivery_email": "same@example.com"}
    placed = [shop.place_order(created=old, status=3) for _ in range(chance.randint(2, 4))]
    placed += [shop.place_order(created=old, status=3, **buyer) for _ in range(2)]
    placed.append(shop.place_order(created=old, status=UNMATCHED))
    odd = {"article": "NO-SUCH", "title": "Невідомий", "price": 10, "quantity": 1, "total_price": 10,
           "type": "product", "discount_marker": None}  # fmt: skip
    placed.append(shop.place_order(created=old, status=3, products=[odd]))
    twice = roapp.add_contact("Двійник", phones=["+380631234567"])
    roapp.copy_contact(twice)
    placed.append(shop.place_order(created=old, status=3, delivery_phone="0631234567"))
    placed.append(shop.place_order(created=old, status=3))
    shop.edit(placed[-1], total_sum="not a sum")
    return [*known, *placed]


def settled(world: World) -> ShopConfig:
    return world.shop(missing_products="hold")


def forget(world: World, numbers: list[str]) -> None:
    with world.engine.begin() as connection:
        for table in ("orders", "order_lines", "outbox", "order_matches", "agreed_lines"):
            connection.execute(text(f"DELETE FROM {table} WHERE number = ANY(:numbers)"), {"numbers": numbers})


def seen(world: World, config: ShopConfig) -> dict[str, Row]:
    """Number → RO App's order with its lines."""
    items = world.box.roapp.items
    return {
        number: {**rows[0], "items": [dict(item) for item in items[rows[0]["id"]]]}
        for number, rows in world.roapp_orders(config).items()
    }


def happened(world: World, before: dict[str, Row], after: dict[str, Row], bound: set[str], number: str) -> str:
    """What the real run did with the order, as staff would see it."""
    if {("order", number), ("row", number)} & world.held().keys():
        return "held"
    if number not in before:
        return "create"
    if number not in bound:
        return "adopt"
    own = f"/orders/{before[number]['id']}"
    return "change" if any((call.path + "/").startswith(own + "/") for call in world.box.roapp.writes()) else "nothing"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_it_says_is_what_happens(database: str, seed: int) -> None:
    with World.of(database, orders=10, delivered=3, older=1, seed=seed) as world:
        numbers, config, roapp = mixed(world, random.Random(seed)), settled(world), world.box.roapp
        before, ledger = seen(world, config), contents(world)
        bound = set(world.engine.connect().scalars(text("SELECT number FROM order_matches")))
        roapp.clear_calls()
        plan = world.backfilled(config, numbers=numbers, dry_run=True)
        assert [call.path for call in roapp.writes()] == []
        assert (seen(world, config), contents(world)) == (before, ledger)
        assert plan["calls_by_kind"]["roapp_writes"] == 0

        real = world.backfilled(config, numbers=numbers)
        after = seen(world, config)
        said = {order["number"]: order["action"] for order in plan["orders"]}
        said |= {one["id"]: "held" for one in plan["would_hold"] if one["entity"] == "row"}
        assert said == {number: happened(world, before, after, bound, number) for number in numbers}
        assert set(said.values()) == {"create", "adopt", "change", "nothing", "held"}
        held = {(one["entity"], one["id"]): one["code"] for one in plan["would_hold"]}
        assert held == world.held(config)
        assert {"product-missing", "contact-ambiguous", "status-unmatched", "deleted-in-roapp"} <= set(held.values())
        in_part = {id for _, id in held if said.get(id, "held") != "held"}
        assert in_part and f", {len(in_part)} to hold in part. " in summary(plan)
        for order in plan["orders"]:
            fits(world, order, before.get(order["number"]), after.get(order["number"]))
        calls = real["calls_by_kind"]["roapp_reads"] + real["calls_by_kind"]["roapp_writes"]
        assert abs(plan["real_run"]["calls"] - calls) <= 0.1 * calls + 3


def fits(world: World, order: Row, before: Row | None, after: Row | None) -> None:
    """Each field of which values were told had and has these values."""
    statuses = {id: one["name"] for id, one in world.box.roapp.statuses.items()}
    for change in order["changes"]:
        if after is None:
            continue
        name = change["field"]
        if name == "status":
            assert change["new"] == statuses[after["status_id"]]
            assert before is None or change["old"] == statuses[before["status_id"]]
        elif name == "manager" or name == "buyer":
            assert before is not None
            key = {"manager": "manager_id", "buyer": "client_id"}[name]
            assert change["old"] == str(before[key])
            assert change["new"] in (str(after[key]), "a new one") and after[key] != before[key]
        elif name.startswith("line ") and ": quantity" in name:
            assert before is not None
            was, now = ([float(item["quantity"]) for item in one["items"]] for one in (before, after))
            assert float(change["old"]) in was and float(change["new"]) in now


def test_it_says_in_words_what_it_costs_and_nothing_of_the_buyer(database: str) -> None:
    with World.of(database, orders=2, delivered=1, older=0, settings={"roapp_interval": 0.001}) as world:
        world.imported()
        shop = world.box.shops[0]
        first, second = shop.qualifying()
        shop.edit_buyer(first, name="Соломія Таємна", phone="+380671112299")
        shop.set_status(first, 6)
        shop.edit(first, comment="секрет")
        (new,) = set(shop.orders) - {first, second}
        document = world.backfilled(numbers=[first, second, new, "777"], dry_run=True)
        text_ = "\n".join(sections(of_plan(document), Links("mavka", "https://shop.example/adminLegacy/")))
    said = {order["number"]: what(order) for order in document["orders"]}
    assert "status: " in said[first] and "notes: changed" in said[first] and said[second] == ""
    assert document["actions"] == {"create": 1, "adopt": 0, "change": 1, "nothing": 1, "held": 0, "wait": 0}
    assert summary(document).startswith("1 to create, 1 to change, 1 as they are. A real run takes about ")
    assert (
        f"| [{first}](https://shop.example/adminLegacy/) | change | " in text_
        and "The shop does not have: 777." in text_
    )
    everything = str(document) + text_
    for private in ("Таємна", "0671112299", "380671112299", "секрет"):
        assert private not in everything


def test_a_discount_is_named_as_the_real_run_names_it(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        more, less, as_it_was, new, none = (shop.place_order(articles=[("KR-799", 2)]) for _ in range(5))
        give(world, {more: 0, less: 200, as_it_was: 100})
        for number in (new, none):
            shop.set_status(number, 3)  # which the import leaves out
        world.imported()
        give(world, {more: 50, less: 0, new: 300})
        shop.set_waybill(as_it_was, "20450000000001")
        numbers = [more, less, as_it_was, new, none]
        document = world.backfilled(numbers=numbers, dry_run=True)
        real = world.backfilled(numbers=numbers)
    told = {
        order["number"]: [(one["old"], one["new"]) for one in order["changes"] if one["field"] == "discount"]
        for order in document["orders"]
    }
    assert told == {
        more: [("0.00", "50.00")],
        less: [("200.00", "0.00")],
        as_it_was: [],
        new: [(None, "300.00")],
        none: [],
    }
    said = {order["number"]: what(order) for order in document["orders"]}
    for number in (more, less):
        (done,) = [one for one in real["touched"] if one["number"] == number]
        assert f"discount {told[number][0][0]} → {told[number][0][1]}" in str(done)
    assert "; discount: 300.00" in said[new] and "; discount: 0.00 → 50.00" in said[more]
    assert ": 2 × 649;" in said[new], "its price carries it"


def give(world: World, discounts: dict[str, int]) -> None:
    shop = world.box.shops[0]
    for number, off in discounts.items():
        gross = sum(line["total_price"] for line in shop.orders[number]["products"])
        shop.edit(number, total_default=float(gross), total_sum=float(gross - off))


def test_status_and_metrics_count_nothing_of_it(database: str) -> None:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        world.imported()
        shop = world.box.shops[0]
        shop.edit(shop.qualifying()[0], total_sum="not a sum")
        shop.set_waybill(shop.qualifying()[1], "20450000000001")
        world.synced()
        shop.set_status(shop.qualifying()[1], 6)
        number = shop.place_order()
        document = world.backfilled(numbers=list(shop.orders), dry_run=True)
        assert (document["new"], document["changed"]) == (1, 1), "what a real run would do"
        assert document["held"] == 1, "what is held already"
        (last,) = [one for one in runs.last(world.engine, world.shop().key) if one.kind == "backfill"]
        assert [last.counts[name] for name in ("new", "changed", "held")] == [0, 0, 1]
        assert last.counts["calls"] == document["calls"] > 0
        counted = "SELECT count(*) FROM counters WHERE run = 'backfill' AND counter = :counter"
        assert [world.value(counted, counter=name) for name in ("orders", "runs")] == [0, 1]
        assert number not in world.roapp_orders(world.shop())


def test_it_waits_for_no_lock_and_a_real_run_does_not_wait_for_it(database: str, monkeypatch: Any) -> None:
    """A real run of the same orders begins and ends while the dry run is in the middle."""
    from cartum_roapp.delivery.preview import Preview

    with World.of(database, orders=1, delivered=2, older=0) as world:
        world.imported()
        numbers = list(world.box.shops[0].orders)
        previewed = Preview.run

        async def in_the_middle(self: Preview, *arguments: Any) -> Any:
            found = await previewed(self, *arguments)
            async with world.opened("backfill", world.shop()):
                result = await world.backfill(world.shop(), numbers=numbers)
            assert result["delivered"] == 2
            return found

        monkeypatch.setattr(Preview, "run", in_the_middle)
        document = world.backfilled(numbers=numbers, dry_run=True)
    assert document["actions"]["create"] == 2


@pytest.mark.parametrize("named", ["numbers", "days"])
def test_a_used_up_quota_is_waited_for(database: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cartum_roapp.sync.run.LONGEST_WAIT", 0.1)
    with World.of(database, orders=2, delivered=1, older=0) as world:
        world.imported()
        shop = world.box.shops[0]
        number = shop.place_order()
        shop.faults.fail("rate", 1, path="^orders/get$", seconds=1)
        today = datetime.now(UTC)
        chosen: dict[str, Any] = {"numbers": [number]}
        if named == "days":
            chosen = {"since": (today - timedelta(days=1)).date(), "until": (today + timedelta(days=1)).date()}
        plan = world.backfilled(**chosen, dry_run=True)
        assert [one["number"] for one in plan["orders"]] == [number]
