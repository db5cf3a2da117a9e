"""What a run did to each order: which were new, changed, adopted, released or deleted, with what changed; and what is
held.

It is read from the journal, to which a run without a change adds nothing. It has no buyer's data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cartum_roapp.ledger import held, journal, matches, timeline
from cartum_roapp.ledger.journal import Event, Kind
from cartum_roapp.links import roapp_order
from cartum_roapp.sync.replay import as_document
from cartum_roapp.sync.run import Run

Document = dict[str, Any]

#: The kinds of orders that a run touched, in the order in which they are shown, and what `changes` shows of them. The
#: kind "set in the shop": the shop took the status that staff set in RO App. `released`: something of it was held and
#: is no longer. `delivered`: an earlier run had read or released it, and this one wrote what RO App lacked.
TOUCHED = {
    "new": "status, total", "changed": "what changed", "set in the shop": "status", "adopted": "what changed",
    "released": "what was held", "delivered": "what was done", "deleted": "what changed",
}  # fmt: skip
_ORDER = list(TOUCHED)
_KINDS = {
    Kind.ADOPTED: "adopted", Kind.DELETED: "deleted", Kind.SEEN: "new", Kind.CHANGED: "changed",
    Kind.WRITTEN_BACK: "set in the shop", Kind.RELEASED: "released", Kind.DELIVERED: "delivered",
}  # fmt: skip


def touched_orders(run: Run) -> list[Document]:
    """Returns one document an order that this run touched, by kind and number; of several kinds it has the one that
    says most, such as `adopted` of an order that was new here and that RO App had already. `changes` is in words; of a
    new order it has status and total, of one that was delivered what was written to RO App."""
    events: dict[str, list[Event]] = {}
    for event in journal.of_run(run.engine, run.shop.key, run.id, [*_KINDS, Kind.HELD]):
        events.setdefault(event.number, []).append(event)
    touched = {number: document for number, found in events.items() if (document := _touched(number, found))}
    _add_written(run, touched)
    if not touched:
        return []
    with run.engine.connect() as connection:
        bound = matches.roapp_orders(connection, run.shop.key, list(touched))
    documents = [one | _in_roapp(run, *bound.get(number, (None, ""))) for number, one in touched.items()]
    return sorted(documents, key=lambda one: (_ORDER.index(one["what"]), len(one["number"]), one["number"]))


def held_records(run: Run) -> list[Document]:
    """Returns what is held of the run's shop, except what was dismissed; `news`: since this run. What is news comes
    first, then the latest attempt."""
    records = held.listed(run.engine, run.shop.key)
    found = [as_document(one) | {"number": one.number, "news": one.first_at >= run.started} for one in records]
    return sorted(found, key=lambda one: not one["news"])


def _touched(number: str, events: Iterable[Event]) -> Document | None:
    """Returns None if the run did nothing to the order but hold it, or release it and hold it again."""
    whats: set[Kind] = set()
    changes: list[str] = []
    released: dict[tuple[Any, Any], str] = {}
    for event in events:
        record = (event.details.get("entity"), event.details.get("id"))
        if event.kind == Kind.HELD:
            released.pop(record, None)
        elif event.kind == Kind.RELEASED:
            released[record] = timeline.words(event)
        else:
            whats.add(event.kind)
            changes += [timeline.change(one) for one in event.changes]
        if event.kind == Kind.WRITTEN_BACK:
            changes.append(event.details["status"])
        if event.kind == Kind.SEEN:
            changes += [str(event.details[name]) for name in ("status", "total") if event.details.get(name)]
    if released:
        whats.add(Kind.RELEASED)
    what = next((_KINDS[kind] for kind in _KINDS if kind in whats), None)
    return None if what is None else {"number": number, "what": what, "changes": [*changes, *released.values()]}


def _add_written(run: Run, touched: dict[str, Document]) -> None:
    """Adds to orders that were only delivered what was written for them. Where that is nothing they are left out: what
    is held of such an order was tried again, and is still held."""
    delivered = {number for number, one in touched.items() if one["what"] == "delivered"}
    calls = journal.of_run(run.engine, run.shop.key, run.id, [Kind.CALL]) if delivered else []
    written: dict[str, list[str]] = {}
    for call in calls:
        if call.number in delivered and timeline.wrote(call):
            written.setdefault(call.number, []).append(timeline.purpose(call))
    for number in delivered:
        if number in written:
            touched[number]["changes"] = list(dict.fromkeys(written[number]))
        else:
            del touched[number]


def _in_roapp(run: Run, ro_id: int | None, number: str) -> Document:
    page = None if ro_id is None else roapp_order(run.account.base_url, ro_id)
    return {"roapp_id": ro_id, "roapp_number": number or None, "roapp_page": page}
