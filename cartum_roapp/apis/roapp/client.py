"""What an integration asks of RO App v2, and what it writes there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self

import httpx
from pydantic import SecretStr

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.limiter import Limiter
from cartum_roapp.apis.roapp import rows
from cartum_roapp.apis.roapp.filters import Filter, by_date, by_emails, by_phones
from cartum_roapp.apis.roapp.paging import read_object
from cartum_roapp.apis.roapp.reading import Reading
from cartum_roapp.apis.roapp.sending import Before, Missing, Sending, Unanswered, ignore_content
from cartum_roapp.apis.roapp.writes import Bodies, maybe_id, new_id

VALUES = 50
PEOPLE, ORDERS, PRODUCTS = "/contacts/people", "/orders", "/catalog/products"


class RoApp:
    """One account of RO App (roapp §2–§3), as an async context manager; usable by many tasks at once.

    `base_url` verbatim with its version, `limiter` the account's, `timeout` the deadline of one HTTP call in
    seconds (the wait for a turn not included), `retries` the tries of each call in total, `retry_base` the first
    pause. All datetimes are aware; rows carry UTC.

    Reads and PATCHes may be called again; they raise Retryable, BadRecord, BadConfig. The methods that POST
    (`create_…`, `add_…`, `set_status`) are sent again by themselves only when nothing can have been written, and
    also raise Unclear: then only a look into RO App can tell. Their `before` runs right before each try: an intent
    is noted there, so that none is sent unnoted. BadConfig: the key is refused (field `api_key`), or
    the address is not that of the API (field `base_url`). BadRecord.field is the first field that RO App names.
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        limiter: Limiter,
        timeout: float = 20.0,
        retries: int = 6,
        retry_base: float = 1.0,
        calls: Calls | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._sending = Sending(
            base_url,
            api_key,
            limiter=limiter,
            timeout=timeout,
            retries=retries,
            retry_base=retry_base,
            calls=calls or Calls(),
            transport=transport,
        )
        self._reading = Reading(self._sending, sortable=ORDERS)
        self._bodies = Bodies()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sending.close()

    # ------------------------------------------------------------------ the account

    async def company(self) -> dict[str, Any]:
        """As sent: name, currency, timezone, created_at (the account's fingerprint) … (roapp §3.7)."""
        return await self._sending.get("/company", read_object, missing="collection", about=("company", None))

    async def locations(self) -> list[rows.Location]:
        """All of them, archived ones too."""
        return await self._reading.directory("/company/locations", rows.Location)

    async def employees(self) -> list[rows.Employee]:
        """All of them, inactive ones too."""
        return await self._reading.directory("/company/employees", rows.Employee)

    async def order_types(self) -> list[rows.OrderType]:
        return await self._reading.directory("/orders/types", rows.OrderType)

    async def order_statuses(self) -> list[rows.RoStatus]:
        return await self._reading.directory("/orders/statuses", rows.RoStatus)

    async def order_custom_fields(self) -> list[rows.CustomField]:
        """BadRecord(code="not-available") on accounts without this list (roapp §3.3)."""
        return await self._reading.directory("/orders/custom-fields", rows.CustomField, "optional")

    # ------------------------------------------------------------------ contacts

    async def walk_contacts(
        self, phones: Sequence[str] = (), emails: Sequence[str] = (), created_from: datetime | None = None
    ) -> AsyncIterator[list[rows.Contact]]:
        """All pages of the people with one of these phones, then of those with one of these e-mail addresses (a
        contact may come twice); of everybody when neither is given. 50 values are asked for at a time. Rows are
        not checked here: an ignored filter yields the whole base (e-mail: roapp §3.1)."""
        dated = [found] if (found := by_date("created_at", created_from)) else []
        asked: list[list[Filter]] = [
            *([by_phones(part), *dated] for part in _chunks(phones)),
            *([by_emails(part), *dated] for part in _chunks(emails)),
        ]
        for filters in asked or [dated]:
            async for page in self._reading.walk(PEOPLE, rows.Contact, filters):
                yield page

    def searches(self, by: Literal["phones", "emails"]) -> bool | None:
        """Has RO App been seen to obey this filter of `walk_contacts`? None as long as no walk has shown it. Where it
        is False, every such walk reads the whole base: keep what it brings."""
        return self._reading.spelling.works(PEOPLE, by)

    async def contact(self, id: int) -> rows.Contact | None:
        """None for one that isn't there, or where RO App doesn't show single contacts (404, 405)."""
        return await self._reading.one(f"{PEOPLE}/{id}", rows.Contact, "contact", id)

    async def create_contact(self, body: dict[str, Any], before: Before | None = None) -> int:
        """`first_name` is required (roapp §3.1). The new contact's id."""
        return await self._create(PEOPLE, body, "contact", ("id", "person_id", "contact_id"), before=before)

    async def update_contact(self, id: int, body: dict[str, Any]) -> None:
        """Only what is in `body` changes; a list in it replaces the whole list. May be called again."""
        await self._patch(f"{PEOPLE}/{id}", body, "contact", id)

    # ------------------------------------------------------------------ orders

    async def walk_orders(
        self,
        created_from: datetime | None = None,
        modified_from: datetime | None = None,
    ) -> AsyncIterator[list[rows.RoOrder]]:
        """All pages, oldest first where RO App sorts by creation. Both inclusive. Rows are not checked here."""
        dates = (by_date("created_at", created_from), by_date("modified_at", modified_from))
        async for page in self._reading.walk(ORDERS, rows.RoOrder, [date for date in dates if date]):
            yield page

    async def order(self, id: int) -> rows.RoOrder | None:
        """None for one that isn't there (any more)."""
        return await self._reading.one(f"{ORDERS}/{id}", rows.RoOrder, "order", id)

    async def create_order(self, body: dict[str, Any], before: Before | None = None) -> int:
        """`branch_id`, `order_type_id`, `client_id` are required (roapp §3.2). The new order's id; its number, status
        and lines are not part of this call."""
        return await self._create(ORDERS, body, "order", ("id", "order_id"), before=before)

    async def update_order(self, id: int, body: dict[str, Any], unanswered: Unanswered | None = None) -> None:
        """Only what is in `body` changes. May be called again; `unanswered` runs after a try that nobody answered."""
        await self._patch(f"{ORDERS}/{id}", body, "order", id, unanswered)

    async def set_status(self, order_id: int, status_id: int, before: Before | None = None) -> None:
        """BadRecord when the account allows no such step, also where RO App says so with 403: a transition can
        depend on the employee's rights, which says nothing about the key (roapp §3.2)."""
        path, about = f"{ORDERS}/{order_id}/status", ("order", order_id)
        body = {"status_id": status_id}
        await self._sending.post(path, ignore_content, body, missing="row", about=about, rights=True, before=before)

    async def add_comment(self, order_id: int, text: str, private: bool, before: Before | None = None) -> None:
        """BadRecord(code="not-available") without this call, or the right to it. Comments can't be read back."""
        body = {"comment": text, "is_private": private}
        path, about = f"{ORDERS}/{order_id}/comments", ("order", order_id)
        await self._sending.post(path, ignore_content, body, missing="optional", about=about, before=before)

    async def items(self, order_id: int) -> list[rows.RoItem]:
        """The order's lines; BadRecord(code="not-found") for an order that isn't there."""
        return await self._reading.directory(f"{ORDERS}/{order_id}/items", rows.RoItem, "row", ("order", order_id))

    async def add_item(self, order_id: int, body: dict[str, Any], before: Before | None = None) -> int | None:
        """Required fields: roapp §3.2. The new line's id, None where RO App doesn't tell it."""
        path, about = f"{ORDERS}/{order_id}/items", ("order", order_id)
        return await self._sending.post(path, maybe_id, body, missing="row", about=about, rights=True, before=before)

    async def update_item(
        self, order_id: int, item_id: int, body: dict[str, Any], unanswered: Unanswered | None = None
    ) -> None:
        """Only what is in `body` changes; `entity_id` can't. May be called again, `unanswered` as in `update_order`."""
        await self._patch(f"{ORDERS}/{order_id}/items/{item_id}", body, "order", order_id, unanswered)

    # ------------------------------------------------------------------ products

    async def walk_products(self) -> AsyncIterator[list[rows.RoProduct]]:
        """The whole catalogue: no search is documented (roapp §3.4)."""
        async for page in self._reading.walk(PRODUCTS, rows.RoProduct, []):
            yield page

    async def product(self, id: int) -> rows.RoProduct | None:
        """None for one that isn't there, or where RO App doesn't show single products (403, 404, 405, 501)."""
        return await self._reading.one(f"{PRODUCTS}/{id}", rows.RoProduct, "product", id, "optional")

    async def create_product(self, body: dict[str, Any], before: Before | None = None) -> int:
        """No source documents this call (roapp §3.4): BadRecord(code="not-available") where it doesn't exist or
        there is no right to it; read the product afterwards to see what was kept. `barcodes` is a list of strings."""
        return await self._create(PRODUCTS, body, "product", ("id", "product_id"), "optional", before=before)

    # ------------------------------------------------------------------ inside

    async def _create(
        self,
        path: str,
        body: dict[str, Any],
        entity: str,
        names: tuple[str, ...],
        missing: Missing = "anything",
        *,
        before: Before | None = None,
    ) -> int:
        async def send(shaped: dict[str, Any]) -> int:
            about = (entity, None)
            return await self._sending.post(path, new_id(names), shaped, missing=missing, about=about, before=before)

        return await self._bodies.send(body, send)

    async def _patch(
        self, path: str, body: dict[str, Any], entity: str, id_: int, unanswered: Unanswered | None = None
    ) -> None:
        async def send(shaped: dict[str, Any]) -> None:
            await self._sending.patch(path, shaped, about=(entity, id_), unanswered=unanswered)

        await self._bodies.send(body, send)


def _chunks(values: Sequence[str]) -> list[Sequence[str]]:
    return [values[start : start + VALUES] for start in range(0, len(values), VALUES)]
