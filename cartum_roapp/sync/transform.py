"""Transforms raw orders of a shop into typed frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cartum_roapp.orders import amounts, buyers, currencies, phone_field
from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.catalogue import Catalogue, RawProduct, product_key
from cartum_roapp.orders.fingerprint import RowDigests, order_hash
from cartum_roapp.orders.frames import LINES, ORDERS, PRODUCTS, Frames, typed_frame
from cartum_roapp.orders.rows import LineRow, OrderRow, read_row
from cartum_roapp.orders.zones import country_of, to_utc, zone_of
from cartum_roapp.shops import ShopConfig

_Line = tuple[str, str, Decimal, Decimal, str]
_Record = tuple[object, ...]


class _Order(NamedTuple):
    """One order's records for the three frames."""

    created_at: datetime
    order: _Record
    lines: list[_Line]
    products: list[_Record]


def row_digests(shop: ShopConfig) -> RowDigests:
    """Returns how rows of this shop are digested."""
    return RowDigests(shop.language, shop.timezone, shop.phone_region, shop.currency_names, _host(shop))


def _host(shop: ShopConfig) -> str:
    return urlsplit(shop.url).hostname or ""


def transform(
    rows: Iterable[Any],
    catalogue: Mapping[str, RawProduct | None],
    shop: ShopConfig,
    currency_titles: Mapping[str, str] | None = None,
) -> tuple[Frames, list[BadRow]]:
    """Returns rows of `orders/get` as frames, the oldest order first, and the rows that must be held. Pure.

    Each row is checked alone; a bad line makes its whole order bad. If an order was read twice, the later row counts,
    whether good or bad. Titles, descriptions and barcodes come from `catalogue` (article → row of `catalog/export`,
    None if the shop has none), for products that it lacks from the line. `currency_titles`: those that the shop shows
    (`currencies.titles`). Raises BadConfig if the shop's time zone is unknown.
    """
    zone = zone_of(shop.timezone)
    region = shop.phone_region or country_of(shop.timezone)
    names = currencies.own_names(currency_titles or {}, shop.named_currencies)
    entries = Catalogue(catalogue, shop.language, names)
    digests, host = row_digests(shop), _host(shop)
    read: dict[str, _Order | BadRow] = {}
    for raw in rows:
        row = read_row(raw, shop.language)
        if isinstance(row, BadRow):
            read[row.id] = row
        else:
            created_at = to_utc(row.stat_created, zone)
            currency = currencies.code_of(row.currency, names)
            read[row.order_id] = _records(row, created_at, currency, entries, region, host, digests.over(raw))
    good = sorted((entry for entry in read.values() if isinstance(entry, _Order)), key=_age)
    return _frames(good), [entry for entry in read.values() if isinstance(entry, BadRow)]


def _age(order: _Order) -> tuple[datetime, int]:
    return order.created_at, int(str(order.order[0]))


def _frames(orders: list[_Order]) -> Frames:
    products: dict[_Record, None] = {}
    for order in orders:
        for product in order.products:
            products.pop(product, None)  # to the end: newest last
            products[product] = None
    return Frames(
        orders=typed_frame(ORDERS, [order.order for order in orders]),
        lines=typed_frame(LINES, [line for order in orders for line in order.lines]),
        products=typed_frame(PRODUCTS, products),
    )


def _records(
    row: OrderRow,
    created_at: datetime,
    currency: str,
    catalogue: Catalogue,
    region: str | None,
    host: str,
    row_digest: Callable[[str, int], str],
) -> _Order:
    """`host`: the shop's."""
    company = row.customer_details
    # Who orders for others has a phone in the details, too: it is no phone of the one who gets the order.
    of_details = company.phone if company.name or not row.delivery_phone else ""
    field = phone_field.read_field("\n".join(filter(None, (row.delivery_phone, of_details))), region)
    phone = field.phones[0].number if field.phones else ""
    phones = phone_field.stored(field)
    email = buyers.email(row.delivery_email, host)
    unread = row.delivery_email if not email and "@" in row.delivery_email else ""
    remark = ", ".join(filter(None, (field.remark, unread)))  # for people
    identity = buyers.identity(phone, email, row.order_id, company)
    lines = _merged(row)
    head = (row.order_id, row.stat_status, created_at, identity, row.delivery_name)
    tail = (
        email,
        row.delivery_type,
        row.city,
        row.delivery_address,
        row.delivery_price,
        row.waybill,
        row.payment_type,
        row.payment_price,
        row.payed,
        row.order_without_callback,
        row.comment,
        row.manager_comment,
        row.coupon,
        row.discount,
        row.total_sum,
        currency,
    )
    # Another spelling of the same phone is no change. A phone that can't be read counts as it was typed.
    typed = phone or row.delivery_phone
    bought_by = (company.name, company.registration, company.tax)
    content = (*head, typed if field.is_plain and not unread else f"{phones}\n\n{remark}", *tail, *bought_by)
    digest = order_hash(content, [(product, price, quantity) for _, product, price, quantity, _ in lines])
    return _Order(
        created_at,
        order=(
            *head,
            phone,
            row.delivery_phone,
            *tail,
            phones,
            remark,
            *bought_by,
            digest,
            row_digest(digest, row.stat_status),
        ),
        lines=lines,
        products=[_product(line, catalogue, currency) for line in row.products if line.has_goods],
    )


def _merged(row: OrderRow) -> list[_Line]:
    """Returns lines of equal product and unit price as one with the summed quantity; the title is the first's."""
    merged: dict[tuple[str, Decimal], _Line] = {}
    for line in row.goods:
        product = product_key(line.article, line.title)
        key = (product, line.price)
        same = merged.get(key)
        quantity = line.quantity if same is None else amounts.quantity(same[3] + line.quantity)
        merged[key] = (row.order_id, product, line.price, quantity, line.title if same is None else same[4])
    return list(merged.values())


def _product(line: LineRow, catalogue: Catalogue, currency: str) -> tuple[object, ...]:
    """Its price is None where the catalogue's is in another currency than the order."""
    entry = catalogue.entry(line.article) if line.article else None
    key = product_key(line.article, line.title)
    if entry is None:
        listed = False if line.article in catalogue else None
        return key, line.article, line.title or line.article, "", "", line.price, listed
    price = line.price if entry.price is None else None if entry.is_foreign(currency) else entry.price
    return key, line.article, entry.title or line.title or line.article, entry.description, entry.barcode, price, True
