"""A shop that is deleted: what stops at once, what a purge leaves, and what a new life of the shop begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from world import World

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery import drain
from cartum_roapp.delivery.drain import Drain
from cartum_roapp.errors import BadConfig, BadRecord, NotReady
from cartum_roapp.ledger import accounts, creations, deleted_shops, held, outbox, runs, shops, tables
from cartum_roapp.ledger.creations import Thing
from cartum_roapp.ledger.outbox import Claim
from cartum_roapp.orders.frames import LINES, ORDERS, PRODUCTS, Frames, typed_frame
from cartum_roapp.sync.upsert import Reading, upsert

NOTHING = Frames(typed_frame(ORDERS, ()), typed_frame(LINES, ()), typed_frame(PRODUCTS, ()))


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=6, delivered=1, older=0) as world:
        yield world


def left(world: World, key: str) -> dict[str, int]:
    """Table → rows of this shop, of all tables that name a shop."""
    counts = {}
    for name, one in tables.metadata.tables.items():
        column = "key" if name == "shops" else "shop"
        if column in one.columns:
            counts[name] = world.value(f"SELECT count(*) FROM {name} WHERE {column} = :key", key=key)
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("purge", [False, True])
def test_nothing_more_is_created_for_a_shop_that_is_deleted_during_its_import(
    world: World, monkeypatch: pytest.MonkeyPatch, purge: bool
) -> None:
    claim, claims = Drain._claim, []

    def claimed(one: Drain) -> list[Claim]:
        found = claim(one)
        if found and not claims:
            deleted_shops.forget(world.engine, found[0].shop, purge=purge)
        claims.append(found)
        return found

    monkeypatch.setattr(Drain, "_claim", claimed)
    monkeypatch.setattr(drain, "IN_FLIGHT", 2)
    with pytest.raises(NotReady, match=r"deleted|not any more"):
        world.imported()
    on_their_way, *later = claims
    assert len(on_their_way) == 2 < len(world.box.shops[0].qualifying())
    assert not any(later)
    assert len(world.roapp_orders(world.shop())) == (0 if purge else len(on_their_way))
    with world.engine.connect() as connection:
        assert outbox.backlog(connection, [world.shop().key]) == 0
        assert outbox.due(connection, "main", [world.shop().key], (), 9) == []


def test_an_order_that_is_made_while_its_shop_is_purged_ends_the_run_in_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = RoApp.create_order

    async def created(*args: Any, **kwargs: Any) -> int:
        ro_id = await create(*args, **kwargs)
        deleted_shops.forget(world.engine, world.shop().key, purge=True)
        return ro_id

    monkeypatch.setattr(RoApp, "create_order", created)
    with pytest.raises(NotReady, match="not any more"):
        world.imported()
    monkeypatch.undo()
    world.imported()
    assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


@pytest.mark.parametrize("purge", [False, True])
def test_a_run_that_still_has_something_to_store_ends_in_words(world: World, purge: bool) -> None:
    run = world.run("initial-import", world.shop())

    async def store() -> None:
        async with run.only_reader():
            deleted_shops.forget(world.engine, run.shop.key, purge=purge)
            upsert(run, Reading(NOTHING, [], ()), new_as=2, slice_end=datetime.now(UTC))

    with pytest.raises(NotReady, match=r"deleted|not any more"):
        asyncio.run(store())


def test_only_a_person_brings_a_deleted_shop_back_and_its_pause_is_over(world: World) -> None:
    shop = world.shop()
    world.run("initial-import", shop)
    shops.pause(world.engine, shop.key)
    deleted_shops.forget(world.engine, shop.key, purge=False)
    with pytest.raises(BadConfig, match="this shop was deleted"):
        world.run("incremental-sync", shop)
    assert shops.all_states(world.engine) == []
    assert world.value("SELECT paused_because FROM shops") is None
    state = shops.register(world.engine, key=shop.key, slug=shop.slug, account=shop.account)
    assert state.paused_because is None
    shops.pause(world.engine, shop.key)
    assert shops.register(world.engine, key=shop.key, slug="other", account="main").paused_because == shops.BY_HAND


def test_a_deleted_shop_can_be_purged_later_and_leaves_nothing(world: World) -> None:
    run = world.imported()
    key, slug = run.shop.key, run.shop.slug
    runs.start(world.engine, id="one", shop=key, kind="initial-import")
    with world.engine.begin() as connection:
        error = BadRecord("it is odd.", code="odd")
        held.hold(connection, shop=key, entity="row", id="1", error=error, payload={"name": "Олена"})
    deleted_shops.forget(world.engine, key, purge=False)
    before = left(world, key)
    assert {"orders", "order_lines", "runs", "markers", "held", "shops"} <= before.keys()
    assert deleted_shops.slugs(world.engine) == {slug}
    assert deleted_shops.purge(world.engine, slug) == [key]
    assert left(world, key) == {}
    assert deleted_shops.purge(world.engine, slug) == []
    world.imported()
    assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_an_account_that_is_deleted_leaves_nothing_and_may_come_back(world: World) -> None:
    key = world.imported().shop.key
    with world.engine.connect() as connection:
        assert accounts.shops_of(connection, "main") == (["shop-1"], [])
    deleted_shops.forget(world.engine, key, purge=False)
    with world.engine.connect() as connection:
        assert accounts.shops_of(connection, "main") == ([], ["shop-1"])
    deleted_shops.forget(world.engine, key, purge=True)
    with world.engine.begin() as connection:
        accounts.forget(connection, "main")
        assert not accounts.is_known(connection, "main")
    named = [name for name, one in tables.metadata.tables.items() if "account" in one.columns]
    assert {name: world.value(f"SELECT count(*) FROM {name}") for name in named} == dict.fromkeys(named, 0)
    world.imported()
    assert world.differences(world.shop(), world.box.shops[0].qualifying()) == []


def test_a_purge_forgets_the_buyers_that_no_other_shop_has(database: str) -> None:
    with World.of(database, shops=2, orders=0, delivered=0, older=0) as world:
        one, two = world.box.shops
        one.place_order(articles=[("CAP-2", 1)], delivery_phone="+380671112233", delivery_email="")
        for shop in (one, two):
            shop.place_order(articles=[("CAP-2", 1)], delivery_phone="", delivery_email="olena@example.com")
        one.place_order(articles=[("CAP-2", 1)], delivery_phone="", delivery_email="")
        for index in (0, 1):
            asyncio.run(world.import_(world.shop(index), world.shop(1 - index)))
        deleted_shops.forget(world.engine, world.shop(0).key, purge=True)
        with world.engine.connect() as connection:
            query = select(tables.links.c.key).where(tables.links.c.kind == "contact")
            left = sorted(key.partition(":")[0] for key in connection.scalars(query))
        assert left == ["email", "order"], "a guest who left nothing is only known by the order"
        prefix = f"{world.shop(0).key}/%"
        assert world.value("SELECT count(*) FROM links WHERE key LIKE :prefix", prefix=prefix) == 0

        asyncio.run(world.import_(world.shop(0), world.shop(1)))
        assert len(world.made_contacts()) == 3, "and nobody is made twice"


def test_a_purge_keeps_calls_that_may_still_arrive_and_those_of_other_shops(world: World) -> None:
    now = datetime.now(UTC)
    shops.register(world.engine, key="abcdef", slug="one", account="main")
    shops.register(world.engine, key="ghijkl", slug="two", account="main")

    def begin(shop: str, name: str, ago: timedelta, repeated: bool) -> None:
        contact = Thing("contact", (name,), shop, "1")
        with world.engine.begin() as connection:
            for _ in range(1 + repeated):
                creations.begin(connection, "main", contact, now - ago, now - ago, again=False)
            if repeated:
                creations.end(connection, "main", "contact", name, now)

    begin("abcdef", "phone:to be looked at", timedelta(0), True)
    begin("abcdef", "phone:unclear", timedelta(0), False)
    begin("abcdef", "phone:long ago", timedelta(hours=2), False)
    begin("ghijkl", "phone:another shop's", timedelta(hours=2), True)
    deleted_shops.forget(world.engine, "abcdef", purge=True)
    with world.engine.connect() as connection:
        known = list(connection.scalars(select(tables.creations.c.names)))
    assert sorted(known) == [["phone:another shop's"], ["phone:unclear"]]


def test_a_call_of_a_shop_that_is_not_served_is_looked_at_all_the_same(world: World) -> None:
    """Its settings are not at hand, so its phones' country is not known."""
    run = world.imported()
    now = datetime.now(UTC)
    shops.register(world.engine, key="abcdef", slug="one", account="main")
    contact, *_ = world.made_contacts()
    contact["notes"] = "[abcdef:1]"
    contact["phones"] = [{"phone": "+380671112233"}]
    with world.engine.begin() as connection:
        names = ("phone:+380671112233", "[abcdef:1]")
        for _ in range(2):
            made = Thing("contact", names, "abcdef", "1")
            creations.begin(connection, "main", made, now - timedelta(hours=1), now, again=False)
        creations.end(connection, "main", "contact", names[0], now)
    asyncio.run(world.sync(run.shop))
    assert world.value("SELECT count(*) FROM creations") == 0
