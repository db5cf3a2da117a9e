"""The life of a shop in the ledger: its frozen import window, its watermark, its pause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from cartum_roapp.errors import BadConfig, NotReady
from cartum_roapp.ledger import database
from cartum_roapp.ledger.tables import (
    accounts,
    shops,
)


@dataclass(frozen=True)
class ShopState:
    """Where a shop stands. All times are UTC; `window_*` never change once set."""

    key: str
    slug: str
    account: str
    name: str
    timezone: str
    paused_because: str | None
    window_from: datetime | None
    window_to: datetime | None
    stored_until: datetime | None
    window_stored_at: datetime | None
    watermark: datetime | None
    statuses_read_to: datetime | None


#: The reason of a pause: a person made it.
BY_HAND = "Paused by hand."

_STATE = [shops.c[field] for field in ShopState.__dataclass_fields__]


def two_months_before(moment: datetime, timezone: str) -> datetime:
    """The same day and time of day two calendar months earlier on the shop's clock (design §1): the
    31st becomes the last day of a shorter month. Takes and returns aware times."""
    import pandas as pd  # slow to import, and most commands never need it

    local = pd.Timestamp(moment).tz_convert(ZoneInfo(timezone)).tz_localize(None)
    earlier = (local - pd.DateOffset(months=2)).tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
    return earlier.tz_convert("UTC").to_pydatetime()


def register(
    engine: Engine,
    *,
    key: str,
    slug: str,
    account: str,
    name: str = "",
    timezone: str = "UTC",
    retention_days: int | None = None,
    revive: bool = True,
) -> ShopState:
    """Makes the shop known, or known again under this slug. What the ledger knows of it stays.

    Idempotent. Raises BadConfig when the slug belongs to another live shop and, without `revive`, when the
    shop was deleted: a run that read its settings just before must not bring it back.
    """
    with engine.begin() as connection:
        other = connection.scalar(
            select(shops.c.key).where(shops.c.slug == slug, shops.c.key != key, shops.c.deleted_at.is_(None))
        )
        if other is not None:
            fix = f"Choose another one, or end that shop (`cartum-roapp shop delete {slug}`)."
            raise BadConfig("this name belongs to another shop.", shop=slug, field="slug", fix=fix)
        connection.execute(insert(accounts).values(name=account).on_conflict_do_nothing())
        named = {
            "slug": slug, "account": account, "name": name, "timezone": timezone, "retention_days": retention_days,
        }  # fmt: skip
        differs = [shops.c[column].is_distinct_from(value) for column, value in named.items()]
        changed = or_(shops.c.deleted_at.is_not(None), *differs)
        if not revive:
            changed = and_(changed, shops.c.deleted_at.is_(None))
        row = insert(shops).values(key=key, **named)
        connection.execute(
            row.on_conflict_do_update(
                index_elements=[shops.c.key],
                set_={**named, "deleted_at": None},
                where=changed,
            )
        )
    return state(engine, key)


def account(connection: Connection, key: str) -> str | None:
    """Returns the account in which the ledger has the shop; None for an unknown one."""
    return connection.scalar(select(shops.c.account).where(shops.c.key == key))


def state(engine: Engine, key: str) -> ShopState:
    """Raises BadConfig for a shop that was never registered, or that is deleted."""
    with database.reading(engine) as connection:
        row = connection.execute(select(*_STATE).where(shops.c.key == key, shops.c.deleted_at.is_(None))).one_or_none()
        if row is None:
            raise _gone(connection, key)
    return ShopState(**row._mapping)


def hold_on(connection: Connection, key: str) -> None:
    """Keeps the shop from being purged until the caller's transaction ends. Raises BadConfig where it is deleted
    already."""
    there = select(shops.c.key).where(shops.c.key == key, shops.c.deleted_at.is_(None))
    if connection.scalar(there.with_for_update(read=True, key_share=True)) is None:
        raise _gone(connection, key)


def _gone(connection: Connection, key: str) -> NotReady:
    slug = connection.scalar(select(shops.c.slug).where(shops.c.key == key))
    if slug is None:
        fix = "Connect it in the console, or with `cartum-roapp shop add`."
        return NotReady("the ledger does not know this shop, or not any more.", shop=key, fix=fix)
    fix = f"Connect it again if that was a mistake: in the console, or with `cartum-roapp shop add {slug}`."
    return NotReady("this shop was deleted.", shop=slug, fix=fix)


def without_settings(slug: str) -> BadConfig:
    """Returns what is wrong with a connected shop of which Prefect has no block."""
    again = "Connect it again, in the console or with `cartum-roapp shop apply FILE`"
    fix = f"{again}; or end it: `cartum-roapp shop delete {slug}`."
    return BadConfig("Prefect has no settings of it.", shop=slug, field="slug", fix=fix)


def is_known(connection: Connection, key: str) -> bool:
    """Whether the ledger has this shop, deleted or not; it is not purged before the transaction ends."""
    query = select(shops.c.key).where(shops.c.key == key).with_for_update(read=True, key_share=True)
    return connection.scalar(query) is not None


def all_states(engine: Engine) -> list[ShopState]:
    """Every shop that is connected, by slug."""
    with database.reading(engine) as connection:
        rows = connection.execute(select(*_STATE).where(shops.c.deleted_at.is_(None)).order_by(shops.c.slug))
        return [ShopState(**row._mapping) for row in rows]


def of_account(engine: Engine, account: str) -> dict[str, ShopState]:
    """The connected shops of an account, by key."""
    with database.reading(engine) as connection:
        known = select(*_STATE).where(shops.c.deleted_at.is_(None), shops.c.account == account)
        return {row.key: ShopState(**row._mapping) for row in connection.execute(known)}


def names(connection: Connection, account: str) -> dict[str, str]:
    """The names of the connected shops of an account, by key."""
    known = select(shops.c.key, shops.c.name).where(shops.c.deleted_at.is_(None), shops.c.account == account)
    return {row.key: row.name for row in connection.execute(known)}


def freeze_window(engine: Engine, key: str, now: datetime, timezone: str) -> ShopState:
    """Sets the window of the first import at its first start; afterwards it only reads it.

    Two starts at once agree: the first one's window stands.
    """
    with engine.begin() as connection:
        start = two_months_before(now, timezone)
        connection.execute(
            update(shops)
            .where(shops.c.key == key, shops.c.window_to.is_(None))
            .values(window_from=start, window_to=now, stored_until=start)
        )
    return state(engine, key)


def mark_slice_stored(connection: Connection, key: str, until: datetime) -> None:
    """Moves the import's cursor to `until` (UTC), in the transaction that stores the slice. It never moves back."""
    connection.execute(update(shops).where(shops.c.key == key, shops.c.stored_until < until).values(stored_until=until))


