"""The ledger is lost, restored from a backup, or used by several processes at once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from points import stopped_at
from sqlalchemy import make_url, text
from world import World, admin

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery import fields
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger.lock_session import LockLost
from cartum_roapp.ledger.slots import CallSlots
from cartum_roapp.shops import ShopConfig
from flows import incremental_sync, reconcile
from tasks.frames import to_frames

pytestmark = pytest.mark.long

Another = Callable[..., World]


@pytest.fixture
def another(postgres: str) -> Iterator[Another]:
    """Another ledger for the same sandbox: an empty one, or a copy of a world's as it stands now."""
    names: list[str] = []
    worlds: list[World] = []

    def make(world: World, *, copy: bool = False, **settings: Any) -> World:
        names.append(f"other_{secrets.token_hex(4)}")
        if copy:
            url = world.copied(names[-1])
        else:
            admin(postgres, f"CREATE DATABASE {names[-1]}")
            url = make_url(postgres).set(database=names[-1]).render_as_string(hide_password=False)
        worlds.append(World(world.box, url, **settings))
        return worlds[-1]

    yield make
    for world in worlds:
        world.engine.dispose()
    for name in names:
        admin(postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def counts(world: World) -> dict[str, int]:
    found = world.box.roapp.counts()
    return {name: found[name] for name in ("orders", "contacts", "products", "items", "comments")}


def test_a_purged_ledger_finds_everything_again(database: str, another: Another) -> None:
    with World.of(database, orders=10) as world:
        shop = world.box.shops[0]
        nobody = shop.place_order(articles=[("KR-799", 1)], delivery_phone="", delivery_email="")
        by_mail = shop.place_order(articles=[("KR-799", 1)], delivery_phone="", delivery_email="only@example.com")
        shop.place_order(products=[{**shop.orders[nobody]["products"][0], "article": "", "title": "Без артикулу"}])
        world.imported()
        before = counts(world)
        assert len(world.roapp_orders(world.shop())[by_mail]) == 1

        purged = another(world)
        purged.imported()
        purged.synced()
        assert counts(world) == before
        assert purged.held() == {}
        assert purged.differences(world.shop(), shop.qualifying()) == []


def test_a_sync_counts_what_it_delivers_of_an_import_that_was_stopped(database: str) -> None:
    with World.of(database, orders=12) as world:
        shop = world.box.shops[0]
        assert stopped_at(world, world.import_(world.shop()), 20)
        done = world.value("SELECT count(*) FROM outbox WHERE delivered_version > 0")
        shop.place_order()
        run = world.synced(rest=timedelta(hours=1))
        new, delivered = run.counts.new, run.counts.delivered
        # What was in flight may be put off for a moment, which no sync waits for.
        while asyncio.run(world.falls_due(world.shop())):
            delivered += world.synced(rest=timedelta(hours=1)).counts.delivered
        assert (new, delivered) == (1, 13 - done)
        assert world.differences(world.shop(), shop.qualifying()) == []


@pytest.mark.parametrize("status", [1, 3])
def test_a_waiting_order_whose_row_is_lost_stops_no_other(database: str, status: int) -> None:
    """An open one comes back with the next read; a delivered one of long ago is not read again by itself."""
    with World.of(database, orders=0) as world:
        shop = world.box.shops[0]
        lost = shop.place_order(articles=[("KR-799", 1)])
        world.imported()
        shop.set_status(lost, status)
        world.synced()
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE outbox SET wanted_version = wanted_version + 1"))
            connection.execute(text("DELETE FROM orders"))
        other = shop.place_order(articles=[("CAP-2", 1)], delivery_phone="0502223344")
        run = world.synced()
        assert (run.counts.delivered, world.held()) == (2 if status == 1 else 1, {})
        assert other in world.roapp_orders(world.shop())
        world.imported()
        assert world.differences(world.shop(), [lost, other]) == []


def test_an_order_that_was_delivered_while_the_ledger_was_lost_is_not_forgotten(database: str) -> None:
    """The import takes no Delivered ones; this one is in RO App, in another status, and nobody knows any more why."""
    with World.of(database, orders=3) as world:
        shop = world.box.shops[0]
        number = shop.qualifying()[0]
        world.imported()
        world.purged()
        shop.set_status(number, 3)
        world.imported()
        assert world.reconciled(repair=True)["findings"]
        assert world.held() == {("status", number): "status-differs"}
        assert len(world.roapp_orders(world.shop())[number]) == 1
        assert world.reconciled(repair=True)["findings"] == []


def test_an_order_whose_notes_staff_have_overwritten_is_found_by_its_title(database: str, another: Another) -> None:
    with World.of(database, orders=3) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.qualifying()[0]
        world.imported()
        id_ = world.roapp_order(number)["id"]
        roapp.edit_order(id_, manager_notes="call before noon")
        before = counts(world)
        purged = another(world)
        purged.imported()
        assert counts(world) == before
        assert world.roapp_order(number)["id"] == id_
        assert world.roapp_order(number)["manager_notes"].endswith("call before noon")
        assert purged.differences(world.shop(), shop.qualifying()) == []


def test_what_changed_in_the_shop_while_the_ledger_was_lost_arrives(database: str, another: Another) -> None:
    with World.of(database, orders=0) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1), ("LMP-07", 2)])
        world.imported()
        shop.change_line(number, 0, price=650)
        shop.change_line(number, 1, quantity=3)
        shop.add_line(number, "CAP-2", 1)
        shop.set_status(number, 2)
        shop.set_waybill(number, "20450000000005")
        purged = another(world)
        purged.imported()
        assert purged.held() == {}
        assert purged.differences(world.shop(), shop.qualifying()) == []


