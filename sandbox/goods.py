"""What the shops sell, and how a shop's `catalog/export` shows it (cartum §5.2)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Good:
    """One product (one SKU). `titles` by language code; `gtin` may be empty; `kind`: product, set or gift."""

    article: str
    titles: dict[str, str]
    price: Decimal
    gtin: str = ""
    kind: str = "product"
    shown_article: str = ""
    descriptions: dict[str, str] = field(default_factory=dict)
    currency: str = ""

    def title(self, language: str) -> str:
        """In the language asked for, else in the first one that has a text."""
        return self.titles.get(language) or next(text for text in self.titles.values() if text)


def ean13(number: int) -> str:
    """A bar code with a right check digit, from the range 482 (Ukraine)."""
    digits = f"482{number:09d}"
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits))
    return digits + str(-total % 10)


_TABLE: tuple[tuple[str, str, str, str, str, str, str], ...] = (
    # article, price, ua, ru, en, ro, kind
    ("FT-001-BLK", "600", "Футболка чорна", "Футболка черная", "T-shirt, black", "Tricou negru", "product"),
    ("FT-001-WHT", "600", "Футболка біла", "Футболка белая", "T-shirt, white", "Tricou alb", "product"),
    ("KR-799", "799", "Кросівки літні", "Кроссовки летние", "Summer sneakers", "Pantofi sport", "product"),
    ("CUP-3", "199.5", "Чашка &quot;Ранок&quot;", "Чашка &quot;Утро&quot;", "Cup", "Cană", "product"),
    ("ce06d003-5b7a-4f1e-9d21-0a4c8e6b7f10", "1299.9", "Конструктор дитячий", "Конструктор детский",
     "Building kit", "Set de construcție", "product"),
    ("BAG-4", "2499", "Рюкзак міський 20&nbsp;л", "Рюкзак городской 20&nbsp;л", "Backpack 20 l", "Rucsac", "product"),
    ("CAP-2", "350", "Кепка", "Кепка", "Cap", "Șapcă", "product"),
    ("BOOK-12", "420", "Книга &laquo;Кобзар&raquo;", "", "Book &laquo;Kobzar&raquo;", "Carte", "product"),
    ("TEA-100", "87.25", "Чай трав&#039;яний, 100 г", "Чай травяной, 100 г", "Herbal tea, 100 g", "Ceai", "product"),
    ("LMP-07", "1150", "Лампа настільна", "Лампа настольная", "Desk lamp", "Lampă de birou", "product"),
    ("PWR-20K", "1799", "Павербанк 20000 мА&middot;год", "Павербанк 20000 мАч", "Power bank", "Baterie", "product"),
    ("CBL-USBC", "249.99", "Кабель USB-C & HDMI", "Кабель USB-C & HDMI", "USB-C cable", "Cablu USB-C", "product"),
    ("UMB-1", "640", "Парасоля", "Зонт", "Umbrella", "Umbrelă", "product"),
    ("SCK-3P", "180", "Шкарпетки, 3 пари", "Носки, 3 пары", "Socks, 3 pairs", "Șosete", "product"),
    ("SET-1", "1200", "Набір подарунковий", "Набор подарочный", "Gift set", "Set cadou", "set"),
    ("GIFT-1", "45", "Листівка", "Открытка", "Greeting card", "Felicitare", "gift"),
)  # fmt: skip


def assortment(count: int) -> list[Good]:
    """`count` products, at least the set, the gift and three more; the same for every seed and shop."""
    goods = []
    for index, (article, cost, ua, ru, en, ro, kind) in enumerate(_TABLE):
        titles = {"ua": ua, "ru": ru, "en": en, "ro": ro}
        gtin = ean13(100 + index) if index % 4 else ""
        described = {language: f"<p>{text}</p>" for language, text in titles.items() if text}
        goods.append(
            Good(article, titles, Decimal(cost), gtin, kind, f"X{index}" if "-5b7a" in article else "", described)
        )
    special = [good for good in goods if good.kind != "product"]
    plain = [good for good in goods if good.kind == "product"]
    for index in range(len(goods), count):
        price = Decimal(50 + index * 37 % 2900) + (Decimal("0.5") if index % 7 == 0 else 0)
        titles = {
            "ua": f"Товар {index}",
            "ru": f"Товар {index} (ru)",
            "en": f"Product {index}",
            "ro": f"Produs {index}",
        }
        plain.append(Good(f"SKU-{index:05d}", titles, price, ean13(100 + index) if index % 4 else ""))
    return plain[: max(3, count - len(special))] + special


CATEGORY = {"ua": "Каталог / Усе", "ru": "Каталог / Всё", "en": "All", "ro": "Tot"}


def catalog_row(good: Good, languages: tuple[str, ...], currency: str, url: str) -> Row:
    """One row of `catalog/export` (cartum §5.2); texts are objects by language, a missing one is `""`."""

    def by_language(texts: dict[str, str]) -> dict[str, str]:
        return {language: texts.get(language, "") for language in languages}

    slug = "tovar-" + good.article.lower()
    return {
        "article": good.article, "parent_article": good.article.removesuffix("-WHT"),
        "article_for_display": good.shown_article, "creation_time": "2025-06-01 12:00:00",
        "parent": {"id": 1121, "value": by_language(CATEGORY)},
        "title": by_language(good.titles), "mod_title": by_language({}), "slug": slug, "link": f"{url}/{slug}/",
        "display_in_showcase": 0 if good.kind == "gift" else 1, "price": number(good.price), "price_old": 0,
        "discount": 0,
        "currency": good.currency or currency, "quantity": 0,
        "presence": {"id": 1, "value": by_language({"ua": "В наявності", "ru": "В наличии"})},
        "brand": {"id": 5, "value": by_language({"ua": "Мавка", "ru": "Мавка", "en": "Mavka"})},
        "gtin": good.gtin, "mpn": "", "uktzed": "", "popularity": 0, "icons": [],
        "images": [f"{url}/content/images/{slug}.jpg"], "gallery_common": [],
        "description": by_language(good.descriptions), "short_description": by_language({}),
        "characteristics": {"vaga": "120", "title": []} if good.gtin else [], "wholesale_prices": [],
        "residues": [{"warehouse": "office", "quantity": 4}], "countdown_end_time": "0000-00-00 00:00:00",
    }  # fmt: skip


def number(value: Decimal) -> int | float:
    """A JSON number: whole sums without a fraction (cartum §2.6)."""
    return int(value) if value == value.to_integral_value() else float(value)


def pick(rng: random.Random, goods: list[Good], count: int) -> list[Good]:
    """`count` different plain products, the first of the list more often than the last."""
    plain = [good for good in goods if good.kind == "product"]
    chosen: dict[str, Good] = {}
    while len(chosen) < min(count, len(plain)):
        good = plain[min(int(rng.random() ** 1.5 * len(plain)), len(plain) - 1)]
        chosen.setdefault(good.article, good)
    return list(chosen.values())
