"""What a product is known by: the shop's line and RO App's product in one form (design §3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from cartum_roapp.apis.roapp.rows import RoProduct
from cartum_roapp.ledger.catalogue import CatalogueRow
from cartum_roapp.ledger.desired import DesiredLine
from cartum_roapp.orders.catalogue import article_key
from cartum_roapp.orders.texts import clean
from cartum_roapp.shops import Identifier

_LONGEST_TITLE = 120  # roapp §7
_TAIL = 40
_LONGEST_VALUE = 600  # of four bytes each: PostgreSQL's index takes 2,704


@dataclass(frozen=True)
class Identity:
    """A field of RO App's product and the value that it has there, as the shop writes it."""

    by: Identifier
    value: str

    def __str__(self) -> str:
        """As the ledger stores it, and as it is compared: "code:cap-2"."""
        return f"{self.by}:{self._compared(self.value)}"

    @classmethod
    def parse(cls, stored: str) -> Identity:
        """Returns an identity from the form that the ledger stores."""
        by, _, value = stored.partition(":")
        return cls(cast(Identifier, by), value)

    @property
    def values(self) -> tuple[str, ...]:
        """All values that it may have there: a product that we made has a long name shortened."""
        if self.by == "name" and (short := title_key(shortened(self.value))) != self.value:
            return self.value, short
        return (self.value,)

    def of(self, found: Mapping[str, list[int]]) -> list[int]:
        """Returns the ids of all products with this identity, of those `found` with each value. A whole name goes
        before the shortened one, and what is written alike before what differs in letter case."""
        alike = next((found[value] for value in self.values if value in found), None)
        if alike is not None:
            return alike
        return sorted(id for value, ids in found.items() if self._is(value) for id in ids)

    def fits(self, row: CatalogueRow) -> bool:
        """Returns whether RO App's product has it."""
        has = {"code": (row.code,), "sku": (row.sku,), "barcode": row.barcodes, "name": (row.title_key,)}[self.by]
        return any(map(self._is, has))

    def _is(self, value: str) -> bool:
        return self._compared(value) in map(self._compared, self.values)

    def _compared(self, value: str) -> str:
        return article_key(value) if self.by in ("code", "sku") else value


def identities(line: DesiredLine, by: Sequence[Identifier]) -> tuple[Identity, ...]:
    """Returns what the line's product is known by, the first of it what a decision is stored under; at least one. A
    field that the line has no value of is left out; without any the name decides."""
    values = {"code": line.article, "sku": line.article, "barcode": line.barcode, "name": title_key(line.title)}
    found = tuple(Identity(one, values[one]) for one in by if values[one])
    return found or (Identity("name", title_key(line.title)),)


def names(line: DesiredLine, first: Sequence[Identity]) -> tuple[str, ...]:
    """Returns all that the line's product may be known by, by whatever fields a shop identifies its products; what its
    decision is stored under first."""
    return tuple(dict.fromkeys(name(one) for one in (*first, *identities(line, get_args(Identifier)))))


def name(identity: Identity) -> str:
    """Returns an identity as a creation names it, short enough for an index."""
    return str(identity)[:_LONGEST_VALUE]


def shortened(title: str) -> str:
    """A title as RO App gets it. Both ends of a long one stay: variants of a product often differ in the last words."""
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - _TAIL - 1]}…{title[-_TAIL:]}"


def title_key(title: str) -> str:
    """A product's name as compared: one form of letters, case and spaces."""
    return clean(clean(title).casefold())


def catalogue_row(product: RoProduct) -> CatalogueRow:
    """Returns RO App's product as the index holds it: its texts in the form that those of a shop have."""
    return CatalogueRow(
        product.id,
        _indexed(title_key(product.title)),
        _indexed(clean(product.code)),
        _indexed(clean(product.sku)),
        tuple(kept for barcode in product.barcodes if (kept := _indexed(clean(barcode)))),
    )


def _indexed(text: str) -> str:
    """A value too long for an index of the ledger identifies nothing; no shop's article is that long."""
    return text if len(text) <= _LONGEST_VALUE else ""