MINE, THEIRS = "+380671112233", "+380502223344"


def lost(world: World, another: Another, *, restored: bool) -> World:
    """A ledger in place of the lost one: of a backup from just now, else an empty one."""
    found = another(world, copy=restored)
    if restored:
        found.restored()
    return found


@pytest.mark.parametrize("restored", [False, True])
@pytest.mark.parametrize(("before", "after"), [(MINE, THEIRS), (MINE, ""), ("", THEIRS)])
def test_a_buyer_who_changed_while_the_ledger_was_lost_arrives(
    database: str, another: Another, before: str, after: str, restored: bool
) -> None:
    with World.of(database, orders=0) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1)], delivery_phone=before, delivery_email="one@example.com")
        world.imported()
        mail = "two@example.com" if after else "guest@example.com"
        shop.edit(number, delivery_phone=after, delivery_email=mail)
        other = lost(world, another, restored=restored)
        other.imported()
        assert other.held() == {}
        assert other.differences(world.shop(), [number]) == []
        assert world.box.roapp.contacts[world.roapp_order(number)["client_id"]]["email"] == mail


@pytest.mark.parametrize("shortened", [False, True])
@pytest.mark.parametrize("restored", [False, True])
def test_a_contact_that_staff_chose_before_the_ledger_was_lost_stays(
    database: str, another: Another, restored: bool, shortened: bool
) -> None:
    with World.of(database, orders=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1)], delivery_phone=MINE, delivery_email="")
        world.imported()
        chosen = roapp.add_contact("Бухгалтерія", phones=["+380443334455"])
        order = world.roapp_order(number)
        roapp.edit_order(order["id"], client_id=chosen)
        if shortened:
            token = order["manager_notes"].split("]")[0]
            roapp.edit_order(order["id"], manager_notes=f"{token}]\nрахунок на бухгалтерію")
        shop.edit(number, delivery_name="Олена Шевченко-Коваль", delivery_phone="067 111-22-33")
        other = lost(world, another, restored=restored)
        other.imported()
        other.synced()
        assert other.held() == {}
        assert world.roapp_order(number)["client_id"] == chosen


