"""The order's client, manager, notes, number and estimate in RO App: the one call that sets them."""

from __future__ import annotations

from collections.abc import Callable

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.decision import Change
from cartum_roapp.delivery.operations import SetFields
from cartum_roapp.delivery.said import Said
from cartum_roapp.errors import Retryable, Unclear
from cartum_roapp.ledger.agreed import Field


async def set_fields(roapp: RoApp, agreement: Agreement, operation: SetFields, seen: RoOrder, said: Said) -> None:
    """Sets them in the order that was `seen` a moment ago. Raises BadRecord where RO App refuses, Later where a call
    without an answer may arrive, Retryable where that was a repeat."""
    known = agreement.known
    is_repeat = any(change.made in known.value(Field(change.name)).ours for change in operation.changes)
    body = {change.name: _plain(change, seen, said) for change in operation.changes}

    async def call(begin: Callable[[], None]) -> None:
        begin()
        await roapp.update_order(seen.id, body)

    try:
        await agreement.send(operation, call)
    except Unclear as error:
        if is_repeat:  # the drain counts these, and holds the order in the end
            raise Retryable(error.message) from None
        raise agreement.later() from None


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
