"""All that is known of one order, as `order show` and the console show it: where it stands on both sides, what is held
of it, and what happened to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from cartum_roapp import links
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import dossier, held, roapp_statuses, shop_statuses, timeline
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.shops import ShopSettings
from cartum_roapp.shops.refused import shortened


def read(
    engine: Engine,
    slug: str,
    key: str,
    number: str,
    found: ShopSettings | None,
    *,
    personal: bool = False,
    zone: str = "UTC",
) -> dict[str, Any] | None:
    """Returns the story of the order: `order` (see `dossier.order`; None where only a held row is known of it),
    `status` on both sides, what is `held` and what a person has `dismissed`, `links`, and its `timeline`. None if
    nothing is known of it. `found`: the shop and its account, None for a shop that is deleted. Buyers' data only with
    `personal`; sentences name times of day in the time zone `zone`."""
    order = dossier.order(engine, key, number, personal=personal)
    records = [one for one in held.listed(engine, key, dismissed=True) if one.number == number]
    if order is None and not records:
        return None
    roapp_id = order["roapp_id"] if order else None
    page = links.roapp_order(found.account.base_url, roapp_id) if found and roapp_id else None
    return {
        "shop": slug,
        "number": number,
        "order": order,
        "status": _statuses(engine, key, order, found),
        "held": [{**vars(one), "shop": slug} for one in records if one.dismissed_at is None],
        "dismissed": [{**vars(one), "shop": slug} for one in records if one.dismissed_at is not None],
        "links": {"roapp": page, "shop": links.shop_admin(found.shop.url) if found else None},
        "timeline": [
            {
                "at": one.at,
                "kind": str(one.kind),
                "text": timeline.words(one, zone),
                "run": one.run,
                "details": one.details,
            }
            for one in timeline.of_order(engine, key, number)
        ],
        "personal_data": personal,
    }


def facts(story: dict[str, Any], zone: str = "UTC") -> list[tuple[str, object]]:
    """Returns the head of the story, line by line: (what, value), with times in this time zone. Empty ones are left
    out."""
    order, status = story["order"], story["status"]
    if order is None:
        return [("order", "the ledger has it only as a row that can't be read")]
    contact = f"{order['contact_kind'] or 'contact'} {order['contact_id']}" if order["contact_id"] else ""
    lines: list[tuple[str, object]] = [
        ("number in the shop", order["number"]),
        ("order in RO App", links.roapp_name(order)),
        ("its page in RO App", story["links"]["roapp"]),
        ("the shop's admin", story["links"]["shop"]),
        ("placed", _stamp(order["created_at"], zone)),
        ("deleted in the shop", _stamp(order["gone_at"], zone)),
        ("buyer's data erased", _stamp(order["erased_at"], zone)),
        ("status in the shop", status["shop"]),
        ("status last agreed with RO App", status["roapp"]),
        ("total", f"{order['total']:.2f} {order['currency']}"),
        ("buyer in RO App", " – ".join(filter(None, (contact, order["contact_because"])))),
        ("delivery to RO App", order["delivery"]),
        ("next try", _stamp(order["next_try"], zone)),
    ]
    return [(what, value) for what, value in lines if value]


def unknown(slug: str, number: str) -> BadConfig:
    """Returns the error for an order of which the ledger knows nothing."""
    fix = "Give the number that the shop shows, in digits."
    if number.isdecimal():
        fix = (
            "Correct the number. If the shop has the order, bring it by a backfill "
            f"(`cartum-roapp backfill {slug} --ids {number}`)."
        )
    return BadConfig(f"the ledger knows no order {shortened(number)}.", shop=slug, field="number", fix=fix)


def _statuses(
    engine: Engine, key: str, order: dict[str, Any] | None, found: ShopSettings | None
) -> dict[str, str | None]:
    """Returns the order's status in the shop, and the one of RO App that was agreed on last, as far as names and the
    settings are known."""
    if order is None:
        return {"shop": None, "roapp": None}
    with engine.connect() as connection:
        names = shop_statuses.names(connection, key)
        theirs = roapp_statuses.names(connection, found.shop.account) if found else {}
    shop = names.get(str(order["status_id"])) or str(order["status_id"])
    sent = order["sent_status"]
    if sent is None:
        return {"shop": shop, "roapp": None}
    matched = found.shop.statuses.get(sent) if found else None
    named = f"{theirs[matched]} ({matched})" if matched in theirs else matched
    which = f"{named}, matched with " if matched is not None else "the one of "
    agreed = f"{which}{names.get(str(sent)) or sent}" if sent >= 0 else "the one of a deleted order"
    return {"shop": shop, "roapp": agreed}


def _stamp(moment: datetime | None, zone: str) -> str:
    return "" if moment is None else f"{moment.astimezone(zone_of(zone)):%Y-%m-%d %H:%M:%S %Z}"
