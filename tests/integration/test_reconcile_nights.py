"""A night compares what moves and one older month, so that it does not grow with a shop's history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.ledger.scope import Scope
from cartum_roapp.sync import window

#: Orders that were placed, delivered and closed long ago.
OLD_MONTHS, IN_A_MONTH = 4, 8
RECENT = 6
#: As many as every month has turns.
NIGHTS = 28
DELIVERED = 3
KYIV = ZoneInfo("Europe/Kyiv")


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=RECENT, delivered=0, older=0) as world:
        world.imported()
        yield world


@pytest.fixture
def old(world: World) -> list[list[str]]:
    """The numbers of the older orders, by month, the oldest month first."""
    shop, now = world.box.shops[0], datetime.now(UTC)
    months: list[list[str]] = []
    for back in range(OLD_MONTHS + 3, 3, -1):
        placed = [now - timedelta(days=30 * back + minute / 1440) for minute in range(IN_A_MONTH)]
        months.append([shop.place_order(created=one, articles=[("CAP-2", 1)]) for one in placed])
        for number in months[-1]:
            shop.set_status(number, DELIVERED)
    world.backfilled(numbers=[number for month in months for number in month])
    long_ago = text("UPDATE orders SET final_since = final_since - interval '100 days' WHERE final_since IS NOT NULL")
    with world.engine.begin() as connection:
        connection.execute(long_ago)
    for number in (number for month in months for number in month):
        world.roapp_order(number)["created_at"] = f"{shop.orders[number]['stat_created'].replace(' ', 'T')}Z"
    return months


def _calls(world: World, **how: Any) -> tuple[int, int]:
    """How many calls of RO App a comparison takes that finds nothing, and how many orders it compares."""
    world.box.roapp.clear_calls()
    document = world.reconciled(**how)
    assert document["findings"] == [], document["findings"]
    return len(world.box.roapp.calls), document["unchanged"]


def test_a_night_reads_what_moves_and_the_months_whose_turn_it_is(
    world: World, old: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(world.roapp_orders(world.shop())) == RECENT + OLD_MONTHS * IN_A_MONTH
    compared = 0
    for night in _nights(world):
        _at_night(monkeypatch, night)
        calls, seen = _calls(world)
        assert calls <= 4
        compared += seen - RECENT
    assert compared == OLD_MONTHS * IN_A_MONTH
    monkeypatch.undo()
    assert _calls(world, everything=True)[1] == RECENT + OLD_MONTHS * IN_A_MONTH


def test_what_is_wrong_long_ago_is_found_in_the_night_of_its_month(
    world: World, old: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = old[2][7]
    world.box.roapp.delete_order(world.roapp_order(lost)["id"])
    nights = []
    for night in _nights(world):
        _at_night(monkeypatch, night)
        named = {one["number"] for one in world.reconciled()["findings"]}
        assert named <= {lost}
        nights += [night] if named else []
    assert len(nights) == 1
    monkeypatch.undo()
    (finding,) = world.reconciled(everything=True)["findings"]
    assert (finding["number"], finding["what"]) == (lost, "missing-in-roapp")


def test_an_old_order_that_is_open_is_compared_every_night(
    world: World, old: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = old[0][3]
    world.box.shops[0].set_status(opened, 1)
    world.backfilled(numbers=[opened])
    world.box.roapp.delete_order(world.roapp_order(opened)["id"])
    for night in (0, 1):  # at most one of them is its month's
        _at_night(monkeypatch, night)
        (finding,) = world.reconciled()["findings"]
        assert (finding["number"], finding["what"]) == (opened, "missing-in-roapp")


def test_an_old_order_that_the_shop_deleted_counts_as_deleted_in_the_night_after(
    world: World, old: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted = old[3][3]
    placed = datetime.fromisoformat(world.box.shops[0].orders[deleted]["stat_created"])
    its = (12 * placed.year + placed.month) % NIGHTS
    world.box.shops[0].delete_order(deleted)
    outcomes = []
    for night in ((its - 1) % NIGHTS, its, its + 1):
        _at_night(monkeypatch, night)
        found = world.reconciled(repair=True)["findings"]
        outcomes += [(night, one["what"]) for one in found if one["number"] == deleted]
    (first, what), *_ = outcomes
    assert (first, what) == (its, "not-in-shop")
    assert (
        world.value("SELECT count(*) FROM orders WHERE gone_at IS NOT NULL AND number = :number", number=deleted) == 1
    )
    assert [night for night, _ in outcomes] in ([first], [first, first + 1])


def test_a_second_order_with_the_marker_of_an_old_one_is_found(world: World, old: list[list[str]]) -> None:
    """Staff copied it, or a call that was given up arrived late."""
    copied = world.roapp_order(old[1][1])
    kept = ("branch_id", "order_type_id", "client_id", "manager_notes")
    world.box.roapp.add_order(**{name: copied[name] for name in kept})
    (finding,) = world.reconciled()["findings"]
    assert (finding["number"], finding["what"]) == (old[1][1], "doubled-in-roapp")


def test_an_order_delivered_while_the_ledger_was_lost_is_found(database: str) -> None:
    """The oldest order of the window is Delivered by the time of the new import, which leaves it out."""
    with World.of(database, orders=6, delivered=0, older=0) as world:
        world.imported()
        shop = world.box.shops[0]
        oldest = min(shop.qualifying(), key=lambda number: shop.orders[number]["stat_created"])
        for number in shop.qualifying():
            world.roapp_order(number)["created_at"] = f"{shop.orders[number]['stat_created'].replace(' ', 'T')}Z"
        shop.set_status(oldest, DELIVERED)
        world.forget()
        world.imported()
        assert world.value("SELECT count(*) FROM orders") == 5
        named = {(one["number"], one["what"]) for one in world.reconciled(repair=True)["findings"]}
        assert named == {(oldest, "missing-in-ledger")}
        assert len(world.roapp_orders(world.shop())[oldest]) == 1
        reaches = "SELECT bool_and(markers_from < window_from) FROM accounts, shops"
        assert world.value(reaches), "no later night walks as far back"


def test_a_night_after_a_lost_ledger_finds_an_order_whose_notes_staff_have_overwritten(database: str) -> None:
    """It is Delivered at the new import, and opened again after the night has looked through RO App."""
    with World.of(database, orders=4, delivered=0, older=0) as world:
        world.imported()
        shop, roapp = world.box.shops[0], world.box.roapp
        oldest = min(shop.qualifying(), key=lambda number: shop.orders[number]["stat_created"])
        for number in shop.qualifying():
            world.roapp_order(number)["created_at"] = f"{shop.orders[number]['stat_created'].replace(' ', 'T')}Z"
        before, order = len(roapp.orders), world.roapp_order(oldest)["id"]
        roapp.edit_order(order, manager_notes="call before noon")
        shop.set_status(oldest, DELIVERED)
        world.forget()
        world.imported()
        world.reconciled(repair=True)
        shop.set_status(oldest, 2)
        world.imported()
        assert len(roapp.orders) == before
        assert world.roapp_order(oldest)["id"] == order


def test_an_index_from_a_clock_that_was_ahead_doubles_nothing(world: World) -> None:
    """A restored ledger lacks an order that RO App got before the last two hours."""
    number = world.box.shops[0].place_order()
    world.synced()
    earlier = world.box.clock.now() - timedelta(hours=5)
    world.box.roapp.edit_order(world.roapp_order(number)["id"], created_at=f"{earlier:%Y-%m-%dT%H:%M:%SZ}")
    with world.engine.begin() as connection:
        for table in ("orders", "order_lines", "outbox", "order_matches", "agreed_lines", "comments", "markers"):
            connection.execute(text(f"DELETE FROM {table} WHERE number = :number"), {"number": number})
        connection.execute(text("UPDATE accounts SET markers_until = now() + interval '1 day'"))
    world.synced()
    assert len(world.roapp_orders(world.shop())[number]) == 1
    assert world.value("SELECT markers_until <= now() FROM accounts")


@pytest.mark.parametrize(
    "variant",
    [{"filter_form": "ignored"}, {"filter_form": "bare"}, {"filter_values": "last"}, {"page_size": 3}],
    ids=str,
)
def test_an_account_that_filters_otherwise_is_compared_all_the_same(
    world: World, old: list[list[str]], variant: dict[str, Any]
) -> None:
    world.box.roapp.faults.switch(**variant)
    lost = world.box.shops[0].qualifying()[-1]
    world.box.roapp.delete_order(world.roapp_order(lost)["id"])
    world.box.roapp.clear_calls()
    (finding,) = world.reconciled()["findings"]
    assert (finding["number"], finding["what"]) == (lost, "missing-in-roapp")
    assert len(world.box.roapp.calls) < 20


class _Night:
    """`Scope` as it is in that night of a month."""

    def __init__(self, night: int) -> None:
        self.now = datetime(2027, 1, 1 + night, 12, tzinfo=UTC)

    def of_night(self, since: datetime, recent: datetime, until: datetime, now: datetime, zone: Any) -> Scope:
        return Scope.of_night(since, recent, until, self.now, zone)


def _nights(world: World) -> list[int]:
    """Those in which older months have their turn, and the nights after. In all others nothing differs."""
    oldest, now = world.value("SELECT min(created_at) FROM orders"), datetime.now(UTC)
    scopes = {
        night: _Night(night).of_night(oldest, now - timedelta(days=60), now, now, KYIV) for night in range(NIGHTS)
    }
    turns = {night for night, scope in scopes.items() if len(scope.ranges) > 1}
    return sorted(turns | {(night + 1) % NIGHTS for night in turns})


def _at_night(monkeypatch: pytest.MonkeyPatch, night: int) -> None:
    monkeypatch.setattr(window, "Scope", _Night(night))
