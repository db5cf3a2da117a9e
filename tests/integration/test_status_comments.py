"""A status that RO App takes with a comment only gets one: the shop's name of the status, in the shop's language."""

from __future__ import annotations

import pytest
from world import World

from cartum_roapp.delivery import drain

NEW, PROCESSING, CANCELED, SHIPPING = 1, 2, 4, 6


def calls(world: World, since: int = 0) -> list[dict[str, object]]:
    """The bodies of the status calls, refused ones too."""
    return [call.body for call in world.box.roapp.calls[since:] if call.path.endswith("/status")]


def comments(world: World, number: str) -> list[str]:
    return [one["comment"] for one in world.box.roapp.comments_of(world.roapp_order(number)["id"])]


def test_a_status_that_demands_a_comment_gets_one_and_the_next_order_costs_one_call(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "IN_FLIGHT", 1)
    with World.of(database, orders=0, delivered=0, older=0) as world:
        shop = world.box.shops[0]
        numbers = [shop.place_order(articles=[("KR-799", 1)], status=CANCELED) for _ in range(3)]
        canceled = world.shop().statuses[CANCELED]
        world.box.roapp.faults.comment_statuses = (canceled,)
        world.imported()
        assert world.held() == {}
        assert world.differences(world.shop(), numbers) == []
        with_comment = {"status_id": canceled, "comment": "Не доставлене"}
        assert calls(world) == [{"status_id": canceled}, *[with_comment] * 3]
        assert all("Не доставлене" in comments(world, number) for number in numbers)

        before = len(world.box.roapp.calls)
        fresh = shop.place_order(articles=[("KR-799", 1)], status=CANCELED)
        other = shop.place_order(articles=[("KR-799", 1)], status=PROCESSING)
        world.synced()
        assert calls(world, before) == [with_comment, {"status_id": world.shop().statuses[PROCESSING]}]
        assert world.differences(world.shop(), [*numbers, fresh, other]) == []
        assert world.synced().calls.roapp_writes == 0


@pytest.mark.parametrize(("shape", "code"), [("message", 400), ("validation", 422), ("text", 422), ("html", 400)])
def test_however_the_comment_is_asked_for(database: str, shape: str, code: int) -> None:
    with World.of(database, orders=0, delivered=0, older=0, error_shape=shape, error_code=code) as world:
        shop = world.box.shops[0]
        number = shop.place_order(articles=[("KR-799", 1)], status=SHIPPING)
        world.box.roapp.faults.comment_statuses = (world.shop().statuses[SHIPPING],)
        world.imported(world.shop(language="ru"))
        assert world.held() == {}
        assert "доставляется" in comments(world, number)


def test_a_deleted_order_says_so_where_its_status_demands_a_comment(database: str) -> None:
    with World.of(database, orders=3, delivered=0, older=0) as world:
        config = world.shop(deleted_status_id=world.shop().statuses[CANCELED])
        world.imported(config)
        number = world.box.shops[0].qualifying()[0]
        world.box.roapp.faults.comment_statuses = (world.shop().statuses[CANCELED],)
        order = world.roapp_order(number)
        world.box.shops[0].delete_order(number)
        for _ in range(2):
            world.synced(config)
        assert order["status_id"] == world.shop().statuses[CANCELED]
        assert comments(world, number).count("Замовлення видалено в магазині") == 1


def test_a_transition_that_is_refused_is_not_tried_again_with_a_comment(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        number = world.box.shops[0].place_order(articles=[("KR-799", 1)], status=SHIPPING)
        refused = world.shop().statuses[SHIPPING]
        world.box.roapp.faults.refused_statuses = (refused,)
        world.imported()
        assert world.held() == {("status", number): "refused"}
        assert calls(world) == [{"status_id": refused}]


def test_a_comment_whose_answer_is_lost_is_not_said_twice(database: str) -> None:
    with World.of(database, orders=0, delivered=0, older=0) as world:
        number = world.box.shops[0].place_order(articles=[("KR-799", 1)], status=SHIPPING)
        world.box.roapp.faults.comment_statuses = (world.shop().statuses[SHIPPING],)
        world.box.roapp.faults.fail("drop_after", skip=1, method="POST", path="/status$")
        world.imported()
        assert world.held() == {}
        assert comments(world, number).count("Надіслане") == 1
        assert world.differences(world.shop(), [number]) == []
