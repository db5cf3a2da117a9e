"""A second look at calls that were repeated: whether the first try, taken for lost, arrived after all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.delivery import order_problems, plan_lines
from cartum_roapp.delivery.contacts import ContactBook
from cartum_roapp.delivery.markers import MarkerIndex, marker
from cartum_roapp.delivery.once import utc_now
from cartum_roapp.delivery.products import ProductBook
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Retryable
from cartum_roapp.ledger import agreed as ledger
from cartum_roapp.ledger import held, intents, shops
from cartum_roapp.ledger.intents import Intent, Kind

log = logging.getLogger(__name__)


class Recheck:
    """Looks again `recheck_after` seconds after a repeat, and at the same pace while something is there twice. That is
    held: nothing is deleted by us (design §3.5)."""

    def __init__(
        self,
        session: AccountSession,
        roapp: RoApp,
        markers: MarkerIndex,
        contacts: ContactBook,
        products: ProductBook,
        recheck_after: float,
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._markers = markers
        self._contacts = contacts
        self._products = products
        self._recheck_after = recheck_after

    async def run(self) -> None:
        """May be called twice: what was looked at is not due any more. Raises BadConfig and LockLost."""
        with self._session.autocommit() as connection:
            due = intents.due_rechecks(connection, self._session.account, utc_now())
        for intent in due:
            again = await self._look(intent)
            with self._session.transaction() as connection:
                at = utc_now() + timedelta(seconds=self._recheck_after) if again else None
                intents.recheck(connection, intent.id, at)
        with self._session.autocommit() as connection:
            lines = ledger.due_looks(connection, self._session.account, utc_now())
        for shop, number, ro_id in lines:
            await self._lines(shop, number, ro_id)

    async def _look(self, intent: Intent) -> bool:
        """Whether to look again. One that can't be looked at stops nobody: all orders of the account wait behind it."""
        look = {"order": self._order, "contact": self._contact, "product": self._product}
        try:
            return intent.kind in look and await look[intent.kind](intent)
        except Retryable as error:
            log.warning("the second look at a %s of %s is put off: %s", intent.kind, intent.number, error.message)
            return True
        except BadRecord as error:
            log.warning("no second look at a %s of %s: %s", intent.kind, intent.number, error.message)
            return False

    async def _order(self, intent: Intent) -> bool:
        """Its next delivery finds out which of them a person has kept."""
        await self._markers.look_again(intent.sent_at)
        found = self._markers.known(intent.shop, intent.number)
        if len(found) < 2:
            return False
        ids = ", ".join(str(one.ro_id) for one in found)
        problem = order_problems.doubled(
            f"{marker(intent.shop, intent.number)} {len(found)} times: {ids}", "manager_notes"
        )
        with self._session.transaction() as connection:
            if self._has_shop(connection, intent, problem):
                held.hold_order(connection, intent.shop, intent.number, problem)
        return False

    async def _contact(self, intent: Intent) -> bool:
        return self._hold(intent, "the buyer of this order", await self._contacts.made_by(intent), intent.number)

    async def _product(self, intent: Intent) -> bool:
        by, _, value = intent.identity.partition(":")
        ids = await self._products.all_with(intent.identity)
        return self._hold(intent, f"the product with {by} {value!r}", ids, value)

    async def _lines(self, shop: str, number: str, ro_id: int) -> None:
        """Looks at the lines of an order whose adding was repeated."""
        try:
            items = await self._roapp.items(ro_id)
        except Retryable as error:
            log.warning("the second look at the lines of %s is put off: %s", number, error.message)
            with self._session.transaction() as connection:
                agreed, _ = ledger.read(connection, shop, number)
                repeated = [line.item for line in agreed.lines if line.item is not None and line.repeats]
                later = utc_now() + timedelta(seconds=self._recheck_after)
                ledger.look_again(connection, shop, number, later, of=repeated)
            return
        except BadRecord as error:
            log.warning("no second look at the lines of %s: %s", number, error.message)
            items = []
        with self._session.transaction() as connection:
            agreed, _ = ledger.read(connection, shop, number)
            later = utc_now() + timedelta(seconds=self._recheck_after)
            for line in agreed.lines:
                if line.item is None or not line.repeats:
                    continue
                twins = plan_lines.twins_of(line, agreed, items)
                is_held = self._note(
                    connection, shop, "line", f"a line of order {ro_id}", twins, f"{number}/{line.entity}"
                )
                ledger.look_again(connection, shop, number, later if is_held else None, of=[line.item])

    def _hold(self, intent: Intent, what: str, ids: list[int], id: str) -> bool:
        """Held, and looked at again and again until a person has put it right."""
        with self._session.transaction() as connection:
            if len(ids) > 1 and not self._has_shop(connection, intent, _doubled(what, intent.kind, ids)):
                return False
            return self._note(connection, intent.shop, intent.kind, what, ids, id)

    @staticmethod
    def _note(connection: Connection, shop: str, kind: Kind, what: str, ids: Sequence[int], id: str) -> bool:
        if len(ids) < 2:
            held.clear(connection, shop, kind, [id])
            return False
        held.hold(connection, shop=shop, entity=kind, id=id, error=_doubled(what, kind, ids))
        return True

    def _has_shop(self, connection: Connection, intent: Intent, problem: BadRecord) -> bool:
        """Intents outlive a shop that is deleted with its history; what is held belongs to a shop."""
        known = shops.is_known(connection, intent.shop)
        if not known:
            log.warning("of a shop that is deleted with its history: %s", problem.message)
        return known


def _doubled(what: str, kind: Kind, ids: Sequence[int]) -> BadRecord:
    return order_problems.doubled(f"{what} {len(ids)} times: {', '.join(map(str, ids))}", kind)
