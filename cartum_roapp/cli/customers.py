"""`cartum-roapp customer erase`: removes one buyer's personal data from the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cartum_roapp.cli.arguments import Slug, example, missing
from cartum_roapp.cli.confirmation import confirm
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, local, show

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from cartum_roapp.ledger.erasure import Buyer, Named

app = typer.Typer(
    help="Buyers' personal data in the ledger.",
    epilog=example("customer erase my-shop +380671234567"),
    no_args_is_help=True,
)

_STAYS = "The shop and RO App keep what they have."
#: Of the database's files.
_FREED = (
    "PostgreSQL's files kept it in dead rows and in the log (WAL) until vacuum and checkpoint: both were run, and that "
    "space is now overwritten with time."
)
_WAITS = (
    "PostgreSQL's files keep it in dead rows and in the log (WAL) until vacuum and checkpoint: the tables were "
    "vacuumed, but this role may make no checkpoint (GRANT pg_checkpoint), so the log keeps it until the server's own."
)
_NAME_ONE = "name the buyer by the number of an order, a phone with its country code, or an e-mail address"


Who = Annotated[
    str, typer.Argument(metavar="PHONE|EMAIL|NUMBER", help="The buyer's phone or e-mail, or one of their orders.")
]


@app.command("erase", epilog=example("customer erase my-shop +380671234567"))
def erase(
    slug: Slug,
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    json: Json = False,
) -> None:
    """Remove one buyer's personal data from the ledger: from all their orders in this shop, and from held rows.

    The shop and RO App keep what they have. Asks for confirmation. If you answer no, nothing is erased and the command
    ends with 1.
    """
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.ledger import erasure, shops
    from cartum_roapp.service import ledger

    with serving(), ledger.opened() as engine:
        keys = shops.keys_of(engine, slug)
        if not keys:
            raise missing(slug)
        named, value, region = _named(engine, slug, keys, who.strip())
        with engine.connect() as connection:
            orders, rows = _counts(_found(connection, slug, keys, named, value, region))
        what = f"{len(orders)} orders and {rows} held rows"
        confirm(f"Erase this buyer's data, {what} of {slug}?", yes=yes, doing="Erasing", done="erased")
        with engine.begin() as connection:
            found = _found(connection, slug, keys, named, value, region)
            for key, buyer in found.items():
                erasure.erase(connection, key, buyer, named)
        is_checkpointed = erasure.overwrite(engine)
    orders, rows = _counts(found)
    document = {
        "shop": slug, "erased": True, "named": named, "orders": orders, "rows": rows, "checkpoint": is_checkpointed
    }  # fmt: skip
    files = _FREED if is_checkpointed else _WAITS
    show(document, lambda: f"The buyer's data is erased: {len(orders)} orders and {rows} held rows. {files} {_STAYS}")


def _named(engine: Engine, slug: str, keys: Sequence[str], who: str) -> tuple[Named, str, str | None]:
    """Returns how the buyer was named, the value in the ledger's form, and the shop's country. An order's number has
    priority over a phone of the same digits."""
    from cartum_roapp.ledger import erasure
    from cartum_roapp.orders import buyers, phones

    region = asyncio.run(_region(slug))
    if email := buyers.email(who):
        return "email", email, region
    with engine.connect() as connection:
        if any(erasure.is_number(connection, key, who) for key in keys):
            return "number", who, region
    if phone := phones.e164(who, region):
        return "phone", phone, region
    raise CommandEnd(
        BAD_INPUT, f"This is neither a phone, nor an e-mail address, nor a known order of {slug}.", fix=_NAME_ONE
    )


async def _region(slug: str) -> str | None:
    """Returns the shop's country; None if the shop is deleted or can't be used as it is stored: then only international
    spellings of phones are read."""
    from blocks.store import find_shop
    from cartum_roapp.orders.zones import country_of
    from cartum_roapp.shops import ShopConfig

    config = await find_shop(slug)
    return config.phone_region or country_of(config.timezone) if isinstance(config, ShopConfig) else None


def _found(
    connection: Connection, slug: str, keys: Sequence[str], named: Named, value: str, region: str | None
) -> Mapping[str, Buyer]:
    """Returns the buyer's data by the shop's key. Ends the command if nothing can be erased."""
    from cartum_roapp.ledger import erasure

    found = {key: erasure.find(connection, key, named, value, region) for key in keys}
    if not any(buyer.orders or buyer.rows for buyer in found.values()):
        since = [at for key in keys if named == "number" and (at := erasure.erased_at(connection, key, value))]
        if since:
            raise CommandEnd(BAD_INPUT, f"The buyer of this order was erased on {local(since[0])}.", fix=_NAME_ONE)
        raise _nothing(slug)
    if any(buyer.contacts > 1 for buyer in found.values()):
        fix = "name one of them by phone or by the number of an order"
        raise CommandEnd(BAD_INPUT, "Several buyers have this e-mail address.", fix=fix)
    if busy := [number for buyer in found.values() for number in buyer.busy]:
        fix = (
            "finish the open ones in the shop, dismiss the held ones "
            f"(`cartum-roapp held list {slug}`), wait for the next sync, then repeat"
        )
        raise CommandEnd(BAD_INPUT, f"These orders are still open, or not yet in RO App: {', '.join(busy)}.", fix=fix)
    return found


def _nothing(slug: str) -> CommandEnd:
    return CommandEnd(BAD_INPUT, f"The ledger has no data about this buyer in {slug}.", fix=_NAME_ONE)


def _counts(found: Mapping[str, Buyer]) -> tuple[list[str], int]:
    """Returns the numbers of the orders, and the number of held rows."""
    return [number for buyer in found.values() for number in buyer.orders], sum(len(one.rows) for one in found.values())
