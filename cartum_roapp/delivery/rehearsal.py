"""A delivery that sends nothing: the way of each order through the very code that delivers it, on a copy of the ledger
and with an RO App that notes what would be written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, text

from cartum_roapp.apis.calls import Calls
from cartum_roapp.config import AccountConfig, ShopConfig
from cartum_roapp.delivery.account import Progress, connected
from cartum_roapp.delivery.company import check_company
from cartum_roapp.delivery.doubt import Later, Timeouts
from cartum_roapp.delivery.drain import AHEAD, IN_FLIGHT
from cartum_roapp.delivery.dry_roapp import DryRoApp, Write, writes
from cartum_roapp.delivery.order import OrderDelivery
from cartum_roapp.delivery.search import Buyer
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.totals import AT_ONCE
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import desired, held, matches, outbox
from cartum_roapp.ledger.outbox import Claim
from cartum_roapp.ledger.slots import CallSlots
from cartum_roapp.settings import Settings


@dataclass
class Rehearsed:
    """What a delivery would do with one order. `action`: create, adopt (an RO App order that carries its marker),
    change, nothing, held, wait (an earlier call may still arrive). `held`: why it, its status or a line would be held:
    entity, code, message, fix."""

    number: str
    action: str
    roapp_id: int | None = None
    writes: list[Write] = field(default_factory=list)
    held: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Rehearsal:
    """The delivery of one shop's orders on `scratch`, a copy of the ledger; `engine` is the ledger itself, whose call
    budget it keeps. It needs no lock: nothing is sent. `calls` counts its reads."""

    engine: Engine
    scratch: Engine
    account: AccountConfig
    shop: ShopConfig
    settings: Settings
    calls: Calls
    real_calls: int = 0
    statuses: dict[int, str] = field(default_factory=dict)

    async def run(self, progress: Progress) -> list[Rehearsed]:
        """Rehearses all orders that wait on `scratch`, in the order in which they would be delivered. Sets
        `real_calls` to the number of calls that a real run makes, and `statuses` to RO App's names, if one would be
        set. Raises Retryable and BadConfig."""
        config, before = self.settings, self.calls.roapp_reads
        with (
            closing(CallSlots(self.engine, self.account.name, config.roapp_interval)) as slots,
            self.scratch.connect() as connection,
        ):
            async with connected(DryRoApp, self.account, config, slots, self.calls) as roapp:
                session = AccountSession(connection, self.account.name)
                shops = {self.shop.key: self.shop}
                delivery = OrderDelivery(session, roapp, Timeouts.of(config), shops, lambda: self._ahead(session), list)
                delivery.currency = await check_company(roapp, self.account)
                found = await self._each(session, delivery, progress)
                sent = sum(bool(one.writes) for one in found)
                self.real_calls = self.calls.roapp_reads - before + roapp.answered + -(-sent // AT_ONCE)
                if any(write.what == "status" for one in found for write in one.writes):
                    self.statuses = {one.id: one.name for one in await roapp.order_statuses()}
        return found

    async def _each(self, session: AccountSession, delivery: OrderDelivery, progress: Progress) -> list[Rehearsed]:
        with session.autocommit() as connection:
            claims = outbox.due(connection, self.account.name, [self.shop.key], (), 10**9)
        turns, found = asyncio.Semaphore(IN_FLIGHT), []

        async def one(claim: Claim) -> None:
            async with turns:
                found.append(await self._rehearse(session, delivery, claim))
                progress(len(found), len(claims))

        tasks = [asyncio.create_task(one(claim)) for claim in claims]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        place = {claim.number: at for at, claim in enumerate(claims)}
        return sorted(found, key=lambda one: place[one.number])

    async def _rehearse(self, session: AccountSession, delivery: OrderDelivery, claim: Claim) -> Rehearsed:
        noted: list[Write] = []
        writes.set(noted)
        with session.autocommit() as connection:
            bound = matches.order(connection, claim.shop, claim.number)
        stopped: str | None = None
        try:
            version = await delivery.deliver(claim, self.shop)
        except Later:
            stopped = "wait"
            with session.transaction() as connection:
                outbox.hold_newest(connection, claim.shop, claim.number)
        except BadRecord as error:
            stopped = "held"
            with session.transaction() as connection:
                held.hold(connection, shop=claim.shop, entity="order", id=claim.number, error=error)
                outbox.hold(connection, claim.shop, claim.number, claim.version)
        else:
            with session.transaction() as connection:
                outbox.mark_delivered(connection, claim.shop, claim.number, version)
                held.clear(connection, claim.shop, "order", [claim.number])
        with session.autocommit() as connection:
            now = matches.order(connection, claim.shop, claim.number)
            kept = _held(connection, claim)
        created = any(write.what == "order" and write.made for write in noted)
        went = "create" if created else "adopt" if bound is None and now else "change" if noted else "nothing"
        return Rehearsed(
            claim.number,
            stopped or went,
            None if now is None or created else now.ro_id,
            noted,
            kept,
        )

    def _ahead(self, session: AccountSession) -> list[Buyer]:
        with session.autocommit() as connection:
            claims = outbox.due(connection, self.account.name, [self.shop.key], (), AHEAD + IN_FLIGHT)
            return desired.buyers(connection, [(claim.shop, claim.number) for claim in claims])


def _held(connection: Connection, claim: Claim) -> list[dict[str, str]]:
    rows = connection.execute(text(_HELD), {"shop": claim.shop, "number": claim.number}).mappings()
    return [dict(row) for row in rows]


def titles(connection: Connection, shop: str, number: str) -> Mapping[int, str]:
    """RO App's product → what the order's line of it is called in the shop."""
    rows = connection.execute(text(_TITLES), {"shop": shop, "number": number})
    return {row.ro_id: row.title for row in rows}


_HELD = """
    SELECT entity, id, code, message, fix FROM held
    WHERE shop = :shop AND split_part(id, '/', 1) = :number AND entity IN ('order', 'status', 'line', 'total')
"""
_TITLES = """
    SELECT link.ro_id, line.title FROM order_lines line JOIN shops ON shops.key = line.shop
    JOIN links link ON link.account = shops.account AND link.kind = 'product'
        AND link.key = line.shop || '/' || line.product
    WHERE line.shop = :shop AND line.number = :number
"""
