"""What a person chooses where several contacts or products of RO App may be meant."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from ledger_rows import rows
from world import World

from cartum_roapp.apis.calls import Calls
from cartum_roapp.delivery import candidates, choosing
from cartum_roapp.delivery.account import reading
from cartum_roapp.delivery.choosing import Chosen
from cartum_roapp.errors import BadConfig, Question
from cartum_roapp.ledger import chosen_contacts, chosen_products, dossier, erasure, held

CODE = "CAP-2"
PHONE = "+380671112233"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def choose(world: World, kind: str, which: str, ro_id: int) -> Chosen:
    """`match set` without the command line."""
    shop = world.shop()
    function = choosing.choose_product if kind == "product" else choosing.choose_contact

    async def chosen() -> Chosen:
        async with reading(world.engine, world.found(shop).account, world.settings, Calls()) as roapp:
            return await function(world.engine, roapp, shop, which, ro_id)

    return asyncio.run(chosen())


def twins(world: World, **fields: Any) -> list[int]:
    roapp = world.box.roapp
    ids = [roapp.add_product(title, **fields) for title in ("Капелюх", "Панама")]
    roapp.seeded["products"] |= set(ids)
    return ids


def questions(world: World, number: str) -> list[Question]:
    record = held.find(world.engine, world.shop().key, "order", number)
    return record.questions if record else []


def words(world: World, number: str) -> list[str]:
    """How the candidates of the order's only question are named."""
    (question,) = questions(world, number)
    shop = world.shop()

    async def read() -> list[str]:
        async with reading(world.engine, world.found(shop).account, world.settings, Calls()) as roapp:
            found = await candidates.read(world.engine, roapp, shop.account, shop.key, number, question)
        return [one.words for one in found]

    return asyncio.run(read())


def entity(world: World, number: str) -> int:
    (item,) = world.roapp_items(number)
    return int(item["entity_id"])


def test_an_article_is_named_in_any_letter_case(world: World) -> None:
    _, second = twins(world, code=CODE)
    number = world.box.shops[0].place_order(articles=[(CODE, 1)])
    world.imported()
    assert choose(world, "product", CODE.lower(), second).released == [number]
    world.synced()
    assert entity(world, number) == second


def fix(world: World, number: str) -> str:
    (record,) = [one for one in held.listed(world.engine, world.shop().key) if one.id == number]
    return record.fix


def test_a_product_is_chosen_among_several_and_its_orders_go_through(world: World) -> None:
    _, second = twins(world, code=CODE)
    shop = world.box.shops[0]
    number = shop.place_order(articles=[(CODE, 1)])
    world.imported()
    assert world.held() == {("order", number): "product-ambiguous"}
    assert f"`cartum-roapp match set product shop-1 {CODE} RO_ID`" in fix(world, number)
    assert list(choose(world, "product", CODE, second).released) == [number]
    later = shop.place_order(articles=[(CODE, 2)])
    world.synced()
    assert world.held() == {}
    assert [entity(world, one) for one in (number, later)] == [second, second]
    (listed,) = chosen_products.listed(world.engine, [world.shop().key])
    assert (listed.name, listed.title, listed.ro_id) == (CODE, "Кепка", second)
    before = rows(world), world.box.roapp.counts()
    world.synced()
    assert (rows(world), world.box.roapp.counts()) == before


def test_a_held_order_has_the_article_and_the_ids_that_are_chosen_from(world: World) -> None:
    """The second of two lines; of two that RO App lacks both; the buyer by the order. Other lines are not asked for."""
    roapp, shop = world.box.roapp, world.box.shops[0]
    known = roapp.add_product("Лампа", code="LMP-07")
    pair = twins(world, code=CODE)
    people = [roapp.add_contact(name, phones=[PHONE]) for name in ("Олена", "Лена")]
    several, lacking, buyer = (shop.place_order(articles=[("LMP-07", 1)]) for _ in range(3))
    shop.add_line(several, CODE, 1, price=30, title="Кепка")
    for article in ("NEW-1", "NEW-2"):
        shop.add_line(lacking, article, 1, price=30, title=article)
    shop.orders[buyer]["delivery_phone"] = PHONE
    roapp.seeded["products"].add(known)
    world.imported(world.shop(missing_products="hold"))
    assert questions(world, several) == [{"kind": "product", "which": CODE, "ids": pair}]
    assert questions(world, lacking) == [
        {"kind": "product", "which": article, "ids": []} for article in ("NEW-1", "NEW-2")
    ]
    assert questions(world, buyer) == [{"kind": "contact", "which": buyer, "ids": people}]


@pytest.mark.parametrize("single", [True, False], ids=["single rows", "lists only"])
def test_candidates_are_named_so_that_a_person_can_tell_them_apart(world: World, single: bool) -> None:
    """An account that shows no single products has no price for them; a contact is found by the buyer's phone."""
    roapp, shop = world.box.roapp, world.box.shops[0]
    roapp.faults.product_get = roapp.faults.contact_get = single
    first, second = twins(world, code=CODE)
    roapp.edit_product(second, sku="BIG", prices=[{"id": 1, "price": "45.5"}])
    product = shop.place_order(articles=[(CODE, 1)])
    people = [
        roapp.add_contact("Олена", last_name="Коваль", phones=[PHONE]),
        roapp.add_contact("Лена", phones=[PHONE, "050 111 22 44"]),
    ]
    buyer = shop.place_order(articles=[("LMP-07", 1)], delivery_phone=PHONE, delivery_email="")
    world.imported()
    assert words(world, buyer) == [
        f"Олена Коваль, phone …2233, id {people[0]}",
        f"Лена, phone …2233, phone …2244, id {people[1]}",
    ]
    shown = words(world, product)
    assert shown[1] == (
        f"Панама, code {CODE}, SKU BIG, price 45.50, id {second}"
        if single
        else f"панама, code {CODE}, SKU BIG, id {second}"
    )
    assert shown[0].endswith(f"id {first}")


