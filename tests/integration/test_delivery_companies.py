"""A company that buys is one organization of the account, and who buys for it stays a person."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import Retryable

ONE, TWO = "+380671112233", "+380509998877"
MAIL = "office@example.com"
NAME, NUMBER, TAX = 'ТОВ "Ромашка"', "12345678", "123456712345"
DETAILS = {"company": NAME, "edrpou": NUMBER, "ipn": TAX}
PATH = "^/contacts/organizations$"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0, shops=2) as world:
        yield world


def order(world: World, phone: str = ONE, details: Any = None, index: int = 0, **fields: Any) -> str:
    given = {"delivery_phone": phone, "delivery_email": "", "delivery_name": "Олена Шевченко", "comment": "", **fields}
    details = DETAILS if details is None else details
    return world.box.shops[index].place_order(articles=[("KR-799", 1)], customer_details=details, **given)


def private(world: World, phone: str = ONE, index: int = 0, **fields: Any) -> str:
    return order(world, phone, [], index, **fields)


def client(world: World, number: str, index: int = 0) -> dict[str, Any]:
    roapp, id_ = world.box.roapp, world.roapp_order(number, world.shop(index))["client_id"]
    found: dict[str, Any] = roapp.organizations.get(id_) or roapp.contacts[id_]
    return found


def phones(contact: dict[str, Any]) -> list[str]:
    return [one["phone"] for one in contact["phones"]]


def calls(world: World, method: str) -> int:
    return sum(call.method == method and call.path.startswith("/contacts/") for call in world.box.roapp.calls)


def well(world: World) -> None:
    for index in (0, 1):
        shop = world.shop(index)
        if world.box.shops[index].orders:
            assert world.held(shop) == {}
            assert world.differences(shop, world.box.shops[index].qualifying(), index) == []
    world.box.roapp.clear_calls()
    world.synced()
    assert world.box.roapp.writes() == []


def test_a_company_is_made_as_an_organization_once(world: World) -> None:
    first = order(world, delivery_email=MAIL)
    second = order(world, TWO, {"company_name": "Ромашка", "code_edrpou": "", "edrpou": "12 345 678"})
    world.imported()
    third = order(world, details={"company": "ТОВ Ромашка", "inn": TAX})
    world.synced()
    (made,) = world.made_organizations()
    assert {client(world, number)["id"] for number in (first, second, third)} == {made["id"]}
    assert (made["business_registration_number"], made["tax_identification_number"]) == (NUMBER, TAX)
    assert (made["name"], made["email"]) == (NAME, MAIL)
    assert phones(made) == [ONE]
    assert not any(one["notify"] for one in made["phones"])
    assert world.made_contacts() == []
    notes = world.roapp_order(first)["manager_notes"]
    assert f"Компанія: {NAME}, ЄДРПОУ {NUMBER}, ІПН {TAX}\n" in notes
    well(world)


def test_who_bought_for_herself_and_buys_for_a_company_is_both(world: World) -> None:
    for_herself = private(world)
    world.imported()
    for_company = order(world)
    world.synced()
    (company,), (person,) = world.made_organizations(), world.made_contacts()
    assert (client(world, for_company)["id"], client(world, for_herself)["id"]) == (company["id"], person["id"])
    assert phones(person) == phones(company) == [ONE]
    well(world)


@pytest.mark.parametrize("field", ["business_registration_number", "tax_identification_number"])
def test_an_organization_of_ro_app_is_found_by_a_number_whatever_else_differs(world: World, field: str) -> None:
    roapp = world.box.roapp
    for index in range(60):
        roapp.seeded["organizations"].add(
            roapp.add_organization(f"Інша {index}", business_registration_number=f"{90000000 + index}")
        )
    known = roapp.add_organization("Ромашка і сини", phones=["044 111 22 33"], notes="VIP", **{field: "12-345-678"})
    number = order(
        world, details={"company": NAME, "edrpou": NUMBER} if field[0] == "b" else {"company": NAME, "inn": NUMBER}
    )
    world.imported()
    found = client(world, number)
    assert (found["id"], found["name"], found["notes"], found[field]) == (known, "Ромашка і сини", "VIP", "12-345-678")
    assert phones(found) == ["044 111 22 33"]
    assert world.made_organizations() == [found]
    world.box.roapp.clear_calls()
    order(world, details={"company": NAME, "edrpou": NUMBER} if field[0] == "b" else {"company": NAME, "inn": NUMBER})
    world.synced()
    assert calls(world, "GET") + calls(world, "PATCH") == 0, "a company that is known costs no call"
    well(world)


def test_an_organization_without_numbers_is_found_by_phone_and_used_as_it_is(world: World) -> None:
    known = world.box.roapp.add_organization("Ромашка", phones=["067 111 22 33"])
    number = order(world)
    world.imported()
    found = client(world, number)
    assert found["id"] == known
    assert (found["business_registration_number"], found["tax_identification_number"]) == (None, None)
    well(world)


def test_another_company_with_the_same_phone_is_another_one(world: World) -> None:
    """An accountant buys for both."""
    roapp = world.box.roapp
    other = roapp.add_organization("Волошка", phones=[ONE], business_registration_number="87654321")
    number = order(world)
    world.imported()
    assert client(world, number)["id"] != other
    assert phones(client(world, number)) == [], "the phone stays where it is"
    assert ONE in world.roapp_order(number)["manager_notes"]
    well(world)


@pytest.mark.parametrize("by", ["number", "phone"])
def test_several_organizations_are_held_until_staff_merged_them(world: World, by: str) -> None:
    roapp = world.box.roapp
    fields: dict[str, Any] = {"business_registration_number": NUMBER} if by == "number" else {"phones": [ONE]}
    first, second = (roapp.add_organization(name, **fields) for name in ("Ромашка", "Ромашка 2"))
    number = order(world)
    world.imported()
    assert world.held() == {("order", number): "contact-ambiguous"}
    roapp.delete_contact(second)
    world.imported()
    assert client(world, number)["id"] == first
    well(world)


def test_a_private_buyer_with_an_organizations_phone_is_that_organization_unless_a_person_has_it(world: World) -> None:
    roapp = world.box.roapp
    company = roapp.add_organization("Ромашка", phones=[ONE])
    both = roapp.add_organization("Волошка", phones=[TWO])
    person = roapp.add_contact("Петро", phones=[TWO])
    first, second = private(world, ONE), private(world, TWO)
    world.imported()
    assert (client(world, first)["id"], client(world, second)["id"]) == (company, person)
    assert both in roapp.organizations
    well(world)


@pytest.mark.parametrize(("others", "most"), [(0, 1), (49, 1), (260, 4)])
def test_a_look_for_organizations_costs_a_private_buyer_few_calls(world: World, others: int, most: int) -> None:
    roapp = world.box.roapp
    for index in range(others):
        roapp.add_organization(f"Інша {index}", phones=[f"+38044{index:07d}"])
    numbers = [private(world, f"+3806711122{index:02d}") for index in range(12)]
    world.imported()
    looks = [call for call in roapp.calls if call.path == "/contacts/organizations"]
    assert len(looks) <= most + (len(numbers) * 13) // 50 * (others > 50) + 3 * (others > 50)
    well(world)


@pytest.mark.long
def test_private_buyers_do_not_wait_for_a_list_of_organizations_that_can_not_be_read(world: World) -> None:
    world.box.roapp.faults.fail("error", 999, method="GET", path="organizations")
    mine, companys = private(world, ONE), order(world, TWO)
    world.settings = world.settings.model_copy(update={"retries": 2})
    with suppress(Retryable):
        world.imported()
    assert phones(client(world, mine)) == [ONE]
    assert companys not in world.roapp_orders(world.shop()), "a company's order waits: a person would stay one for good"
    world.box.roapp.faults.calm()
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET available_at = now()"))
    world.imported()
    assert client(world, companys)["name"] == NAME
    well(world)


@pytest.mark.parametrize("switch", ["missing", "forbidden", "read_only"])
def test_where_the_account_refuses_organizations_a_person_is_made_and_the_notes_name_the_company(
    world: World, switch: str
) -> None:
    world.box.roapp.faults.organizations = switch
    first = order(world)
    for_herself = private(world)
    world.imported()
    second = order(world, TWO)
    world.synced()
    (person,) = world.made_contacts()
    assert {client(world, number)["id"] for number in (first, second, for_herself)} == {person["id"]}
    assert world.made_organizations() == []
    for number in (first, second):
        assert f"{NAME}, ЄДРПОУ {NUMBER}, ІПН {TAX}" in world.roapp_order(number)["manager_notes"]
    well(world)


@pytest.mark.parametrize("filter_form", ["both", "bare", "ignored"])
@pytest.mark.parametrize("lost", ["ledger", "contacts"])
def test_a_lost_ledger_makes_no_second_organization(world: World, lost: str, filter_form: str) -> None:
    world.box.roapp.faults.filter_form = filter_form
    numbers = [order(world), order(world, TWO, {"company": "Без коду"})]
    world.imported()
    made = {one["id"] for one in world.made_organizations()}
    assert len(made) == 2
    if lost == "ledger":
        world.purged()
    else:
        with world.engine.begin() as connection:
            connection.execute(text("DELETE FROM links WHERE kind = 'contact'"))
        numbers += [order(world), order(world, TWO, {"company": "Без коду"})]
    world.imported()
    world.synced()
    assert {client(world, number)["id"] for number in numbers} == made
    assert {one["id"] for one in world.made_organizations()} == made
    well(world)


@pytest.mark.parametrize("fault", ["drop", "drop_after", "error_after", "hang_after", "late", "half_after", "rate"])
def test_an_unclear_create_of_an_organization_is_found_and_not_made_again(world: World, fault: str) -> None:
    world.box.roapp.faults.fail(fault, 2, method="POST", path=PATH, seconds=0.2, status=502)
    number, nameless = order(world), order(world, TWO, {"company": "Без коду"})
    world.imported()
    world.synced()
    assert world.box.roapp.faults.plan == []
    assert {one["id"] for one in world.made_organizations()} == {client(world, one)["id"] for one in (number, nameless)}
    assert len(world.made_organizations()) == 2
    assert world.value("SELECT count(*) FROM creations WHERE look_until IS NULL") == 0
    well(world)


@pytest.mark.parametrize("fault", ["drop", "drop_after"])
def test_an_order_of_another_company_now_is_not_taken_for_what_an_unclear_create_made(world: World, fault: str) -> None:
    """The first company's organization has the order's marker too."""
    number = order(world)
    world.imported()
    before = client(world, number)["id"]
    world.box.roapp.faults.fail(fault, 1, method="POST", path=PATH)
    world.box.shops[0].edit(number, customer_details={"company": "Волошка", "edrpou": "87654321"})
    world.synced()
    assert client(world, number)["id"] != before
    assert {one["business_registration_number"] for one in world.made_organizations()} == {NUMBER, "87654321"}
    well(world)


def test_two_shops_with_one_company_at_once(world: World) -> None:
    numbers = [order(world, index=0), order(world, TWO, {"organization": {"name": "Ромашка", "code": NUMBER}}, 1)]
    one, two = world.shop(0), world.shop(1)

    async def together() -> None:
        await asyncio.gather(world.import_(one, two), world.import_(two, one))

    asyncio.run(together())
    assert client(world, numbers[0], 0)["id"] == client(world, numbers[1], 1)["id"]
    assert len(world.made_organizations()) == 1
    well(world)


@pytest.mark.parametrize("shape", ["errors", "html"])
@pytest.mark.parametrize("contact_get", [True, False])
def test_an_organization_that_staff_merged_into_another_is_found_again(
    world: World, contact_get: bool, shape: str
) -> None:
    roapp = world.box.roapp
    roapp.faults.switch(contact_get=contact_get, error_shape=shape)
    first = order(world)
    world.imported()
    lost = client(world, first)["id"]
    kept = roapp.add_organization("Ромашка", business_registration_number=NUMBER, phones=[ONE])
    roapp.edit_order(world.roapp_order(first)["id"], client_id=kept)
    roapp.delete_contact(lost)
    second = order(world)
    world.synced()
    assert client(world, second)["id"] == kept
    well(world)


def test_a_refusal_that_names_nothing_is_no_reason_to_forget_an_organization_that_is_there(world: World) -> None:
    roapp = world.box.roapp
    order(world)
    world.imported()
    roapp.faults.switch(error_shape="html", required_order_fields=("ad_campaign_id",))
    number = order(world)
    roapp.clear_calls()
    world.synced()
    assert world.held() == {("order", number): "refused"}
    assert not any(call.path == "/contacts/organizations" for call in roapp.calls), "nobody is searched anew"


def test_an_order_that_becomes_a_companys_moves_to_its_organization(world: World) -> None:
    number = private(world)
    world.imported()
    person = client(world, number)["id"]
    world.box.shops[0].edit(number, customer_details=DETAILS)
    world.synced()
    (made,) = world.made_organizations()
    assert client(world, number)["id"] == made["id"] != person
    assert person in world.box.roapp.contacts
    well(world)


def test_a_refused_phone_of_a_company_costs_the_phone(world: World) -> None:
    world.box.roapp.faults.switch(refused_phones=(ONE,), error_shape="html")
    order(world, f"{ONE}, {TWO}")
    world.imported()
    order(world, f"{ONE}, {TWO}")
    world.synced()
    (made,) = world.made_organizations()
    assert phones(made) == [TWO]
    assert world.held() == {}
