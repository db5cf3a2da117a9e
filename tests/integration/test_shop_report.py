"""What people see of a shop: its health, and the figures of its month."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import daily, health, shops
from cartum_roapp.ledger.daily import Day
from cartum_roapp.ledger.health import Health
from cartum_roapp.report.facts import facts, in_words
from cartum_roapp.shops import ShopConfig

KYIV = ZoneInfo("Europe/Kyiv")


def figures(world: World) -> list[Day]:
    return daily.figures(world.engine, world.shop().key, KYIV, datetime.now(KYIV).date(), days=90)


def found(world: World) -> Health:
    one = health.of_shop(world.engine, world.shop().key)
    assert one is not None
    return one


def test_a_shop_is_well_needs_a_person_is_behind_or_paused(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        world.run("incremental-sync", shop)
        assert found(world).word == "not imported"
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE shops SET window_stored_at = now(), watermark = now()"))
        assert found(world).word == "importing"
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE shops SET window_stored_at = now() - interval '1 hour'"))
        assert found(world).word == "behind"
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE shops SET window_stored_at = NULL, watermark = NULL"))
        world.imported(shop)
        assert (found(world).word, found(world).held) == ("well", 0)

        number = world.box.shops[0].place_order()
        world.box.shops[0].edit(number, total_sum="not a sum")
        world.synced(shop)
        seen = found(world)
        assert (seen.word, seen.held, seen.held_by_code) == ("needs you", 1, {"order-total": 1})

        ago = {"ago": timedelta(hours=2)}
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE runs SET finished_at = finished_at - :ago"), ago)
        assert found(world).word == "behind"
        world.box.shops[0].faults.no_rights = True
        with pytest.raises(BadConfig):
            world.synced(shop)
        words = dict(in_words(facts(found(world), 0.351)))
        assert (found(world).word, "paused because" in words) == ("refused", False)
        assert "the shop lets this login not read" in words["refused"] and words["tried again at"].endswith(" UTC")
        shops.pause(world.engine, shop.key)
        assert dict(in_words(facts(found(world), 0.351)))["paused because"] == "Paused by hand."


def test_counts_of_the_day_and_the_budget_are_those_of_the_runs(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        done = world.imported(shop)
        world.box.shops[0].place_order()
        again = world.synced(shop)
        seen = found(world)
        assert (seen.new, seen.calls) == (done.counts.new + 1, done.calls.total + again.calls.total)
        ours = sum(run.calls.roapp_reads + run.calls.roapp_writes for run in (done, again))
        assert seen.hour_calls == ours
        assert seen.budget_used(0.36) == pytest.approx(ours / 10_000)


def test_a_refused_shop_hides_no_other_accounts_budget(database: str) -> None:
    with World.of(database, shops=2) as world:
        world.imported()
        calls = found(world).hour_calls
        world.box.shops[1].faults.no_rights = True
        with pytest.raises(BadConfig):
            world.imported(world.shop(1, account="second"))
        (main,) = [one for one in health.of_all(world.engine) if one.state.account == "main"]
        assert main.hour_calls == calls > 0


def test_what_a_backfill_brings_counts_among_the_orders_of_the_day(database: str) -> None:
    """As it does among those in RO App; a dry run brings nothing."""
    with World.of(database) as world:
        shop = world.shop()
        done = world.imported(shop)
        named = [number for number, row in world.box.shops[0].orders.items() if int(row["stat_status"]) == 3][:1]
        world.backfilled(shop, numbers=named, dry_run=True)
        assert found(world).new == done.counts.new
        world.backfilled(shop, numbers=named)
        assert found(world).new == done.counts.new + 1 == len(world.roapp_orders(shop))


def test_the_same_is_told_in_numbers_and_in_words(database: str) -> None:
    with World.of(database) as world:
        world.imported()
        seen = found(world)
        told = facts(seen, 0.36, delivered=9)
    words = dict(in_words(told))
    assert told["lag_seconds"] == round((seen.lag or timedelta(1)).total_seconds())
    assert told["budget_used"] == pytest.approx(seen.hour_calls / 10_000) and seen.hour_calls
    assert told["last_24_hours"] == {"new": seen.new, "changed": seen.changed, "calls": seen.calls}
    assert words["last 24 hours"] == f"{seen.new} new, 0 changed, {seen.calls} calls"
    assert (words["orders in RO App"], words["next run"], words["health"]) == ("9", "–", "well")


def imported_before(world: World, shop: ShopConfig) -> None:
    """The import began some seconds ago, so that an order that is placed now is placed after it: a shop's stamps have
    whole seconds."""
    world.imported(shop)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE shops SET window_to = window_to - interval '2 seconds'"))


def test_each_order_counts_on_the_day_it_was_placed_where_it_stands(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        imported_before(world, shop)
        late = world.box.shops[0].place_order()
        world.synced(shop)
        with world.engine.begin() as connection:
            connection.execute(
                text("UPDATE order_matches SET bound_at = bound_at + :later WHERE number = :number"),
                {"number": late, "later": timedelta(minutes=3)},
            )
            connection.execute(text("UPDATE outbox SET held = true WHERE number <> :number"), {"number": late})
        seen, orders = figures(world), world.roapp_orders(shop)
        *before, today = seen
        assert today.day == datetime.now(KYIV).date()
        assert [sum(getattr(day, state) for day in seen) for state in ("delivered", "held", "waiting")] == [
            1, len(orders) - 1, 0,
        ]  # fmt: skip
        assert today.delivered == 1
        # An order of the import's window has waited for the import, which is no lag.
        assert [day for day in before if day.lag_p50 or day.lag_p95] == []
        assert today.lag_p50 is not None and 170 < today.lag_p50 < 300
        assert sum(day.calls for day in before) == 0 < today.calls


def test_the_lag_of_a_day_is_that_of_half_and_of_nearly_all_of_its_orders(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        imported_before(world, shop)
        numbers = [world.box.shops[0].place_order() for _ in range(5)]
        world.synced(shop)
        with world.engine.begin() as connection:
            for minutes, number in enumerate(numbers):
                connection.execute(
                    text(
                        "UPDATE order_matches SET bound_at = orders.created_at + :later FROM orders "
                        "WHERE orders.shop = order_matches.shop AND orders.number = order_matches.number "
                        "AND orders.number = :number"
                    ),
                    {"number": number, "later": timedelta(minutes=minutes)},
                )
        today = figures(world)[-1]
        assert (today.lag_p50, today.lag_p95) == (pytest.approx(120), pytest.approx(228))


def test_an_order_counts_on_the_day_of_the_shops_clock(database: str) -> None:
    with World.of(database) as world:
        shop, today = world.shop(), datetime.now(KYIV).date()
        world.imported(shop)
        number = world.box.shops[0].place_order()
        world.synced(shop)
        begins = datetime.combine(today - timedelta(days=3), time.min, KYIV)

        def placed(moment: datetime) -> list[int]:
            """How many days ago that is."""
            with world.engine.begin() as connection:
                changed = {"at": moment, "number": number}
                connection.execute(text("UPDATE orders SET created_at = :at WHERE number = :number"), changed)
                connection.execute(text("DELETE FROM orders WHERE number <> :number"), changed)
            return [ago for ago, day in enumerate(reversed(figures(world))) if day.delivered]

        assert placed(begins) == [3]
        assert placed(begins - timedelta(seconds=1)) == [4]
        assert placed(begins - timedelta(days=100)) == []


def test_a_day_without_anything_is_there(database: str) -> None:
    with World.of(database) as world:
        world.run("incremental-sync", world.shop())
        seen = figures(world)
    assert len(seen) == 90 and all(day == Day(day.day) for day in seen)
