"""The client of RO App v2: what the integration reads and writes there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import SecretStr

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.limiter import Limiter
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import rows
from cartum_roapp.apis.roapp.accepted import accept
from cartum_roapp.apis.roapp.clients import Clients
from cartum_roapp.apis.roapp.filters import by_date
from cartum_roapp.apis.roapp.paging import read_object
from cartum_roapp.apis.roapp.reading import Reading
from cartum_roapp.apis.roapp.sending import Before, RefusedCall, Sending
from cartum_roapp.apis.roapp.writes import Writing

ORDERS, PRODUCTS = "/orders", "/catalog/products"


class RoApp:
    """One account of RO App (roapp §2–§3), as an async context manager. Many tasks may use it at once. Its orders'
    clients are `people` and `organizations`.

    `base_url` is used verbatim, with its version; `limiter` is the account's. All datetimes are aware, those of rows in
    UTC.

    Reads raise Retryable, BadRecord and BadConfig. Writes (`create…`, `update_…`, `add_…`, `set_status`) are repeated
    here only if nothing can have been written. They also raise Unclear: then only RO App's data tell whether it was
    written. Their `before` runs right before each try, to record an intent.

    BadConfig: the key is refused (field `api_key`), or the address is not the API's (field `base_url`). `field` of a
    BadRecord is the first field that RO App names.
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        limiter: Limiter,
        patience: Patience | None = None,
        calls: Calls | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._sending = Sending(
            base_url,
            api_key,
            limiter=limiter,
            patience=patience or Patience(),
            calls=calls or Calls(),
            transport=transport,
        )
        self._reading = Reading(self._sending, sortable=ORDERS)
        self._writing = Writing(self._sending)
        self.people = Clients(self._reading, self._writing, rows.Contact)
        self.organizations = Clients(self._reading, self._writing, rows.Organization)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sending.close()

    # ------------------------------------------------------------------ the account

    async def company(self) -> dict[str, Any]:
        """Returns the company as sent: name, currency, timezone, created_at (its fingerprint) … (roapp §3.7)."""
        return await self._sending.get("/company", read_object, missing="collection", about=("company", None))

    async def locations(self) -> list[rows.Location]:
        """Returns all, also archived ones."""
        return await self._reading.directory("/company/locations", rows.Location)

    async def employees(self) -> list[rows.Employee]:
        """Returns all, also inactive ones."""
        return await self._reading.directory("/company/employees", rows.Employee)

    async def order_types(self) -> list[rows.OrderType]:
        return await self._reading.directory("/orders/types", rows.OrderType)

    async def order_statuses(self) -> list[rows.RoStatus]:
        return await self._reading.directory("/orders/statuses", rows.RoStatus)

    async def services(self) -> list[rows.RoService]:
        """Returns the catalogue's services. Raises BadRecord with the code `not-available` on accounts without this
        list (roapp §3.4)."""
        return await self._reading.directory("/catalog/services", rows.RoService, "optional")

    async def product_categories(self) -> list[rows.Category]:
        """Returns the categories of the catalogue's products. Raises BadRecord with the code `not-available` on
        accounts without this list (roapp §3.4)."""
        return await self._reading.directory(f"{PRODUCTS}/categories", rows.Category, "optional")

    async def order_custom_fields(self) -> list[rows.CustomField]:
        """Raises BadRecord with the code `not-available` on accounts without this list (roapp §3.3)."""
        return await self._reading.directory("/orders/custom-fields", rows.CustomField, "optional")

    # ------------------------------------------------------------------ orders

    async def walk_orders(
        self,
        created_from: datetime | None = None,
        modified_from: datetime | None = None,
    ) -> AsyncIterator[list[rows.RoOrder]]:
        """Yields all pages, the oldest orders first if RO App sorts by creation. Both times are inclusive. The caller
        checks the rows: RO App may ignore a filter."""
        dates = (by_date("created_at", created_from), by_date("modified_at", modified_from))
        async for page in self._reading.walk(ORDERS, rows.RoOrder, [date for date in dates if date]):
            yield page

    async def order(self, id: int) -> rows.RoOrder | None:
        """Returns None if there is no such order."""
        return await self._reading.one(f"{ORDERS}/{id}", rows.RoOrder, "order", id)

    async def orders(self, ids: Sequence[int]) -> list[rows.RoOrder]:
        """Returns those of the orders that one call for all of them brings, and reads the others one by one: RO App may
        ignore the filter, or take one value of several. Those that are gone are not in the list. At most 50."""
        found = (await self.listed(ids) if len(ids) > 1 else None) or []
        left = [await self.order(id_) for id_ in ids if id_ not in {row.id for row in found}]
        return [*found, *(row for row in left if row is not None)]

    async def listed(self, ids: Sequence[int]) -> list[rows.RoOrder] | None:
        """Returns those of the orders that one call for all of them brings. At most 50. None where RO App does not
        filter by ids."""
        return await self._reading.some(ORDERS, rows.RoOrder, ids)

    async def create_order(self, body: dict[str, Any], before: Before | None = None) -> int:
        """Returns the new order's id. `branch_id`, `order_type_id` and `client_id` are required (roapp §3.2). Number,
        status and lines are not part of this call."""
        return await self._writing.create(ORDERS, body, "order", ("id", "order_id"), before=before)

    async def update_order(self, id: int, body: dict[str, Any], before: Before | None = None) -> None:
        """Changes only the fields in `body`."""
        await self._writing.patch(f"{ORDERS}/{id}", body, "order", id, before=before)

    async def set_status(
        self, order_id: int, status_id: int, before: Before | None = None, *, comment: str = "", asked: bool = False
    ) -> bool:
        """Sets the status; sends it once more with the `comment` if RO App asks for one (roapp §3.2), or with it at
        once where it is known to be `asked` for. Returns whether the comment was sent.

        Raises BadRecord if the account does not allow this transition, also for a 403: it may depend on the employee's
        rights, so it does not mean that the key is bad."""
        path, about = f"{ORDERS}/{order_id}/status", ("order", order_id)

        async def send(body: dict[str, Any]) -> None:
            await self._sending.post(path, accept, body, missing="row", about=about, rights=True, before=before)

        if not asked or not comment:
            try:
                await send({"status_id": status_id})
                return False
            except RefusedCall as error:
                if not comment or error.http == 403 or not error.refusal.asks_for_comment:
                    raise
        await send({"status_id": status_id, "comment": comment})
        return True

    async def add_comment(
        self, order_id: int, text: str, before: Before | None = None, unsent: Before | None = None
    ) -> None:
        """Adds a comment that only staff see; comments can't be read back. `unsent` runs right after each try that was
        not accepted, and may wait for the next one. Raises BadRecord with the code `not-available` if the account lacks
        this call or the right to it."""
        body = {"comment": text, "is_private": True}
        path, about = f"{ORDERS}/{order_id}/comments", ("order", order_id)
        await self._sending.post(path, accept, body, missing="optional", about=about, before=before, unsent=unsent)

    async def items(self, order_id: int) -> list[rows.RoItem]:
        """Returns the order's lines. Raises BadRecord with the code `not-found` if there is no such order."""
        return await self._reading.directory(f"{ORDERS}/{order_id}/items", rows.RoItem, "row", ("order", order_id))

    async def add_item(self, order_id: int, body: dict[str, Any], before: Before | None = None) -> int | None:
        """Returns the new line's id, None if RO App's answer lacks it. Required fields: roapp §3.2."""
        path, about = f"{ORDERS}/{order_id}/items", ("order", order_id)
        return await self._sending.post(path, accept, body, missing="row", about=about, rights=True, before=before)

    async def update_item(
        self, order_id: int, item_id: int, body: dict[str, Any], before: Before | None = None
    ) -> None:
        """Changes only the fields in `body`; `entity_id` can't change."""
        await self._writing.patch(f"{ORDERS}/{order_id}/items/{item_id}", body, "order", order_id, before=before)

    # ------------------------------------------------------------------ products

    async def walk_products(self) -> AsyncIterator[list[rows.RoProduct]]:
        """Yields the whole catalogue: no search is documented (roapp §3.4)."""
        async for page in self._reading.walk(PRODUCTS, rows.RoProduct, []):
            yield page

    async def product(self, id: int) -> rows.RoProduct | None:
        """Returns None if there is no such product, or if RO App does not return single products (403, 404, 405,
        501)."""
        return await self._reading.one(f"{PRODUCTS}/{id}", rows.RoProduct, "product", id, "optional")

    async def create_product(self, body: dict[str, Any], before: Before | None = None) -> int:
        """Returns the new product's id. `barcodes` is a list of strings. No source documents this call (roapp §3.4):
        raises BadRecord with the code `not-available` if the account lacks it or the right to it, and RO App may not
        store all fields, so the caller has to read the product again."""
        return await self._writing.create(PRODUCTS, body, "product", ("id", "product_id"), "optional", before=before)
