"""A new contact's first and last name, in whatever order the shop has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from world import World


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        yield world


def made(world: World, *names: str) -> list[tuple[str, str]]:
    """(first, last) of the contacts of these buyers, who are new."""
    shop, known = world.box.shops[0], len(world.box.roapp.contacts)
    numbers = [
        shop.place_order(
            articles=[("KR-799", 1)],
            delivery_name=name,
            delivery_email="",
            delivery_phone=f"+38067{known:04d}{place:03d}",
        )
        for place, name in enumerate(names)
    ]
    world.imported()
    world.synced()
    contacts = [world.box.roapp.contacts[world.roapp_order(one)["client_id"]] for one in numbers]
    return [(contact["first_name"], contact["last_name"]) for contact in contacts]


def test_the_words_tell_whatever_their_order(world: World) -> None:
    names = ("Шевченко Олена Іванівна", "Олена Іванівна Шевченко", "Коваленко Марта", "Марта Коваленко", "Олена")
    assert made(world, *names) == [
        ("Олена Іванівна", "Шевченко"), ("Олена Іванівна", "Шевченко"), ("Марта", "Коваленко"), ("Марта", "Коваленко"),
        ("Олена", ""),
    ]  # fmt: skip


def test_where_nothing_tells_the_name_stays_as_typed(world: World) -> None:
    """Whatever the other buyers of the shop do."""
    names = ("Шевченко Олена", "Коваленко Іван", "Мельничук Зоя", "Ткач Устим", "Устим Ткач Третій")
    assert made(world, *names)[-2:] == [("Ткач", "Устим"), ("Устим", "Ткач Третій")]


def test_a_contact_that_ro_app_has_keeps_its_name(world: World) -> None:
    known = world.box.roapp.add_contact("Пані", last_name="Олена", phones=["+380671112233"])
    shop = world.box.shops[0]
    shop.place_order(articles=[("KR-799", 1)], delivery_name="Шевченко Олена", delivery_phone="+380671112233")
    world.imported()
    contact = world.box.roapp.contacts[known]
    assert (contact["first_name"], contact["last_name"]) == ("Пані", "Олена")
