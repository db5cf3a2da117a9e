"""What a person would most likely choose: an RO App status for each status of the shop, and the settings around it.
Only an offer, which a person confirms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cartum_roapp.apis.cartum import ShopStatus
from cartum_roapp.apis.roapp import RoStatus
from cartum_roapp.shops.lists import AccountLists, ShopLists

#: Beginnings of words, by what they mean, in the languages of the shops and of RO App. Names are each account's
#: own (roapp §3.9), so this only proposes.
MEANINGS: Mapping[str, tuple[str, ...]] = {
    "canceled": (
        "cancel", "declin", "reject", "refus", "скасов", "відмін", "відмов", "отмен", "отказ", "не доставл",
        "not deliver", "anulat", "refuz", "storn", "закрито неусп", "закрыт неусп",
    ),
    "returned": ("return", "refund", "поверн", "возвр", "retur"),
    "shipping": (
        "ship", "sent", "on the way", "transit", "delivering", "in delivery", "доставка", "доставля", "надісл",
        "відправл", "отправл", "în procesul", "livrare", "expedi", "în drum",
    ),
    "delivered": (
        "deliver", "complet", "done", "closed", "finish", "issued", "доставл", "викон", "выполн", "закрит", "закрыт",
        "видан", "выдан", "livrat", "finaliz", "închis",
    ),
    "ready": ("ready", "готов", "gata"),
    "payment": ("payment", "unpaid", "оплат", "plat"),
    "processing": (
        "process", "progress", "confirm", "accept", "в обробц", "в обработк", "в робот", "в работ", "підтвердж",
        "подтвержд", "комплект", "прийнят", "принят", "procesa", "în lucru", "confirmat",
    ),
    "new": ("new", "нов", "nou", "received", "отриман", "получен"),
}  # fmt: skip
#: What a default status of Cartum means, whatever it was renamed to (cartum §3).
BY_ID = {1: "new", 2: "processing", 3: "delivered", 4: "canceled", 6: "shipping"}
#: What stands in for a meaning that RO App has no status for.
NEAR = {"shipping": ("ready",), "ready": ("processing",), "processing": ("new",), "returned": ("canceled",)}

#: The languages that a shop's customers most likely read, best first.
PREFERRED = ("ua", "ro", "ru", "en")


def propose_settings(shop: ShopLists, account: AccountLists) -> dict[str, object]:
    """Returns location, order type, language and time zone; without the keys for which there is nothing to choose."""
    location = next((row for row in account.locations if not row.is_archived), None)
    order_type = next(iter(account.order_types), None)
    languages = sorted(shop.languages, key=lambda code: PREFERRED.index(code) if code in PREFERRED else len(PREFERRED))
    likely = {
        "location_id": location.id if location else None,
        "order_type_id": order_type.id if order_type else None,
        "language": languages[0] if languages else None,
        "timezone": (location.timezone if location else "") or account.company.get("timezone"),
    }
    return {key: value for key, value in likely.items() if value}


def propose(shop: Sequence[ShopStatus], account: Sequence[RoStatus]) -> dict[int, int | None]:
    """Returns the shop's status id → RO App's; None if no status fits."""
    by_name: dict[str, int] = {}
    by_meaning: dict[str, int] = {}
    for status in account:
        by_name.setdefault(_plain(status.name), status.id)
        meaning = meaning_of(status.name)
        if meaning:
            by_meaning.setdefault(meaning, status.id)
    return {status.id: _one(status, by_name, by_meaning) for status in shop}


def meaning_of(title: str) -> str | None:
    """Returns the first meaning that a word of the title begins with; None if there is none."""
    plain = f" {_plain(title)}"
    return next(
        (meaning for meaning, starts in MEANINGS.items() if any(f" {start}" in plain for start in starts)), None
    )


def _one(status: ShopStatus, by_name: Mapping[str, int], by_meaning: Mapping[str, int]) -> int | None:
    for title in status.titles.values():
        if _plain(title) in by_name:
            return by_name[_plain(title)]
    meanings = ["delivered"] if status.is_successful else []
    meanings += [meaning for title in status.titles.values() if (meaning := meaning_of(title))]
    meanings += [BY_ID[status.id]] if status.id in BY_ID else []
    for meaning in meanings:
        for candidate in (meaning, *NEAR.get(meaning, ())):
            if candidate in by_meaning:
                return by_meaning[candidate]
    return None


def _plain(title: str) -> str:
    return re.sub(r"\s+", " ", title).strip().casefold()
