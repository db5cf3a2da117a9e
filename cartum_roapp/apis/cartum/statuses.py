"""The order statuses of a shop (cartum §3)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ShopStatus:
    """`titles` by language code of the shop (ua, ru, en, ro …); `is_successful` marks a delivered order."""

    id: int
    titles: dict[str, str] = field(default_factory=dict)
    is_successful: bool = False


DELIVERED = 3
#: The largest id that the ledger's columns can hold.
LARGEST = 2**31 - 1
_ID = re.compile(r"[0-9]{1,10}")

# The statuses of a shop before 4.0, which does not know the function. There is no 5.
DEFAULT_STATUSES = (
    ShopStatus(1, {"en": "New", "ua": "Нове", "ru": "Новый", "ro": "Nou"}),
    ShopStatus(2, {"en": "Processing", "ua": "В обробці", "ru": "В обработке", "ro": "Procesare"}),
    ShopStatus(3, {"en": "Delivered", "ua": "Доставлене", "ru": "Доставлен", "ro": "Livrat"}, True),
    ShopStatus(4, {"en": "Canceled", "ua": "Не доставлене", "ru": "Не доставлен", "ro": "Anulat"}),
    ShopStatus(6, {"en": "Shipping", "ua": "Надіслане", "ru": "Доставляется", "ro": "În procesul de livrare"}),
)


def read_statuses(rows: Iterable[dict[str, Any]]) -> list[ShopStatus]:
    """Returns typed rows in the order of their ids. Numbers may come as text, an empty title as `[]`, a quote in it as
    `&quot;`. A row without a usable id is left out. If no row has `is_successful`, status 3 is the successful one
    (cartum §3)."""
    rows = list(rows)
    marked = any("is_successful" in row for row in rows)
    found: dict[int, ShopStatus] = {}
    for row in rows:
        if not _ID.fullmatch(str(row.get("id", ""))) or int(row["id"]) > LARGEST:
            continue
        title = row.get("title")
        if isinstance(title, dict):
            titles = {str(language): html.unescape(str(text)) for language, text in title.items() if text}
        else:
            titles = {"": html.unescape(title)} if isinstance(title, str) and title else {}
        successful = str(row.get("is_successful")).lower() in ("1", "true") if marked else int(row["id"]) == DELIVERED
        found[int(row["id"])] = ShopStatus(int(row["id"]), titles, successful)
    return [found[id_] for id_ in sorted(found)]
