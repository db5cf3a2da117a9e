"""Rows of `orders/get`, as mixed as real shops send them (cartum §2.3–§2.5)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.goods import Good, Row, number, pick
from sandbox.people import UNUSABLE, Buyer


@dataclass(frozen=True, slots=True)
class Market:
    """Where a shop sells: its zone, money, languages and the country of its buyers' phones."""

    zone: str
    currency: str
    languages: tuple[str, ...]
    country: str


MARKETS = {
    "ua": Market("Europe/Kyiv", "UAH", ("ua", "ru", "en"), "380"),
    "md": Market("Europe/Chisinau", "MDL", ("en", "ro"), "373"),
}
CITIES = {
    "Київ": "Київська", "Львів": "Львівська", "Харків": "Харківська", "Одеса": "Одеська", "Дніпро": "Дніпропетровська",
    "Вінниця": "Вінницька", "Полтава": "Полтавська",
}  # fmt: skip
DELIVERY = {"novaposhta": (3, "Новою поштою"), "ukrposhta": (9, "Укрпошта"), "pickup": (8, "Самовивіз")}
PAYMENTS = ((13, "Готівкою"), (14, "Карткою онлайн"), (16, "Післяплата"))
COMMENTS = (
    "Передзвоніть, будь ласка",
    "Без дзвінка &quot;тільки месенджер&quot;",
    "Подарункова упаковка",
    "<b>терміново</b>",
)
OPTIONAL = (
    "comment", "manager_comment", "delivery_country", "np_number", "coupon_code", "delivery_city_stable",
    "delivery_email",
    "manager_discount",
)  # fmt: skip
ZERO_DATE = "0000-00-00 00:00:00"


def order_line(
    good: Good, language: str, quantity: int, *, price: Decimal | None = None, type: str = "product", storage: int = 1,
    parent: int | None = None,
) -> Row:  # fmt: skip
    """One line; `price` is the unit price with product discounts already inside (cartum §2.5)."""
    unit = good.price if price is None else price
    return {
        "title": good.title(language), "article": good.article, "price": number(unit), "quantity": quantity,
        "total_price": number(unit * quantity), "discount_marker": "NONE" if unit >= good.price else "PRICE_OLD",
        "type": type, "storage_id": storage, "parent_storage_id": parent,
    }  # fmt: skip


def lines(rng: random.Random, goods: Sequence[Good], language: str, average: float) -> list[Row]:
    """The lines of one order: plain ones, now and then a set, a gift, a free line, twins, or two prices."""
    kind = rng.random()
    by_kind = {good.kind: good for good in goods}
    if kind < 0.04 and "set" in by_kind:
        rows = [order_line(by_kind["set"], language, 1, type="set_main", storage=10)]
        inside = pick(rng, list(goods), 1)[0]
        return [*rows, order_line(inside, language, 1, price=Decimal(0), type="set_item", storage=11, parent=10)]
    count = _line_count(rng, average)
    rows = []
    for index, good in enumerate(pick(rng, list(goods), count)):
        price = (good.price * Decimal("0.9")).quantize(Decimal("0.01")) if rng.random() < 0.08 else None
        quantity = 1 if rng.random() < 0.8 else rng.randint(2, 4)
        rows.append(order_line(good, language, quantity, price=price, storage=index + 1))
    if kind < 0.09 and "gift" in by_kind:
        rows[0]["type"] = "gift_parent"
        gift = order_line(by_kind["gift"], language, 1, price=Decimal(0), type="gift", storage=50, parent=1)
        rows.append(gift)
    elif kind < 0.11:
        rows.append(dict(rows[0], storage_id=60, quantity=1, total_price=rows[0]["price"]))
    elif kind < 0.13:
        free = Good("", {"ua": "Пакування подарункове", "ru": "Упаковка подарочная", "en": "Gift wrap"}, Decimal(30))
        rows.append(order_line(free, language, 1, storage=70))
    return rows


def _line_count(rng: random.Random, average: float) -> int:
    if average <= 1.6:
        return rng.choices((1, 2, 3), weights=(65, 25, 10))[0]
    return max(1, round(rng.gauss(average, 0.8)))


