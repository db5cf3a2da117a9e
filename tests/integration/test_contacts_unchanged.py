"""What RO App has of a contact stays as staff entered it, whatever an order says; the ledger remembers the rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from world import World

PHONES = [f"+38067111220{n}" for n in range(6)]
ONE, TWO, THREE, *_ = PHONES
MAIL, OTHER = "olena@example.com", "office@example.com"
COMPANY = {"company": 'ТОВ "Ромашка"', "edrpou": "12345678", "ipn": "123456712345"}


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def order(world: World, phone: str = "", email: str = "", details: Any = ()) -> str:
    given = {"delivery_phone": phone, "delivery_email": email, "delivery_name": "Олена Шевченко", "comment": ""}
    return world.box.shops[0].place_order(articles=[("KR-799", 1)], customer_details=details or [], **given)


def client(world: World, number: str) -> int:
    return int(world.roapp_order(number)["client_id"])


def there(world: World) -> dict[int, dict[str, Any]]:
    """RO App's people and organizations as they stand."""
    return deepcopy({**world.box.roapp.contacts, **world.box.roapp.organizations})


def calls(world: World) -> list[str]:
    return [f"{call.method} {call.path}" for call in world.box.roapp.calls if call.path.startswith("/contacts/")]


@pytest.mark.parametrize("story", range(6))
def test_no_contact_is_ever_changed_whatever_an_order_says(world: World, story: int) -> None:
    """Orders and edits of buyers, companies and guests, with phones and addresses in all mixtures; lost answers, an
    order that is sent again, a lost ledger."""
    dice = random.Random(story)
    roapp, shop = world.box.roapp, world.box.shops[0]
    for phones, email in ((PHONES[:1], ""), (PHONES[1:3], MAIL), ([], OTHER)):
        roapp.add_contact("Пані", phones=phones, email=email, notes="VIP")
    roapp.add_organization("Ромашка", phones=PHONES[3:4])
    roapp.faults.switch(contact_get=dice.random() < 0.7, emails_filter=dice.random() < 0.7)
    if story % 3 == 0:
        roapp.faults.switch(refused_phones=PHONES[4:5], refused_emails=(OTHER,))

    def buyer() -> dict[str, Any]:
        phones = dice.sample(PHONES, dice.choice([0, 1, 1, 2, 3]))
        return {"phone": ", ".join(phones), "email": dice.choice(["", MAIL, OTHER])}

    written: list[str] = []
    numbers: list[str] = []
    for step in range(4):
        before = there(world)
        roapp.clear_calls()
        numbers += [order(world, **buyer(), details=dice.choice([(), (), COMPANY])) for _ in range(3)]
        if step:
            shop.edit_buyer(dice.choice(numbers), **buyer())
            roapp.faults.fail(dice.choice(["drop_after", "error_after"]), 1, method="POST", path="^/contacts/")
        if step == 3:
            world.purged()
            world.imported()
        world.imported() if not step else world.synced()
        asyncio.run(world.resend(world.shop(), numbers[:1]))
        written += [call for call in calls(world) if not call.startswith("GET")]
        after = there(world)
        assert {one: after[one] for one in before} == before
    assert {call.partition(" ")[0] for call in written} <= {"POST"}


def test_the_next_order_by_a_further_phone_is_the_same_contacts_without_a_call(world: World) -> None:
    known = world.box.roapp.add_contact("Пані", phones=[ONE], notes="VIP")
    first = order(world, f"{ONE}, {TWO}", MAIL)
    world.imported()
    before = there(world)
    assert TWO in world.roapp_order(first)["manager_notes"]
    world.box.roapp.clear_calls()
    numbers = [order(world, TWO), order(world, "", MAIL)]
    world.synced()
    assert {client(world, number) for number in (first, *numbers)} == {known}
    assert calls(world) == []
    assert there(world) == before


def test_a_further_phone_that_is_added_later_is_remembered_as_well(world: World) -> None:
    number = order(world, ONE)
    world.imported()
    before = there(world)
    world.box.shops[0].edit_buyer(number, phone=f"{ONE}, {TWO}")
    world.synced()
    world.box.roapp.clear_calls()
    second = order(world, f"{THREE}, {TWO}")
    world.synced()
    third = order(world, THREE)
    world.synced()
    assert len({client(world, one) for one in (number, second, third)}) == 1
    assert [call for call in calls(world) if not call.startswith("GET")] == []
    assert there(world) == before


def test_a_further_phone_that_somebody_else_has_stays_theirs(world: World) -> None:
    roapp = world.box.roapp
    mine, other = roapp.add_contact("Олена", phones=[ONE]), roapp.add_contact("Петро", phones=[TWO])
    both = order(world, f"{ONE}, {TWO}")
    world.imported()
    theirs = order(world, TWO)
    world.synced()
    assert (client(world, both), client(world, theirs)) == (mine, other)


def test_phones_of_two_contacts_that_the_ledger_alone_knows_are_held(world: World) -> None:
    roapp = world.box.roapp
    first, second = (roapp.add_contact(name, phones=[phone]) for name, phone in (("Олена", ONE), ("Петро", TWO)))
    order(world, f"{ONE}, {PHONES[3]}")
    order(world, f"{TWO}, {PHONES[4]}")
    world.imported()
    number = order(world, f"{THREE}, {PHONES[3]}, {PHONES[4]}")
    world.synced()
    assert world.held() == {("order", number): "contact-ambiguous"}
    roapp.delete_contact(second)
    world.imported()
    assert client(world, number) == first


def test_a_company_that_is_found_by_phone_is_used_as_it_is_also_after_a_lost_ledger(world: World) -> None:
    known = world.box.roapp.add_organization("Ромашка", phones=[ONE])
    first = order(world, ONE, details=COMPANY)
    world.imported()
    before = there(world)
    by_tax = order(world, TWO, details={"company": "Ромашка", "ipn": COMPANY["ipn"]})
    world.synced()
    world.purged()
    world.imported()
    again = order(world, ONE, details=COMPANY)
    world.synced()
    assert {client(world, number) for number in (first, by_tax, again)} == {known}
    assert there(world) == before
