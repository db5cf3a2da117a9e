"""Which employees of RO App get orders, and to whom of them an order goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Literal

from cartum_roapp.apis.roapp import Employee


def chosen(employees: Iterable[Employee], managers: Literal["all"] | Sequence[int]) -> list[int]:
    """Returns the ids of the active employees who get the orders of a shop with this setting."""
    return [one.id for one in employees if one.is_active and (managers == "all" or one.id in managers)]


def dealt(shop: str, number: str, managers: Iterable[int]) -> int:
    """Returns which of the managers gets this order: always the same one, whoever asks and in whatever order they are
    listed, and each as many as the others. Who comes takes a share of everybody's, who leaves gives only what was
    their own (rendezvous hashing)."""
    return max(managers, key=lambda id: (blake2b(f"{shop}:{number}:{id}".encode(), digest_size=8).digest(), id))
