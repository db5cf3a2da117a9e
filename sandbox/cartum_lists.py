"""The small lists of a shop (cartum §6), and the filter of `catalog/export` (cartum §5.1)."""

from __future__ import annotations

from sandbox.cartum_shop import CartumShop
from sandbox.goods import Row
from sandbox.order_rows import DELIVERY, PAYMENTS


def matches(row: Row, expr: Row) -> bool:
    """Does a catalogue row meet `expr`? `article` and `parent: {"id"}`: one or a list."""
    wanted = expr.get("article")
    articles = None if wanted is None else {str(item) for item in (wanted if isinstance(wanted, list) else [wanted])}
    parent = expr.get("parent")
    ids = parent.get("id") if isinstance(parent, dict) else None
    shown = expr.get("display_in_showcase")
    return (
        (articles is None or row["article"] in articles)
        and (ids is None or row["parent"]["id"] in (ids if isinstance(ids, list) else [ids]))
        and (shown is None or row["display_in_showcase"] == int(shown))
    )


def currencies(shop: CartumShop) -> list[Row]:
    """The shop's own currency and USD."""
    iso = shop.market.currency
    to_usd = {"relatedId": 2, "relatedIso": "USD", "currentExchangeAmount": 42, "relatedExchangeAmount": 1}
    from_usd = {"relatedId": 1, "relatedIso": iso, "currentExchangeAmount": 1, "relatedExchangeAmount": 42}
    return [
        {"id": 1, "iso": iso, "title": iso, "exchangeRates": [{**to_usd, "exchangeCourse": 42}]},
        {"id": 2, "iso": "USD", "title": "у.е.", "exchangeRates": [{**from_usd, "exchangeCourse": 0.0238}]},
    ]


def delivery(shop: CartumShop) -> list[Row]:
    """Ids differ per shop in real life; here they are those of the orders."""
    options = [{"min": 0, "price": 60, "by_carrier": False}]
    common = {"type": 1, "by_carrier": True, "enabled": 1, "payment": [13, 14, 16], "price_options": options}
    return [{"id": id_, "title": _everywhere(shop, title), **common} for id_, title in DELIVERY.values()]


def payments(shop: CartumShop) -> list[Row]:
    none = _everywhere(shop, "")
    common = {"desc": none, "payment_method": 1, "enabled": 1, "icon": "", "link": "", "icon_title": none}
    return [
        {"id": id_, "title": _everywhere(shop, title), **common, "payment_instruction": none} for id_, title in PAYMENTS
    ]


def _everywhere(shop: CartumShop, text: str) -> dict[str, str]:
    return dict.fromkeys(shop.market.languages, text)
