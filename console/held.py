"""A shop's held records by reason, each with the control that fixes it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.errors import Code
from cartum_roapp.held_words import WHAT_WAITS
from cartum_roapp.ledger import database, held, roapp_statuses, shop_statuses
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.report import products_csv
from cartum_roapp.shops.choices import Choice
from console.backend import Backend
from console.page import render, started

#: At most so many records of one reason are shown.
SHOWN = 100


@dataclass(frozen=True)
class Row:
    """`unmatched`: the shop's status that is to be matched."""

    record: Held
    unmatched: Choice | None = None

    @property
    def may_be_made_again(self) -> bool:
        return (self.record.entity, self.record.code) == ("order", Code.DELETED_IN_ROAPP)


@dataclass(frozen=True)
class Group:
    """The records of one reason, of which the newest are shown. `meaning` and `remedy` are "" for a reason of another
    version. `statuses`: the shop's that are to be matched."""

    code: str
    meaning: str
    remedy: str
    count: int
    rows: list[Row]
    statuses: list[Choice]


class HeldPage:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def show(self, request: Request) -> Response:
        shop = await run_in_threadpool(self.backend.shop, request)
        dismissed = "dismissed" in request.query_params
        rows, statuses = await run_in_threadpool(self._rows, shop, dismissed)
        return render(
            request, "held.html", shop=shop, groups=_grouped(rows), statuses=statuses, dismissed=dismissed,
            what_waits=WHAT_WAITS, started=started(request),
        )  # fmt: skip

    async def products(self, request: Request) -> Response:
        """The products that held orders wait for, as a file for RO App's import."""
        shop = await run_in_threadpool(self.backend.shop, request)
        text = await run_in_threadpool(products_csv.text, self.backend.engine, shop.key)
        named = {"Content-Disposition": f'attachment; filename="{shop.slug}-products.csv"'}
        return Response(text, headers=named, media_type="text/csv")

    def _rows(self, shop: ShopState, dismissed: bool) -> tuple[list[Row], list[Choice]]:
        """Returns the records, and RO App's statuses as far as they are known."""
        records = [
            one
            for one in held.listed(self.backend.engine, shop.key, dismissed=True)
            if (one.dismissed_at is not None) == dismissed
        ]
        unmatched = [one.id for one in records if one.code == Code.STATUS_UNMATCHED]
        with database.reading(self.backend.engine) as connection:
            ours = shop_statuses.of_orders(connection, shop.key, unmatched)
            theirs = roapp_statuses.names(connection, shop.account)
        rows = [
            Row(one, Choice(*ours[one.id]) if one.code == Code.STATUS_UNMATCHED and one.id in ours else None)
            for one in records
        ]
        return rows, [Choice(id, name) for id, name in theirs.items()]


def _grouped(rows: list[Row]) -> list[Group]:
    """Returns a group for each reason, the largest first."""
    of: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of[row.record.code].append(row)
    groups = [
        Group(code, *_described(code), len(found), found[:SHOWN], _unmatched(found)) for code, found in of.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.code))


def _unmatched(rows: list[Row]) -> list[Choice]:
    return sorted({row.unmatched for row in rows if row.unmatched}, key=lambda one: one.label)


def _described(code: str) -> tuple[str, str]:
    found = next((one for one in Code if one == code), None)
    return (found.meaning, found.remedy) if found else ("", "")
