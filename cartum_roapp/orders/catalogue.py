"""Products of `catalog/export`, and the key that they share with products of order lines (cartum §2.5, §5.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cartum_roapp.orders import amounts, currencies
from cartum_roapp.orders.texts import clean, pick, plain

_GTIN = re.compile("[0-9]{8,14}")
RawProduct = Mapping[str, Any]


@dataclass(frozen=True)
class CatalogueEntry:
    """What the shop's catalogue says of one article. If `title` is "" or `price` is None, the line's is used."""

    title: str
    description: str
    barcode: str
    price: Decimal | None
    currency: str

    def is_foreign(self, currency: str) -> bool:
        """Returns whether the price is in another currency than this one. "" says nothing."""
        return "" not in (self.currency, currency) and self.currency != currency


def article_key(article: str) -> str:
    """Returns a cleaned article as it is compared: its letter case tells no two products apart."""
    return clean(article.casefold())


def product_key(article: str, title: str) -> str:
    """Returns "article:<article as compared>", otherwise "name:<title, case folded>". Takes cleaned texts."""
    return f"article:{article_key(article)}" if article else f"name:{clean(title.casefold())}"


class Catalogue:
    """Raw catalogue rows by article, None for one that the shop has not. Each is read when it is first asked for.
    `currency_names`: the shop's own."""

    def __init__(self, rows: Mapping[str, RawProduct | None], language: str, currency_names: Mapping[str, str]) -> None:
        self._rows = {article_key(clean(article)): row for article, row in rows.items()}
        self._language = language
        self._currency_names = currency_names
        self._read: dict[str, CatalogueEntry | None] = {}

    def __contains__(self, article: str) -> bool:
        """Returns whether the shop was asked for a cleaned article."""
        return article_key(article) in self._rows

    def entry(self, article: str) -> CatalogueEntry | None:
        """Returns the entry of a cleaned article; None if the catalogue lacks it or it can't be read."""
        key = article_key(article)
        if key not in self._read:
            row = self._rows.get(key)
            self._read[key] = self._entry(row) if isinstance(row, Mapping) else None
        return self._read[key]

    def entries(self) -> list[CatalogueEntry | None]:
        """Returns the entries of all articles."""
        return [self.entry(article) for article in self._rows]

    def _entry(self, row: RawProduct) -> CatalogueEntry:
        return CatalogueEntry(
            # `title` is the same for all modifications of a product, `mod_title` is not (cartum §5.2).
            title=pick(row.get("mod_title"), self._language) or pick(row.get("title"), self._language),
            description=pick(row.get("description"), self._language, plain),
            barcode=_barcode(row.get("gtin")),
            price=_price(row.get("price")),
            currency=currencies.code_of(row.get("currency"), self._currency_names),
        )


def _barcode(value: object) -> str:
    """Returns the first barcode, without spaces and hyphens; "" for none, which shops also write as "0" or in words: a
    barcode (GTIN) has 8 to 14 digits."""
    text = clean(next(iter(value), "") if isinstance(value, list) else value)
    text = text.replace(";", ",").split(",")[0].replace(" ", "").replace("-", "")
    return text if text.strip("0") and _GTIN.fullmatch(text) else ""


def _price(value: object) -> Decimal | None:
    try:
        return amounts.price(value)
    except ValueError:
        return None
