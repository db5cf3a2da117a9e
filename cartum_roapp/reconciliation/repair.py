"""What is safe: ledger and outbox are put right, and the delivery does the rest under the account's lock. Nothing is
written to RO App from here, and nothing is ever deleted there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection

from cartum_roapp.delivery import bindings
from cartum_roapp.delivery.markers import marker
from cartum_roapp.ledger import held, markers, matches, missing_orders, orders
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.markers import Marked
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.ledger.standing import Standing
from cartum_roapp.reconciliation.findings import HELD, REQUEUED, STORED, Finding, What
from cartum_roapp.reconciliation.sides import There


def note_markers(connection: Connection, account: str, shop: str, roapp: Iterable[There]) -> None:
    """What the walk has seen and the ledger's index of markers lacks, so that a delivery finds it and makes no second
    order. Writes nothing where the index is whole."""
    known = markers.of_shop(connection, account, shop)
    for one in roapp:
        if one.number is not None and known.get(one.ro_id) != one.number:
            markers.note(connection, account, Marked(one.ro_id, shop, one.number, one.branch_id, one.order_type_id))


def left_alone(findings: Iterable[Finding], ledger: Mapping[str, Standing]) -> list[Finding]:
    """Orders that would be held as deleted in RO App, when they are such a crowd that lost rights are likelier."""
    missing = [one for one in findings if one.what is What.MISSING_IN_ROAPP and ledger[one.number].state != "held"]
    bound = sum(order.ro_id is not None and not order.gone for order in ledger.values())
    return missing if missing_orders.is_crowd(len(missing), bound) else []


def put_right(connection: Connection, shop: str, findings: Iterable[Finding], ledger: Mapping[str, Standing]) -> None:
    """Queues again what another delivery mends, and holds what a person has to see; what is held for its reason
    already is left as it is, so it may be called twice. `ledger` has the orders as they stood when they differed."""
    for one in findings:
        order = ledger.get(one.number)
        if order is None:
            continue
        if one.what in REQUEUED:
            if one.what is What.BINDING_LOST:
                matches.unbind_order(connection, shop, one.number)
            if one.what is What.MARKER_MISSING:
                matches.note_order(connection, shop, one.number, notes_hash=None)
            orders.requeue(connection, shop, [one.number], Priority.CHANGE)
        elif one.what is What.DOUBLED_IN_ROAPP and order.held_because != bindings.DOUBLED:
            ids = ", ".join(map(str, one.roapp_ids))
            what = f"{marker(shop, one.number)} {len(one.roapp_ids)} times: {ids}"
            held.hold_order(connection, shop, one.number, bindings.doubled(what, "manager_notes"))
        elif one.what is What.MISSING_IN_ROAPP and order.state != "held":
            held.hold_order(connection, shop, one.number, bindings.deleted(order.ro_id))


def outcomes(
    findings: Iterable[Finding], after: Mapping[str, Standing], rows: Mapping[str, Held], *, repaired: bool
) -> list[Finding]:
    """The findings with how they ended, without the rows that a person has dismissed. `after`: the orders as they stand
    now; `rows`: the held rows of the shop by id; `repaired`: whether anything was to be put right at all."""
    seen = [one for one in findings if one.what is not What.UNREADABLE_IN_SHOP or not _is_dismissed(rows, one)]
    return [replace(one, outcome=_outcome(one, after.get(one.number), rows, repaired)) for one in seen]


def _is_dismissed(rows: Mapping[str, Held], finding: Finding) -> bool:
    return finding.number in rows and rows[finding.number].dismissed_at is not None


def _outcome(finding: Finding, order: Standing | None, rows: Mapping[str, Held], repaired: bool) -> str:
    if finding.what is What.UNREADABLE_IN_SHOP:
        return "held" if finding.number in rows else "reported"
    if order is None:
        return "reported"
    if order.state == "held" and finding.what in STORED | REQUEUED | HELD:
        return "held"
    if not repaired or finding.what in HELD:
        return "reported"
    if finding.what is What.NOT_IN_SHOP:
        return "repaired" if order.gone else "reported"
    if finding.what not in STORED | REQUEUED:
        return "reported"
    return "repaired" if order.state == "delivered" else "waiting"
