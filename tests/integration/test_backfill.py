"""A backfill: slice by slice, by names and numbers, canceled or broken off and gone on with."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from warm import warm
from world import Row, World

from cartum_roapp.delivery.products import ProductBook
from cartum_roapp.errors import NotReady
from cartum_roapp.ledger import backfills, daily, dossier, erasure, health, journal, runs
from cartum_roapp.ledger.journal import Kind
from sandbox.box import Shop

NOW = datetime.now(UTC)
DELIVERED = 3


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A shop whose import took one order; nothing else is there yet. RO App may stand still while a test cancels.
    Runs that give way to others do so for a moment only."""
    monkeypatch.setattr("cartum_roapp.ledger.database.LOOKS", 0.02)
    with World.of(database, orders=1, delivered=0, older=0, settings={"http_timeout": 60.0}) as world:
        world.imported()
        world.box.roapp.clear_calls()
        yield world


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def old(world: World, *days: float, **fields: Any) -> list[str]:
    """Orders that were placed so many days ago and are Delivered, which the import passes over."""
    shop = world.box.shops[0]
    return [shop.place_order(created=ago(one), **{"status": DELIVERED, **fields}) for one in days]


def in_roapp(world: World) -> set[str]:
    return set(world.roapp_orders(world.shop()))


def placed(world: World, *moments: datetime) -> str:
    """Places a Delivered order at each of these moments on the shop's clock; gives the number of the last."""
    zone = ZoneInfo("Europe/Kyiv")
    return [world.box.shops[0].place_order(created=one.replace(tzinfo=zone), status=DELIVERED) for one in moments][-1]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of what runs read since it was asked last."""
    said = [one.getMessage() for one in caplog.records if one.name == "cartum_roapp.sync.upsert"]
    caplog.clear()
    return said


@pytest.mark.parametrize("dry_run", [False, True])
def test_its_log_names_the_days_of_each_part_on_the_shops_clock(
    world: World, caplog: pytest.LogCaptureFixture, dry_run: bool
) -> None:
    number = placed(world, *(datetime(2026, 1, day, hour, 30) for day, hour in ((25, 0), (31, 23), (24, 12), (1, 0))))
    caplog.set_level("INFO")
    world.backfilled(since=date(2026, 1, 1), until=date(2026, 1, 31), dry_run=dry_run)
    assert told(caplog) == [
        "2026-01-25 to 2026-01-31, 2 orders: 2 new",
        "2026-01-18 to 2026-01-24, 1 order: 1 new",
        "2026-01-01 to 2026-01-10, 1 order: 1 new",
    ]
    world.box.shops[0].set_status(number, 6)
    world.backfilled(numbers=[number], dry_run=dry_run)
    assert told(caplog) == [f"1 order: 1 {'new' if dry_run else 'changed'}"], "numbers are of no days"


@pytest.mark.parametrize("dry_run", [False, True])
def test_its_parts_are_whole_days_also_where_the_clocks_change(
    world: World, caplog: pytest.LogCaptureFixture, dry_run: bool
) -> None:
    placed(world, *(datetime(2026, 3, day, 23, 30) for day in (31, 26, 17)))
    caplog.set_level("INFO")
    world.backfilled(since=date(2026, 3, 15), until=date(2026, 4, 2), dry_run=dry_run)
    assert told(caplog) == [
        "2026-03-27 to 2026-04-02, 1 order: 1 new",
        "2026-03-20 to 2026-03-26, 1 order: 1 new",
        "2026-03-15 to 2026-03-19, 1 order: 1 new",
    ]


def reads(shop: Shop) -> int:
    return sum(call.path == "orders/get" for call in shop.calls)


def at_delivery(world: World, act: Callable[[], object], *, orders: int = 1) -> None:
    """Acts, in the sandbox's thread, when RO App has made so many orders from now on."""
    before = len(world.box.roapp.orders)
    done = []

    def listen(method: str, path: str, phase: str) -> None:
        if phase == "applied" and not done and len(world.box.roapp.orders) >= before + orders:
            done.append(True)
            act()

    world.box.roapp.on_call(listen)


def test_the_newest_are_read_first_back_to_the_first_order_of_the_shop(world: World) -> None:
    shop = world.box.shops[0]
    numbers = old(world, 70, 71, 400, 401, 1200)
    shop.clear_calls()
    result = world.backfilled(until=NOW.date())
    assert (result["new"], result["delivered"], result["state"]) == (5, 5, "done")
    assert in_roapp(world) >= set(numbers)
    asked = [call.body["from"] for call in shop.calls if call.path == "orders/get" and not call.body.get("offset")]
    assert asked == sorted(asked, reverse=True)
    assert asked[-1].startswith("2000-01-02")
    assert len(asked) < 60, "where no orders are, slices grow"


