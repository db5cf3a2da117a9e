"""Both sides changed an order's status between two looks: the shop's is taken, and the run says which order it was and
what both had set."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from test_write_back import CANCELED, NEW, PROCESSING, SHIPPING, both, in_roapp
from world import World

from cartum_roapp.cli.outcomes import run_parts
from cartum_roapp.ledger import dossier
from sandbox.cartum_shop import CartumShop
from tasks import summary


@pytest.fixture
def world(database: str) -> Iterator[World]:
    with World.of(database, orders=2, delivered=0, older=0) as world:
        world.imported(both(world))
        yield world


@pytest.fixture
def box(world: World) -> CartumShop:
    return world.box.shops[0]


@pytest.fixture
def number(world: World, box: CartumShop) -> str:
    """An order that is new on both sides."""
    number = box.place_order(articles=[("KR-799", 1)])
    world.synced(both(world))
    return number


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The results of the runs, with the text of their artifacts."""
    found: list[dict[str, Any]] = []
    whole = summary.summary_text

    def keep(result: dict[str, Any], links: Any) -> str:
        found.append({**result, "text": whole(result, links)})
        return str(found[-1]["text"])

    monkeypatch.setattr(summary, "summary_text", keep)
    return found


def printed(result: dict[str, Any]) -> str:
    """What the command line prints of a run."""
    console = Console(file=io.StringIO(), width=200)
    console.print(*run_parts(result), sep="\n")
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def theirs(world: World, status: int) -> str:
    """RO App's name of the status that the shop's is matched with."""
    return str(world.box.roapp.statuses[both(world).statuses[status]]["name"])


def test_the_run_names_the_order_and_both_statuses(
    world: World, box: CartumShop, number: str, told: list[dict[str, Any]]
) -> None:
    in_roapp(world, number, SHIPPING)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    assert world.roapp_order(number)["status_id"] == both(world).statuses[CANCELED]
    (one,) = told[-1]["both_changed"]
    assert (one["number"], one["shop_status"], one["roapp_status"], one["taken"]) == (
        number, "Не доставлене", theirs(world, SHIPPING), "shop",
    )  # fmt: skip
    (row,) = [
        line for line in told[-1]["text"].splitlines() if f"| Не доставлене | {theirs(world, SHIPPING)} |" in line
    ]
    assert row.startswith(f"| [{number}](")
    assert printed(told[-1]).count(number) >= 1 and "changed on both sides" in printed(told[-1])
    order = dossier.order(world.engine, world.shop().key, number, personal=False)
    assert order is not None
    assert order["both_changed"] == [one]

    world.synced(both(world))
    assert told[-1]["both_changed"] == [], "told by the run in which it happened"
    assert "both sides" not in printed(told[-1])


def test_what_only_one_side_changed_is_no_contest(
    world: World, box: CartumShop, number: str, told: list[dict[str, Any]]
) -> None:
    in_roapp(world, number, PROCESSING)
    world.synced(both(world))
    box.set_status(number, SHIPPING)
    world.synced(both(world))
    in_roapp(world, number, CANCELED)
    box.set_status(number, CANCELED)
    world.synced(both(world))
    in_roapp(world, number, NEW)
    world.synced()  # one way
    assert [one["both_changed"] for one in told] == [[]] * 4


def test_a_second_time_is_told_again(world: World, box: CartumShop, number: str, told: list[dict[str, Any]]) -> None:
    for _ in range(2):
        in_roapp(world, number, SHIPPING)
        box.set_status(number, CANCELED)
        world.synced(both(world))
        assert len(told[-1]["both_changed"]) == 1
        box.set_status(number, NEW)
        world.synced(both(world))
        world.synced(both(world))
    order = dossier.order(world.engine, world.shop().key, number, personal=False)
    assert order is not None
    assert len(order["both_changed"]) == 2


def test_an_answer_that_is_lost_tells_it_once(
    world: World, box: CartumShop, number: str, told: list[dict[str, Any]]
) -> None:
    in_roapp(world, number, SHIPPING)
    box.set_status(number, CANCELED)
    world.box.roapp.faults.fail("drop_after", method="POST", path="/status$")
    world.synced(both(world))
    assert world.roapp_order(number)["status_id"] == both(world).statuses[CANCELED]
    assert [one["number"] for run in told for one in run["both_changed"]] == [number]


def test_what_staff_set_after_a_call_whose_answer_is_lost_is_told(
    world: World, box: CartumShop, number: str, told: list[dict[str, Any]]
) -> None:
    """The shop's status arrives, and nobody knows; staff see it, and move the order on."""

    def moved_on(method: str, path: str, phase: str) -> None:
        if path.endswith("/status") and phase == "applied":
            stop()
            in_roapp(world, number, SHIPPING)

    box.set_status(number, CANCELED)
    world.box.roapp.faults.fail("drop_after", method="POST", path="/status$")
    stop = world.box.roapp.on_call(moved_on)
    world.synced(both(world))
    assert world.roapp_order(number)["status_id"] == both(world).statuses[CANCELED]
    assert [one["number"] for run in told for one in run["both_changed"]] == [number]


def test_a_status_that_ro_app_refuses_is_told_once_it_is_taken(
    world: World, box: CartumShop, number: str, told: list[dict[str, Any]]
) -> None:
    in_roapp(world, number, SHIPPING)
    box.set_status(number, CANCELED)
    world.box.roapp.faults.refused_statuses = (both(world).statuses[CANCELED],)
    world.synced(both(world))
    assert world.replayed(number, shop=both(world))[0]["outcome"] == "held"
    assert [one["both_changed"] for one in told] == [[], []], "RO App still has staff's"
    world.box.roapp.faults.refused_statuses = ()
    assert world.replayed(number, shop=both(world))[0]["outcome"] == "delivered"
    assert [one["number"] for one in told[-1]["both_changed"]] == [number]
