"""One buyer is one contact of the account, whatever they type and in whichever shop they buy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from world import World

from cartum_roapp.delivery import drain, search
from sandbox import Sandbox

PHONE, OTHER = "+380671112233", "+380509998877"
MAIL = "olena@example.com"
ONE: list[tuple[str, int]] = [("KR-799", 1)]


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=0, delivered=0, older=0, shops=2) as world:
        yield world


def order(world: World, phone: str = "", email: str = "", name: str = "Олена Шевченко", index: int = 0) -> str:
    shop = world.box.shops[index]
    return shop.place_order(articles=ONE, delivery_phone=phone, delivery_email=email, delivery_name=name)


def client(world: World, number: str, index: int = 0) -> dict[str, Any]:
    return world.box.roapp.contacts[world.roapp_order(number, world.shop(index))["client_id"]]


def phones(contact: dict[str, Any]) -> list[str]:
    return [one["phone"] for one in contact["phones"]]


def well(world: World) -> None:
    for index in (0, 1):
        shop = world.shop(index)
        if world.box.shops[index].orders:
            assert world.held(shop) == {}
            assert world.differences(shop, world.box.shops[index].qualifying(), index) == []


def test_one_phone_in_many_spellings_with_many_names_is_one_contact(world: World) -> None:
    for spelling in ("+380671112233", "0671112233", "067 111-22-33", "(067) 111 22 33", "380671112233", "80671112233"):
        order(world, spelling, name=f"Ім'я {spelling[:3]}")
    order(world, PHONE, "first@example.com")
    order(world, PHONE, "second@example.com")
    world.imported()
    assert len(world.made_contacts()) == 1
    assert phones(world.made_contacts()[0]) == [PHONE]
    assert all(not one["notify"] for one in world.made_contacts()[0]["phones"])
    well(world)


@pytest.mark.parametrize(
    ("phone", "email"),
    [("+380999999999", ""), ("1111111", "no@no.no"), ("", "no-email@gmail.com"), ("0500000000", "-")],
)
def test_two_buyers_who_typed_the_same_placeholder_are_two_contacts(world: World, phone: str, email: str) -> None:
    roapp = world.box.roapp
    staffs = roapp.add_contact("Чужа", phones=[phone] if phone else [], email=email)
    roapp.seeded["contacts"].add(staffs)
    first, second = order(world, phone, email), order(world, phone, email, name="Петро Мельник")
    world.imported()
    assert len({staffs, client(world, first)["id"], client(world, second)["id"]}) == 3
    for number in (first, second):
        assert (phones(client(world, number)), client(world, number)["email"] or "") == ([], "")
        notes = world.roapp_order(number)["manager_notes"]
        assert phone in notes and email in notes
        assert client(world, number)["notes"] == f"[{world.shop().key}:{number}] {phone}".rstrip()
    assert not any(dict(call.query).keys() & {"phones[]", "phones", "emails[]", "emails"} for call in roapp.calls)
    roapp.clear_calls()
    world.box.shops[0].set_waybill(first, "20450000000001")
    world.synced()
    world.synced()
    assert len(world.made_contacts()) == 2
    assert not any("contacts" in call.path for call in roapp.writes())
    well(world)


def test_a_buyer_of_one_name_gets_no_empty_last_name(world: World) -> None:
    order(world, PHONE, name="Олена")
    world.imported()
    (made,) = [call.body for call in world.box.roapp.calls if (call.method, call.path) == ("POST", "/contacts/people")]
    assert made["first_name"] == "Олена"
    assert "last_name" not in made
    well(world)


@pytest.mark.parametrize("emails_filter", [True, False])
@pytest.mark.parametrize("mail_first", [True, False])
def test_an_email_alone_and_the_same_email_with_a_phone_are_one_buyer(
    world: World, mail_first: bool, emails_filter: bool
) -> None:
    world.box.roapp.faults.emails_filter = emails_filter
    first, second = ("", PHONE) if mail_first else (PHONE, "")
    order(world, first, MAIL)
    world.imported()
    order(world, second, MAIL.upper())
    world.synced()
    (contact,) = world.made_contacts()
    assert (phones(contact), contact["email"]) == ([] if mail_first else [PHONE], MAIL)
    well(world)


def test_two_phones_with_one_email_are_two_buyers(world: World) -> None:
    mail_only = order(world, "", MAIL)
    world.imported()
    first = order(world, PHONE, MAIL)
    world.synced()
    second = order(world, OTHER, MAIL)
    world.synced()
    assert client(world, mail_only)["id"] == client(world, first)["id"] != client(world, second)["id"]
    assert (phones(client(world, first)), phones(client(world, second))) == ([], [OTHER])
    well(world)


@pytest.mark.parametrize("contact_get", [True, False])
@pytest.mark.parametrize("emails_filter", [True, False])
def test_a_contact_that_a_buyer_was_found_for_a_moment_ago_is_not_the_next_ones(
    world: World, emails_filter: bool, contact_get: bool
) -> None:
    roapp = world.box.roapp
    roapp.faults.switch(emails_filter=emails_filter, contact_get=contact_get)
    known = roapp.add_contact("Олена", email=MAIL)
    numbers = [order(world, PHONE, MAIL), order(world, OTHER, MAIL)]
    world.imported()
    clients = [client(world, number) for number in numbers]
    (mine,) = [index for index, one in enumerate(clients) if one["id"] == known]
    assert phones(clients[mine]) == []
    assert phones(clients[1 - mine]) == [[PHONE], [OTHER]][1 - mine]
    well(world)


def test_a_phone_that_staff_gave_a_contact_between_search_and_use(world: World) -> None:
    roapp = world.box.roapp
    known = roapp.add_contact("Олена", email=MAIL)
    number = order(world, PHONE, MAIL)

    def staff(method: str, path: str, phase: str) -> None:
        if method == "GET" and path == f"/contacts/people/{known}" and phase == "before":
            roapp.edit_contact(known, phones=[OTHER])

    stop = roapp.on_call(staff)
    world.imported()
    stop()
    assert client(world, number)["id"] != known
    assert (phones(roapp.contacts[known]), phones(client(world, number))) == ([OTHER], [PHONE])
    well(world)


@pytest.mark.parametrize("emails_filter", [True, False])
def test_a_contact_that_staff_added_long_after_the_search_is_not_doubled(
    world: World, monkeypatch: pytest.MonkeyPatch, emails_filter: bool
) -> None:
    monkeypatch.setattr(search, "FRESH_FOR", timedelta(0))
    monkeypatch.setattr(search, "SPACED", 0)  # a busy machine reads slowly
    monkeypatch.setattr(drain, "IN_FLIGHT", 1)
    roapp = world.box.roapp
    roapp.faults.emails_filter = emails_filter
    roapp.add_contact("Хтось", email="other@example.com")
    for phone in (PHONE, OTHER):
        order(world, phone, f"{phone[1:]}@example.com")
    added: list[int] = []

    def staff(method: str, path: str, phase: str) -> None:
        if (method, path, phase) == ("POST", "/orders", "before") and not added:
            left = {PHONE, OTHER} - {phone for one in world.made_contacts() for phone in phones(one)}
            added.append(roapp.add_contact("Олена", phones=sorted(left)))

    stop = roapp.on_call(staff)
    world.imported()
    stop()
    assert added
    assert len(world.made_contacts()) == 3
    assert roapp.duplicates()["contacts"] == {}
    well(world)


def test_the_phone_decides_before_the_email(world: World) -> None:
    """RO App knows the phone by one contact; the e-mail alone would lead to another one."""
    known = world.box.roapp.add_contact("Олена", phones=[PHONE])
    mail_only = order(world, "", MAIL)
    world.imported()
    both = order(world, PHONE, MAIL)
    world.synced()
    assert client(world, both)["id"] == known != client(world, mail_only)["id"]
    assert world.box.roapp.contacts[known]["email"] == ""
    assert phones(client(world, mail_only)) == []
    well(world)


def test_the_email_address_of_an_order_stands_in_its_notes_where_the_contact_has_another_one(world: World) -> None:
    first, second = order(world, PHONE, MAIL), order(world, PHONE, "olena@work.example.com")
    world.imported()
    assert client(world, second) == client(world, first)
    assert client(world, first)["email"] in (MAIL, "olena@work.example.com")
    assert MAIL in world.roapp_order(first)["manager_notes"]
    assert "olena@work.example.com" in world.roapp_order(second)["manager_notes"]
    well(world)


def test_a_contact_of_ro_app_is_adopted_and_nothing_of_it_is_changed(world: World) -> None:
    known = world.box.roapp.add_contact("Пані", last_name="Олена", phones=["067 111 22 33", OTHER], notes="VIP")
    before = dict(world.box.roapp.contacts[known])
    number = order(world, PHONE, MAIL, "Зовсім Інша")
    world.imported()
    assert client(world, number) == before
    assert world.made_contacts() == [before]


def test_two_shops_with_one_buyer_at_once(world: World) -> None:
    numbers = [order(world, PHONE, MAIL, index=0), order(world, "067 111-22-33", "", index=1)]
    order(world, "", "", "Хтось", index=0)
    order(world, "", "", "Інший", index=1)
    one, two = world.shop(0), world.shop(1)

    async def together() -> None:
        await asyncio.gather(world.import_(one, two), world.import_(two, one))

    asyncio.run(together())
    assert client(world, numbers[0], 0)["id"] == client(world, numbers[1], 1)["id"]
    assert len(world.made_contacts()) == 3
    well(world)


def test_buyers_without_phone_and_email_are_different_ones_in_two_shops(world: World) -> None:
    """Both orders have one number, as every shop counts from the same."""
    first, second = order(world, name="Марія", index=0), order(world, name="Богдан", index=1)
    assert first == second
    world.imported(world.shop(0), world.shop(1))
    world.imported(world.shop(1), world.shop(0))
    assert client(world, first, 0)["first_name"] == "Марія"
    assert client(world, second, 1)["first_name"] == "Богдан"


@pytest.mark.parametrize("shape", ["errors", "message", "html"])
@pytest.mark.parametrize("contact_get", [True, False])
def test_a_contact_that_staff_merged_into_another_is_found_again(world: World, shape: str, contact_get: bool) -> None:
    roapp = world.box.roapp
    roapp.faults.switch(error_shape=shape, contact_get=contact_get)
    first = order(world, PHONE, MAIL)
    world.imported()
    merged_into = roapp.add_contact("Олена", phones=[OTHER, PHONE], email=MAIL)
    merge(world, client(world, first)["id"], merged_into)
    second = order(world, PHONE)
    world.box.shops[0].set_waybill(first, "20450000000001")
    world.synced()
    assert client(world, second)["id"] == client(world, first)["id"] == merged_into
    well(world)


@pytest.mark.parametrize("contact_get", [True, False])
def test_a_phone_that_a_buyer_adds_leads_to_the_contact_that_theirs_was_merged_into(
    world: World, contact_get: bool
) -> None:
    roapp = world.box.roapp
    roapp.faults.contact_get = contact_get
    first = order(world, PHONE)
    world.imported()
    kept = roapp.add_contact("Олена", phones=[PHONE])
    roapp.seeded["contacts"].add(kept)
    merge(world, client(world, first)["id"], kept)
    world.box.shops[0].edit_buyer(first, phone=f"{PHONE}, {OTHER}", email=MAIL)
    world.synced()
    second = order(world, OTHER)
    world.synced()
    assert client(world, first)["id"] == client(world, second)["id"] == kept
    assert phones(client(world, first)) == [PHONE]
    assert world.made_contacts() == []
    well(world)


@pytest.mark.parametrize("by", ["phone", "email"])
def test_several_candidates_are_held_until_staff_merged_them(world: World, by: str) -> None:
    roapp = world.box.roapp
    fields: dict[str, Any] = {"phones": [PHONE]} if by == "phone" else {"email": MAIL, "phones": []}
    first, second = (roapp.add_contact(name, **fields) for name in ("Олена", "Лена"))
    roapp.seeded["contacts"] |= {first, second}
    number = order(world, PHONE if by == "phone" else "", MAIL)
    other = order(world, OTHER)
    world.imported()
    assert world.held() == {("order", number): "contact-ambiguous"}
    assert other in world.roapp_orders(world.shop())
    merge(world, second, first)
    world.imported()
    assert client(world, number)["id"] == first
    well(world)


@pytest.mark.parametrize("by", ["phone", "email"])
def test_of_several_candidates_an_order_keeps_the_one_that_it_has(world: World, by: str) -> None:
    """The ledger is lost, and meanwhile staff have made a second contact of the same buyer."""
    roapp = world.box.roapp
    number = order(world, PHONE if by == "phone" else "", MAIL)
    world.imported()
    mine = client(world, number)["id"]
    roapp.seeded["contacts"].add(
        roapp.add_contact("Лена", **({"phones": [PHONE]} if by == "phone" else {"email": MAIL}))
    )
    world.purged()
    fresh = order(world, PHONE if by == "phone" else "", MAIL)
    world.imported()
    assert client(world, number)["id"] == mine
    assert set(world.held().items()) <= {(("order", fresh), "contact-ambiguous")}


def test_an_email_of_two_buyers_we_know_is_held_until_staff_merged_them(world: World) -> None:
    numbers = [order(world, PHONE, MAIL), order(world, OTHER, MAIL)]
    world.imported()
    mail_only = order(world, "", MAIL)
    world.synced()
    assert world.held() == {("order", mail_only): "contact-ambiguous"}
    first, second = (client(world, number)["id"] for number in numbers)
    world.box.roapp.edit_contact(first, phones=[PHONE, OTHER])
    merge(world, second, first)
    world.imported()
    assert client(world, mail_only)["id"] == first
    well(world)


def test_another_phone_for_the_order_makes_it_another_buyers(world: World) -> None:
    number = order(world, PHONE, MAIL)
    world.imported()
    old = client(world, number)["id"]
    world.box.shops[0].edit_buyer(number, phone=OTHER, email="other@example.com", name="Інша Людина")
    world.synced()
    new = client(world, number)
    assert new["id"] != old
    assert phones(new) == [OTHER]
    assert phones(world.box.roapp.contacts[old]) == [PHONE], "the other buyer keeps what is theirs"
    well(world)


def test_a_buyer_whom_staff_exchanged_stays(world: World) -> None:
    number = order(world, PHONE)
    world.imported()
    friend = world.box.roapp.add_contact("Подруга", phones=[PHONE[:-1] + "9"])
    world.box.roapp.edit_order(world.roapp_order(number)["id"], client_id=friend)
    world.box.shops[0].set_waybill(number, "20450000000001")
    world.box.shops[0].edit_buyer(number, name="Олена Інакша")
    world.synced()
    assert client(world, number)["id"] == friend


def test_a_buyer_whom_staff_exchanged_stays_after_a_lost_answer(world: World) -> None:
    number, other = order(world, PHONE), order(world, OTHER)
    world.imported()
    world.box.roapp.faults.fail("drop_after", method="PATCH", path=r"/orders/\d+$")
    world.box.shops[0].set_waybill(number, "20450000000001")
    world.synced()  # the second try was answered
    friend = client(world, other)["id"]
    world.box.roapp.edit_order(world.roapp_order(number)["id"], client_id=friend)
    time.sleep(1)  # nothing of it can arrive any more
    world.box.shops[0].set_waybill(number, "20450000000002")
    world.synced()
    assert client(world, number)["id"] == friend


def merge(world: World, lost: int, kept: int) -> None:
    """What staff do in RO App: the one contact is gone, its orders are the other's."""
    roapp = world.box.roapp
    for row in roapp.orders.values():
        if row["client_id"] == lost:
            roapp.edit_order(row["id"], client_id=kept)
    del roapp.contacts[lost]
    roapp.revision += 1


