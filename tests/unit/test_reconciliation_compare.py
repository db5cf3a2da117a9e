"""Three random sides against a simple model of what differs."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cartum_roapp.ledger.scope import NOTHING, Scope
from cartum_roapp.ledger.standing import Standing
from cartum_roapp.orders.frames import typed_frame
from cartum_roapp.reconciliation import compare
from cartum_roapp.reconciliation.findings import Difference
from cartum_roapp.reconciliation.repair import missing_if_lost_rights
from cartum_roapp.reconciliation.sides import SHOP, OrderInRoApp, by_currency, by_day, ledger_side

KYIV = ZoneInfo("Europe/Kyiv")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SUMS = st.sampled_from([Decimal("10.00"), Decimal("20.00")])
MONEY = st.sampled_from(["UAH", "EUR"])
NUMBERS = [str(number) for number in range(1, 7)]

standings = st.builds(
    Standing,
    number=st.just(""),
    created_at=st.sampled_from([NOW - timedelta(days=days) for days in (1, 2, 40)]),
    version=st.just(1),
    hash=st.sampled_from("ab"),
    gone=st.booleans(),
    settled=st.booleans(),
    total=SUMS,
    state=st.sampled_from(["delivered", "delivered", "delivered", "waiting", "held", "lost"]),
    ro_id=st.sampled_from([None, 100]),
    held_because=st.sampled_from([None, "refused", "doubled", "deleted-in-roapp"]),
    dismissed=st.booleans(),
    lines_known=st.booleans(),
    lines_held=st.booleans(),
    staff_total=st.sampled_from([Decimal(0), Decimal("-10.00")]),
    currency=MONEY,
)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Standing]:
    """RO App's id of order n is 100 + n, where it is bound."""
    found = []
    for number in draw(st.sets(st.sampled_from(NUMBERS))):
        one = draw(standings)
        found.append(replace(one, number=number, ro_id=one.ro_id and one.ro_id + int(number)))
    return found


@st.composite
def shops(draw: st.DrawFn) -> list[tuple[str, datetime, Decimal, str, str]]:
    times = st.sampled_from([NOW, NOW - timedelta(hours=2)])
    chosen = draw(st.sets(st.sampled_from(NUMBERS)))
    return [(number, draw(times), draw(SUMS), draw(st.sampled_from("ab")), draw(MONEY)) for number in sorted(chosen)]


@st.composite
def roapps(draw: st.DrawFn) -> list[OrderInRoApp]:
    """Any of ids 101 … 112 carries any marker, or none."""
    found = []
    for ro_id in draw(st.sets(st.integers(101, 112))):
        number = draw(st.sampled_from([None, str(ro_id - 100), *NUMBERS, "9"]))
        foreign = ("others", "1") if number is None and draw(st.booleans()) else None
        total = draw(st.one_of(st.none(), SUMS))
        found.append(OrderInRoApp(ro_id, number, foreign, total, NOW, written_off=draw(st.booleans())))
    return found


@given(shops(), ledgers())
def test_with_the_shop(shop: list[tuple[str, datetime, Decimal, str, str]], ledger: list[Standing]) -> None:
    found = compare.with_shop(
        typed_frame(SHOP, shop), ledger_side(ledger), read_until=NOW - timedelta(hours=1), zone=KYIV
    )
    known = {one.number: one for one in ledger}
    wanted = set()
    for number, created, total, digest, _ in shop:
        order = known.get(number)
        if order is None:
            if created < NOW - timedelta(hours=1):
                wanted.add((number, Difference.MISSING_IN_LEDGER))
        elif order.gone or (order.settled and order.hash != digest):
            wanted.add((number, Difference.CHANGED_IN_SHOP))
        elif order.hash == digest and order.total != total:
            wanted.add((number, Difference.SUM_DIFFERS_IN_LEDGER))
    assert {(one.number, one.what) for one in found} == wanted
    assert len(found) == len(wanted)


@given(ledgers(), roapps(), st.randoms(use_true_random=False))
def test_with_roapp(ledger: list[Standing], roapp: list[OrderInRoApp], chance: random.Random) -> None:
    found = {one.number: one for one in compare.with_roapp(ledger, roapp, zone=KYIV)}
    by_id = {one.ro_id: one for one in roapp}
    for order in ledger:
        what = found[order.number].what if order.number in found else None
        marked = [one for one in roapp if one.number == order.number]
        bound = by_id.get(order.ro_id or 0)
        quiet = order.gone or order.state == "waiting"
        if len(marked) > 1:
            assert what is (
                None if order.dismissed and order.held_because == "doubled" else Difference.DOUBLED_IN_ROAPP
            )
            continue
        assert what is not Difference.DOUBLED_IN_ROAPP
        if quiet:
            assert what is None
        elif order.held_because == "deleted-in-roapp":
            gone = bound is None and not marked
            assert (what is Difference.MISSING_IN_ROAPP) == (gone and not order.dismissed and order.state != "lost")
        elif order.state == "delivered" and bound is None:
            assert what is (Difference.BINDING_LOST if marked else Difference.MISSING_IN_ROAPP)
        elif order.state == "delivered" and bound is not None and bound in marked and order.held_because is None:
            right = bound.total is None or bound.total - order.total in (Decimal(0), order.staff_total)
            if bound.written_off or order.lines_held or (right and order.lines_known):
                assert what is None
            else:
                assert what is (Difference.EDITED_IN_ROAPP if order.lines_known else Difference.LINES_UNBOUND)
        elif order.state == "lost":
            assert what is Difference.NOT_QUEUED
        if order.state == "held" and order.held_because == "refused" and bound is not None and bound in marked:
            assert what is None, "a person sees it already"
    for rows in (ledger, roapp):
        chance.shuffle(rows)
    again = {one.number: one for one in compare.with_roapp(ledger, roapp, zone=KYIV)}
    assert again == found
    moving = {order.number for order in ledger}
    of_lines = {Difference.LINES_UNBOUND, Difference.EDITED_IN_ROAPP}
    rest = {number: one for number, one in found.items() if one.what not in of_lines}
    assert {one.number: one for one in compare.with_roapp(ledger, roapp, zone=KYIV, moving=moving)} == rest


