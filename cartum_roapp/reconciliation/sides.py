"""Shop, ledger and RO App as tables with one row per order. Days are in the shop's time, sums are exact Decimals.

The `total` of an order is what RO App's has to be: the shop's `total_sum`, and the delivery where that is a line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cartum_roapp.ledger.standing import Standing
from cartum_roapp.orders.frames import STAMP, Frames, typed_frame
from cartum_roapp.orders.pricing import cents

SHOP = {"number": "str", "created_at": STAMP, "total": "object", "hash": "str", "currency": "str"}
LEDGER = {
    "number": "str",
    "created_at": STAMP,
    "hash": "str",
    "gone": "bool",
    "settled": "bool",
    "total": "object",
    "state": "str",
    "ro_id": "object",
    "currency": "str",
    "staff_total": "object",
}


@dataclass(frozen=True)
class OrderInRoApp:
    """One RO App order. `number` is the number in its marker if that is this shop's; `foreign`: the shop and the number
    of another shop's marker. `total` is None if RO App does not send it; `written_off` is known only after its lines
    were read. `shows_marker`: whether RO App showed the notes, in which it stands. `roapp_number`: RO App's own, "" if
    it is not shown. `malfunction` has the title that we gave it."""

    ro_id: int
    number: str | None
    foreign: tuple[str, str] | None
    total: Decimal | None
    created_at: datetime | None
    written_off: bool = False
    shows_marker: bool = True
    roapp_number: str = ""
    malfunction: str = field(default="", repr=False)


def shop_side(frames: Frames, ledger: Mapping[str, Standing], *, delivery_line: bool) -> pd.DataFrame:
    """Returns the orders as the shop has them now. For an order that the `ledger` has, the delivery is a line where the
    ledger says so; for another one, by the shop's settings (`delivery_line`)."""
    orders = frames.orders
    as_line = [ledger[number].delivery_line if number in ledger else delivery_line for number in orders["number"]]
    totals = [
        cents(total) + cents((line and delivery) or Decimal(0))
        for total, delivery, line in zip(orders["total"], orders["delivery_price"], as_line, strict=True)
    ]
    return orders.assign(total=pd.Series(totals, orders.index, "object"))[list(SHOP)]


def ledger_side(standings: Iterable[Standing]) -> pd.DataFrame:
    """Returns the orders as the ledger has them; `ledger.standing` explains the columns."""
    return typed_frame(LEDGER, [tuple(getattr(one, name) for name in LEDGER) for one in standings])


def by_day(
    shop: pd.DataFrame,
    ledger: pd.DataFrame,
    roapp: Iterable[OrderInRoApp],
    zone: ZoneInfo,
    unknown: Collection[str],
) -> pd.DataFrame:
    """Returns counts and sums of the three sides by the day on which the orders were created, the oldest day first.

    It has the orders that all sides should have: without those that the shop has deleted and those that were never
    taken over, except the numbers `unknown`. An RO App order counts for the day of its shop order. A sum is None if a
    total of that day is unknown. `waiting` and `held` orders are part of the ledger's. RO App's sums are without what
    staff changed of an order, once that was reported.
    """
    kept = ledger[~ledger["gone"]]
    days = {**_days(shop, zone), **_days(kept, zone)}
    carried = [
        (days.get(number) or day_of(one.created_at, zone), total)
        for number, one, total in _counting(shop, ledger, roapp, unknown)
    ]
    there = pd.DataFrame(carried, columns=["day", "total"], dtype="object")
    kept = kept.assign(day=kept["number"].map(days))
    parts = [
        _counted("shop", shop.assign(day=shop["number"].map(days)), "day"),
        _counted("ledger", kept, "day"),
        _counted("roapp", there, "day"),
        kept["day"][kept["state"].isin(["waiting", "lost"])].value_counts().rename("waiting"),
        kept["day"][kept["state"] == "held"].value_counts().rename("held"),
    ]
    return _filled(pd.concat(parts, axis=1).rename_axis("day").sort_index().reset_index())


def by_currency(
    shop: pd.DataFrame, ledger: pd.DataFrame, roapp: Iterable[OrderInRoApp], unknown: Collection[str]
) -> pd.DataFrame:
    """Returns counts and sums of the same orders by the currency that the shop's order is in, which RO App does not
    name; "" for orders that neither shop nor ledger has."""
    kept = ledger[~ledger["gone"]]
    currencies = {
        **dict(zip(shop["number"], shop["currency"], strict=True)),
        **dict(zip(kept["number"], kept["currency"], strict=True)),
    }
    carried = [(currencies.get(number, ""), total) for number, _, total in _counting(shop, ledger, roapp, unknown)]
    there = pd.DataFrame(carried, columns=["currency", "total"], dtype="object")
    sides = {"shop": shop, "ledger": kept, "roapp": there}
    parts = [_counted(side, orders, "currency") for side, orders in sides.items()]
    return _filled(pd.concat(parts, axis=1).rename_axis("currency").sort_index().reset_index())


def _counting(
    shop: pd.DataFrame, ledger: pd.DataFrame, roapp: Iterable[OrderInRoApp], unknown: Collection[str]
) -> Iterator[tuple[str, OrderInRoApp, Decimal | None]]:
    """Yields the RO App orders that count: number, order, and its total. It is the ledger's where what staff changed
    was reported, and for goods that are written off, which nobody changes any longer."""
    gone = set(ledger["number"][ledger["gone"]])
    bound: dict[int, dict[str, Any]] = {row["ro_id"]: row for row in ledger.to_dict("records") if row["ro_id"]}  # type: ignore[misc]
    there = {*shop["number"], *ledger["number"][~ledger["gone"]], *unknown}
    for one in roapp:
        known = bound.get(one.ro_id, {})
        number = one.number or known.get("number")
        if number is not None and number not in gone and number in there:
            total = one.total
            if known and total is not None and (one.written_off or total == known["total"] + known["staff_total"]):
                total = known["total"]
            yield number, one, total


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns the frame with 0 in place of missing counts and of the sums of no orders."""
    for name in frame.columns[1:]:
        if not name.endswith("_sum"):
            frame[name] = frame[name].fillna(0).astype("int64")
            continue
        counts = frame[name.replace("_sum", "_orders")]  # its column comes before the sum, so it no longer has a NaN
        cells = zip(counts, frame[name], strict=True)
        sums = [Decimal(0) if not count else None if pd.isna(total) else total for count, total in cells]
        frame[name] = pd.Series(sums, dtype="object")
    return frame


def day_of(moment: datetime | None, zone: ZoneInfo) -> str:
    """Returns the day as YYYY-MM-DD in the shop's time; "" for None."""
    return moment.astimezone(zone).strftime("%Y-%m-%d") if moment else ""


def _days(orders: pd.DataFrame, zone: ZoneInfo) -> dict[str, str]:
    days = orders["created_at"].dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    return dict(zip(orders["number"], days, strict=True))


def _counted(side: str, orders: pd.DataFrame, by: str) -> pd.DataFrame:
    """Returns count and sum per day or currency; the sum is None if one of the orders has no total."""
    totals = orders.groupby(by)["total"]
    sums = {value: None if amounts.isna().any() else sum(amounts, Decimal(0)) for value, amounts in totals}
    return pd.DataFrame({f"{side}_orders": totals.size(), f"{side}_sum": pd.Series(sums, dtype="object")})