def test_a_choice_counts_above_the_catalogue_until_it_is_taken_back(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    carrier, other = roapp.add_product("Кепка", code=CODE), roapp.add_product("Інша")
    roapp.seeded["products"] |= {carrier, other}
    first = shop.place_order(articles=[(CODE, 1)])
    world.imported()
    choose(world, "product", CODE, other)
    second = shop.place_order(articles=[(CODE, 1)])
    world.synced()
    choosing.unchoose_product(world.engine, world.shop(), CODE)
    third = shop.place_order(articles=[(CODE, 1)])
    world.synced()
    assert [entity(world, number) for number in (first, second, third)] == [carrier, other, carrier]
    with pytest.raises(BadConfig, match="nothing was chosen"):
        choosing.unchoose_product(world.engine, world.shop(), CODE)


def test_a_chosen_product_that_is_gone_holds_the_order_and_nothing_is_made(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    chosen = roapp.add_product("Інша")
    roapp.seeded["products"].add(chosen)
    shop.place_order(articles=[(CODE, 1)])
    world.imported()
    made = len(world.made_products())
    choose(world, "product", CODE, chosen)
    roapp.delete_product(chosen)
    number = shop.place_order(articles=[(CODE, 1)])
    world.synced()
    assert world.held() == {("order", number): "product-missing"}
    assert f"`cartum-roapp match unset product shop-1 {CODE}`" in fix(world, number)
    assert len(world.made_products()) == made


def test_a_contact_is_chosen_among_several_and_stays_as_it_is(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    ids = [roapp.add_contact(name, phones=[PHONE]) for name in ("Олена", "Лена")]
    number = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="olena@example.com")
    world.imported()
    assert world.held() == {("order", number): "contact-ambiguous"}
    assert f"`cartum-roapp match set contact shop-1 {number} RO_ID`" in fix(world, number)
    assert choose(world, "contact", number, ids[1]) == Chosen("person", [number])
    later = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="")
    world.synced()
    assert world.held() == {}
    assert {world.roapp_order(one)["client_id"] for one in (number, later)} == {ids[1]}
    assert not world.box.roapp.contacts[ids[1]]["email"]
    assert world.made_contacts() == [roapp.contacts[one] for one in ids]
    (listed,) = chosen_contacts.listed(world.engine, [world.shop().key])
    assert (listed.orders, listed.ro_id, listed.kind) == ((later, number), ids[1], "person")
    found = dossier.order(world.engine, world.shop().key, number, personal=False)
    assert found is not None
    assert found["contact_because"] == "a person chose it"


def test_a_contact_with_another_phone_is_chosen_and_keeps_it(world: World) -> None:
    """Whom nobody would find: staff know that it is the same buyer."""
    roapp, shop = world.box.roapp, world.box.shops[0]
    known = roapp.add_contact("Олена", phones=["+380509998877"])
    number = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="")
    world.imported()
    assert world.roapp_order(number)["client_id"] != known
    choose(world, "contact", number, known)
    later = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="")
    world.synced()
    assert world.roapp_order(later)["client_id"] == known
    phones = [one["phone"] for one in roapp.contacts[known]["phones"]]
    assert phones == ["+380509998877"], "the buyer's phone stays at the contact that has it"
    choosing.unchoose_contact(world.engine, world.shop(), later)
    third = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="")
    world.synced()
    assert world.roapp_order(third)["client_id"] == world.roapp_order(number)["client_id"] != known


def test_a_company_may_be_an_organization_that_a_person_chose(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    known = roapp.add_organization("Ромашка")
    number = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="")
    world.imported()
    assert choose(world, "contact", number, known).kind == "organization"
    later = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="")
    world.synced()
    assert world.roapp_order(later)["client_id"] == known


def test_what_is_not_there_is_refused_with_its_field_and_nothing_is_stored(world: World) -> None:
    number = world.box.shops[0].place_order(articles=[(CODE, 1)], delivery_phone=PHONE)
    world.imported()
    for kind, which, ro_id, field, says in (
        ("product", CODE, 999_999_999, "ro_id", "RO App has no product 999999999"),
        ("product", "CAP-22", 1, "article", CODE),
        ("contact", number, 999_999_999, "ro_id", "RO App shows no contact 999999999"),
        ("contact", "77", 1, "number", "no order 77"),
    ):
        with pytest.raises(BadConfig) as refused:
            choose(world, kind, which, ro_id)
        assert refused.value.field == field
        assert says in str(refused.value)
        assert refused.value.fix
    assert chosen_products.listed(world.engine, [world.shop().key]) == []
    assert chosen_contacts.listed(world.engine, [world.shop().key]) == []


def test_an_erasure_takes_the_choice_with_the_buyer(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    known = roapp.add_contact("Олена", phones=["+380509998877"])
    number = shop.place_order(articles=[(CODE, 1)], delivery_phone=PHONE, delivery_email="")
    world.imported()
    choose(world, "contact", number, known)
    shop.set_status(number, 3)
    world.synced()
    key = world.shop().key
    with world.engine.begin() as connection:
        erasure.erase(connection, key, erasure.find(connection, key, "number", number, "UA"), "number")
    assert world.value("SELECT count(*) FROM links WHERE key LIKE :phone", phone=f"%{PHONE}") == 0
    assert chosen_contacts.listed(world.engine, [key]) == []