def test_days_statuses_by_name_and_unknown_numbers(world: World) -> None:
    far, near, other = old(world, 80, 70, 75)
    world.box.shops[0].set_status(other, 4)
    result = world.backfilled(since=ago(81).date(), until=ago(72).date(), statuses=["доставлене"])
    assert (result["seen"], in_roapp(world) & {far, near, other}) == (1, {far})
    result = world.backfilled(numbers=[near, "999999", "77"])
    assert (result["delivered"], result["not_in_shop"]) == (1, ["77", "999999"])


@pytest.mark.parametrize("days", [{"until": date(9999, 12, 31)}, {"since": date(1, 1, 1)}])
def test_days_beyond_any_order_mean_all_of_them(world: World, days: dict[str, date]) -> None:
    numbers = old(world, 70, 1200)
    world.backfilled(**days)
    assert in_roapp(world) >= set(numbers)


def test_a_second_one_of_the_same_orders_writes_nothing(world: World) -> None:
    numbers = old(world, 70, 80)
    first = world.backfilled(numbers=numbers)
    again = world.backfilled(numbers=numbers)
    assert (again["unchanged"], again["new"], again["calls_by_kind"]["roapp_writes"]) == (2, 0, 0)
    assert again["backfill"] != first["backfill"] and not again["went_on"]


def test_what_broke_off_goes_on_with_the_same_selection_and_the_rest_is_delivered_by_syncs(world: World) -> None:
    numbers = old(world, 70, 80, 90, 100)
    shop = world.box.shops[0]
    shop.faults.fail("error", times=99, path="orders/get", skip=3)
    with pytest.raises(Exception, match="HTTP 500"):
        world.backfilled(since=ago(120).date())
    shop.faults.calm()
    (one,) = backfills.listed(world.engine)
    assert (one.state, one.stored_at) == ("open", None)
    assert one.stored_from is not None and one.stored_from < ago(7)
    shop.clear_calls()
    result = world.backfilled(since=ago(120).date())
    assert (result["went_on"], result["backfill"], result["state"]) == (True, one.id, "done")
    assert max(call.body["from"] for call in shop.calls if call.path == "orders/get") < ago(14).isoformat(" ")
    assert in_roapp(world) >= set(numbers)
    assert backfills.read(world.engine, one.id).delivered == 4


def test_what_runs_already_is_not_begun_twice(world: World) -> None:
    (number,) = old(world, 70)
    wanted = {"from": None, "to": None, "statuses": [], "numbers": [number]}
    span = {"since": ago(100), "until": NOW}
    one, _ = backfills.begin(world.engine, world.shop().key, wanted, **span, run="other")
    with runs.alive(world.engine, "other"), pytest.raises(NotReady, match=f"backfill {one.id} of the same orders runs"):
        world.backfilled(numbers=[number])
    assert world.backfilled(numbers=[number])["backfill"] == one.id


def test_a_canceled_one_ends_its_own_queue_and_nothing_is_lost(world: World) -> None:
    numbers = old(world, *range(70, 94))
    (changed,) = world.box.shops[0].qualifying()
    id_: list[int] = []

    def cancel() -> None:
        id_.append(backfills.listed(world.engine)[0].id)
        backfills.cancel(world.engine, id_[0])

    at_delivery(world, cancel, orders=4)
    result = world.backfilled(since=ago(100).date())
    there = in_roapp(world) & set(numbers)
    assert result["state"] == "canceled"
    assert 4 <= len(there) <= 4 + 2 * 8, "what RO App had begun to get is finished"
    assert result["taken_out"] == len(set(numbers) - there) > 0
    assert world.differences(world.shop(), [*there, changed]) == []

    # Nobody delivers the rest, and nobody misses it.
    world.box.shops[0].set_waybill(changed, "20450000000001")
    run = world.synced(rest=timedelta(minutes=1))
    assert (run.counts.changed, in_roapp(world) & set(numbers)) == (1, there)
    report = world.reconciled(repair=True)
    assert (report["findings"], in_roapp(world) & set(numbers)) == ([], there)
    assert world.held() == {}

    # A later one brings it, each once.
    (taken_out, *_) = sorted(set(numbers) - there)
    told = dossier.order(world.engine, world.shop().key, taken_out, personal=False)
    assert told is not None and told["delivery"].startswith("not asked for any more")
    before = health.of_shop(world.engine, world.shop().key)
    result = world.backfilled(since=ago(100).date())
    events = journal.of_order(world.engine, world.shop().key, taken_out, [Kind.SEEN, Kind.CHANGED])
    assert [one.kind for one in events] == [Kind.SEEN, Kind.SEEN], "it is new, not changed"
    assert (result["new"], result["unchanged"] - 1) == (len(numbers) - len(there), len(there))
    now = health.of_shop(world.engine, world.shop().key)
    assert before and now and isinstance(now.new, int)
    assert (before.new, now.new) == (1 + len(there), 1 + len(numbers)), "each counts once"
    assert world.differences(world.shop(), [*numbers, changed]) == []


