"""What a run did to each order: which were new, changed, adopted or deleted, with what changed; and what is held.

It is read from the journal, to which a run without a change adds nothing. It has no buyer's data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cartum_roapp.connection.choices import Choice
from cartum_roapp.errors import Code
from cartum_roapp.ledger import database, held, journal, matches, shop_statuses, timeline
from cartum_roapp.ledger.journal import Event, Kind
from cartum_roapp.links import roapp_order
from cartum_roapp.sync.replay import as_document
from cartum_roapp.sync.run import Run

Document = dict[str, Any]

#: The kinds of orders that a run touched, in the order in which they are shown.
TOUCHED = ("new", "changed", "adopted", "deleted")
_KINDS = {Kind.SEEN: "new", Kind.CHANGED: "changed", Kind.ADOPTED: "adopted", Kind.DELETED: "deleted"}


def touched_orders(run: Run) -> list[Document]:
    """Returns one document an order that this run touched, by kind and number. An order that was new here and that
    RO App had already is `adopted`. `changes` is in words; of a new order it has status and total."""
    counts = run.counts
    if not (counts.new or counts.changed or counts.delivered):
        return []
    events: dict[str, list[Event]] = {}
    for event in journal.of_run(run.engine, run.shop.key, run.id, list(_KINDS)):
        events.setdefault(event.number, []).append(event)
    if not events:
        return []
    with run.engine.connect() as connection:
        bound = matches.roapp_orders(connection, run.shop.key, list(events))
    documents = [
        _touched(number, found) | _in_roapp(run, *bound.get(number, (None, ""))) for number, found in events.items()
    ]
    return sorted(documents, key=lambda one: (TOUCHED.index(one["what"]), len(one["number"]), one["number"]))


def held_records(run: Run) -> list[Document]:
    """Returns what is held of the run's shop, except what was dismissed; `news`: since this run; `unmatched`: the
    shop's status that is to be matched, "" if it is something else. What is news comes first, then the latest
    attempt."""
    records = held.listed(run.engine, run.shop.key)
    unmatched = {one.id for one in records if one.code == Code.STATUS_UNMATCHED}
    with database.reading(run.engine) as connection:
        statuses = shop_statuses.of_orders(connection, run.shop.key, sorted(unmatched)) if unmatched else {}
    found = [
        as_document(one)
        | {
            "number": one.number,
            "news": one.first_at >= run.started,
            "unmatched": Choice(*statuses[one.id]).label if one.id in statuses and one.id in unmatched else "",
        }
        for one in records
    ]
    return sorted(found, key=lambda one: not one["news"])


def _touched(number: str, events: Iterable[Event]) -> Document:
    whats, changes = set(), []
    for event in events:
        whats.add(_KINDS[event.kind])
        changes += [timeline.change(one) for one in event.changes]
        if event.kind == Kind.SEEN:
            changes += [str(event.details[name]) for name in ("status", "total") if event.details.get(name)]
    what = next(one for one in ("adopted", "deleted", "new", "changed") if one in whats)
    return {"number": number, "what": what, "changes": changes}


def _in_roapp(run: Run, ro_id: int | None, number: str) -> Document:
    page = None if ro_id is None else roapp_order(run.account.base_url, ro_id)
    return {"roapp_id": ro_id, "roapp_number": number or None, "roapp_page": page}
