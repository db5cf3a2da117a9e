"""Why a contact of RO App is a buyer's: stored with the decision, shown with the order and the buyer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from world import World

from cartum_roapp.ledger import dossier
from cartum_roapp.ledger.links import Reason

ONE, TWO, THREE = "+380671112233", "+380509998877", "+380631234567"
MAIL = "olena@example.com"


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def order(world: World, phone: str = "", email: str = "", details: Any = ()) -> str:
    given = {"delivery_phone": phone, "delivery_email": email, "delivery_name": "Олена Шевченко", "comment": ""}
    return world.box.shops[0].place_order(articles=[("KR-799", 1)], customer_details=details or [], **given)


def why(world: World, number: str) -> tuple[str | None, str | None]:
    """(kind, reason) as shown with the order, which names the contact that RO App has."""
    found = dossier.order(world.engine, world.shop().key, number, personal=False)
    assert found is not None
    assert found["contact_id"] == world.roapp_order(number)["client_id"]
    return found["contact_kind"], found["contact_because"]


def test_each_way_to_a_contact_has_its_reason(world: World) -> None:
    roapp = world.box.roapp
    roapp.add_contact("Пані", phones=["067 111 22 33"])
    roapp.add_contact("Пан", email="pan@example.com")
    roapp.add_organization("Ромашка", business_registration_number="12345678")
    roapp.add_organization("Волошка", phones=["+380441112233"])
    numbers = {
        order(world, ONE): ("person", Reason.PHONE),
        order(world, f"{TWO}, {ONE}"): ("person", Reason.OTHER_PHONE),
        order(world, THREE, MAIL): ("person", Reason.MADE),
        order(world, "", "pan@example.com"): ("person", Reason.EMAIL),
        order(world): ("person", Reason.MADE),
        order(world, "+380681112233", details={"company": "Ромашка", "edrpou": "12345678"}): (
            "organization",
            Reason.NUMBER,
        ),
        order(world, "+380691112233", details={"company": "Нова", "edrpou": "87654321"}): ("organization", Reason.MADE),
        order(world, "+380441112233"): ("organization", Reason.ORGANIZATION),
    }
    world.imported()
    by_mail = order(world, "", MAIL)
    world.synced()
    assert {number: why(world, number) for number in numbers} == numbers
    assert why(world, by_mail) == ("person", Reason.EMAIL)


def test_of_several_the_orders_client_is_told_apart_from_the_only_one(world: World) -> None:
    number, guest = order(world, ONE), order(world)
    world.imported()
    world.box.roapp.seeded["contacts"].add(world.box.roapp.add_contact("Лена", phones=[ONE]))
    world.purged()
    world.imported()
    assert why(world, number) == ("person", Reason.CLIENT)
    assert why(world, guest) == ("person", Reason.CLIENT)


def test_a_reason_stays_when_the_order_names_more(world: World) -> None:
    world.box.roapp.add_contact("Пані", phones=[ONE])
    number = order(world, ONE)
    world.imported()
    world.box.shops[0].edit_buyer(number, phone=f"{ONE}, {TWO}", email=MAIL)
    world.synced()
    assert why(world, number) == ("person", Reason.PHONE)
