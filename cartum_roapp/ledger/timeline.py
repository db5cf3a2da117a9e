"""The story of one order, event by event, in words for people. It names no buyer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from cartum_roapp.ledger import database, held, journal, matches
from cartum_roapp.ledger.journal import Change, Event, Kind
from cartum_roapp.ledger.matches import OrderMatch
from cartum_roapp.links import order_name
from cartum_roapp.orders.zones import zone_of

# Calls to RO App (roapp §3) by method and path → what for. The first that fits counts.
_PURPOSES = [
    (re.compile(pattern), purpose)
    for pattern, purpose in (
        (r"POST /orders", "make the order"),
        (r"PATCH /orders/\d+", "change its notes, buyer or manager"),
        (r"GET /orders/\d+", "read the order"),
        (r"GET /orders", "look for orders"),
        (r"GET /orders/\d+/items", "read its lines"),
        (r"POST /orders/\d+/items", "add a line"),
        (r"PATCH /orders/\d+/items/\d+", "change a line"),
        (r"POST /orders/\d+/comments", "add the comment"),
        (r"POST /orders/\d+/status", "set the status"),
        (r"GET /orders/statuses", "read RO App's statuses"),
        (r"POST /contacts/\w+", "make the buyer's contact"),
        (r"GET /contacts/\w+/\d+", "read the buyer's contact"),
        (r"GET /contacts/\w+", "look for the buyer"),
        (r"POST /catalog/products", "make a product"),
        (r"GET /catalog/products.*", "look for products"),
        (r"GET /company/employees", "see who is employed"),
    )
]
_BEGUN = "begun, and how it ended is not known yet"
# What is being made → what its call is for.
_CREATIONS = {"order": "make the order", "contact": "make the buyer's contact", "product": "make a product"}
_DOUBTS = "SELECT kind, sent_at FROM creations WHERE shop = :shop AND number = :number AND look_until IS NULL"


def of_order(engine: Engine, shop: str, number: str) -> list[Event]:
    """What happened to one order, oldest first. What was being made when a process was killed before it could note the
    call is among it until it is known what that made."""
    events = journal.of_order(engine, shop, number)
    with database.reading(engine) as connection:
        doubts = connection.execute(text(_DOUBTS), {"shop": shop, "number": number}).all()
        bound = matches.order(connection, shop, number)
    calls = [one for one in events if one.kind is Kind.CALL]
    for row in doubts:
        what = _CREATIONS[row.kind]
        if not any(one.at >= row.sent_at and purpose(one).startswith(what) for one in calls):
            events.append(Event(shop, number, Kind.CALL, row.sent_at, None, {"purpose": what, "outcome": _BEGUN}))
    _give_reasons(engine, shop, number, events)
    _give_number(bound, events)
    return list(_without_repeats(sorted(events, key=lambda one: one.at)))


def _give_reasons(engine: Engine, shop: str, number: str, events: Sequence[Event]) -> None:
    """Adds why records are dismissed now, which stands there alone: it is erased with the buyer."""
    last = {(one.details["entity"], one.details.get("id", number)): one for one in events if one.kind is Kind.DISMISSED}
    for record in held.listed(engine, shop, dismissed=True) if last else ():
        if record.dismissed_because and (event := last.get((record.entity, record.id))):
            event.details["because"] = record.dismissed_because


def _give_number(bound: OrderMatch | None, events: Sequence[Event]) -> None:
    """Adds the number that people see in RO App, which it may have shown only after the event."""
    for one in events:
        if one.kind in (Kind.ADOPTED, Kind.CREATED) and bound and one.details["roapp_id"] == bound.ro_id:
            one.details["roapp_number"] = bound.roapp_number


def _without_repeats(events: Iterable[Event]) -> Iterator[Event]:
    """Each try to make an order finds its buyer and products again: shown only where they differ from before."""
    found: dict[Kind, dict[str, Any]] = {}
    for one in events:
        if one.kind in (Kind.CONTACT, Kind.PRODUCTS):
            if found.get(one.kind) == one.details:
                continue
            found[one.kind] = one.details
        yield one


def words(event: Event, zone: str = "UTC") -> str:
    """The event as a sentence without a full stop, with times of day in this time zone."""
    about = event.details
    match event.kind:
        case Kind.SEEN:
            return f"new in the shop: {about['status']}, {about['total']}"
        case Kind.CHANGED:
            changes = "; ".join(map(change, event.changes))
            return f"changed in the shop: {changes}" if changes else "read again from the shop, as it was"
        case Kind.DELETED:
            return "deleted in the shop"
        case Kind.QUEUED:
            return f"to be delivered once more: {about['because']}"
        case Kind.ADOPTED:
            return f"RO App had it already: order {_order(about)}"
        case Kind.CREATED:
            return f"made in RO App: order {_order(about)}"
        case Kind.CONTACT:
            kind = "organization" if about.get("organization") else "person"
            return f"the buyer is the {kind} {about['roapp_id']} of RO App{_because(about)}"
        case Kind.PRODUCTS:
            return f"products of RO App: {', '.join(map(_product, about['products']))}"
        case Kind.CALL:
            times = f", {about['times']} times" if "times" in about else ""
            return f"{purpose(event)}: {about['outcome']}{times}"
        case Kind.DELIVERED:
            return f"delivered: RO App has version {about['version']}"
        case Kind.POSTPONED:
            until = f" until {_time(about['until'], zone)}" if "until" in about else ""
            return f"put off{until}{_because(about)}"
        case Kind.HELD:
            return f"held ({_record(about)}), {about['code']}: {about['message']}"
        case Kind.RELEASED:
            code = f", {about['code']}" if "code" in about else ""
            return f"held no more ({_record(about)}){code}{_because(about)}"
        case Kind.DISMISSED:
            return f"a person left it as it is ({_record(about)}){_because(about)}"
        case Kind.WRITTEN_BACK:
            return f"the shop took RO App's status: {about['status']}"
        case Kind.CONTEST:
            shop, roapp = about["shop_status"], about["roapp_status"]
            return f"both sides changed the status, the shop to {shop}, RO App to {roapp}; the shop's was taken"


def change(one: Change) -> str:
    """One change in the shop: "total 799.00 → 599.00", "buyer's phone"."""
    name, before, after = one
    if before is None and after is None:
        return name
    if name == "line" and None in (before, after):
        return f"line added: {after}" if before is None else f"line taken out: {before}"
    return f"{name} {before or '–'} → {after or '–'}"


def wrote(event: Event) -> bool:
    """Whether it is a call that RO App took and that may have changed something there."""
    call, outcome = event.details.get("call", "GET"), str(event.details.get("outcome"))
    return event.kind is Kind.CALL and not call.startswith("GET") and outcome.startswith("HTTP 2")


def purpose(event: Event) -> str:
    """What a call to RO App was for, with the call where it is known."""
    call = event.details.get("call")
    if call is None:
        return str(event.details["purpose"])
    found = next((purpose for pattern, purpose in _PURPOSES if pattern.fullmatch(call)), None)
    return f"{found} ({call})" if found else str(call)


def _because(about: dict[str, Any]) -> str:
    return f": {about['because']}" if about.get("because") else ""


def _order(about: dict[str, Any]) -> str:
    return order_name(about["roapp_id"], about.get("roapp_number"))


def _record(about: dict[str, Any]) -> str:
    return " ".join(filter(None, (about["entity"], about.get("id"))))


def _product(one: dict[str, Any]) -> str:
    return f"{one['title']} is {one['roapp_id']} ({one['how']})"


def _time(moment: str, zone: str) -> str:
    """Returns "14:05:09 EET" of a moment in ISO 8601."""
    return f"{datetime.fromisoformat(moment).astimezone(zone_of(zone)):%H:%M:%S %Z}"
