"""A person sets a shop's watermark back, so that the next sync reads orders again."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, update

from cartum_roapp.errors import BadConfig, NotReady
from cartum_roapp.ledger import shops as states
from cartum_roapp.ledger import standstill
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.ledger.tables import shops
from cartum_roapp.orders.zones import zone_of


def set_back(engine: Engine, shop: ShopState, typed: str, timezone: str) -> datetime:
    """Returns the new watermark (UTC). `typed` is in ISO 8601, without an offset by the shop's clock. While a run reads
    the shop it is waited for: its own watermark would undo this one.

    Raises BadConfig with the field `time` for what is no time, for one after the watermark (orders that were placed
    between would not be read), and for one in the window of the first import, whose Delivered orders were never to be
    taken. Raises NotReady before the first import.
    """
    wanted = _read(typed, timezone)
    with standstill.unread(engine, shop):
        now = states.state(engine, shop.key)
        if now.watermark is None or now.window_to is None:
            fix = f"Run it: `cartum-roapp import {now.slug}`."
            raise NotReady("the first import has not read its two months yet.", shop=now.slug, fix=fix)
        if wanted > now.watermark:
            raise BadConfig(
                f"{_shown(wanted)} is after the watermark, {_shown(now.watermark)}: "
                "orders placed between would be lost.",
                shop=now.slug,
                field="time",
                fix=f"`cartum-roapp sync {now.slug}` reads them and moves the watermark itself.",
            )
        if wanted < now.window_to:
            raise BadConfig(
                f"{_shown(wanted)} is before the end of the first import's window, {_shown(now.window_to)}.",
                shop=now.slug,
                field="time",
                fix=f"`cartum-roapp import {now.slug}` reads the window again, "
                f"`cartum-roapp backfill {now.slug} --from DAY --to DAY` what you name.",
            )
        with engine.begin() as connection:
            connection.execute(update(shops).where(shops.c.key == shop.key).values(watermark=wanted))
    return wanted


def _read(typed: str, timezone: str) -> datetime:
    try:
        read = datetime.fromisoformat(typed.strip())
        return (read if read.tzinfo else read.replace(tzinfo=zone_of(timezone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadConfig(
            f"{typed!r} is no time.", field="time", fix="Write it like 2026-01-31T12:00, or 2026-01-31T10:00Z for UTC."
        ) from None


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
