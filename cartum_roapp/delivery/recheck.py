"""A second look at calls that were repeated: whether the first try, taken for lost, arrived after all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.apis.roapp.rows import RoItem
from cartum_roapp.delivery import order_problems, plan_lines
from cartum_roapp.delivery.contacts import ContactBook
from cartum_roapp.delivery.doubt import utc_now
from cartum_roapp.delivery.markers import MarkerIndex, marker
from cartum_roapp.delivery.products import ProductBook
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadConfig, BadRecord, Code, Retryable
from cartum_roapp.ledger import agreed as ledger
from cartum_roapp.ledger import creations, held
from cartum_roapp.ledger.creations import Creation
from cartum_roapp.ledger.entities import Entity

log = logging.getLogger(__name__)

#: The longest pause between two looks, each of which may read a whole list.
_SELDOM = timedelta(days=1)


class Recheck:
    """Looks again `recheck_after` seconds after a repeat, and ever less often while something is there twice. That is
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
        """Idempotent: what was looked at is no longer due. Raises BadConfig and LockLost."""
        with self._session.autocommit() as connection:
            due = creations.due(connection, self._session.account, utc_now())
            lines = ledger.due_looks(connection, self._session.account, utc_now())
        for creation in due:
            await self._creation(creation)
        for shop, number, ro_id in lines:
            await self._lines(shop, number, ro_id)

    async def _creation(self, one: Creation) -> None:
        """One that can't be looked at stops nothing, as all orders of the account wait behind it. Of an order its next
        delivery finds out which of them a person has kept."""
        pause = max(timedelta(seconds=self._recheck_after), min((utc_now() - one.sent_at) / 4, _SELDOM))
        later = utc_now() + pause
        try:
            what, id, found = await self._made_by(one)
        except (Retryable, BadRecord, BadConfig) as error:
            log.warning("no second look at the %s of %s: %s", one.kind, one.number, error.message)
            with self._session.transaction() as connection:
                creations.looked_at(connection, one.id, later)
            return
        is_doubled, is_order = len(found) > 1, one.kind == "order"
        with self._session.transaction() as connection:
            if not creations.looked_at(connection, one.id, later if is_doubled and not is_order else None):
                return
            if not is_order:
                self._note(connection, one.shop, one.kind, what, found, id)
            elif is_doubled:
                held.hold_order(connection, one.shop, one.number, _doubled(what, "manager_notes", found))

    async def _made_by(self, one: Creation) -> tuple[str, str, list[int]]:
        """Returns what this call was to make, in words and as it is held, and RO App's ids of all that match."""
        if one.kind == "order":
            await self._markers.look_again()
            return marker(one.shop, one.number), one.number, self._markers.known(one.shop, one.number)
        if one.kind == "contact":
            return "the buyer of this order", one.number, await self._contacts.new.made_by(one)
        by, _, value = one.names[0].partition(":")
        return f"the product with {by} {value!r}", value, await self._products.all_with(one.names[0])

    async def _lines(self, shop: str, number: str, ro_id: int) -> None:
        """Looks at the lines of an order whose adding was repeated."""
        items: list[RoItem] | None
        try:
            items = await self._roapp.items(ro_id)
        except (Retryable, BadRecord, BadConfig) as error:
            log.warning("no second look at the lines of %s: %s", number, error.message)
            items = [] if isinstance(error, BadRecord) else None
        later = utc_now() + timedelta(seconds=self._recheck_after)
        with self._session.transaction() as connection:
            agreed, _ = ledger.read(connection, shop, number)
            repeated = {line.entity for line in agreed.lines if line.repeats}
            for line in agreed.lines:
                if line.item is None or not (line.repeats or items is not None):
                    continue
                twins = plan_lines.twins_of(line, agreed, items or ()) if line.repeats else ()
                what, id = f"a line of order {ro_id}", f"{number}/{line.entity}"
                again = items is None
                if not again and (line.repeats or line.entity not in repeated):  # one that is another's now has none
                    again = self._note(connection, shop, "line", what, twins, id)
                ledger.look_again(connection, shop, number, later if again else None, of=[line.item])

    @staticmethod
    def _note(connection: Connection, shop: str, kind: Entity, what: str, ids: Sequence[int], id: str) -> bool:
        if len(ids) < 2:
            if held.code(connection, shop, kind, id) == Code.DOUBLED:
                held.clear(connection, shop, kind, [id])
            return False
        held.hold(connection, shop=shop, entity=kind, id=id, error=_doubled(what, kind, ids))
        return True


def _doubled(what: str, field: str, ids: Sequence[int]) -> BadRecord:
    return order_problems.doubled(f"{what} {len(ids)} times: {', '.join(map(str, ids))}", field)
