"""The order's client, manager, notes, number and estimate in RO App: the one call that sets them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoOrder
from cartum_roapp.delivery import notes
from cartum_roapp.delivery.agreement import Agreement
from cartum_roapp.delivery.bound import Bound
from cartum_roapp.delivery.decision import Change
from cartum_roapp.delivery.doubt import Stale
from cartum_roapp.delivery.looks import YOUNG
from cartum_roapp.delivery.operations import SetFields
from cartum_roapp.delivery.said import Said
from cartum_roapp.ledger.agreed import Field

#: Seconds for which a call may wait, for its turn or after 429, that sends along what staff wrote.
STALE_AFTER = 2 * YOUNG
_MERGED = {Field.NOTES, Field.NUMBER}


async def set_fields(roapp: RoApp, agreement: Agreement, operation: SetFields, bound: Bound, said: Said) -> None:
    """Sets them in the order as it was seen a moment ago. Raises what `Agreement.send` raises, and Stale where the call
    waited so long that staff may have written meanwhile what it would take back."""
    seen = bound.seen
    assert seen is not None
    body = {change.name: _plain(change, seen, said) for change in operation.changes}
    is_merged = not _MERGED.isdisjoint(body)

    def fresh(begin: Callable[[], None]) -> None:
        if is_merged and time.monotonic() - bound.read_at > STALE_AFTER:
            raise Stale
        begin()

    await agreement.send(operation, lambda begin: roapp.update_order(seen.id, body, partial(fresh, begin)))


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