@given(ledgers(), roapps(), st.sets(st.sampled_from(NUMBERS)))
def test_markers_that_the_ledger_does_not_know(
    ledger: list[Standing], roapp: list[OrderInRoApp], seen: set[str]
) -> None:
    known = {one.number for one in ledger}
    found = {one.number: one for one in compare.unknown_markers(roapp, known, seen, KYIV)}
    carried = [one.number for one in roapp if one.number is not None and one.number not in known]
    for number in set(carried):
        if number not in seen:
            assert found[number].what is Difference.MARKER_OF_NOBODY
        else:
            assert (number in found) == (carried.count(number) > 1)
    assert found.keys() <= set(carried)


@given(shops(), ledgers(), roapps())
def test_days_add_up(
    shop: list[tuple[str, datetime, Decimal, str, str]], ledger: list[Standing], roapp: list[OrderInRoApp]
) -> None:
    days = by_day(typed_frame(SHOP, shop), ledger_side(ledger), roapp, KYIV, {"9"})
    kept = [one for one in ledger if not one.gone]
    gone = {one.number for one in ledger if one.gone}
    assert days["shop_orders"].sum() == len(shop)
    assert sum(days["shop_sum"]) == sum(total for _, _, total, _, _ in shop)
    assert days["ledger_orders"].sum() == len(kept)
    assert sum(days["ledger_sum"]) == sum(one.total for one in kept)
    assert days["held"].sum() == sum(one.state == "held" for one in kept)
    counted = {one.number for one in kept} | {number for number, *_ in shop} | {"9"}
    bound = {one.ro_id: one.number for one in ledger}
    there = [one for one in roapp if (one.number or bound.get(one.ro_id)) in counted - gone]
    assert days["roapp_orders"].sum() == len(there)
    if all(one.total is not None for one in there):
        known = {one.ro_id: one for one in ledger if one.ro_id}
        as_sent = [
            known[one.ro_id].total
            if one.ro_id in known
            and (one.written_off or one.total == known[one.ro_id].total + known[one.ro_id].staff_total)
            else one.total
            for one in there
        ]
        assert sum(days["roapp_sum"]) == sum(total for total in as_sent if total is not None)
    else:
        assert any(total is None for total in days["roapp_sum"])
    assert list(days["day"]) == sorted(set(days["day"]))
    money = by_currency(typed_frame(SHOP, shop), ledger_side(ledger), roapp, {"9"})
    for side in ("shop", "ledger", "roapp"):
        assert money[f"{side}_orders"].sum() == days[f"{side}_orders"].sum()
    for row in money.to_dict("records"):
        assert row["shop_sum"] == sum(total for _, _, total, _, currency in shop if currency == row["currency"])


def test_a_day_is_the_shops() -> None:
    late = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)  # half past midnight in Kyiv
    days = by_day(typed_frame(SHOP, [("1", late, Decimal(5), "a", "UAH")]), ledger_side([]), [], KYIV, set())
    assert days.to_dict("records") == [
        {
            "day": "2026-11-25", "shop_orders": 1, "shop_sum": Decimal(5), "ledger_orders": 0, "ledger_sum": Decimal(0),
            "roapp_orders": 0, "roapp_sum": Decimal(0), "waiting": 0, "held": 0,
        }
    ]  # fmt: skip


def test_a_few_that_are_missing_do_not_suggest_lost_rights() -> None:
    base = Standing("", NOW, 1, "a", False, True, Decimal(1), "delivered", 1, None, False, True, False)
    ledger = {str(number): replace(base, number=str(number), ro_id=number) for number in range(1, 101)}
    for missing, doubted in ((1, 0), (5, 0), (6, 6), (100, 100)):
        found = compare.with_roapp(list(ledger.values())[:missing], [], zone=KYIV)
        assert len(missing_if_lost_rights(found, ledger, NOTHING)) == doubted


def test_rights_that_are_lost_for_one_month_alone_are_seen() -> None:
    """Of few orders of an old month all are gone, of many young ones none."""
    base = Standing("", NOW, 1, "a", False, True, Decimal(1), "delivered", 1, None, False, True, False)
    ledger = {str(number): replace(base, number=str(number), ro_id=number) for number in range(1, 1001)}
    old = {number: replace(one, created_at=NOW - timedelta(days=400)) for number, one in list(ledger.items())[:20]}
    found = compare.with_roapp(old.values(), [], zone=KYIV)
    month = (NOW - timedelta(days=410), NOW - timedelta(days=390))
    scope = Scope((month, (NOW - timedelta(days=60), NOW)), moving=True)
    assert {one.number for one in missing_if_lost_rights(found, ledger | old, scope)} == set(old)
    assert missing_if_lost_rights(found[:4], ledger | old, scope) == []  # four of twenty
    few = dict(list(old.items())[:2])
    young = {number: one for number, one in ledger.items() if number not in old}
    assert {one.number for one in missing_if_lost_rights(found[:2], young | few, scope)} == set(few)  # all of a month
