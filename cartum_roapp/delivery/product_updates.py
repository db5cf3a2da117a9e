"""Carries names and prices that changed in a shop's catalogue on to RO App's products, where the shop wants that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

from sqlalchemy import Connection

from cartum_roapp.apis.roapp import RoApp, RoProduct
from cartum_roapp.config import ShopConfig
from cartum_roapp.delivery.identities import catalogue_row, shortened
from cartum_roapp.delivery.once import Later, Once
from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.errors import BadRecord, Code, Retryable
from cartum_roapp.ledger import catalogue, held, product_links
from cartum_roapp.ledger.product_links import ProductChange

log = logging.getLogger(__name__)

#: So many products are changed in a run at most: orders go first.
_IN_A_RUN = 50


class ProductUpdates:
    """What staff changed in RO App stays until the shop changes the same. `pause`: after it, what is held is tried
    again."""

    def __init__(
        self, session: AccountSession, roapp: RoApp, once: Once, shops: Mapping[str, ShopConfig], pause: timedelta
    ) -> None:
        self._session = session
        self._roapp = roapp
        self._once = once
        self._shops = shops
        self._pause = pause

    async def run(self, served: Collection[str], orders_wait: Callable[[], bool]) -> None:
        """Changes the products of the `served` shops that are due, until orders wait again. What can't be changed is
        held as a product. May be called twice. Raises BadConfig and LockLost."""
        wanted = [key for key in served if self._shops[key].update_products]
        with self._session.autocommit() as connection:
            product_links.skip_changes(connection, [key for key in served if key not in wanted])
            account = self._session.account
            due = product_links.changed(connection, account, wanted, self._pause, _IN_A_RUN) if wanted else []
        refused: set[str] = set()
        for change in due:
            if change.shop in refused:
                continue
            if orders_wait():
                return
            try:
                await self._carry(change)
            except Later:
                continue
            except Retryable as error:
                log.warning("changed products wait for the next run: %s", error.message)
                return
            except BadRecord as error:
                if error.code == Code.NOT_AVAILABLE and not self._is_there(change):
                    error.code = Code.NOT_FOUND  # staff deleted this one; the others can be changed
                if error.code == Code.NOT_AVAILABLE:
                    refused.add(change.shop)
                self._hold(change, error)

    def _is_there(self, change: ProductChange) -> bool:
        with self._session.autocommit() as connection:
            return catalogue.has(connection, self._session.account, change.ro_id)

    async def _carry(self, change: ProductChange) -> None:
        product = await self._roapp.product(change.ro_id)
        operation = self._once.operation("change", f"product {change.ro_id}", change.shop, "")
        earlier = self._once.unsettled(operation)  # another shop's change, too, puts name and price in doubt
        doubt = earlier is not None and not earlier.is_confirmed
        body: dict[str, object] = {}
        if change.renamed or doubt:
            body["title"] = shortened(change.title)
        if change.repriced and (product is None or product.prices.first is None):
            raise BadRecord("RO App does not show which price the product has.", code=Code.REFUSED, field="prices")
        if (change.repriced or doubt) and product is not None and (type_ := product.prices.first) is not None:
            body["prices"] = product.prices.at(type_, change.price).body  # other types stay: arrays are replaced whole

        def bind(connection: Connection) -> None:
            product_links.note_given(connection, change)
            held.clear(connection, change.shop, "product", [change.product])
            if product is not None and "title" in body:
                renamed: RoProduct = product.model_copy(update={"title": body["title"]})
                catalogue.add(connection, self._session.account, catalogue_row(renamed))

        if not body:
            with self._session.transaction() as connection:
                bind(connection)
            return
        await self._once.change(
            operation,
            send=lambda unclear: self._roapp.update_product(change.ro_id, body, unclear),
            bind=bind,
        )

    def _hold(self, change: ProductChange, error: BadRecord) -> None:
        problem = BadRecord(
            f"the shop changed it; RO App's product {change.ro_id} stays as it was: {error.message}",
            code=error.code,
            field=error.field,
            fix="Change it in RO App by hand and dismiss this, or set update_products to false.",
        )
        with self._session.transaction() as connection:
            held.hold(connection, shop=change.shop, entity="product", id=change.product, error=problem)