def test_a_purged_ledger_turns_no_status_back(database: str, another: Another) -> None:
    """Nobody knows which side moved last: what staff set stays; what the shop may have set isn't lost in silence."""
    with World.of(database, orders=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        config = world.shop()
        new, processing, untouched = (shop.place_order(articles=[("KR-799", 1)]) for _ in range(3))
        shop.set_status(processing, 2)
        shop.set_status(untouched, 2)
        world.imported()
        shipped = config.statuses[6]
        for number in (new, processing):
            roapp.set_status(world.roapp_order(number)["id"], shipped)

        purged = another(world)
        purged.imported()
        assert world.roapp_order(new)["status_id"] == shipped
        assert world.roapp_order(processing)["status_id"] == shipped
        assert purged.held() == {("status", processing): "status-differs"}

        shop.mark_paid(processing, not shop.orders[processing]["payed"])
        purged.synced()
        assert purged.held() == {("status", processing): "status-differs"}, "another change does not hide it"

        shop.set_status(processing, 4)
        shop.set_status(new, 2)
        purged.synced()
        assert purged.held() == {}
        assert purged.differences(config, shop.qualifying()) == []


def test_a_restored_ledger_doubles_nothing(database: str, another: Another) -> None:
    with World.of(database, orders=10) as world:
        shop = world.box.shops[0]
        world.imported()
        backup = another(world, copy=True)
        first = shop.qualifying()
        for index in range(8):
            shop.place_order(articles=[("CAP-2", 1 + index), ("UMB-1", 1)])
        shop.place_order(articles=[("BOOK-12", 1)], delivery_phone="", delivery_email="later@example.com")
        shop.place_order(articles=[("BOOK-12", 1)], delivery_phone="", delivery_email="")
        shop.set_waybill(first[0], "20450000000009")
        shop.change_line(first[1], quantity=7)
        shop.change_line(first[2], price=77)
        shop.add_line(first[3], "TEA-100", 2)
        shop.set_status(first[4], 2 if shop.orders[first[4]]["stat_status"] != 2 else 8)
        world.synced()
        assert world.differences(world.shop(), shop.qualifying()) == []
        before = counts(world)

        backup.restored()
        backup.synced()
        backup.synced()
        assert counts(world) == before
        assert backup.held() == {}
        assert backup.differences(world.shop(), shop.qualifying()) == []


def test_a_restored_ledger_repeats_no_comment_of_an_order_that_has_changed_again(
    database: str, another: Another
) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1)], payed=0)
        world.imported()
        backup = another(world, copy=True)
        shop.mark_paid(number)
        shop.set_waybill(number, "20450000000009")
        world.synced()
        before = counts(world)
        shop.change_line(number, quantity=4)
        backup.restored()
        backup.synced()
        assert counts(world) == before
        shop.mark_paid(number, False)
        backup.synced()
        assert counts(world) == {**before, "comments": before["comments"] + 1}
        assert backup.differences(world.shop(), [number]) == []


