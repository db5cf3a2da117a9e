"""What happened to each order is kept: which run saw it, what changed in the shop, and nothing of its buyer."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from world import World

from cartum_roapp.ledger import deleted_shops, health, journal, runs, shop_statuses
from cartum_roapp.ledger.journal import Event, Kind
from cartum_roapp.sync.retention import remove_old

_IN_SHOP = (Kind.SEEN, Kind.CHANGED, Kind.DELETED)


def events(world: World, number: str, *kinds: Kind) -> list[Event]:
    return journal.of_order(world.engine, world.shop().key, number, kinds)


def test_what_changed_in_the_shop_is_told_in_words(database: str) -> None:
    with World.of(database) as world:
        shop, key = world.box.shops[0], world.shop().key
        cap, mug = (good.article for good in shop.goods[:2])
        number = shop.place_order(articles=[(cap, 2)], status=1)
        first = world.imported()
        with world.engine.connect() as connection:
            names = shop_statuses.names(connection, key)
        (seen,) = events(world, number, *_IN_SHOP)
        before = shop.orders[number]["total_sum"]
        assert (seen.kind, seen.run) == (Kind.SEEN, first.id)
        assert seen.details == {"status": names["1"], "total": f"{before:.2f} UAH"}

        title = shop.orders[number]["products"][0]["title"]
        shop.change_line(number, quantity=3)
        shop.add_line(number, article=mug)
        shop.set_status(number, 2)
        shop.mark_paid(number, not shop.orders[number]["payed"])
        shop.edit(number, delivery_phone="+380671234567", delivery_city="Жмеринка")
        shop.set_waybill(number, "20450000000001")
        run = world.synced()
        (changed,) = journal.of_run(world.engine, key, run.id, _IN_SHOP)
        told = {name: (old, new) for name, old, new in changed.changes if name != "line"}
        lines = {(old, new) for name, old, new in changed.changes if name == "line"}
        assert changed.number == number
        assert (f"2 × {title}", f"3 × {title}") in lines
        assert [old for old, new in lines if new and new.startswith("1 × ")] == [None]
        assert told["status"] == (names["1"], names["2"])
        assert told["total"] == (f"{before:.2f}", f"{shop.orders[number]['total_sum']:.2f}")
        assert set(told["paid"]) == {"yes", "no"}
        for personal in ("buyer's phone", "delivery address", "waybill"):
            assert told[personal] == (None, None)


def test_a_run_without_a_change_notes_nothing(database: str) -> None:
    with World.of(database) as world:
        world.imported()
        before = world.value("SELECT max(id) FROM order_events")
        run = world.synced()
        world.imported()
        assert world.value("SELECT max(id) FROM order_events") == before
        assert journal.of_run(world.engine, world.shop().key, run.id) == []


def test_what_another_run_did_meanwhile_for_its_orders_is_among_what_a_run_did(database: str) -> None:
    """Whoever holds the account's lock delivers for all."""
    with World.of(database) as world:
        key, (own, other) = world.shop().key, world.box.shops[0].qualifying()[:2]

        async def run() -> str:
            async with world.opened("incremental-sync", world.shop()) as opened:
                _note(world, own, Kind.SEEN)
                with journal.by("holder"):
                    _note(world, own, Kind.DELIVERED)
                    _note(world, other, Kind.DELIVERED)
            return opened.id

        id = asyncio.run(run())
        with journal.by("holder"):
            _note(world, own, Kind.HELD)
        found = [(one.number, one.kind, one.run) for one in journal.of_run(world.engine, key, id)]
        assert found == [(own, Kind.SEEN, id), (own, Kind.DELIVERED, "holder")]
        assert [one.kind for one in journal.of_run(world.engine, key, id, [Kind.SEEN])] == [Kind.SEEN]


def _note(world: World, number: str, kind: Kind) -> None:
    with world.engine.begin() as connection:
        journal.note(connection, world.shop().key, number, kind)