def stored(world: World, **named: Any) -> backfills.Backfill:
    """A backfill that broke off after everything was stored: RO App answers nothing."""
    world.box.roapp.faults.fail("error", times=999)
    with suppress(Exception):
        world.backfilled(**named)
    world.box.roapp.faults.calm()
    return backfills.listed(world.engine)[0]


def test_an_id_names_one_backfill_also_where_a_shop_has_that_number_for_a_name(world: World, tmp_path: Path) -> None:
    one, other = (stored(world, numbers=[number]) for number in old(world, 70, 80))
    world.synced(world.shop(slug=str(other.id)))
    outside = {"CARTUM_ROAPP_HOME": str(tmp_path / "home"), "CARTUM_ROAPP_DATABASE_URL": world.url}
    done = warm().run(["backfill", "cancel", str(other.id), "--json"], {**os.environ, **outside})
    assert done.returncode == 0, done.stderr
    states = {found.id: found.state for found in backfills.listed(world.engine)}
    assert states == {one.id: "open", other.id: "canceled"}


def test_what_something_else_wants_too_stays_in_the_queue(world: World) -> None:
    fresh, history, twice = old(world, 20, 70, 80)
    shop = world.box.shops[0]
    one = stored(world, numbers=[fresh, history, twice])
    other = stored(world, numbers=[twice])
    assert (one.waiting, other.waiting) == (3, 1)
    assert backfills.read(world.engine, one.id).waiting == 2, "the other one has asked for the order last"
    shop.reopen(fresh)
    with suppress(Exception):  # it stores the change, and RO App does not answer
        world.box.roapp.faults.fail("error", times=999)
        world.synced()
    world.box.roapp.faults.calm()
    assert backfills.cancel(world.engine, one.id) == 1
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
    world.synced(rest=timedelta(minutes=1))
    assert in_roapp(world) >= {fresh, twice} and history not in in_roapp(world)


def test_a_canceled_one_counts_what_became_of_each(world: World) -> None:
    """Four orders are in flight or delivered when it is canceled, and the others are taken out."""
    numbers = old(world, *range(70, 90))
    seen: list[backfills.Backfill] = []

    def cancel() -> None:
        (one,) = backfills.listed(world.engine)
        backfills.cancel(world.engine, one.id)
        seen.append(backfills.read(world.engine, one.id))

    at_delivery(world, cancel, orders=4)
    result = world.backfilled(since=ago(100).date())
    (then,) = seen
    taken_out = then.counts["taken_out"]
    assert 0 < then.counts["begun"] == 20 - taken_out - then.delivered
    assert (result["begun"], result["taken_out"]) == (then.counts["begun"], taken_out)
    assert len(in_roapp(world) & set(numbers)) == 20 - taken_out, "what had begun is finished"
    assert backfills.read(world.engine, then.id) == then, "it stays as it ended"


def test_what_ro_app_has_no_more_is_no_backfills_to_take_out(world: World) -> None:
    shop = world.box.shops[0]
    (number,) = shop.qualifying()
    world.box.roapp.delete_order(world.roapp_order(number)["id"])
    world.reconciled(repair=True)
    shop.set_waybill(number, "20450000000009")
    one = stored(world, numbers=[number])
    assert backfills.cancel(world.engine, one.id) == 0
    assert backfills.read(world.engine, one.id).counts["begun"] == 1
    with world.engine.begin() as connection:  # no sync reads it any more
        connection.exec_driver_sql("UPDATE outbox SET available_at = now()")
        connection.exec_driver_sql("UPDATE orders SET final_since = now() - interval '30 days', status_id = 3")
    shop.edit(number, stat_status=3)
    world.synced(rest=timedelta(minutes=1))
    assert world.held() == {("order", number): "deleted-in-roapp"}


def test_a_change_of_what_roapp_has_is_found_again_after_a_cancel(world: World) -> None:
    shop = world.box.shops[0]
    (number,) = shop.qualifying()
    shop.set_waybill(number, "20450000000009")
    one = stored(world, numbers=[number])
    assert (one.waiting, backfills.cancel(world.engine, one.id)) == (1, 1)
    assert world.value("SELECT count(*) FROM outbox WHERE wanted_version > delivered_version") == 0
    run = world.synced()
    assert (run.counts.changed, run.counts.delivered) == (1, 1)
    assert world.differences(world.shop(), [number]) == []