def mark_window_stored(connection: Connection, key: str) -> None:
    """Notes that all of the window is in the ledger: from now on the incremental sync reads, starting at the window's
    end, which lies before the first read of the import. Idempotent."""
    connection.execute(
        update(shops)
        .where(shops.c.key == key, shops.c.window_stored_at.is_(None))
        .values(window_stored_at=func.now(), watermark=shops.c.window_to)
    )


def move_watermark(connection: Connection, key: str, read_started_at: datetime) -> None:
    """The watermark is the start of the last complete read; it never moves back, except from the future, where a clock
    that was ahead has left it."""
    earlier = (shops.c.watermark < read_started_at) | (shops.c.watermark > datetime.now(UTC))
    connection.execute(update(shops).where(shops.c.key == key, earlier).values(watermark=read_started_at))


def mark_statuses_read(connection: Connection, key: str, until: datetime | None) -> None:
    """Notes that RO App's changes of orders were read up to `until`, a moment of its clock (UTC), which never moves
    back. None: forgets how far they were read."""
    known = shops.c.statuses_read_to
    is_news = known.is_not(None) if until is None else known.is_(None) | (known < until)
    connection.execute(update(shops).where(shops.c.key == key, is_news).values(statuses_read_to=until))


def pause(engine: Engine, key: str) -> None:
    """Remembers that a person has stopped the shop's schedule; nobody else does. Idempotent."""
    with engine.begin() as connection:
        connection.execute(update(shops).where(shops.c.key == key).values(paused_because=BY_HAND))


def lift_pause(engine: Engine, key: str) -> None:
    """Ends the pause. Idempotent."""
    with engine.begin() as connection:
        connection.execute(update(shops).where(shops.c.key == key).values(paused_because=None))


def with_orders(
    connection: Connection, account: str, key: str, placed: Mapping[str, datetime]
) -> list[tuple[str, bool]]:
    """Returns (slug, whether it is connected) of the account's other shops that have these orders: number → when it was
    placed, naive, on the clock of a zone that need not be known. Those that a shop has must all be the same."""
    values = {"account": account, "key": key, "numbers": list(placed), "stamps": list(placed.values())}
    return [(row.slug, row.connected) for row in connection.execute(text(_WITH_ORDERS), values)]


def keys_of(engine: Engine, slug: str) -> list[str]:
    """The keys of the shops that have or had this slug and whose history is here."""
    with database.reading(engine) as connection:
        return list(connection.scalars(select(shops.c.key).where(shops.c.slug == slug).order_by(shops.c.key)))


# Offsets of zones are quarters of an hour, at most fourteen hours.
_WITH_ORDERS = """
    SELECT shops.slug, shops.deleted_at IS NULL AS connected
    FROM unnest(CAST(:numbers AS text[]), CAST(:stamps AS timestamp[])) AS placed (number, stamp)
    JOIN orders USING (number) JOIN shops ON shops.key = orders.shop,
    LATERAL (SELECT extract(epoch FROM created_at - stamp AT TIME ZONE 'UTC') AS seconds) apart
    WHERE shops.account = :account AND shops.key <> :key
    GROUP BY shops.key HAVING bool_and(mod(seconds, 900) = 0 AND abs(seconds) <= 50400)
    ORDER BY shops.slug
"""