def test_no_event_names_a_buyer(database: str) -> None:
    """Whatever happens: a change of everything, refusals that repeat what was sent, holding, sending again."""
    with World.of(database, settings={"look_again": 0.0}) as world:
        shop, faults = world.box.shops[0], world.box.roapp.faults
        buyers = [
            {"delivery_name": f"Соломія Притула{n}", "delivery_phone": f"+38067123450{n}", "comment": f"дзвонити{n}",
             "delivery_email": f"solomia{n}@example.com", "delivery_city": f"Жмеринка{n}",
             "manager_comment": f"лист{n}"}
            for n in range(3)
        ]  # fmt: skip
        number = shop.place_order(**buyers[0])
        world.imported()
        faults.echo = True
        faults.required_order_fields = ("ad_campaign_id",)
        shop.edit(number, **buyers[1])
        held = shop.place_order(**buyers[2])
        world.synced()
        assert {one.kind for one in events(world, held)} >= {Kind.HELD, Kind.CALL}
        assert {one.kind for one in events(world, number)} >= {Kind.CHANGED, Kind.CONTACT, Kind.DELIVERED}
        told = world.value("SELECT string_agg(details::text, ' ') FROM order_events")
        values = [value for buyer in buyers for value in buyer.values()]
        assert [value for value in (*values, *(one["delivery_phone"][-9:] for one in buyers)) if value in told] == []


def test_what_a_comparison_found_stays_a_week_and_that_of_the_last_one_for_good(database: str) -> None:
    with World.of(database) as world:
        world.imported()
        key, number = world.shop().key, world.box.shops[0].qualifying()[0]
        world.box.roapp.items[world.roapp_order(number)["id"]][0]["price"] = 1
        world.box.roapp.touch(world.roapp_order(number)["id"])
        world.reconciled()
        found = runs.last_comparison(world.engine, key)
        assert found is not None
        assert [one["number"] for one in found.counts["findings"]] == [number]
        assert found.counts["findings"][0]["outcome"] == "reported" and len(found.counts["days"]) > 1
        with world.engine.begin() as connection:
            aged = "UPDATE runs SET started_at = started_at - :age, finished_at = finished_at - :age"
            connection.execute(text(aged), {"age": runs.DETAILS_KEPT})
            runs.forget_old(connection)
        assert runs.last_comparison(world.engine, key) is not None, "it is the last one"
        world.reconciled()
        with world.engine.begin() as connection:
            runs.forget_old(connection)
        before = runs.find(world.engine, found.id)
        assert before is not None and before.counts.keys() & set(runs.DETAILS) == set()
        assert before.counts["seen"] == found.counts["seen"], "its counts stay"


def test_events_go_with_their_shop_and_with_age(database: str) -> None:
    with World.of(database) as world:
        world.imported()
        world.imported()
        number, key = world.box.shops[0].qualifying()[0], world.shop().key
        since = health.of_shop(world.engine, key)
        kept = len(events(world, number))
        with world.engine.begin() as connection:
            old = {"number": number, "age": journal.KEPT, "key": key}
            connection.execute(text("UPDATE order_events SET at = at - :age WHERE number = :number"), old)
            assert journal.forget_old(connection) == kept > 0
        assert events(world, number) == []
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE order_events SET at = at - :age WHERE kind = 'seen'"), old)
            aged = "UPDATE runs SET started_at = started_at - :age, finished_at = finished_at - :age"
            connection.execute(text(aged), old)
        remove_old(world.engine)
        assert world.value("SELECT count(*) FROM order_events WHERE kind = 'seen'") == 0
        last = world.value("SELECT string_agg(kind, ' ' ORDER BY kind) FROM runs")
        assert last == "initial-import", "and old runs but the last one of each kind"
        after = health.of_shop(world.engine, key)
        assert since is not None and after is not None and since.last_success is not None
        assert after.last_success == since.last_success - journal.KEPT
        assert world.value("SELECT count(*) FROM order_events") > 0
        deleted_shops.forget(world.engine, key, purge=True)
        assert world.value("SELECT count(*) FROM order_events") == 0
