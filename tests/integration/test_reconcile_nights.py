"""A night compares what moves and one older month, so that it does not grow with a shop's history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.ledger.scope import Scope
from cartum_roapp.sync import window

#: Orders that were placed, delivered and closed long ago, 20 in each month.
OLD_MONTHS, IN_A_MONTH = 6, 20
RECENT = 6
DELIVERED = 3


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
    first = (now - timedelta(days=30 * (OLD_MONTHS + 4))).date()
    world.backfilled(since=first)
    long_ago = text("UPDATE orders SET final_since = final_since - interval '100 days' WHERE final_since IS NOT NULL")
    with world.engine.begin() as connection:
        connection.execute(long_ago)
    for number in (number for month in months for number in month):
        world.roapp_order(number)["created_at"] = f"{shop.orders[number]['stat_created'].replace(' ', 'T')}Z"
    return months


def _calls(world: World, **how: Any) -> int:
    """How many calls of RO App a comparison takes that finds nothing."""
    world.box.roapp.clear_calls()
    document = world.reconciled(**how)
    assert document["findings"] == [], document["findings"]
    return len(world.box.roapp.calls)


def test_a_night_reads_what_moves_and_one_month(world: World, old: list[list[str]]) -> None:
    assert len(world.roapp_orders(world.shop())) == RECENT + OLD_MONTHS * IN_A_MONTH
    shop = world.box.shops[0]
    shop.clear_calls()
    assert world.reconciled()["unchanged"] <= RECENT + 2 * IN_A_MONTH
    nightly, _ = len(shop.calls), shop.clear_calls()
    assert _calls(world) <= 4
    shop.clear_calls()
    assert world.reconciled(everything=True)["unchanged"] == RECENT + OLD_MONTHS * IN_A_MONTH
    assert nightly < len(shop.calls)


def test_what_is_wrong_long_ago_is_found_in_the_night_of_its_month(
    world: World, old: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = old[2][7]
    world.box.roapp.delete_order(world.roapp_order(lost)["id"])
    found = set()
    for night in range(2 * OLD_MONTHS):
        later = datetime.now(UTC) + timedelta(days=night)
        monkeypatch.setattr(window, "Scope", _Later(later))
        named = {one["number"] for one in world.reconciled()["findings"]}
        assert named <= {lost}
        found.add(bool(named))
    assert found == {True, False}
    monkeypatch.undo()
    (finding,) = world.reconciled(everything=True)["findings"]
    assert (finding["number"], finding["what"]) == (lost, "missing-in-roapp")


def test_an_old_order_that_is_open_is_compared_every_night(world: World, old: list[list[str]]) -> None:
    opened = old[0][3]
    world.box.shops[0].set_status(opened, 1)
    world.backfilled(numbers=[opened])
    world.box.roapp.delete_order(world.roapp_order(opened)["id"])
    (finding,) = world.reconciled()["findings"]
    assert (finding["number"], finding["what"]) == (opened, "missing-in-roapp")


def test_a_second_order_with_the_marker_of_an_old_one_is_found(world: World, old: list[list[str]]) -> None:
    """Staff copied it, or a call that was given up arrived late."""
    copied = world.roapp_order(old[1][1])
    world.box.roapp.add_order(
        **{name: copied[name] for name in ("branch_id", "order_type_id", "client_id", "manager_notes")}
    )
    (finding,) = world.reconciled()["findings"]
    assert (finding["number"], finding["what"]) == (old[1][1], "doubled-in-roapp")


@pytest.mark.parametrize("form", ["ignored", "bare"])
def test_an_account_that_filters_otherwise_is_compared_all_the_same(
    world: World, old: list[list[str]], form: str
) -> None:
    world.box.roapp.faults.filter_form = form
    lost = world.box.shops[0].qualifying()[-1]
    world.box.roapp.delete_order(world.roapp_order(lost)["id"])
    (finding,) = world.reconciled()["findings"]
    assert (finding["number"], finding["what"]) == (lost, "missing-in-roapp")


class _Later:
    """`Scope` as it is in a later night."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def of_night(self, since: datetime, recent: datetime, until: datetime, now: datetime, zone: Any) -> Scope:
        return Scope.of_night(since, recent, until, self.now, zone)
