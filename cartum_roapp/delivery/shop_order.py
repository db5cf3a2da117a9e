"""The shop's side of one order, as a plan compares it with RO App (`plan.ShopOrder`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.decision import Given
from cartum_roapp.delivery.markers import read
from cartum_roapp.delivery.plan import Look
from cartum_roapp.delivery.prices import DELIVERY, wanted_total
from cartum_roapp.delivery.said import Said
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger.agreed import Field, Value
from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.shops import ShopConfig


@dataclass(frozen=True)
class Side:
    """The order of `shop`. `contact`: RO App's of its buyer, None once the buyer's data is erased. `products`: RO App's
    of each of the shop's, or why its lines can't be brought. `counts_alike`: RO App counts in the order's currency."""

    order: DesiredOrder
    shop: ShopConfig
    contact: int | None
    products: Mapping[str, int] | BadRecord
    counts_alike: bool

    @property
    def entities(self) -> Mapping[str, int] | None:
        """RO App's product of each of the order's lines, with the service that stands for the delivery."""
        service = self.shop.delivery_service_id
        if isinstance(self.products, BadRecord):
            return None
        return self.products if service is None else {**self.products, DELIVERY: service}

    @property
    def goods(self) -> str:
        """The digest of what the lines are made of."""
        order = self.order
        lines = [(line.product, f"{line.price:.4f}", f"{line.quantity:.4f}") for line in order.lines]
        delivery = f"{order.delivery_price or 0:.4f}" if self.shop.delivery_service_id else ""
        text = repr((lines, f"{order.total:.4f}", delivery))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def values(self, said: Said, current: str = "") -> dict[Field, Given]:
        """Returns the shop's values beside manager and status, and what RO App gets for them; of the notes our part
        beside what staff wrote in the `current` ones. An estimate that can't be compared is left out."""
        if self.contact is None:
            return {}
        values = {Field.CLIENT: Given(self.contact, self.contact), Field.NOTES: said.beside(current)}
        if self.shop.order_number_field:
            values[Field.NUMBER] = Given(self.order.number, self.order.number)
        if self.counts_alike and not said.written_off:
            estimate: Decimal = wanted_total(self.order, self.shop)
            values[Field.ESTIMATE] = Given(estimate, estimate)
        return values


def look_at(seen: RoOrder, said: Said, *, knows_comment: bool) -> Look:
    """Returns what RO App shows. `knows_comment`: the ledger knows of the order's comments. Where it does not, and
    staff have overwritten the notes, nobody can know: the comment counts as sent."""
    shown: dict[Field, Value] = {}
    if seen.client_id is not None:
        shown[Field.CLIENT] = seen.client_id
    if "manager_id" in seen.model_fields_set:
        shown[Field.MANAGER] = seen.manager_id
    if seen.shows_notes:
        shown[Field.NOTES] = notes.head_digest(seen.manager_notes)
    if said.shop.order_number_field and seen.shows_custom_fields:
        shown[Field.NUMBER] = seen.custom_fields.get(said.shop.order_number_field)
    if seen.estimated_price is not None:
        shown[Field.ESTIMATE] = seen.estimated_price
    if seen.status_id is not None:
        shown[Field.STATUS] = seen.status_id
    overwritten = not knows_comment and read(seen) is None
    says = said.is_as_made if knows_comment else said.is_said
    return Look(
        shown,
        says_comment=overwritten or says(seen.manager_notes),
        has_another_buyer=notes.name_another_buyer(seen.manager_notes, said.order),
    )
