"""The story of one order, as `order show` tells it: every call with its outcome, whom and what it was matched with,
held and released, delivered; also after a kill."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from world import World

from cartum_roapp.ledger import held, timeline
from cartum_roapp.ledger.journal import Event, Kind
from cartum_roapp.sync import order_story

NAME, PHONE, MAIL, CITY = "Соломія Притула", "+380671234509", "solomia@example.com", "Жмеринка"
BUYER = {"delivery_name": NAME, "delivery_phone": PHONE, "delivery_email": MAIL, "delivery_city": CITY}


def story(world: World, number: str) -> list[Event]:
    return timeline.of_order(world.engine, world.shop().key, number)


def kinds(events: list[Event]) -> list[str]:
    """In their order, calls left out."""
    return [str(one.kind) for one in events if one.kind is not Kind.CALL]


def calls(events: list[Event]) -> list[str]:
    """Those that write."""
    return [f"{one.details['call']} {one.details['outcome']}" for one in events
            if one.kind is Kind.CALL and not one.details["call"].startswith("GET")]  # fmt: skip


def test_an_order_from_first_sight_to_delivery(database: str) -> None:
    with World.of(database, product_create=True) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        number = shop.place_order(articles=[(shop.goods[0].article, 2)], comment="дзвоніть", **BUYER)
        run = world.synced()
        events, order = story(world, number), world.roapp_order(number)
        assert kinds(events) == ["seen", "contact", "products", "created", "delivered"]
        assert {one.run for one in events} == {run.id}
        about = {one.kind: one.details for one in events}
        assert about[Kind.CREATED]["roapp_id"] == order["id"]
        assert about[Kind.CONTACT] == {"roapp_id": order["client_id"], "because": "made for this buyer"}
        (product,) = about[Kind.PRODUCTS]["products"]
        assert product["how"] in ("by code", "as before", "made")
        assert product["roapp_id"] == roapp.items[order["id"]][0]["entity_id"]
        made = [call.rpartition(" HTTP ")[0] for call in calls(events)]
        place = f"POST /orders/{order['id']}"
        assert made == ["POST /contacts/people", "POST /orders", f"{place}/comments", f"{place}/items"]
        assert all(" HTTP 2" in call for call in calls(events))
        told = "\n".join([*map(timeline.words, events), *(str(one.details) for one in events)])
        assert "make the order (POST /orders): HTTP 2" in told
        for personal in (*NAME.split(), PHONE[-9:], MAIL, CITY, "дзвоніть"):
            assert personal not in told


def test_where_it_stands_is_told_with_its_story(database: str) -> None:
    with World.of(database) as world:
        shop, number = world.box.shops[0], world.box.shops[0].qualifying()[0]
        world.imported()
        found = world.found(world.shop())
        story = order_story.read(world.engine, "shop-1", found.shop.key, number, found)
        assert story is not None
        order, head = world.roapp_order(number), dict(order_story.facts(story))
        assert head["order in RO App"] == f"no. {order['number']}, id {order['id']}"
        assert head["total"] == f"{shop.orders[number]['total_sum']:.2f} UAH"
        assert head["delivery to RO App"] == "delivered"
        assert str(order["status_id"]) in str(head["status last agreed with RO App"])
        assert str(head["buyer in RO App"]).startswith(f"person {order['client_id']} – ")
        products = {item["entity_id"] for item in world.roapp_items(number)}
        assert {line["roapp_product"] for line in story["order"]["lines"]} == products
        assert story["timeline"][-1]["kind"] == "delivered"
        assert order_story.read(world.engine, "shop-1", found.shop.key, f"{number}7", found) is None


def roapp_number(world: World, number: str) -> str:
    return str(world.value("SELECT roapp_number FROM order_matches WHERE number = :number", number=number))


def test_the_night_notes_the_numbers_of_orders_that_came_before_they_were_kept(database: str) -> None:
    with World.of(database) as world:
        world.imported()
        number = world.box.shops[0].qualifying()[0]
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE order_matches SET roapp_number = ''"))
        world.reconciled()
        assert roapp_number(world, number) == "", "a report writes nothing"
        world.reconciled(repair=True)
        assert roapp_number(world, number) == world.roapp_order(number)["number"]


def test_ro_apps_number_stands_beside_its_id(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop, roapp, found = world.box.shops[0], world.box.roapp, world.found(world.shop())
        number = shop.place_order(articles=[("KR-799", 1)])
        world.imported()
        order = world.roapp_order(number)
        name = f"no. {order['number']}, id {order['id']}"
        assert f"made in RO App: order {name}" in [timeline.words(one) for one in story(world, number)]
        roapp.delete_order(order["id"])
        (finding,) = world.reconciled(repair=True)["findings"]
        assert (finding["roapp_ids"], finding["roapp_numbers"]) == ([order["id"]], [order["number"]])
        (one,) = held.listed(world.engine, found.shop.key)
        assert one.message == f"RO App order {name} is not there any more."
        world.replayed(number)
        assert held.listed(world.engine, found.shop.key)[0].message == one.message


def test_orders_that_are_there_twice_are_named_as_people_see_them(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        number = shop.place_order(articles=[("KR-799", 1)])
        world.imported()
        order = world.roapp_order(number)
        place = (order["branch_id"], order["order_type_id"], order["client_id"])
        twin = roapp.orders[roapp.add_order(*place, manager_notes=order["manager_notes"])]
        world.reconciled(repair=True)
        for _ in range(2):
            message = held.listed(world.engine, world.shop().key)[0].message
            assert all(f"no. {one['number']}, id {one['id']}" in message for one in (order, twin))
            world.replayed(number)


def test_a_status_of_ro_app_has_its_name_where_that_is_known(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop, config = world.box.shops[0], world.shop()
        number = shop.place_order(articles=[("KR-799", 1)])
        world.imported()
        shop.statuses[40] = {"ua": "Гарантія"}
        other = shop.place_order(articles=[("KR-799", 1)])
        shop.set_status(other, 40)
        world.synced()  # one without a match: then RO App's names are read
        told = order_story.read(world.engine, "shop-1", config.key, number, world.found(config))
        assert told is not None
        theirs = config.statuses[1]
        name = world.box.roapp.statuses[theirs]["name"]
        assert told["status"]["roapp"] == f"{name} ({theirs}), matched with {told['status']['shop']}"


def test_a_change_tells_what_was_written_for_it(database: str) -> None:
    with World.of(database) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[(shop.goods[0].article, 2)])
        world.imported()
        before = len(story(world, number))
        shop.change_line(number, quantity=3)
        world.synced()
        events, order = story(world, number)[before:], world.roapp_order(number)
        item = world.roapp_items(number)[0]["id"]
        assert kinds(events) == ["changed", "delivered"]
        assert f"PATCH /orders/{order['id']}/items/{item} HTTP 200" in calls(events)


def test_held_and_released(database: str) -> None:
    with World.of(database, settings={"look_again": 0.0}) as world:
        shop, faults = world.box.shops[0], world.box.roapp.faults
        world.imported()
        faults.required_order_fields = ("ad_campaign_id",)
        number = shop.place_order(articles=[(shop.goods[0].article, 1)])
        for _ in range(2):
            world.synced()
        events = story(world, number)
        assert kinds(events).count("held") == 1, "the same refusal again is no news"
        (held,) = [one for one in events if one.kind is Kind.HELD]
        assert held.details["code"] == "refused" and "ad_campaign_id" in held.details["message"]
        faults.required_order_fields = ()
        world.replayed(number)
        after = kinds(story(world, number))
        assert after[after.index("held") :] == ["held", "queued", "created", "released", "delivered"]


def test_what_waits_for_staff_is_not_told_again_at_each_look(database: str) -> None:
    with World.of(database, settings={"look_again": 0.0}) as world:
        shop = world.box.shops[0]
        world.imported()
        number = shop.place_order()
        shop.add_line(number, article="NEW-1", title="Новинка", price=10)
        world.synced(world.shop(missing_products="hold"))
        assert kinds(story(world, number)) == ["seen", "contact", "products", "held"]
        before = world.value("SELECT max(id) FROM order_events")
        world.synced(world.shop(missing_products="hold"))
        assert world.value("SELECT attempts FROM held") == 2
        assert world.value("SELECT max(id) FROM order_events") == before


def test_an_order_that_roapp_had_already_is_adopted(database: str) -> None:
    with World.of(database) as world:
        number = world.box.shops[0].qualifying()[0]
        world.imported()
        world.purged()
        world.imported()
        events, order = story(world, number), world.roapp_order(number)
        (adopted,) = [one for one in events if one.kind is Kind.ADOPTED]
        assert adopted.details == {"roapp_id": order["id"], "roapp_number": order["number"]}
        assert roapp_number(world, number) == order["number"]
        assert "created" not in kinds(events)


def test_a_call_in_which_a_run_was_killed_stands_there(database: str) -> None:
    """Its words were lost with the run; that it was begun is known."""
    with World.of(database) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        number = shop.place_order(articles=[(shop.goods[0].article, 1)])
        roapp.faults.fail("hang", method="POST", path="^/orders$", seconds=5)
        asyncio.run(_killed_in(world, "POST", "/orders"))
        events = story(world, number)
        assert kinds(events) == ["seen"]
        assert [timeline.words(one) for one in events if one.kind is Kind.CALL][-1].startswith("make the order: begun")
        world.synced()
        assert kinds(story(world, number))[-1] == "delivered"


async def _killed_in(world: World, method: str, path: str) -> None:
    """A sync that ends when RO App got this call."""
    before = len(world.box.roapp.calls)
    run = asyncio.create_task(world.sync(world.shop()))
    while not any((one.method, one.path) == (method, path) for one in world.box.roapp.calls[before:]):
        await asyncio.sleep(0.01)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


def test_a_lost_answer_is_told_and_what_came_of_it(database: str) -> None:
    with World.of(database) as world:
        shop, roapp = world.box.shops[0], world.box.roapp
        world.imported()
        number = shop.place_order(articles=[(shop.goods[0].article, 1)])
        roapp.faults.fail("drop_after", method="POST", path="^/orders$")
        world.synced()
        events, order = story(world, number), world.roapp_order(number)
        assert calls(events).count("POST /orders no answer") == 1
        assert "POST /orders HTTP 201" not in calls(events)
        assert kinds(events)[-3:] == ["postponed", "created", "delivered"]
        (created,) = [one for one in events if one.kind is Kind.CREATED]
        assert created.details["roapp_id"] == order["id"]