@pytest.mark.parametrize("restored", [True, False])
def test_a_guest_whose_order_was_not_made_any_more_when_the_ledger_was_lost(
    database: str, another: Another, restored: bool
) -> None:
    """Nothing but the marker in its notes tells whose contact it is."""
    with World.of(database, orders=1, delivered=0, older=0) as world:
        world.imported()
        other = another(world, copy=True) if restored else None
        number = world.box.shops[0].place_order(articles=[("KR-799", 1)], delivery_phone="", delivery_email="")
        world.box.roapp.faults.fail("unauthorized", method="POST", path="^/orders$")
        world.synced()
        assert world.held() == {("order", number): "refused"}
        assert number not in world.roapp_orders(world.shop())
        before = counts(world)
        other = other or another(world)
        other.imported()
        other.synced()
        assert counts(world)["contacts"] == before["contacts"]
        assert other.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_an_order_in_another_location_is_not_adopted(database: str, another: Another) -> None:
    with World.of(database, orders=1, delivered=0, older=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        (number,) = shop.qualifying()
        world.imported()
        order = world.roapp_order(number)
        here, there = sorted(roapp.locations)[:2]
        roapp.edit_order(order["id"], branch_id=there)

        purged = another(world)
        purged.imported()
        assert purged.held() == {("order", number): "marker-elsewhere"}
        assert len(world.roapp_orders(world.shop())[number]) == 1

        roapp.edit_order(order["id"], branch_id=here)
        purged.imported()
        assert purged.held() == {}
        assert purged.differences(world.shop(), [number]) == []


def test_taking_the_marker_out_lets_a_new_order_be_made(database: str, another: Another) -> None:
    with World.of(database, orders=1, delivered=0, older=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        (number,) = shop.qualifying()
        world.imported()
        order = world.roapp_order(number)
        roapp.edit_order(order["id"], order_type_id=sorted(roapp.order_types)[1])
        purged = another(world)
        purged.imported()
        assert purged.held() == {("order", number): "marker-elsewhere"}
        roapp.edit_order(order["id"], manager_notes="це ремонт")
        purged.imported()
        assert purged.held() == {}
        assert world.roapp_order(number)["id"] != order["id"]
        assert purged.differences(world.shop(), [number]) == []


def test_a_marker_that_staff_copied_into_another_order_of_ours(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        first = shop.place_order(articles=[("KR-799", 1)])
        world.imported()
        second = shop.place_order(articles=[("KR-799", 1)])
        order = dict(world.roapp_order(first))
        roapp.edit_order(order["id"], manager_notes=order["manager_notes"].replace(f":{first}]", f":{second}]"))
        world.synced()
        assert world.held() == {("order", second): "marker-elsewhere"}
        roapp.edit_order(order["id"], manager_notes=order["manager_notes"])
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), [first, second]) == []


def test_two_imports_and_a_sync_at_once(database: str) -> None:
    with World.of(database, orders=12, shops=2) as world:
        one, two = world.shop(0), world.shop(1)

        async def together() -> None:
            await asyncio.gather(
                world.import_(one, two), world.import_(two, one), world.import_(one, two), _sync_soon(world, one, two)
            )

        asyncio.run(together())
        world.synced(one, two)
        for index, shop in enumerate((one, two)):
            assert world.held(shop) == {}
            assert world.differences(shop, world.box.shops[index].qualifying(), index) == []


async def _sync_soon(world: World, shop: ShopConfig, other: ShopConfig) -> None:
    while not world.value("SELECT count(*) FROM shops WHERE slug = :slug AND window_stored_at > '2000-1-1'",
                          slug=shop.slug):  # fmt: skip
        await asyncio.sleep(0.02)
    world.box.shops[0].place_order(articles=[("KR-799", 2)])
    await world.sync(shop, other)


def test_no_turn_is_given_to_a_process_without_the_lock(database: str) -> None:
    """Also for a call without an intent: a late PATCH would undo what the new holder has written."""
    with World.of(database, orders=0) as world:
        session = AccountSession.take(world.engine, "main")
        assert session is not None
        slots = CallSlots(world.engine, "main", 0, session.autocommit)
        asyncio.run(slots.acquire())
        world.cut_locks()
        for _ in range(2):
            with pytest.raises(LockLost):
                asyncio.run(slots.acquire())
        session.close()
        other = AccountSession.take(world.engine, "main")
        assert other is not None
        other.close()


def test_a_write_that_was_refused_is_not_repeated_without_the_lock(database: str) -> None:
    """It is repeated without another intent: late, it would undo what the new holder of the lock has written."""
    with World.of(database, orders=3) as world:
        world.imported()
        world.box.shops[0].set_waybill(world.box.shops[0].qualifying()[0], "20450000000001")
        world.box.roapp.clear_calls()
        world.box.roapp.faults.fail("rate", 1, method="PATCH")
        cut: list[str] = []

        def listen(method: str, path: str, phase: str) -> None:
            if method == "PATCH" and not cut:
                cut.append(path)
                world.cut_locks()

        stop = world.box.roapp.on_call(listen)
        with pytest.raises(LockLost):
            world.synced()
        stop()
        assert [call.path for call in world.box.roapp.calls if call.method == "PATCH"] == cut != []
        world.synced()
        assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_what_staff_write_while_a_call_waits_stays(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """RO App asks for patience, and the call has what staff had written before."""
    monkeypatch.setattr(fields, "STALE_AFTER", 0.3)
    with World.of(database, orders=2) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        number, *_ = shop.qualifying()
        order, written = world.roapp_order(number), list[str]()
        shop.set_waybill(number, "20450000000001")
        roapp.faults.switch(retry_after=1)
        roapp.faults.fail("rate", 1, method="PATCH", path=r"^/orders/\d+$")

        def staff(method: str, path: str, phase: str) -> None:
            if method == "PATCH" and not written:
                written.append(path)
                roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\nДзвонити ввечері")

        stop = roapp.on_call(staff)
        world.synced()
        stop()
        notes = world.roapp_order(number)["manager_notes"]
        assert written
        assert "Дзвонити ввечері" in notes
        assert "20450000000001" in notes
        assert world.differences(world.shop(), shop.qualifying()) == []


def test_what_was_read_is_not_stored_after_another_run_has_read_the_shop(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL starts again, for example, while a sync reads the shop. The next sync stores and delivers more."""
    with World.of(database, orders=3) as world:
        world.imported()
        number, *_ = world.box.shops[0].qualifying()
        overtaken = False

        async def slowly(*given: Any) -> Any:
            nonlocal overtaken
            found = await to_frames(*given)
            if not overtaken:
                overtaken = True
                world.cut_locks()
                world.box.shops[0].set_status(number, 6)
                await asyncio.to_thread(world.synced)
            return found

        monkeypatch.setattr(incremental_sync, "to_frames", slowly)
        world.box.shops[0].set_status(number, 2)
        with pytest.raises(LockLost):
            world.synced()
        assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_a_repair_stores_what_it_read_before_its_lock_was_lost(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with World.of(database, orders=3) as world:
        world.imported()
        number, *_ = world.box.shops[0].qualifying()
        sums = "SELECT sum(price) FROM order_lines WHERE number = :number"
        before, cut = world.value(sums, number=number), False
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE order_lines SET price = price + 1 WHERE number = :number"),
                               {"number": number})  # fmt: skip

        async def cutting(*given: Any, **more: Any) -> Any:
            nonlocal cut
            found = await to_frames(*given, **more)
            if number in given[2] and not cut:
                cut = True
                world.cut_locks()
            return found

        monkeypatch.setattr(reconcile, "to_frames", cutting)
        findings = world.reconciled(repair=True)["findings"]
        assert cut
        assert [(one["number"], one["outcome"]) for one in findings] == [(number, "repaired")]
        assert world.value(sums, number=number) == before


@pytest.mark.parametrize("lost", [True, False])
def test_a_text_that_comes_back_after_its_comment_was_unclear_stops_nothing(database: str, lost: bool) -> None:
    """A waybill is corrected, and corrected back; the comment of the first text was never answered."""
    with World.of(database, orders=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1)])
        roapp.faults.fail("drop" if lost else "drop_after", path=r"/comments$")
        world.imported()
        for waybill in ("20450000000001", ""):
            shop.set_waybill(number, waybill)
            assert world.synced().counts.delivered == 1
        comments = [one["comment"] for one in roapp.comments_of(world.roapp_order(number)["id"])]
        assert len(set(comments)) == 2
        assert comments[-1] != comments[-2], "the text that came back is said again"
        assert len(comments) == (2 if lost else 3), "the first one is not repeated"
        twice = [] if lost else [f"{number}: a comment 2 times"]
        assert world.differences(world.shop(), [number]) == twice


@pytest.mark.parametrize("left", [False, True])
def test_a_comment_that_had_not_left_when_the_run_was_killed_is_sent_by_the_next_one(
    database: str, monkeypatch: pytest.MonkeyPatch, left: bool
) -> None:
    class Killed(BaseException):
        pass

    async def add_comment(*args: Any, before: Any, **kwargs: Any) -> None:
        if left:
            before()
        raise Killed

    with World.of(database, orders=1, delivered=0, older=0) as world:
        monkeypatch.setattr(RoApp, "add_comment", add_comment)
        with pytest.raises(Killed):
            world.imported()
        monkeypatch.undo()
        for _ in range(2):
            world.imported()
        (number,) = world.box.shops[0].qualifying()
        comments = world.box.roapp.comments_of(world.roapp_order(number)["id"])
        assert len(comments) == (0 if left else 1), "nobody knows whether it arrived" if left else "it had not left"
        assert world.differences(world.shop(), [number]) == []


def test_a_comment_that_left_after_the_backup_is_not_sent_again(
    database: str, monkeypatch: pytest.MonkeyPatch, another: Another
) -> None:
    class Killed(BaseException):
        pass

    async def killed(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with World.of(database, orders=1, delivered=0, older=0) as world:
        monkeypatch.setattr(RoApp, "add_comment", killed)
        with pytest.raises(Killed):
            world.imported()
        monkeypatch.undo()
        backup = another(world, copy=True)
        world.imported()
        for _ in range(2):
            backup.imported()
        (number,) = world.box.shops[0].qualifying()
        assert len(world.box.roapp.comments_of(world.roapp_order(number)["id"])) == 1
        assert backup.differences(world.shop(), [number]) == []