def new_order(
    rng: random.Random,
    market: Market,
    buyer: Buyer,
    *,
    order_id: int,
    created: datetime,
    status: int,
    products: list[Row],
) -> Row:
    """A whole row; `created` is wall-clock time of the shop. Totals are those of `products` and the coupon."""
    carrier = rng.choices(("novaposhta", "ukrposhta", "pickup"), weights=(75, 12, 13))[0]
    paid = rng.random() < (0.7 if status == 3 else 0.3)
    payment = PAYMENTS[1] if paid else rng.choice(PAYMENTS)
    city = rng.choice(list(CITIES))
    row: Row = {
        "order_id": order_id, "user": buyer.user, "delivery_name": buyer.name(rng).replace("'", "&#039;"),
        "delivery_email": _email(rng, buyer),
        "delivery_phone": rng.choice(UNUSABLE) if rng.random() < 0.01 else buyer.phone_spelling(rng),
        "delivery_city": "" if carrier == "pickup" else f"м. {city}, {CITIES[city]} обл.", "delivery_city_stable": city,
        "delivery_address": _address(rng, carrier, city),
        "delivery_type": dict(zip(("id", "title"), DELIVERY[carrier], strict=True)),
        "delivery_price": rng.choices((-1, 0, 60), weights=(70, 20, 10))[0],
        "comment": rng.choice(COMMENTS) if rng.random() < 0.2 else "",
        "payment_type": dict(zip(("id", "title"), payment, strict=True)), "payment_price": 0, "payed": int(paid),
        "total_default": 0, "total_sum": 0, "total_quantity": 0, "discount_percent": 0, "discount_value": 0,
        "coupon_code": "",
        "coupon_percent": 0, "coupon_discount_value": 0, "coupon_type": None, "stat_status": status,
        "stat_created": created.strftime("%Y-%m-%d %H:%M:%S"), "currency": market.currency,
        "order_without_callback": rng.random() < 0.3, "manager_id": rng.choice((None, 61)), "manager_comment": "",
        "manager_discount": 0, "manager_discount_title": "", "products": products, "additional_data": [],
        "analytics": _analytics(rng),
        "delivery_data": delivery_data(rng, carrier, created if status in (3, 6) else None),
    }  # fmt: skip
    if rng.random() < 0.1:
        row.update(coupon_code="WINTER25", coupon_percent=25)
    elif rng.random() < 0.06:
        row.update(discount_percent=5, manager_discount=5, manager_discount_title="Постійний покупець")
    if row["delivery_data"] and row["delivery_data"]["tnNumber"]:
        row["additional_data"] = {"recipient_warehouse_ref": "00000000-0000-0000-0000-0000000000aa"}
    for name in OPTIONAL:
        _absent(rng, row, name)
    count(row)
    return row


def count(row: Row) -> None:
    """Recalculate the order's totals from its lines and its percentages (cartum §2.3)."""
    total = sum((Decimal(str(line["total_price"])) for line in row["products"]), Decimal(0))
    percent = Decimal(row.get("coupon_percent") or 0) + Decimal(row.get("discount_percent") or 0)
    off = (total * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)
    row["total_default"], row["total_sum"] = number(total), number(total - off)
    row["total_quantity"] = sum(line["quantity"] for line in row["products"])
    row["coupon_discount_value" if row.get("coupon_percent") else "discount_value"] = int(off)


def delivery_data(rng: random.Random, carrier: str, sent: datetime | None) -> Any:
    """The `delivery_data` block; `[]` for pickup. With `sent` it has a waybill."""
    if carrier == "pickup":
        return []
    tracked = (sent + timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S") if sent else None
    waybill = f"204{rng.randint(10**10, 10**11 - 1)}" if sent else None
    return {
        "deliveryOperatorType": carrier, "tnNumber": waybill,
        "tnId": "00000000-0000-0000-0000-000000000001" if sent else None,
        "tnStatusName": "Отримано" if sent else None,
        "tnTrackingUpdateDate": tracked if sent else rng.choice((None, ZERO_DATE)),
        "estimatedDeliveryDate": None, "ownTTNPicked": False, "departure": {}, "destination": rng.choice(([], {})),
    }  # fmt: skip


def _email(rng: random.Random, buyer: Buyer) -> str:
    if not buyer.email or (buyer.phone and rng.random() < 0.1):
        return ""
    return buyer.email.upper() if rng.random() < 0.1 else buyer.email


def _address(rng: random.Random, carrier: str, city: str) -> str:
    if carrier == "pickup":
        return ""
    if carrier == "ukrposhta":
        return "@".join(("010" + str(rng.randint(10, 99)), city, "вул. Садова", str(rng.randint(1, 90)), ""))
    return f"Відділення №{rng.randint(1, 120)}"


def _analytics(rng: random.Random) -> Row:
    source, medium, campaign = rng.choice(
        (
            ("(direct)", "(none)", ""),
            ("google", "cpc", 23964436493),
            ("", "", ""),
            ("facebook", "{{placement}}", "autumn"),
        )
    )
    names = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign, "utm_term": "", "utm_content": ""}
    return {**names, "google_client_id": "GA1.1.1111111111.1767225600" if source else ""}


def _absent(rng: random.Random, row: Row, name: str) -> None:
    """Leave an optional value as it is, or make it null, `""` or missing (cartum §8, row 10)."""
    if row.get(name):
        return
    form = rng.randrange(4)
    if form == 0:
        row.pop(name, None)
    else:
        row[name] = row.get(name) if form == 1 and name in row else (None if form == 2 else "")


def as_texts(value: Any) -> Any:
    """The same value with all numbers as text (cartum §2.6)."""
    if isinstance(value, dict):
        return {key: as_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_texts(item) for item in value]
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
