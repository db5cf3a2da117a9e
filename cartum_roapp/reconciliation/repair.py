"""Corrects ledger and outbox where that is safe. The delivery then does the rest, under the account's lock. Nothing is
written to RO App from here, and nothing is ever deleted there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from cartum_roapp.delivery import order_problems
from cartum_roapp.delivery.markers import marker, titled
from cartum_roapp.errors import Code
from cartum_roapp.ledger import agreed, held, markers, matches, missing_orders, orders, shops
from cartum_roapp.ledger.held import Held
from cartum_roapp.ledger.scope import Scope
from cartum_roapp.ledger.standing import Standing
from cartum_roapp.links import order_name
from cartum_roapp.reconciliation.findings import HELD, REQUEUED, STORED, Difference, Finding
from cartum_roapp.reconciliation.sides import OrderInRoApp


def note_markers(connection: Connection, account: str, shop: str, roapp: Iterable[OrderInRoApp]) -> None:
    """Adds markers that were seen to the ledger's index if it lacks them, so that a delivery finds the order
    and creates no second one. Otherwise writes nothing."""
    known = markers.of_shop(connection, account, shop)
    for one in roapp:
        if one.number is not None and known.get(one.ro_id) != one.number:
            markers.note(connection, account, one.ro_id, shop, one.number)


def note_walk(
    connection: Connection, account: str, shop: str, roapp: Collection[OrderInRoApp], since: datetime, until: datetime
) -> None:
    """Adds the markers of all shops that a walk over RO App's orders from `since` to `until` (UTC) has seen, so that
    the next one need not reach as far back; where staff have overwritten one, by the order's title. Where that may be
    several shops', or RO App's list leaves out the notes, the next one reaches back all the same."""
    if not all(one.shows_marker for one in roapp):
        return
    known, names = markers.marked(connection, account), shops.names(connection, account)
    for one in roapp:
        own = (shop, one.number) if one.number else None
        by_title = [] if own or one.foreign else titled(one.malfunction, names)
        if len(by_title) > 1:
            return
        carried = own or one.foreign or next(iter(by_title), None)
        if carried and one.ro_id not in known:
            markers.note(connection, account, one.ro_id, *carried)
    markers.extend_span(connection, account, since, until)


def missing_if_lost_rights(findings: Iterable[Finding], ledger: Mapping[str, Standing], scope: Scope) -> list[Finding]:
    """Returns the orders that seem to be deleted in RO App if they are so many that lost rights are more likely;
    otherwise []."""
    missing = {
        one.number: one
        for one in findings
        if one.what is Difference.MISSING_IN_ROAPP and ledger[one.number].state != "held"
    }
    bound = [order for order in ledger.values() if order.ro_id is not None and not order.gone]
    return [missing[number] for number in doubtful(missing, bound, scope)]


def doubtful(missing: Collection[str], believed: Iterable[Standing], scope: Scope) -> list[str]:
    """Returns those of the missing numbers that are so many that lost rights are more likely than deletions: of all
    orders that are believed to be there, or of those of one older month. Rights may end at a date."""
    created = {order.number: order.created_at for order in believed}
    parts = {number: scope.part(at) for number, at in created.items()}
    if missing_orders.suggests_lost_rights(len(missing), len(created)):
        return list(missing)
    gone, there = Counter(parts[number] for number in missing if number in parts), Counter(parts.values())
    lost = {part for part, n in gone.items() if part and missing_orders.suggests_lost_rights(n, there[part])}
    return [number for number in missing if parts.get(number) in lost]


def put_right(connection: Connection, shop: str, findings: Iterable[Finding], ledger: Mapping[str, Standing]) -> None:
    """Queues orders again that another delivery repairs, and holds those that a person has to see. Orders that are held
    for the same reason already stay as they are, so it is idempotent. `ledger` has the orders as they were
    compared."""
    for one in findings:
        order = ledger.get(one.number)
        if order is None:
            continue
        if one.what in REQUEUED:
            if one.what is Difference.BINDING_LOST:
                matches.unbind_order(connection, shop, one.number)
            if one.what is Difference.MARKER_MISSING:
                agreed.send_notes_again(connection, shop, one.number)
            because = f"reconcile found it {one.what.replace('-', ' ')}: {one.to_do}"
            orders.requeue(connection, shop, [one.number], because)
        elif one.what is Difference.DOUBLED_IN_ROAPP and order.held_because != Code.DOUBLED:
            names = "; ".join(map(order_name, one.roapp_ids, one.roapp_numbers))
            what = f"{marker(shop, one.number)} {len(one.roapp_ids)} times: {names}"
            held.hold_order(connection, shop, one.number, order_problems.doubled(what, "manager_notes"))
        elif one.what is Difference.MISSING_IN_ROAPP and order.state != "held":
            held.hold_order(connection, shop, one.number, order_problems.deleted(order.ro_id, order.roapp_number))


def outcomes(
    findings: Iterable[Finding], after: Mapping[str, Standing], rows: Mapping[str, Held], *, repaired: bool
) -> list[Finding]:
    """Returns the findings with their outcomes, without rows that a person has dismissed. `after`: the orders as they
    are now; `rows`: the shop's held rows by id; `repaired`: whether the run was to repair."""
    seen = [one for one in findings if one.what is not Difference.UNREADABLE_IN_SHOP or not _is_dismissed(rows, one)]
    return [replace(one, outcome=_outcome(one, after.get(one.number), rows, repaired)) for one in seen]


def _is_dismissed(rows: Mapping[str, Held], finding: Finding) -> bool:
    return finding.number in rows and rows[finding.number].dismissed_at is not None


def _outcome(finding: Finding, order: Standing | None, rows: Mapping[str, Held], repaired: bool) -> str:
    if finding.what is Difference.UNREADABLE_IN_SHOP:
        return "held" if finding.number in rows else "reported"
    if order is None:
        return "reported"
    if order.state == "held" and finding.what in STORED | REQUEUED | HELD:
        return "held"
    if not repaired or finding.what in HELD:
        return "reported"
    if finding.what is Difference.NOT_IN_SHOP:
        return "repaired" if order.gone else "reported"
    if finding.what not in STORED | REQUEUED:
        return "reported"
    return "repaired" if order.state == "delivered" else "waiting"
