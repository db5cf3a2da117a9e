"""A buyer's data goes from every table, by hand or after so many days; nothing is doubled or comes back for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.ledger import creations, deleted_shops, erasure, shops
from cartum_roapp.ledger.database import connect
from cartum_roapp.ledger.erasure import Buyer, Named
from cartum_roapp.sync.retention import remove_old

NAME, EMAIL, PHONE = "Ганна Нетакаяквсі", "hanna@buyers.example", "+380671234567"
TELLING = ("Нетакаяквсі", EMAIL, "671234567", "67 123", "Прихована", "domofon 4711", "20450000000471")
CANCELED = 4


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=4, delivered=0, older=0) as world:
        world.imported()
        yield world


def place(world: World, phone: str = "067 123 45 67", email: str = EMAIL) -> str:
    return world.box.shops[0].place_order(
        delivery_name=NAME, delivery_phone=phone, delivery_email=email, comment="domofon 4711",
        delivery_address="вул. Прихована, 5", manager_comment=f"tell {EMAIL}",
        delivery_data={"deliveryOperatorType": "novaposhta", "tnNumber": "20450000000471"},
    )  # fmt: skip


def tables_with(world: World, *telling: str) -> set[str]:
    """Every table, whichever there are, that holds one of these texts in any of its columns."""
    with world.engine.connect() as connection:
        names = connection.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).all()
        return {
            name
            for name in names
            for row in connection.scalars(text(f'SELECT to_jsonb(one)::text FROM "{name}" one'))
            if any(one in row for one in telling)
        }


async def until_put_off(world: World) -> None:
    """A sync that is ended where RO App did not say what became of a call."""
    run = asyncio.ensure_future(world.sync(world.shop()))
    while not world.value("SELECT count(*) FROM order_events WHERE kind = 'postponed'"):
        await asyncio.sleep(0.005)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


def found(world: World, named: Named, value: str) -> Buyer:
    with world.engine.connect() as connection:
        return erasure.find(connection, world.shop().key, named, value, "UA")


def erase(world: World, named: Named, value: str) -> Buyer:
    with world.engine.begin() as connection:
        buyer = erasure.find(connection, world.shop().key, named, value, "UA")
        erasure.erase(connection, world.shop().key, buyer, named)
    return buyer


def test_an_erased_buyer_is_in_no_table_and_nothing_comes_back_or_is_doubled(world: World) -> None:
    shop, config, roapp = world.box.shops[0], world.shop(), world.box.roapp
    mine = sorted([place(world), place(world, phone="+38 (067) 123-45-67", email=""), place(world, phone="")])
    stranger = shop.place_order(delivery_name="Інша Особа", delivery_phone="050 765 43 21")
    world.synced()
    unreadable = place(world)
    shop.edit(unreadable, total_sum="not a sum")
    world.synced()
    assert found(world, "number", mine[0]) == found(world, "email", EMAIL) == found(world, "phone", PHONE)
    assert found(world, "phone", PHONE) == Buyer(tuple(mine), tuple(mine), (unreadable,), 1), "all of them are open"
    for number in mine:
        shop.set_status(number, CANCELED)
    world.synced()
    assert tables_with(world, *TELLING) == {"orders", "links", "held"}
    with world.engine.begin() as connection:  # a kill before its call
        statement = text("UPDATE comments SET text = :words WHERE number = ANY(:mine)")
        connection.execute(statement, {"words": EMAIL, "mine": mine})
    assert "comments" in tables_with(world, *TELLING)

    assert erase(world, "phone", PHONE) == Buyer(tuple(mine), (), (unreadable,), 1)
    assert tables_with(world, *TELLING) == set()
    assert tables_with(world, "+380507654321") >= {"orders", "links"}
    assert [(one.named, one.orders, one.rows) for one in erasure.listed(world.engine, config.key)] == [("phone", 3, 1)]
    assert found(world, "phone", PHONE) == Buyer((), (), (), 0)

    contacts, before = len(roapp.contacts), {number: world.roapp_order(number, config) for number in mine}
    notes = {number: order["manager_notes"] for number, order in before.items()}
    assert all("Нетакаяквсі" in text for text in notes.values())
    for _ in range(2):
        assert world.synced().calls.roapp_writes == 0
    assert [(one["number"], one["what"]) for one in world.reconciled(repair=True)["findings"]] == [
        (unreadable, "unreadable-in-shop")
    ]

    shop.reopen(mine[0])
    shop.change_line(mine[1], 0, quantity=7)
    shop.delete_order(mine[2])
    shop.edit(stranger, comment="still the same")
    shop.edit(unreadable, total_default="no sum either")
    for _ in range(3):
        world.synced()
    assert world.roapp_order(mine[0])["status_id"] == config.statuses[2]
    quantities = Counter[int]()  # a coupon may split the line
    for item in world.roapp_items(mine[1]):
        quantities[item["entity_id"]] += int(float(item["quantity"]))
    assert 7 in quantities.values()
    assert {number: world.roapp_order(number)["manager_notes"] for number in mine} == notes
    assert tables_with(world, *TELLING) == set(), "changes are taken over without the buyer"
    assert set(world.held()) == {("row", unreadable)}
    assert "still the same" in world.roapp_order(stranger)["manager_notes"]

    again = place(world)
    world.synced()
    assert world.roapp_order(again)["client_id"] == before[mine[0]]["client_id"]
    assert len(roapp.contacts) == contacts
    assert world.differences(config, [*shop.qualifying(), mine[2]], left_out=[unreadable, mine[2]]) == []
    assert found(world, "phone", PHONE) == Buyer((again,), (again,), (), 1)


def test_the_database_s_files_are_freed_of_what_was_erased(world: World) -> None:
    def vacuumed() -> set[str]:
        names = "SELECT array_agg(relname::text) FROM pg_stat_user_tables WHERE vacuum_count > 0"
        return set(world.value(names) or ())

    def is_checkpointed_since(place: Any) -> Any:
        return world.value("SELECT redo_lsn >= CAST(:place AS pg_lsn) FROM pg_control_checkpoint()", place=place)

    erased_at = world.value("SELECT pg_current_wal_insert_lsn()")
    assert not is_checkpointed_since(erased_at)
    assert erasure.overwrite(world.engine)
    assert is_checkpointed_since(erased_at)
    assert vacuumed() >= {"orders", "held", "comments", "links"}
    engine = connect(f"{world.engine.url.render_as_string(hide_password=False)}&options=-crole%3Dpg_monitor")
    assert not erasure.overwrite(engine), "this role may not, and says so"
    engine.dispose()


def test_a_row_that_was_erased_comes_in_without_its_buyer_once_it_can_be_read(world: World) -> None:
    shop = world.box.shops[0]
    number = place(world)
    total = shop.orders[number]["total_sum"]
    shop.edit(number, total_sum="not a sum")
    world.synced()
    erase(world, "phone", PHONE)
    contacts = len(world.box.roapp.contacts)
    shop.edit(number, total_sum=total)
    world.synced()
    assert world.held() == {("order", number): "erased"}
    assert tables_with(world, *TELLING) == set()
    assert len(world.box.roapp.contacts) == contacts


def test_retention_takes_old_final_orders_alone(world: World) -> None:
    shop, key = world.box.shops[0], world.shop().key
    old, open_, lately, young, held = (place(world, phone=f"067 123 45 6{n}", email="") for n in range(5))
    world.synced()
    for number in (old, lately, young, held):
        shop.set_status(number, CANCELED)
    world.synced()

    def put(column: str, days: int, *numbers: str) -> None:
        with world.engine.begin() as connection:
            values: dict[str, Any] = {"days": days, "numbers": list(numbers)}
            statement = f"UPDATE orders SET {column} = {column} - :days * interval '1 day' WHERE number = ANY(:numbers)"
            assert connection.execute(text(statement), values).rowcount == len(numbers)

    put("created_at", 91, old, open_, lately, held)
    put("final_since", 15, old, young, held)
    world.box.roapp.delete_order(world.roapp_order(held)["id"])

    world.reconciled(repair=True)
    remove_old(world.engine)
    assert erasure.listed(world.engine, key) == []
    assert world.held() == {("order", held): "deleted-in-roapp"}
    shops.register(world.engine, **world.shop(retention_days=90).registered)
    for _ in range(2):
        remove_old(world.engine)
    assert [(one.named, one.orders, one.rows) for one in erasure.listed(world.engine, key)] == [("retention", 1, 0)]
    with world.engine.connect() as connection:
        erased = set(connection.scalars(text("SELECT number FROM orders WHERE erased_at IS NOT NULL")))
    assert erased == {old}
    assert tables_with(world, "67123456" + "0") == set()
    assert tables_with(world, "67123456" + "1") >= {"orders", "links"}

    deleted_shops.forget(world.engine, key, purge=False)
    remove_old(world.engine)
    assert [(one.named, one.orders, one.rows) for one in erasure.listed(world.engine, key)] == [("retention", 4, 0)]
    assert tables_with(world, *(f"67123456{n}" for n in range(3))) == set(), "nothing of it becomes final any more"
    assert tables_with(world, "67123456" + "3") >= {"orders", "links"}, "young"


@pytest.mark.parametrize("named", ["phone", "number"])
@pytest.mark.parametrize("refused", [False, True])
def test_all_phones_and_the_company_of_a_buyer_are_erased(world: World, named: Named, refused: bool) -> None:
    """By any of the phones; also where RO App has refused them, so that no contact shows them."""
    shop = world.box.shops[0]
    phones = ("+380667778899", "+380678889900")
    world.box.roapp.faults.refused_phones = phones if refused else ()
    telling = ("66777889", "67888990", "Приховалівна", "ТОВ Схованка", "44556677", "445566778899")
    number = shop.place_order(
        delivery_name="Приховалівна", delivery_phone="066 777 88 99 (чоловік Приховалівни), 067 888 99 00",
        delivery_email="", customer_details={"company": "ТОВ Схованка", "edrpou": "44556677", "inn": "445566778899"},
    )  # fmt: skip
    other = shop.place_order(
        delivery_name="Приховалівна", delivery_phone=f"{phones[0]}, {phones[1]}", delivery_email=""
    )
    world.synced()
    for one in (number, other):
        shop.set_status(one, CANCELED)
    world.synced()
    assert world.held() == {}
    assert tables_with(world, *telling) >= {"orders", "links"}
    assert set(erase(world, named, phones[1] if named == "phone" else number).orders) >= {number}
    erase(world, "number", other)
    assert tables_with(world, *telling) == set()
    shop.edit(number, comment="changed")
    world.synced()
    assert tables_with(world, *telling) == set()


@pytest.mark.parametrize("before", [{"delivery_phone": "067 123 45 67", "delivery_email": ""},
                                    {"delivery_phone": "", "delivery_email": "nowhere@example.com"}])  # fmt: skip
def test_a_phone_or_address_that_the_shop_corrected_is_erased_as_well(world: World, before: dict[str, Any]) -> None:
    shop = world.box.shops[0]
    world.imported()
    number = shop.place_order(articles=[("CAP-2", 1)], delivery_name="Нетакаяквсі Ганна", **before)
    world.synced()
    shop.edit_buyer(number, phone="067 123 45 68")
    shop.set_status(number, 4)
    world.synced()
    for named, value in (("number", number), ("phone", "+380671234567"), ("email", "nowhere@example.com")):
        erase(world, named, value)  # type: ignore[arg-type]
    assert tables_with(world, "Нетакаяквсі", "+380671234567", "nowhere@example.com") == set()


@pytest.mark.parametrize("fault", [None, "error_after", "drop"])
def test_calls_keep_no_phone_once_it_is_known_what_they_made(world: World, fault: str | None) -> None:
    """Also in a shop that keeps its buyers' data, and where a call was repeated: then after the last look."""
    if fault is not None:
        world.box.roapp.faults.fail(fault, 1, method="POST", path="^/contacts/people$")
    number = place(world)
    world.synced()
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE creations SET look_until = now()"))
    world.synced()
    assert "creations" not in tables_with(world, number, "671234567", EMAIL)
    assert world.held() == {}


