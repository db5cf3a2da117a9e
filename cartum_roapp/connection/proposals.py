"""Which RO App status each status of the shop most likely becomes. An offer: a person reads it before it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cartum_roapp.apis.cartum import ShopStatus
from cartum_roapp.apis.roapp import RoStatus

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


def propose(shop: Sequence[ShopStatus], account: Sequence[RoStatus]) -> dict[int, int | None]:
    """The shop's status id → RO App's, None where nothing suggests itself."""
    by_name: dict[str, int] = {}
    by_meaning: dict[str, int] = {}
    for status in account:
        by_name.setdefault(_plain(status.name), status.id)
        meaning = meaning_of(status.name)
        if meaning:
            by_meaning.setdefault(meaning, status.id)
    return {status.id: _one(status, by_name, by_meaning) for status in shop}


def meaning_of(title: str) -> str | None:
    """The first meaning of which a word of the title begins so."""
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
