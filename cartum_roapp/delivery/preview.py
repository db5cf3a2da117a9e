"""What a delivery would do: each order takes the way of a real one, on a copy of the ledger, and ends where its plan is
made. What is not there yet gets an invented id. Nothing is sent, so what RO App would refuse is not known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import Connection, Engine, text

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.roapp.sending import Before
from cartum_roapp.delivery.account import Progress, connected
from cartum_roapp.delivery.company import check_company
from cartum_roapp.delivery.creation import Creations, Link
from cartum_roapp.delivery.doubt import Later, Timeouts
from cartum_roapp.delivery.operations import Operation, SetStatus
from cartum_roapp.delivery.order import OrderDelivery
from cartum_roapp.delivery.product_making import ProductMaker
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.delivery.side_by_side import side_by_side
from cartum_roapp.delivery.step import OrderStep, Planned
from cartum_roapp.delivery.upcoming import IN_FLIGHT, Upcoming
from cartum_roapp.errors import BadRecord
from cartum_roapp.ledger import held, matches, outbox
from cartum_roapp.ledger.creations import Thing
from cartum_roapp.ledger.outbox import Claim
from cartum_roapp.ledger.slots import CallSlots
from cartum_roapp.settings import Settings
from cartum_roapp.shops import AccountConfig, ShopConfig

#: The ids of what would be made begin here; RO App's own are far below.
INVENTED = 2**62
_ALL = 10**9


@dataclass
class OrderPreview:
    """What a delivery would do with one order. `action`: create, adopt (an RO App order that carries its marker),
    change, nothing, held, wait (an earlier call may still arrive). `made`: what it would make. `planned`: None where
    it ends before that. `held`: why it, its status or a line would be held: entity, code, message, fix. `calls`: what
    it would send."""

    number: str
    action: str = "nothing"
    roapp_id: int | None = None
    made: list[Thing] = field(default_factory=list)
    planned: Planned | None = None
    held: list[dict[str, str]] = field(default_factory=list)
    calls: int = 0

    @property
    def operations(self) -> tuple[Operation, ...]:
        return self.planned.plan.operations if self.planned else ()


_current: ContextVar[OrderPreview] = ContextVar("preview")


class _Invented(Creations):
    """Sends nothing: what would be made is linked with an invented id."""

    _ids = count(INVENTED)

    async def make(
        self,
        thing: Thing,
        *,
        send: Callable[[Before], Awaitable[int]],
        link: Link,
        require: Callable[[Connection], None] | None = None,
    ) -> int:
        made = next(self._ids)
        with self._session.transaction() as connection:
            if require is not None:
                require(connection)
            link(connection, made)
        _current.get().made.append(thing)
        return made


class _Products(ProductMaker):
    async def _check(self, *_: object, **__: object) -> None:
        """There is nothing that could be read."""


class _Delivery(OrderDelivery):
    """Ends where it would send."""

    creating = _Invented
    making = _Products

    async def _take(self, step: OrderStep) -> bool:
        planned = _current.get().planned = await step.preview()
        return planned.plan.written_off


class _Upcoming(Upcoming):
    """RO App can't be asked for orders that are made only here."""

    def orders(self) -> list[int]:
        return [ro_id for ro_id in super().orders() if ro_id < INVENTED]


@dataclass
class Preview:
    """The delivery of one shop's orders on `copy`, a copy of the ledger; `engine` is the ledger itself, whose call
    budget it keeps. It needs no lock: nothing is sent. `calls` counts its reads."""

    engine: Engine
    copy: Engine
    account: AccountConfig
    shop: ShopConfig
    settings: Settings
    calls: Calls

    async def run(self, progress: Progress) -> tuple[list[OrderPreview], dict[int, str]]:
        """Returns all orders that wait on the copy, in the order in which they would be delivered, and the names of RO
        App's statuses, if one would be set. Raises Retryable and BadConfig."""
        config = self.settings
        with (
            closing(CallSlots(self.engine, self.account.name, config.roapp_interval)) as slots,
            self.copy.connect() as connection,
        ):
            async with connected(self.account, config, slots, self.calls) as roapp:
                session = AccountSession(connection, self.account.name)
                delivery = _Delivery(
                    session, roapp, Timeouts.of(config), {self.shop.key: self.shop},
                    _Upcoming(session, lambda: [self.shop.key]),
                )  # fmt: skip
                delivery.currency = await check_company(roapp, self.account)
                found = await self._each(session, delivery, progress)
                sets = any(isinstance(operation, SetStatus) for one in found for operation in one.operations)
                return found, {one.id: one.name for one in await roapp.order_statuses()} if sets else {}

    async def _each(self, session: AccountSession, delivery: OrderDelivery, progress: Progress) -> list[OrderPreview]:
        with session.autocommit() as connection:
            claims = outbox.due(connection, self.account.name, [self.shop.key], (), _ALL)
        turns, done = asyncio.Semaphore(IN_FLIGHT), count(1)

        async def one(claim: Claim) -> OrderPreview:
            async with turns:
                found = await self._look_at(session, delivery, claim)
                progress(next(done), len(claims))
                return found

        return await side_by_side([one(claim) for claim in claims])

    async def _look_at(self, session: AccountSession, delivery: OrderDelivery, claim: Claim) -> OrderPreview:
        found = OrderPreview(claim.number)
        _current.set(found)
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
            found.held = [dict(row) for row in connection.execute(text(_HELD), vars(claim)).mappings()]
        created = any(thing.kind == "order" for thing in found.made)
        found.calls = len(found.made) + len(found.operations)
        went = "create" if created else "adopt" if bound is None and now else "change" if found.calls else "nothing"
        found.action = stopped or went
        found.roapp_id = None if now is None or created else now.ro_id
        return found


_HELD = """
    SELECT entity, id, code, message, fix FROM held
    WHERE shop = :shop AND split_part(id, '/', 1) = :number AND entity IN ('order', 'status', 'line', 'total')
"""