def test_nothing_is_erased_of_a_buyer_whose_contact_may_be_on_its_way(world: World) -> None:
    """Also where the shop has given the order to another buyer since."""
    world.box.roapp.faults.fail("error", 1, method="POST", path="^/contacts/people$")
    number = place(world)
    asyncio.run(until_put_off(world))  # a contact that nobody asks for any more
    shop = world.box.shops[0]
    shop.edit_buyer(number, phone="067 123 45 68")
    shop.set_status(number, CANCELED)
    world.synced()
    assert found(world, "number", number).busy == (number,)
    with world.engine.begin() as connection:
        aged = {"age": creations.KEPT + timedelta(minutes=1)}
        connection.execute(text("UPDATE creations SET not_before = now() - :age"), aged)
    remove_old(world.engine)
    assert erase(world, "number", number).busy == ()
    assert tables_with(world, *TELLING, "671234568") == set()


def test_a_further_phone_and_address_of_a_known_contact_are_erased_unless_another_order_names_them(
    world: World,
) -> None:
    """RO App has neither at the contact; the ledger alone has them lead there."""
    shop = world.box.shops[0]
    first, second, third = "+380671234560", "+380671234561", "+380671234562"
    world.box.roapp.add_contact("Ганна", phones=[first])
    numbers = [place(world, phone=f"{first}, {second}, {third}"), place(world, phone=f"{second}, 0509990000", email="")]
    world.synced()
    assert world.roapp_order(numbers[0])["client_id"] == world.roapp_order(numbers[1])["client_id"]
    for number in numbers:
        shop.set_status(number, CANCELED)
    world.synced()
    with world.engine.begin() as connection:
        key = world.shop().key
        erasure.erase(connection, key, Buyer((numbers[0],), (), (), 1), "number")
    assert tables_with(world, first, third, f"email:{EMAIL}") == set()
    assert tables_with(world, second) >= {"orders", "links"}
    erase(world, "phone", second)
    assert tables_with(world, second) == set()
