"""A shop, an RO App account and a ledger, put together without Prefect: the stories of the flows, as they ship."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import psycopg2
from pydantic import SecretStr
from sqlalchemy import DateTime, Engine, NullPool, create_engine, make_url, text

from cartum_roapp.errors import BadConfig, BadRecord, NotNow, Retryable, Unclear
from cartum_roapp.ledger import (
    agreed,
    database,
    deleted_shops,
    held,
    held_selection,
    shop_statuses,
    tables,
)
from cartum_roapp.ledger.lock_session import LockLost
from cartum_roapp.orders import buyers
from cartum_roapp.orders.companies import comparable, read_company
from cartum_roapp.orders.phone_field import read_field
from cartum_roapp.orders.phones import e164
from cartum_roapp.orders.texts import clean
from cartum_roapp.settings import Settings
from cartum_roapp.shops import AccountConfig, ShopConfig, ShopSettings, shop_key
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.selection import selection
from flows.backfill import bring_selection
from flows.incremental_sync import sync_changes
from flows.initial_import import import_window
from flows.reconcile import compare_sides
from flows.replay_held import replay_records
from flows.resend_orders import agree_anew, send_orders_again
from sandbox import Sandbox
from tasks.run import recorded

# What each status of the sandbox's shop is called in its RO App, by what it means.
_SAME = {1: 0, 2: 1, 3: 7, 4: 8, 6: 6, 7: 3, 8: 2}

#: Times that say what a shop's orders are, or which of them were read.
_SHOPS = {
    "created_at", "window_from", "window_to", "stored_until", "watermark", "statuses_read_to", "stored_from",
    "since", "until",
}  # fmt: skip

#: How a run may end that meets a fault; what is unexpected is a defect.
FORESEEN = (Retryable, Unclear, BadRecord, BadConfig, LockLost, NotNow)

#: Seconds: what is put off for longer is left to a later sync of the test.
LONGEST_MOMENT = 10.0
#: A call without an answer is sent five times at most, and looked for before each.
MOST_SYNCS = 15

Row = dict[str, Any]
Kind = Literal["lost", "doubled", "other"]
Finding = tuple[Kind, str]


@dataclass
class Toll:
    """What a fault cost: things of the shop that are not in RO App, things that are there twice, and whatever else
    differs. Sums up over many tries with `+=`."""

    tried: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Toll:
        found = list(findings)
        kinds = Counter(kind for kind, _ in found)
        return cls(1, kinds["lost"], kinds["doubled"], [text for _, text in found])

    def __iadd__(self, other: Toll) -> Toll:
        self.tried += other.tried
        self.lost += other.lost
        self.doubled += other.doubled
        self.wrong += other.wrong
        return self


class World:
    """`imported()` and `synced()` run the stories of the two flows. `changes` are settings."""

    def __init__(self, box: Sandbox, url: str, **changes: Any) -> None:
        self.box = box
        self.url = url
        self.engine: Engine = database.connect(url)
        database.migrate(self.engine)
        fast: dict[str, Any] = {
            "http_timeout": 2.0, "unclear_wait": 0.3, "recheck_after": 1.0, "roapp_interval": 0.0, "retries": 4,
            "retry_base": 0.05, "database_url": None,
        }  # fmt: skip
        self.settings = Settings().model_copy(update={**fast, **changes})
        #: The shops' settings as they are stored, by slug: what a run is given is stored before it begins.
        self.stored: dict[str, ShopConfig] = {}
        self.broken: dict[str, BadConfig] = {}
        self.unreadable = False
        self.reads = 0
        #: By what orders named their buyers that name them otherwise now, or are gone.
        self.named: list[set[str]] = []
        #: How many syncs there were for what was put off for a moment.
        self.followed = 0

    @classmethod
    @contextmanager
    def of(cls, url: str, *, settings: Row | None = None, **switches: Any) -> Iterator[World]:
        """A world with a sandbox of its own, small and without a rate limit unless `switches` say otherwise."""
        with Sandbox(**{"orders": 12, "delivered": 2, "older": 1, "seed": 11, "rate_limit": 0, **switches}) as box:
            world = cls(box, url, **(settings or {}))
            try:
                yield world
            finally:
                world.engine.dispose()

    def shop(self, index: int = 0, **changes: Any) -> ShopConfig:
        box = self.box.shops[index]
        roapp = self.box.roapp
        statuses = sorted(roapp.statuses)
        values: Row = {
            "slug": f"shop-{index + 1}", "key": shop_key(box.url), "name": box.name, "url": box.url,
            "login": box.login, "password": SecretStr(box.password), "timezone": "Europe/Kyiv", "account": "main",
            "location_id": sorted(roapp.locations)[0], "order_type_id": sorted(roapp.order_types)[0],
            "language": "ua", "identify_products_by": "code",
            "statuses": {ours: statuses[theirs] for ours, theirs in _SAME.items()},
        }  # fmt: skip
        return ShopConfig.model_validate({**values, **changes})

    def found(self, shop: ShopConfig) -> ShopSettings:
        account = AccountConfig(
            name="main",
            base_url=self.box.roapp.base_url,
            api_key=SecretStr(self.box.roapp.api_key),
            fingerprint=str(self.box.roapp.company["created_at"]),
        )
        return ShopSettings(shop=shop, account=account)

    def run(self, kind: str, shop: ShopConfig, *others: ShopConfig) -> Run:
        self.stored |= {one.slug: one for one in (shop, *others)}

        async def stored(slugs: Collection[str]) -> dict[str, ShopConfig | BadConfig]:
            self.reads += 1
            if self.unreadable:
                raise Retryable("nobody answers.")
            return {slug: found for slug in slugs if (found := self.broken.get(slug) or self.stored.get(slug))}

        return Run.of(self.found(shop), kind, self.engine, self.settings, str(uuid.uuid4()), stored)

    def imported(self, shop: ShopConfig | None = None, *others: ShopConfig) -> Run:
        return asyncio.run(self.import_(shop or self.shop(), *others))

    def synced(self, shop: ShopConfig | None = None, *others: ShopConfig, rest: timedelta = timedelta(0)) -> Run:
        return asyncio.run(self.sync(shop or self.shop(), *others, rest=rest))

    def forget(self, shop: ShopConfig | None = None) -> None:
        """What `cartum-roapp shop delete --purge` does to the ledger."""
        deleted_shops.forget(self.engine, (shop or self.shop()).key, purge=True)

    def placed(self, *articles: tuple[str, int], less: str = "0", **fields: Any) -> str:
        """The number of a new order of these articles, with a coupon of an amount and no other discount."""
        shop = self.box.shops[0]
        number = shop.place_order(articles=list(articles), **fields)
        gross = sum(Decimal(str(line["total_price"])) for line in shop.orders[number]["products"])
        totals = {"total_default": float(gross), "total_sum": float(gross - Decimal(less))}
        shop.edit(number, **totals, coupon_code="SALE", coupon_percent=0, discount_percent=0)
        return number

    def total(self, number: str) -> Decimal:
        """An order's total in RO App."""
        return Decimal(self.roapp_order(number)["total"])

    def reconciled(self, shop: ShopConfig | None = None, *, repair: bool = False, **more: bool) -> Row:
        """The document of `cartum-roapp reconcile`."""
        return asyncio.run(self.reconcile(shop or self.shop(), repair, **more))

    @asynccontextmanager
    async def opened(self, kind: str, shop: ShopConfig, *others: ShopConfig) -> AsyncIterator[Run]:
        """A run as the flows open it, with its record in the ledger."""
        async with recorded(self.run(kind, shop, *others)) as run:
            yield run

    async def import_(self, shop: ShopConfig, *others: ShopConfig) -> Run:
        async with self.opened("initial-import", shop, *others) as run:
            await import_window(run)
        return run

    async def sync(self, shop: ShopConfig, *others: ShopConfig, rest: timedelta = timedelta(0)) -> Run:
        """`rest`: how long it goes on with what an import left behind. What is put off for a moment follows with the
        next sync, as by the schedule; returns the last one."""
        for _ in range(MOST_SYNCS):
            async with self.opened("incremental-sync", shop, *others) as run:
                follows = "follow" in await sync_changes(run, rest)
            if not follows or not await self.falls_due(shop):
                return run
            self.followed += 1
        raise AssertionError(f"orders are put off again and again: {MOST_SYNCS} syncs")

    async def falls_due(self, shop: ShopConfig) -> bool:
        """Waits for what is put off for a moment; False where all of it is put off for longer."""
        query = (
            "SELECT extract(epoch FROM min(available_at) - now()) FROM outbox WHERE shop = :shop AND NOT held "
            "AND wanted_version > delivered_version"
        )
        seconds = self.value(query, shop=shop.key)
        if seconds is None or seconds > LONGEST_MOMENT:
            return False
        await asyncio.sleep(max(0.0, float(seconds)))
        return True

    def replayed(self, *ids: str, shop: ShopConfig | None = None, make_again: bool = False, **named: Any) -> list[Row]:
        """What became of each record."""
        return asyncio.run(self.replay(shop or self.shop(), ids, make_again=make_again, **named))

    async def replay(self, shop: ShopConfig, ids: Sequence[str], *, make_again: bool, **named: Any) -> list[Row]:
        records = held_selection.find(self.engine, shop.key, ids, make_again=make_again, **named)
        async with self.opened("replay-held", shop) as run:
            document = await replay_records(run, records, make_again=make_again)
        return list(document["records"])

    async def resend(self, shop: ShopConfig, numbers: Sequence[str]) -> list[Row]:
        """What became of each order; without `numbers` of all."""
        async with self.opened("resend-orders", shop) as run:
            document = await (send_orders_again(run, numbers) if numbers else agree_anew(run))
        return list(document["resent"])

    def backfilled(self, shop: ShopConfig | None = None, *, dry_run: bool = False, **named: Any) -> Row:
        """The document of `cartum-roapp backfill`; `named` are days, statuses and numbers, as `backfill` takes them."""
        return asyncio.run(self.backfill(shop or self.shop(), dry_run=dry_run, **named))

    async def backfill(
        self, shop: ShopConfig, *, since: date | None = None, until: date | None = None,
        statuses: Sequence[str] = (), numbers: Sequence[str] = (), dry_run: bool = False,
    ) -> Row:  # fmt: skip
        wanted = selection(shop, since, until, statuses, numbers, shop_statuses.named(self.engine, shop.key))
        async with self.opened("backfill", shop) as run:
            return await bring_selection(run, wanted, dry_run=dry_run)

    async def reconcile(self, shop: ShopConfig, repair: bool, **more: bool) -> Row:
        async with self.opened("reconcile", shop) as run:
            return await compare_sides(run, repair=repair, **more)

    # What a person would see in RO App.

    def roapp_orders(self, shop: ShopConfig) -> dict[str, list[Row]]:
        """Shop order number → the RO App orders that carry its marker."""
        prefix = f"{shop.key}:"
        found = self.box.roapp.orders_by_marker()
        return {marker.removeprefix(prefix): rows for marker, rows in found.items() if marker.startswith(prefix)}

    def roapp_order(self, number: str, shop: ShopConfig | None = None) -> Row:
        (order,) = self.roapp_orders(shop or self.shop())[number]
        return order

    def roapp_items(self, number: str, shop: ShopConfig | None = None) -> list[Row]:
        """The lines of the order that are worth something: (code, price, quantity) beside RO App's own fields."""
        items = self.box.roapp.items[self.roapp_order(number, shop)["id"]]
        return [item for item in items if Decimal(str(item["quantity"]))]

    def held(self, shop: ShopConfig | None = None) -> dict[tuple[str, str], str]:
        """(entity, id) → code of what is visibly held."""
        return {(one.entity, one.id): one.code for one in held.listed(self.engine, (shop or self.shop()).key)}

    def made_contacts(self) -> list[Row]:
        roapp = self.box.roapp
        return [row for id_, row in roapp.contacts.items() if id_ not in roapp.seeded["contacts"]]

    def made_organizations(self) -> list[Row]:
        roapp = self.box.roapp
        return [row for id_, row in roapp.organizations.items() if id_ not in roapp.seeded["organizations"]]

    def made_products(self) -> list[Row]:
        roapp = self.box.roapp
        return [row for id_, row in roapp.products.items() if id_ not in roapp.seeded["products"]]

    def differences(
        self, shop: ShopConfig, numbers: Sequence[str], index: int = 0, left_out: Collection[str] = ()
    ) -> list[str]:
        """What is lost, doubled or different in RO App, of these shop orders; [] when all is well. Of those `left_out`
        nothing is known: they may be there or not."""
        return [text for _, text in self._findings(shop, numbers, index, left_out)]

    def toll(self, shop: ShopConfig, numbers: Sequence[str], index: int = 0, left_out: Collection[str] = ()) -> Toll:
        """The same, counted: a held order is not lost, because a person sees it."""
        held = {id for entity, id in self.held(shop) if entity in ("order", "row")}
        return Toll.of(self._findings(shop, numbers, index, {*held, *left_out}))

    def _findings(
        self, shop: ShopConfig, numbers: Sequence[str], index: int, left_out: Collection[str]
    ) -> Iterator[Finding]:
        roapp = self.box.roapp
        orders = self.roapp_orders(shop)
        looked_at = [number for number in numbers if number not in left_out]
        for number in looked_at:
            if (times := len(orders.get(number, []))) != 1:
                yield "doubled" if times else "lost", f"{number} is in RO App {times} times"
        expected = {*numbers, *left_out}
        yield from (("other", f"{number} should not be in RO App") for number in orders if number not in expected)
        for kind, groups in roapp.duplicates().items():
            if kind != "orders":  # of this shop they are counted above
                yield from (("doubled", f"doubled {kind}: {ids}") for ids in groups.values())
        yield from (("doubled", f"a second contact for {one}") for one, n in self._unnumbered().items() if n > 1)
        yield from (("other", f"RO App found odd: {oddity}") for oddity in roapp.oddities)
        for number in looked_at:
            for order in orders.get(number, []):
                row = self.box.shops[index].orders[number]
                yield from ((kind, f"{number}: {what}") for kind, what in self._wrong(shop, row, order))

    def _unnumbered(self) -> Counter[tuple[str, str]]:
        """Contacts that we made without a phone, by e-mail and marker: `duplicates()` looks at phones alone."""
        without = [row for row in self.made_contacts() if not row["phones"]]
        return Counter((row["email"], row["email"] or row["notes"]) for row in without)

    def _wrong(self, shop: ShopConfig, row: Row, order: Row) -> Iterator[Finding]:
        roapp = self.box.roapp
        number = str(row["order_id"])
        there, wanted = self._there(order, row), _wanted(row)
        if _is_discounted(row):  # then goods are compared, and the total below
            there, wanted = _without_prices(there), _without_prices(wanted)
        for line in there.keys() | wanted.keys():
            if there[line] != wanted[line]:
                kind: Kind = "lost" if there[line] < wanted[line] else "doubled"
                yield kind, f"line {line}: {there[line]} instead of {wanted[line]}"
        status = shop.statuses.get(int(row["stat_status"]))
        if order["status_id"] != status:
            yield "lost", f"status {order['status_id']} instead of {status}"
        if Decimal(order["total"]) != Decimal(str(row["total_sum"])) and ("total", number) not in self.held(shop):
            yield "other", f"the total is {order['total']} instead of {row['total_sum']}"
        comments = Counter(one["comment"] for one in roapp.comments_of(order["id"]))
        yield from (("doubled", f"a comment {count} times") for count in comments.values() if count > 1)
        phone = e164(row.get("delivery_phone"), "UA")
        client = roapp.contacts.get(order["client_id"]) or roapp.organizations.get(order["client_id"])
        if client is None:
            yield "lost", "its contact is gone"
        elif phone and phone not in roapp.faults.refused_phones and not self._is_of_buyer(row, client):
            yield "other", "its contact is somebody else"
        waybill = (row.get("delivery_data") or {}).get("tnNumber") or ""
        if waybill not in order["manager_notes"]:
            yield "lost", "the waybill is not in the notes"

    def _is_of_buyer(self, row: Row, client: Row) -> bool:
        """Whether the contact shows a phone, an address or a number of the order, or of another order that shares or
        shared one with it: what RO App has of a contact is never changed."""
        shown = {*(e164(one["phone"], "UA") for one in client["phones"]), (client["email"] or "").lower()}
        shown |= {
            comparable(client.get(f"{name}_number") or "") for name in ("business_registration", "tax_identification")
        }
        rest = [*self.named, *(named(one) for shop in self.box.shops for one in shop.orders.values())]
        names, found = named(row), True
        while found and names.isdisjoint(shown):
            found = [one for one in rest if not one.isdisjoint(names)]
            rest = [one for one in rest if one.isdisjoint(names)]
            names = names.union(*found)
        return not names.isdisjoint(shown)

    def _there(self, order: Row, row: Row) -> Counter[tuple[str, Decimal]]:
        """(product, unit price) → summed quantity of RO App's order, named as the shop names it."""
        found: Counter[tuple[str, Decimal]] = Counter()
        for item in self.box.roapp.items[order["id"]]:
            product = self.box.roapp.products.get(item["entity_id"], {"title": f"entity {item['entity_id']}"})
            codes = [one["code"] for one in product.get("barcodes", ())]
            known = {product.get("code"), product.get("sku"), clean(product["title"]), *codes}
            name = next((one for line in row["products"] if (one := _product(line)) in known), None)
            if name is None:
                gtins = {good.gtin: good.article for shop in self.box.shops for good in shop.goods if good.gtin}
                titles = {clean(good.title("ua")): good.article for shop in self.box.shops for good in shop.goods}
                name = next((gtins.get(one) or titles.get(one) for one in known if one in gtins or one in titles), None)
            found[name or str(product["title"]), Decimal(str(item["price"]))] += Decimal(str(item["quantity"]))  # type: ignore[assignment]
        return +found

    def value(self, query: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(text(query), values)

    def a_day_later(self) -> None:
        """What both sides said of their products was said more than a day ago."""
        with self.engine.begin() as connection:
            for name in ("product_writes_at", "catalogue_read_at"):
                connection.execute(text(f"UPDATE accounts SET {name} = {name} - interval '25 hours'"))
            connection.execute(text("UPDATE products SET read_at = read_at - interval '25 hours'"))

    def later(self, by: timedelta) -> None:
        """Lets so much time pass, as far as the ledger is concerned: all that it has noted happened earlier."""
        with self.engine.begin() as connection:
            for table in tables.metadata.sorted_tables:
                moments = [
                    one.name for one in table.columns if isinstance(one.type, DateTime) and one.name not in _SHOPS
                ]
                if moments:
                    earlier = ", ".join(f"{name} = {name} - :by" for name in moments)
                    connection.execute(text(f"UPDATE {table.name} SET {earlier}"), {"by": by})

    # Ledgers that are lost, or whose connection is.

    def copied(self, name: str) -> str:
        """The URL of a copy of the ledger as it stands, as a restored dump would be. The caller drops it."""
        self.engine.dispose()
        own = make_url(self.url)
        server = own.set(database="postgres").render_as_string(hide_password=False)
        admin(server, f'CREATE DATABASE "{name}" TEMPLATE "{own.database}"')
        return own.set(database=name).render_as_string(hide_password=False)

    def restored(self) -> None:
        """What `restore` does with the ledger that it has loaded."""
        with self.engine.begin() as connection:
            connection.execute(text(agreed.FORGET_ALL))

    def purged(self) -> None:
        """The ledger as it is right after its installation."""
        names = [name for name in tables.metadata.tables if name != "alembic_version"]
        with self.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {', '.join(names)} CASCADE"))

    def cut_locks(self) -> None:
        """Ends the connections that hold an advisory lock, and waits until the server is through with them."""
        held = (
            "FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        engine = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"SELECT pg_terminate_backend(pid) {held}"))
            while connection.scalar(text(f"SELECT count(*) {held}")):
                time.sleep(0.01)


def named(row: Row) -> set[str]:
    """By what the shop's order names its buyer."""
    company = read_company(row.get("customer_details"))
    phones = [phone.number for phone in read_field(row.get("delivery_phone"), "UA").phones]
    numbers = [comparable(company.registration), comparable(company.tax)] if company.name else []
    return {*phones, buyers.email(row.get("delivery_email")), *numbers} - {""}


def _product(line: Row) -> str:
    return clean(line["article"]) or clean(line["title"])


def _wanted(row: Row) -> Counter[tuple[str, Decimal]]:
    """(product, unit price) → summed quantity of the shop's order."""
    found: Counter[tuple[str, Decimal]] = Counter()
    for line in row["products"]:
        found[_product(line), Decimal(str(line["price"]))] += Decimal(str(line["quantity"]))  # type: ignore[assignment]
    return found


def _is_discounted(row: Row) -> bool:
    """Whether unit prices carry a discount of the order."""
    off = sum(price * quantity for (_, price), quantity in _wanted(row).items()) - Decimal(str(row["total_sum"]))
    return off != 0


def _without_prices(lines: Counter[tuple[str, Decimal]]) -> Counter[tuple[str, Decimal]]:
    found: Counter[tuple[str, Decimal]] = Counter()
    for (product, _), quantity in lines.items():
        found[product, Decimal(0)] += quantity
    return found


def admin(url: str, statement: str) -> None:
    """Runs a statement that no transaction may hold, such as CREATE DATABASE, on the server of this URL."""
    server = psycopg2.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(statement)
    finally:
        server.close()
