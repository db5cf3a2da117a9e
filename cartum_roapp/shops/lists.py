"""What the two systems offer to choose from."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cartum_roapp.apis.cartum import Cartum, ShopStatus
from cartum_roapp.apis.roapp import (
    Category,
    CustomField,
    Employee,
    Location,
    OrderType,
    RoApp,
    RoService,
    RoStatus,
)
from cartum_roapp.errors import BadConfig, BadRecord
from cartum_roapp.orders.currencies import code_of, is_code
from cartum_roapp.orders.rows import created_of, number_of

T = TypeVar("T")

#: So much of the shop's orders is looked at: enough to see that they may be read, what its clock shows, and whether
#: they are here already from another address; that also of a shop that had none lately.
LATELY, BEFORE = timedelta(days=2), timedelta(days=60)
PAGES = 3
NEWEST = 10


@dataclass(frozen=True, slots=True)
class ShopLists:
    """The shop's lists. `languages`: the codes in which it names things; `currencies`: the ISO codes of those that are
    switched on; either is empty if the shop does not show them. `newest_order`: when the newest order of the last days
    was placed, by the shop's clock (naive); None if there was none. `newest_orders`: number → that stamp, of the newest
    orders, however old. `in_use`: the statuses of its orders that we know,
    listed or not: a shop may have deleted one that old orders still have."""

    statuses: Sequence[ShopStatus]
    languages: tuple[str, ...]
    currencies: tuple[str, ...]
    newest_order: datetime | None = None
    newest_orders: Mapping[str, datetime] = field(default_factory=dict)
    in_use: frozenset[int] = frozenset()

    @property
    def unlisted(self) -> list[int]:
        """Returns the statuses that only orders have."""
        return sorted(self.in_use - {status.id for status in self.statuses})


@dataclass(frozen=True, slots=True)
class AccountLists:
    """The account's lists. `custom_fields` (its order fields), `services` and `categories` (of products) are None if
    the account does not show them."""

    company: dict[str, object]
    locations: Sequence[Location]
    order_types: Sequence[OrderType]
    employees: Sequence[Employee]
    statuses: Sequence[RoStatus]
    custom_fields: Sequence[CustomField] | None
    services: Sequence[RoService] | None = None
    categories: Sequence[Category] | None = None

    @property
    def currency(self) -> str:
        """The company's ISO code, "" if unknown (roapp §3.7)."""
        code = code_of(self.company.get("currency"), {})
        return code if is_code(code) else ""

    @property
    def fingerprint(self) -> str:
        """Tells this company from any other: its `created_at` (roapp §3.7)."""
        return str(self.company.get("created_at") or "")


async def shop_lists(cartum: Cartum) -> ShopLists:
    """Reads the shop's lists. If the shop's currencies can't be read, they are empty. Raises what the client
    raises."""
    statuses = await cartum.statuses()
    titled = {code for status in statuses for code, title in status.titles.items() if code and title.strip()}
    rows = await cartum.currencies_if_shown()
    currencies = tuple(dict.fromkeys(code for row in rows if is_code(code := code_of(row.get("iso"), {}))))
    lately = await _newest_orders(cartum, LATELY)
    newest = max(lately.values(), default=None)
    orders = lately or await _newest_orders(cartum, BEFORE)
    return ShopLists(statuses, tuple(sorted(titled)), currencies, newest, orders)


async def _newest_orders(cartum: Cartum, within: timedelta) -> dict[str, datetime]:
    placed: dict[str, datetime] = {}
    pages = 0
    async for rows in cartum.orders(created_from=datetime.now(UTC) - within):
        for row in rows:
            if (number := number_of(row)) and (stamp := created_of(row)):
                placed[number] = stamp.replace(tzinfo=None)
        pages += 1
        if pages == PAGES:
            break
    return dict(sorted(placed.items(), key=lambda one: one[1], reverse=True)[:NEWEST])


async def account_lists(roapp: RoApp) -> AccountLists:
    """Reads the account's lists; its order fields, services and categories are optional (roapp §2–§3). Raises what the
    client raises."""
    company = await roapp.company()
    return AccountLists(
        company=company,
        locations=await roapp.locations(),
        order_types=await roapp.order_types(),
        employees=await roapp.employees(),
        statuses=await roapp.order_statuses(),
        custom_fields=await _if_shown(roapp.order_custom_fields()),
        services=await _if_shown(roapp.services()),
        categories=await _if_shown(roapp.product_categories()),
    )


async def _if_shown(read: Awaitable[Sequence[T]]) -> Sequence[T] | None:
    try:
        return await read
    except (BadRecord, BadConfig):
        return None


def title_of(status: ShopStatus, language: str | None = None) -> str:
    """Returns the status's title in the language, otherwise in any language, otherwise its id."""
    wanted = status.titles.get(language or "", "").strip()
    return wanted or next((title for title in status.titles.values() if title.strip()), str(status.id))
