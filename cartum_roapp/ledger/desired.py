"""The newest state of one order, as RO App should have it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from cartum_roapp.orders.companies import comparable
from cartum_roapp.orders.phone_field import Phone, phones_of


@dataclass(frozen=True)
class DesiredLine:
    """One line: (product, price) is unique in an order, the quantity absolute. `listed_price`: the product's in the
    shop's catalogue, `catalogued`: that was asked for it, or has no need to be."""

    product: str
    price: Decimal
    quantity: Decimal
    title: str
    article: str
    description: str
    barcode: str
    listed_price: Decimal
    catalogued: bool = True


@dataclass(frozen=True)
class DesiredOrder:
    """One shop order at one version. `created_at`, `gone_at` and `erased_at` are UTC, money is in `currency`. Once the
    buyer's data is erased all that is about the buyer is ""."""

    shop: str
    number: str
    version: int
    status_id: int
    created_at: datetime
    gone_at: datetime | None
    erased_at: datetime | None
    customer: str
    buyer_name: str
    buyer_phone: str
    buyer_phone_raw: str
    buyer_email: str
    delivery_method: str
    delivery_city: str
    delivery_address: str
    delivery_price: Decimal | None
    waybill: str
    payment_method: str
    payment_price: Decimal | None
    paid: bool
    without_callback: bool
    comment: str
    manager_comment: str
    coupon: str
    discount: Decimal
    total: Decimal
    currency: str
    buyer_phones: str
    phone_remark: str
    company: str
    company_number: str
    company_tax: str
    lines: tuple[DesiredLine, ...]

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All phones of the order, the one by which its buyer is known first."""
        return phones_of(self.buyer_phones, self.buyer_phone)

    @property
    def company_numbers(self) -> frozenset[str]:
        """By what the company is known, as compared."""
        return frozenset(filter(None, map(comparable, (self.company_number, self.company_tax))))


_ORDER = [name for name in DesiredOrder.__dataclass_fields__ if name != "lines"]
_LINES = """
    SELECT line.product, line.price, line.quantity, coalesce(nullif(product.title, ''), line.title) AS title,
           product.article, product.description, product.barcode, product.price AS listed_price,
           product.article = '' OR product.read_at IS NOT NULL AS catalogued
    FROM order_lines line JOIN products product ON product.shop = line.shop AND product.product = line.product
    WHERE line.shop = :shop AND line.number = :number ORDER BY line.product, line.price
"""


def read(connection: Connection, shop: str, number: str) -> DesiredOrder:
    """Returns the order as the shop has it, with its lines. Raises NoResultFound if it was purged.

    An order that is stored again between the two statements comes back with parts of both versions. The newer one then
    waits in the outbox, so the order is delivered again."""
    row = connection.execute(
        text(f"SELECT {', '.join(_ORDER)} FROM orders WHERE shop = :shop AND number = :number"),
        {"shop": shop, "number": number},
    ).one()
    return DesiredOrder(**row._mapping, lines=lines(connection, shop, number))


def lines(connection: Connection, shop: str, number: str) -> tuple[DesiredLine, ...]:
    """The order's lines; none where it was purged."""
    rows = connection.execute(text(_LINES), {"shop": shop, "number": number})
    return tuple(DesiredLine(**row._mapping) for row in rows)


def status(connection: Connection, shop: str, number: str) -> tuple[int, bool] | None:
    """The order's status in the shop as it is stored now, and whether the order is open; None where it was purged."""
    query = (
        "SELECT status_id, final_since IS NULL AND gone_at IS NULL FROM orders WHERE shop = :shop AND number = :number"
    )
    row = connection.execute(text(query), {"shop": shop, "number": number}).one_or_none()
    return None if row is None else (row[0], row[1])


def buyers(connection: Connection, keys: list[tuple[str, str]]) -> list[tuple[tuple[str, ...], str]]:
    """(phones, e-mail) of the buyers of these (shop, number) orders, for searching many at once."""
    query = text(
        "SELECT DISTINCT buyer_phone, buyer_phones, buyer_email FROM orders "
        "JOIN unnest(CAST(:shops AS text[]), CAST(:numbers AS text[])) AS own (shop, number) USING (shop, number)"
    )
    rows = connection.execute(query, {"shops": [shop for shop, _ in keys], "numbers": [number for _, number in keys]})
    return [
        (tuple(phone.number for phone in phones_of(row.buyer_phones, row.buyer_phone)), row.buyer_email) for row in rows
    ]
