"""What is said of an order in RO App: our part of its notes, and its comment."""

from __future__ import annotations

from dataclasses import dataclass

from cartum_roapp.delivery import notes
from cartum_roapp.delivery.decision import Given
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.shops import ShopConfig


@dataclass(frozen=True)
class Said:
    """`written_off`: goods have left RO App's stock, which the notes say."""

    order: DesiredOrder
    shop: ShopConfig
    written_off: bool = False

    @property
    def text(self) -> str:
        """Our part of the notes."""
        return notes.block(self.order, self.shop, written_off=self.written_off)

    @property
    def comment(self) -> str:
        """What the comment says."""
        return notes.comment(self.order, self.shop)

    @property
    def all(self) -> str:
        """A comment that says what the notes were to say, with what the comment says among it."""
        return notes.as_comment(self.order, self.text, self.shop)

    def beside(self, current: str) -> Given:
        """Returns our part of the notes as it stands beside what staff wrote in the `current` ones."""
        facts = notes.facts(self.order, written_off=self.written_off)
        return Given(facts, notes.head_digest(notes.merged(current, self.text)))

    def have_room(self, current: str) -> bool:
        """Returns whether our part of the notes is whole beside what staff wrote."""
        return notes.have_room(current, self.text)

    def is_as_made(self, current: str) -> bool:
        """Returns whether RO App's notes begin with our part of them."""
        return notes.head_digest(current) == self.beside(current).made

    def is_said(self, current: str) -> bool:
        """Returns whether RO App's notes have what the comment says."""
        return self.is_as_made(current) or notes.say(current, self.text, self.order, self.shop)
