"""Which employees of RO App get orders: whom the word `all` means, and to whom of them an order goes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Literal

from cartum_roapp.apis.roapp import Employee

#: Positions that look after no orders, as shops in Ukraine, Moldova and Romania name them: the usual titles of ISCO-08
#: 2411, 4311 (accounts), 4321, 9321, 9333 (stock), 5414 (guards), 742 (technicians), 832, 9621 (drivers, couriers) and
#: 9112 (cleaners). RO App shows no roles, and a position is free text (roapp §3.7). A hyphen stands for any ending.
_NO_MANAGERS = """
    кур'єр- водій- курьер- водитель- доставщик- courier- driver- curier- livrato- șofer-
    склад складу складі складом складськ- завсклад- комірни- пакувальни- комплектувальни- вантажник-
    склада складе складск- кладовщи- упаковщи- комплектовщи- грузчик-
    warehouse- storekeeper- packer- picker- loader- depozit- magazioner- gestionar- ambalator- încărcător-
    бухгалтер- accountant- bookkeeper- contabil-
    технік майстер інженер- механік- електрик- ремонтник- техник мастер инженер- механик- электрик-
    technician- master engineer- mechanic- electrician- tehnician- maistru- meșter- inginer- mecanic- electrician-
    прибиральни- уборщи- cleaner- janitor- îngriji-
    охорон- сторож- охран- guard- paznic-
"""
#: Whoever is also one of these stays: "менеджер-кур'єр", "майстер-приймальник", "продавець техніки".
_MANAGERS = """
    менеджер- адмін- директор- продав- продаж- консультант- приймальни- власни- админ- приемщи- владел-
    manager- admin- director- seller- sales- salesman- consultant- reception- owner- vânz- proprietar-
"""


def of_all(active: Sequence[Employee]) -> list[Employee]:
    """Returns those of the active employees whom `managers: all` means: not those whose position plainly is another
    one; everybody where that would leave nobody."""
    return [one for one in active if not is_other(one.position)] or list(active)


def is_other(position: str) -> bool:
    """Returns whether this position plainly looks after no orders. An empty one does not say so."""
    words = re.findall(r"[^\W\d_]+", _plain(position))
    return any(map(_NOT.fullmatch, words)) and not any(map(_ARE.fullmatch, words))


def chosen(employees: Iterable[Employee], managers: Literal["all"] | Sequence[int]) -> list[int]:
    """Returns the ids of the active employees who get the orders of a shop with this setting."""
    active = [one for one in employees if one.is_active]
    if managers == "all":
        return [one.id for one in of_all(active)]
    return [one.id for one in active if one.id in managers]


def dealt(shop: str, number: str, managers: Iterable[int]) -> int:
    """Returns which of the managers gets this order: always the same one, whoever asks and in whatever order they are
    listed, and each as many as the others. Who comes takes a share of everybody's, who leaves gives only what was
    their own (rendezvous hashing)."""
    return max(managers, key=lambda id: (blake2b(f"{shop}:{number}:{id}".encode(), digest_size=8).digest(), id))


def _plain(text: str) -> str:
    """Without capitals, accents and apostrophes, which people leave out or type in several ways."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"['’ʼ`´‘]", "", "".join(letter for letter in letters if not unicodedata.combining(letter)))


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile("|".join(re.sub("-$", r"\\w*", _plain(word)) for word in words.split()))


_NOT, _ARE = _pattern(_NO_MANAGERS), _pattern(_MANAGERS)
