"""All phones of an order lead to its buyer's contact, and a phone that RO App refuses costs nobody an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from world import World

ONE, TWO, THREE = "+380671112233", "+380509998877", "+380631234567"
MAIL = "olena@example.com"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def order(world: World, phone: str, email: str = "", name: str = "Олена Шевченко", **fields: Any) -> str:
    given = {"delivery_phone": phone, "delivery_email": email, "delivery_name": name, "comment": "", **fields}
    return world.box.shops[0].place_order(articles=[("KR-799", 1)], **given)


def client(world: World, number: str) -> dict[str, Any]:
    return world.box.roapp.contacts[world.roapp_order(number)["client_id"]]


def phones(contact: dict[str, Any]) -> list[str]:
    return [one["phone"] for one in contact["phones"]]


def notes(world: World, number: str) -> str:
    return str(world.roapp_order(number)["manager_notes"])


def calls(world: World, method: str, path: str = "/contacts/") -> int:
    return sum(call.method == method and path in call.path for call in world.box.roapp.calls)


def well(world: World) -> None:
    assert world.held() == {}
    assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []
    world.box.roapp.clear_calls()
    world.synced()
    assert world.box.roapp.writes() == [], "and the next run has nothing to write"


def test_a_new_contact_has_all_phones_of_the_order_and_no_word_is_lost(world: World) -> None:
    number = order(world, "067 111-22-33 (чоловік), 050 999 88 77; дзвонити після 18:00")
    world.imported()
    contact = client(world, number)
    assert [(one["phone"], one["title"], one["notify"]) for one in contact["phones"]] == [
        (ONE, "чоловік", False),
        (TWO, "", False),
    ]
    assert f"{ONE} (чоловік), {TWO}, дзвонити після 18:00\n" in notes(world, number)
    well(world)


@pytest.mark.parametrize(
    ("phone", "kept"),
    [("050 12-34", "050 12-34"), (f"{ONE}, 12-34-56", "12-34-56"), (f"{ONE}, 0500000000", "0500000000")],
)
def test_a_phone_that_cannot_be_read_is_in_the_notes_of_contact_and_order(world: World, phone: str, kept: str) -> None:
    number = order(world, phone)
    world.imported()
    assert kept in notes(world, number)
    assert client(world, number)["notes"] == f"[{world.shop().key}:{number}] {kept}"
    assert phones(client(world, number)) == ([ONE] if ONE in phone else [])
    well(world)


def test_orders_of_a_known_contact_cost_no_call_for_it(world: World) -> None:
    order(world, f"{ONE}, {TWO}", MAIL)
    world.imported()
    world.box.roapp.clear_calls()
    for phone in (f"{ONE}, {TWO}", f"{ONE}; {TWO} (чоловік)", ONE):
        order(world, phone, MAIL)
    world.synced()
    assert calls(world, "GET") + calls(world, "PATCH") + calls(world, "POST") == 0
    assert len(world.made_contacts()) == 1
    well(world)


def test_a_buyer_is_found_by_any_phone_and_the_first_decides(world: World) -> None:
    roapp = world.box.roapp
    first, second = (roapp.add_contact(name, phones=[phone]) for name, phone in (("Олена", ONE), ("Петро", TWO)))
    both = order(world, f"{ONE}, {TWO}")
    by_second = order(world, f"{THREE}, {TWO}")
    world.imported()
    assert client(world, both)["id"] == first
    assert phones(client(world, both)) == [ONE], "the other contact keeps its phone for itself"
    assert client(world, by_second)["id"] == second
    assert phones(client(world, by_second)) == [TWO]
    assert {row["id"] for row in world.made_contacts()} == {first, second}
    world.box.roapp.clear_calls()
    order(world, f"{ONE}, {TWO}")
    world.synced()
    assert calls(world, "GET") + calls(world, "PATCH") == 0, "what another one has is not asked again"
    well(world)


def test_two_contacts_that_only_the_other_phones_find_are_held_until_staff_merged_them(world: World) -> None:
    roapp = world.box.roapp
    first, second = (roapp.add_contact(name, phones=[phone]) for name, phone in (("Олена", TWO), ("Петро", THREE)))
    number = order(world, f"{ONE}, {TWO}, {THREE}")
    world.imported()
    assert world.held() == {("order", number): "contact-ambiguous"}
    roapp.delete_contact(second)
    roapp.edit_contact(first, phones=[TWO, THREE])
    world.imported()
    assert client(world, number)["id"] == first
    assert phones(client(world, number)) == [TWO, THREE]
    well(world)


def test_two_new_orders_that_share_only_a_second_phone_are_one_contact(world: World) -> None:
    for phone in (f"{ONE}, {TWO}", f"{THREE}, {TWO}", TWO):
        order(world, phone)
    world.imported()
    (contact,) = world.made_contacts()
    assert TWO in phones(contact)
    well(world)


def test_a_lost_ledger_finds_a_contact_by_its_second_phone(world: World) -> None:
    number = order(world, f"{ONE}, {TWO}")
    world.imported()
    world.purged()
    world.box.shops[0].edit_buyer(number, phone=TWO)
    world.imported()
    assert len(world.made_contacts()) == 1
    well(world)


@pytest.mark.parametrize("shape", ["errors", "validation", "message", "text", "html"])
@pytest.mark.parametrize("email", ["", MAIL])
def test_a_refused_phone_costs_the_phone_and_not_the_order(world: World, shape: str, email: str) -> None:
    roapp = world.box.roapp
    roapp.faults.switch(refused_phones=(ONE,), error_shape=shape)
    first = order(world, ONE, email)
    world.imported()
    second, third = order(world, ONE, email), order(world, ONE, "other@example.com")
    world.synced()
    (contact,) = world.made_contacts()
    assert phones(contact) == []
    assert {client(world, number)["id"] for number in (first, second, third)} == {contact["id"]}
    assert all(ONE in notes(world, number) for number in (first, second, third))
    assert world.held() == {}
    calm(world)


@pytest.mark.parametrize("shape", ["errors", "html"])
@pytest.mark.parametrize("refused", [ONE, TWO])
def test_of_two_phones_the_good_one_is_written(world: World, refused: str, shape: str) -> None:
    world.box.roapp.faults.switch(refused_phones=(refused,), error_shape=shape)
    number = order(world, f"{ONE}, {TWO}, {THREE}")
    world.imported()
    order(world, f"{ONE}, {TWO}, {THREE}")
    world.synced()
    (contact,) = world.made_contacts()
    assert sorted(phones(contact)) == sorted({ONE, TWO, THREE} - {refused})
    assert all(phone in notes(world, number) for phone in (ONE, TWO, THREE))
    assert world.held() == {}
    calm(world)


def test_two_buyers_of_one_email_whose_phones_are_refused_stay_two(world: World) -> None:
    world.box.roapp.faults.refused_phones = (ONE, TWO)
    first = order(world, ONE, MAIL)
    world.imported()
    second = order(world, TWO, MAIL)
    world.synced()
    assert client(world, first)["id"] != client(world, second)["id"]
    assert world.held() == {}
    calm(world)


def test_a_lost_ledger_makes_no_second_contact_for_a_refused_phone(world: World) -> None:
    world.box.roapp.faults.refused_phones = (ONE,)
    first, second = order(world, ONE), order(world, ONE)
    world.imported()
    assert len(world.made_contacts()) == 1
    world.purged()
    world.imported()
    third = order(world, ONE)
    world.synced()
    (contact,) = world.made_contacts()
    assert {client(world, number)["id"] for number in (first, second, third)} == {contact["id"]}
    calm(world)


@pytest.mark.parametrize("shape", ["errors", "validation", "message", "text", "html"])
def test_a_refused_email_costs_the_email_and_neither_order_nor_change(world: World, shape: str) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    roapp.faults.switch(refused_emails=(MAIL,), error_shape=shape)
    first, second = order(world, ONE, MAIL), order(world, TWO)
    world.imported()
    shop.edit_buyer(second, email=MAIL)
    shop.set_waybill(second, "20450000000001")
    shop.set_status(second, 2)
    world.synced()
    assert world.held() == {}
    assert [phones(client(world, number)) for number in (first, second)] == [[ONE], [TWO]]
    assert all(not client(world, number)["email"] for number in (first, second))
    assert all(MAIL in notes(world, number) for number in (first, second))
    roapp.clear_calls()
    third = order(world, ONE, MAIL)
    world.synced()
    assert calls(world, "GET") + calls(world, "PATCH") + calls(world, "POST") == 0, "and it is not tried again"
    assert MAIL in notes(world, third)
    calm(world)


@pytest.mark.parametrize("shape", ["errors", "html"])
def test_phone_and_email_that_are_both_refused_cost_themselves(world: World, shape: str) -> None:
    world.box.roapp.faults.switch(refused_emails=(MAIL,), refused_phones=(ONE,), error_shape=shape)
    number = order(world, f"{ONE}, {TWO}", MAIL)
    world.imported()
    (contact,) = world.made_contacts()
    assert (phones(contact), contact["email"] or "") == ([TWO], "")
    assert world.held() == {}
    assert all(one in notes(world, number) for one in (ONE, TWO, MAIL))


@pytest.mark.parametrize("shape", ["errors", "html"])
@pytest.mark.parametrize("refused", [False, True])
def test_a_new_contact_has_the_address_of_its_order_unless_it_is_refused(
    world: World, refused: bool, shape: str
) -> None:
    world.box.roapp.faults.switch(addresses_refused=refused, error_shape=shape)
    number = order(world, ONE, MAIL)
    world.box.shops[0].edit(number, delivery_city="Львів", delivery_address="Відділення №5")
    world.imported()
    (contact,) = world.made_contacts()
    assert (contact["address"] or "") == ("" if refused else "Львів, Відділення №5")
    assert phones(contact) == [ONE]
    assert (contact["email"] or "") == ("" if refused and shape == "html" else MAIL)
    assert world.held() == {}


@pytest.mark.parametrize("fault", ["drop", "drop_after", "error_after"])
def test_an_unclear_create_without_the_refused_email_is_found_again(world: World, fault: str) -> None:
    roapp = world.box.roapp
    roapp.faults.refused_emails = (MAIL,)
    roapp.faults.fail(fault, 1, method="POST", path="^/contacts/people$", skip=1, status=502)
    number = order(world, "", MAIL)
    world.imported()
    (contact,) = world.made_contacts()
    assert (client(world, number)["id"], world.held()) == (contact["id"], {})


def test_an_email_that_can_not_be_read_stands_in_the_notes(world: World) -> None:
    number = order(world, ONE, "ivan@gmail,com")
    world.imported()
    assert "ivan@gmail,com" in notes(world, number)
    well(world)


def test_a_buyer_who_is_not_told_apart_stops_only_the_contact(world: World) -> None:
    roapp, shop = world.box.roapp, world.box.shops[0]
    number = order(world, ONE)
    world.imported()
    before = client(world, number)["id"]
    for name in ("Двійник", "Двійниця"):
        roapp.seeded["contacts"].add(roapp.add_contact(name, phones=[TWO]))
    shop.edit_buyer(number, phone=TWO)
    shop.set_waybill(number, "20450000000001")
    shop.set_status(number, 2)
    world.synced()
    assert world.held() == {("order", number): "contact-ambiguous"}
    there = world.roapp_order(number)
    assert (there["client_id"], there["status_id"]) == (before, world.shop().statuses[2])
    assert "20450000000001" in there["manager_notes"]


@pytest.mark.parametrize("fault", ["drop_after", "error_after", "drop", "half_after"])
@pytest.mark.parametrize("skip", [0, 1])
def test_an_unclear_create_amid_refusals_is_found_again(world: World, fault: str, skip: int) -> None:
    roapp = world.box.roapp
    roapp.faults.refused_phones = (ONE,)
    roapp.faults.fail(fault, 1, method="POST", path="^/contacts/people$", skip=skip, status=502)
    number = order(world, ONE)
    world.imported()
    (contact,) = world.made_contacts()
    assert client(world, number)["id"] == contact["id"]
    assert world.held() == {}
    assert world.value("SELECT count(*) FROM creations WHERE look_until IS NULL") == 0


@pytest.mark.parametrize("fault", ["drop", "drop_after"])
def test_a_buyer_who_is_another_one_now_is_not_taken_for_what_an_unclear_create_made(world: World, fault: str) -> None:
    """The contact of the first one has the order's marker too, and no phone."""
    number = order(world, "", MAIL)
    world.imported()
    before = client(world, number)["id"]
    world.box.roapp.faults.fail(fault, 1, method="POST", path="^/contacts/people$")
    world.box.shops[0].edit_buyer(number, phone=ONE, email="other@example.com", name="Інша Людина")
    world.synced()
    assert client(world, number)["id"] != before
    assert (phones(client(world, number)), len(world.made_contacts())) == ([ONE], 2)
    assert phones(world.box.roapp.contacts[before]) == []
    well(world)


def calm(world: World) -> None:
    """The next run has nothing to write, and RO App's contacts are not doubled."""
    assert world.box.roapp.duplicates()["contacts"] == {}
    world.box.roapp.clear_calls()
    world.synced()
    assert world.box.roapp.writes() == []