def test_a_base_of_contacts_that_can_not_be_searched_is_read_once(database: str) -> None:
    with Sandbox(orders=10, delivered=0, older=0, rate_limit=0, filter_form="ignored", page_size=5, seed=3) as box:
        world = World(box, database)
        world.imported()
        walks = [call for call in box.roapp.calls if call.path == "/contacts/people" and call.method == "GET"]
        pages = -(-len(box.roapp.contacts) // 5)
        assert len(walks) <= 3 * pages + 4
        assert world.held() == {}
        assert world.differences(world.shop(), box.shops[0].qualifying()) == []
        world.engine.dispose()


@pytest.mark.parametrize("counted", ["last", "first"])
def test_a_search_that_takes_one_of_several_phones_only_doubles_no_contact(database: str, counted: str) -> None:
    """Everybody who bought is in RO App already, and the ledger knows nobody."""
    with Sandbox(
        orders=10, delivered=0, older=0, rate_limit=0, filter_values=counted, emails_filter=True, seed=3
    ) as box:
        world = World(box, database)
        world.imported()
        known = set(box.roapp.contacts)
        world.purged()
        box.roapp.orders.clear()
        box.roapp.revision += 1
        world.imported()
        assert set(box.roapp.contacts) == known
        assert world.held() == {}
        world.engine.dispose()


def test_a_search_that_takes_parts_of_phones_finds_everybody(database: str) -> None:
    """One phone of many has an extension behind it: it is among the rows, and is not what was asked for."""
    with World.of(database, orders=0, delivered=0, older=0, phone_match="part") as world:
        roapp, numbers = world.box.roapp, [f"+38067200{index:04}" for index in range(1, 61)]
        for index, number in enumerate(numbers):
            known = roapp.add_contact(f"Покупець {index}", phones=[number + (" дод. 12" if index == 29 else "")])
            roapp.seeded["contacts"].add(known)
        for number in numbers:
            order(world, number)
        world.imported()
        assert world.held() == {}
        assert len(world.made_contacts()) <= 1, "nobody but the one whose phone can't be read is made anew"


def test_a_buyer_whose_contact_is_gone_is_searched_anew_also_where_ro_app_says_404(world: World) -> None:
    roapp = world.box.roapp
    number, other = order(world, PHONE), order(world, OTHER)
    world.imported()
    merged_into = roapp.add_contact("Олена", phones=[OTHER])
    merge(world, client(world, other)["id"], merged_into)
    roapp.faults.switch(error_shape="text", error_code=404)
    world.box.shops[0].edit_buyer(number, phone=OTHER)
    world.synced()
    assert client(world, number)["id"] == merged_into
    well(world)