def test_an_order_that_was_not_wanted_comes_in_when_it_is_reopened(world: World) -> None:
    shop = world.box.shops[0]
    (number,) = old(world, 20)
    backfills.cancel(world.engine, stored(world, numbers=[number]).id)
    assert (world.synced().counts.seen, in_roapp(world) & {number}) == (1, set())
    kyiv = ZoneInfo("Europe/Kyiv")
    days = daily.figures(world.engine, world.shop().key, kyiv, NOW.astimezone(kyiv).date())
    (there,) = [one for one in days if one.day == ago(20).astimezone(kyiv).date()]
    assert (there.delivered, there.waiting, there.held) == (0, 0, 0), "it looks as if it was delivered"
    shop.reopen(number)
    assert world.synced().counts.new == 1
    assert world.differences(world.shop(), list(shop.orders)) == []


def test_the_buyer_of_an_order_that_is_not_wanted_can_be_erased(world: World) -> None:
    (number,) = old(world, 70, status=1)
    backfills.cancel(world.engine, stored(world, numbers=[number]).id)
    with world.engine.begin() as connection:
        buyer = erasure.find(connection, world.shop().key, "number", number, "UA")
    assert (buyer.orders, buyer.busy) == ((number,), ())


def test_a_held_one_of_a_canceled_backfill_is_not_held_any_more(world: World) -> None:
    shop = world.shop(missing_products="hold")
    (number,) = old(world, 70, products=[_unknown_product()])
    result = world.backfilled(shop, numbers=[number])
    assert (result["held"], world.held()[("order", number)]) == (1, "product-missing")
    one = backfills.listed(world.engine)[0]
    assert (one.state, one.held) == ("done", 1)
    assert backfills.cancel(world.engine, one.id) == 0  # it is over; the record needs a person
    assert ("order", number) in world.held()


def test_an_order_whose_backfill_is_canceled_on_its_way_is_not_held(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = old(world, 70, products=[_unknown_product()])
    resolve = ProductBook.resolve

    async def canceled_meanwhile(self: ProductBook, *arguments: Any, **options: Any) -> dict[str, int]:
        backfills.cancel(world.engine, backfills.listed(world.engine)[0].id)
        return await resolve(self, *arguments, **options)

    monkeypatch.setattr(ProductBook, "resolve", canceled_meanwhile)
    result = world.backfilled(world.shop(missing_products="hold"), numbers=[number])
    assert (result["state"], world.held()) == ("canceled", {})
    assert number not in in_roapp(world)


def test_a_held_order_that_a_sync_brought_survives_a_canceled_backfill(world: World) -> None:
    box = world.box.shops[0]
    number = box.place_order(products=[_unknown_product()])
    world.synced(world.shop(missing_products="hold"))
    assert world.held() == {("order", number): "product-missing"}
    box.set_waybill(number, "20450000000001")
    assert backfills.cancel(world.engine, stored(world, numbers=[number]).id) == 0
    world.synced()
    assert world.differences(world.shop(), list(box.orders)) == []


def _unknown_product() -> Row:
    return {"article": "NO-SUCH", "title": "Невідомий", "price": 10, "quantity": 1, "total_price": 10,
            "type": "product", "discount_marker": None}  # fmt: skip


def test_the_end_is_expected_by_what_was_delivered_so_far() -> None:
    one = backfills.Backfill(
        id=1, shop="abcdef", selection={"from": "2026-01-01", "to": None, "statuses": [3], "numbers": []},
        since=NOW, until=NOW, stored_from=NOW, stored_at=NOW, state="open", run="", delivering_since=NOW,
        delivered_before=10, counts={}, started_at=NOW, ended_at=None, delivered=30, held=0, waiting=40,
    )  # fmt: skip
    later = NOW + timedelta(minutes=10)
    assert one.expected_end(later) == later + timedelta(minutes=20)
    assert one.what == "from 2026-01-01, status 3"


def test_a_cancel_ends_a_run_that_waits_for_another_ones_delivery(world: World) -> None:
    """Within seconds, though another run holds the account's lock."""
    from cartum_roapp.delivery.session import AccountSession

    (number,) = old(world, 70)
    session = AccountSession.take(world.engine, "main")
    assert session is not None

    async def both() -> Row:
        run = asyncio.create_task(world.backfill(world.shop(), numbers=[number]))
        while not (found := backfills.listed(world.engine)) or found[0].stored_at is None:
            await asyncio.sleep(0.02)
        backfills.cancel(world.engine, found[0].id)
        return await run

    result = asyncio.run(both())
    session.close()
    assert (result["state"], result["taken_out"]) == ("canceled", 1)
