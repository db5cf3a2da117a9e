"""The order's client, manager, notes, number and estimate in RO App: the one call that sets them."""

from __future__ import annotations

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.decision import Change
from cartum_roapp.delivery.operations import SetFields
from cartum_roapp.delivery.said import Said
from cartum_roapp.ledger.agreed import Field


async def set_fields(roapp: RoApp, agreement: Agreement, operation: SetFields, seen: RoOrder, said: Said) -> None:
    """Sets them in the order that was `seen` a moment ago. Raises what `Agreement.send` raises."""
    body = {change.name: _plain(change, seen, said) for change in operation.changes}
    await agreement.send(operation, lambda begin: roapp.update_order(seen.id, body, begin))


def _plain(change: Change, seen: RoOrder, said: Said) -> object:
    """Returns the new value as a request has it."""
    match change.name:
        case Field.NOTES:
            return notes.merged(seen.manager_notes, said.text)
        case Field.NUMBER:  # a nested field may be replaced whole (roapp §7), so what else is there is sent along
            return {**seen.custom_fields, str(said.shop.order_number_field): change.made}
        case Field.ESTIMATE:
            return f"{change.made:.2f}"
    return change.made
