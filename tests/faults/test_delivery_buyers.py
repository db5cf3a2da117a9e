"""Kills while buyers of several phones, companies, and buyers whose phone RO App refuses, are made: each
is one client of RO App afterwards, and the next run has nothing to write."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from kills import Point, killed
from points import Points, Struck
from world import World

from sandbox import Sandbox
from sandbox.box import Shop

QUICK = {"http_timeout": 1.0, "unclear_wait": 0.2}
KINDS = ("sent", "received", "applied", "commit")
ONE, TWO, THREE, REFUSED = "+380671112233", "+380509998877", "+380631234567", "+380661112233"
COMPANY = {"company": "ТОВ", "edrpou": "12345678"}


def _place(shop: Shop, phone: str, **fields: object) -> None:
    shop.place_order(articles=[("KR-799", 1)], delivery_phone=phone, **fields)


def phones(shop: Shop) -> None:
    """The first is in RO App already, with another phone than the second."""
    _place(shop, f"{ONE}, {TWO} (чоловік)", delivery_email="olena@example.com")
    _place(shop, f"{THREE}; {ONE}")


def companies(shop: Shop) -> None:
    _place(shop, TWO, customer_details=COMPANY, delivery_email="")
    _place(shop, THREE, customer_details={"company": {"name": "ТОВ", "code": "12 345 678"}}, delivery_email="")


def refused(shop: Shop) -> None:
    _place(shop, REFUSED, delivery_email="")
    _place(shop, f"{REFUSED}, {TWO}", delivery_email="")


STORIES: dict[str, Callable[[Shop], None]] = {
    "several phones": phones,
    "companies": companies,
    "a phone that is refused": refused,
}


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("story", STORIES)
def test_a_kill_makes_no_second_client_and_loses_no_phone(points: Points, kind: str, story: str) -> None:
    struck = points(killed_at_nth, kind, story)
    assert struck.about > 5, "the import has more points than that"
    assert struck.toll.wrong == []
    assert (struck.toll.lost, struck.toll.doubled) == (0, 0)


def killed_at_nth(url: str, n: int, kind: str, story: str) -> Struck | None:
    with Sandbox(orders=0, delivered=0, older=0, seed=21, rate_limit=0, refused_phones=(REFUSED,)) as box:
        world, roapp = World(box, url, **QUICK), box.roapp
        roapp.seeded["contacts"].add(roapp.add_contact("Олена", phones=["(067) 111-22-33"]))
        STORIES[story](box.shops[0])
        point = Point(kind, n + 1)
        status = killed(point, world, World.imported, [roapp])
        assert status in (0, signal.SIGKILL), f"the import failed by itself before {point}"
        world.imported()
        idle = world.synced()
        toll = world.toll(world.shop(), box.shops[0].qualifying())
        toll.wrong += [f"held: {what}" for what in world.held().items()]
        toll.wrong += [
            f"{found} instead of {expected}" for found, expected in clients(world, story) if found != expected
        ]
        if idle.calls.roapp_writes:
            toll.wrong.append(f"{idle.calls.roapp_writes} writing calls when nothing changed")
        world.engine.dispose()
        return Struck(toll) if status else None


def clients(world: World, story: str) -> list[tuple[object, object]]:
    """What there is of clients, and what there should be; also whose the ledger says that the phones are."""
    people = [sorted(phone["phone"] for phone in row["phones"]) for row in world.made_contacts()]
    olena = [row for row in world.box.roapp.contacts.values() if row["notes"] == "" and row["first_name"] == "Олена"]
    shown = sorted(phone["phone"] for row in olena for phone in row["phones"])
    companies = [sorted(phone["phone"] for phone in row["phones"]) for row in world.made_organizations()]
    phones = "SELECT count(*) || ' of ' || count(DISTINCT ro_id) FROM links WHERE key LIKE 'phone:%'"
    if story == "several phones":
        return [(people, []), (shown, ["(067) 111-22-33"]), (world.value(phones), "3 of 1")]
    if story == "companies":
        return [(people, []), (companies in ([[TWO]], [[THREE]]), True)]
    return [(people in ([[]], [[TWO]]), True), (world.value(phones), "2 of 1")]
