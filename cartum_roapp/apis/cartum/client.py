"""The client of a Cartum (Horoshop) shop. It reads; the only thing that it writes is an order's status."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx
from pydantic import SecretStr

from cartum_roapp.apis.bounds import Tally
from cartum_roapp.apis.calls import Calls, TimeIsUp
from cartum_roapp.apis.cartum import catalogue
from cartum_roapp.apis.cartum.orders import (
    ROWS,
    OffsetIgnored,
    OrderQuery,
    Row,
    as_sent,
    is_later,
    row_key,
    shop_time,
    walk,
)
from cartum_roapp.apis.cartum.session import Session
from cartum_roapp.apis.cartum.statuses import DEFAULT_STATUSES, ShopStatus, read_statuses
from cartum_roapp.apis.cartum.windows import in_windows
from cartum_roapp.apis.retries import Patience
from cartum_roapp.errors import BadConfig, BadRecord, OverQuota, Retryable

#: The most walks over one list.
MAX_WALKS = 30
#: If walks return more rows than there are orders, this many successive walks must bring nothing new.
QUIET_WALKS = 10
#: So many rows are held until their walk is known to be whole.
HELD = 1000
UNKNOWN = "UNDEFINED_FUNCTION"
GET, EXPORT = "orders/get", "catalog/export"

log = logging.getLogger(__name__)


class Cartum:
    """A shop's API (cartum §0–§6), as an async context manager. Many tasks may use it at once.

    `url` is the shop's address, `login` the user name of an admin account, `zone` the shop's time zone: needed if dates
    are given, as the shop's stamps have no offset. `looks_twice`: a refused login is tried once more before it is
    believed.

    Every method may be called again. All raise Retryable (no connection, no readable answer, an unknown status word, a
    used-up quota with `retry_after`, NoEnd for a list that goes on and on) and BadConfig (auth/ refuses, no API, no
    rights).
    """

    def __init__(
        self,
        url: str,
        login: str,
        password: SecretStr,
        *,
        zone: ZoneInfo | None = None,
        patience: Patience | None = None,
        calls: Calls | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        looks_twice: bool = False,
    ) -> None:
        self._zone = zone
        self._days_only = False
        self._article_filter = True
        self._session = Session(
            url,
            login,
            password,
            patience=patience or Patience(),
            calls=calls or Calls(),
            transport=transport,
            looks_twice=looks_twice,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def login(self) -> None:
        """Logs in unless a valid token is there. Raises BadConfig with the field `password` for wrong credentials,
        `login` for an account without rights, `url` if the shop has no API (the text begins with `no-api`) or is no
        shop; Retryable with the field `url` if it can't be reached."""
        await self._session.log_in()

    async def statuses(self) -> list[ShopStatus]:
        """Returns all order statuses, including custom ones, in the order of their ids. Returns the five default
        statuses (cartum §3) for a shop before 4.0, which does not know the function, and for one that names none."""
        found = await self._session.rows("orders/get_available_statuses", "statuses", also={UNKNOWN})
        return read_statuses(found or ()) or list(DEFAULT_STATUSES)

    async def currencies(self) -> list[dict[str, Any]]:
        """Returns the enabled currencies as sent: id, iso, title, exchangeRates (cartum §6); [] if the shop does not
        know the function."""
        return await self._session.rows("currency/export", "currency", also={UNKNOWN}) or []

    async def currencies_if_shown(self) -> list[dict[str, Any]]:
        """Returns `currencies`, [] where they can't be read. Raises OverQuota and TimeIsUp."""
        try:
            return await self.currencies()
        except (OverQuota, TimeIsUp):
            raise
        except (BadRecord, BadConfig, Retryable):
            return []

    async def orders(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[int] | None = None,
        numbers: Sequence[str] | None = None,
    ) -> AsyncIterator[list[Row]]:
        """Walks over the orders once. Yields pages of at most 100 raw rows. Pages may repeat rows, and miss some if
        orders move meanwhile (`read_orders` misses none). Both dates are aware and inclusive and mean the order's
        creation. Of every argument None means: no filter. [] as `statuses` or `numbers` means: no order. Rows that were
        not asked for are left out; rows that can't be read are kept."""
        query = OrderQuery.of(self._zone, created_from, created_to, statuses, numbers)
        for part in query.parts():
            async for rows in self._pages(part, self._session.tally(GET)):
                if kept := [row for row in rows if part.keeps(row)]:
                    yield kept

    async def read_orders(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[int] | None = None,
        numbers: Sequence[str] | None = None,
    ) -> dict[str, Row]:
        """Returns order number → raw row as read last: all that `pages_of_orders` yields, in one."""
        found: dict[str, Row] = {}
        async for page in self.pages_of_orders(
            created_from=created_from, created_to=created_to, statuses=statuses, numbers=numbers
        ):
            found.update(page)
        return found

    async def pages_of_orders(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[int] | None = None,
        numbers: Sequence[str] | None = None,
    ) -> AsyncIterator[dict[str, Row]]:
        """Yields order number → raw row, page by page. The arguments are those of `orders`. A row without a readable
        number has a key that begins with `?`. An order may come several times: the last row counts.

        Rows move between pages while they are read. So a walk of several pages is repeated until it brings nothing new
        except orders placed since it began. Up to `HELD` rows come in one page when that is through. Of more, the first
        walk only shows that there is an end, and keeps the numbers; the others yield each page as it comes. Raises
        Retryable if walks bring other rows each time."""
        query = OrderQuery.of(self._zone, created_from, created_to, statuses, numbers)
        for part in query.parts():
            async for page in self._walk_until_stable(part):
                yield page

    async def set_status(self, number: str, status: int) -> None:
        """Sets the order's status in the shop, with one try. Raises BadRecord if the shop refuses it, Retryable if the
        outcome is unknown. The answer OK does not prove that the status was stored. Status 4 locks the order there
        (cartum §3)."""
        await self._session.write("orders/update", {"orders": [{"order_id": as_sent(number), "status": status}]})

    async def products(self, articles: Sequence[str]) -> dict[str, Row]:
        """Returns article (the shop's SKU) → raw row of catalog/export with `catalogue.FIELDS` (article, parent_article
        and parent always come). Articles are named as orders spell them, and returned as one line in the catalogue's
        letter case; unknown ones are missing. 100 are asked for in a call. If the shop ignores or refuses that filter
        (before 3.21.1), each call then reads the catalogue page by page until all articles are found. Returns {} if the
        shop does not know the function."""
        wanted = list(dict.fromkeys(article for article in articles if article.strip()))
        found: dict[str, Row] = {}
        if self._article_filter:
            try:
                for start in range(0, len(wanted), catalogue.ARTICLES):
                    part = wanted[start : start + catalogue.ARTICLES]
                    found.update(await catalogue.by_article(part, self._filtered_page))
                return found
            except catalogue.FilterIgnored:
                log.info("the shop has no catalogue filter by article: reading the whole catalogue")
        rest = catalogue.lacking(wanted, found)
        tally = self._session.tally(EXPORT)
        found.update(await catalogue.from_whole(rest, partial(self._catalogue_page, tally), tally.seen))
        self._article_filter = False
        return found

    async def _walk_until_stable(self, query: OrderQuery) -> AsyncIterator[dict[str, Row]]:
        """Yields rows until a walk brings nothing new. Raises Retryable after `MAX_WALKS` walks."""
        begun = shop_time(datetime.now(UTC), self._zone) if self._zone else None
        tally = self._session.tally(GET)
        seen: set[str] = set()
        kept: dict[str, Row] = {}
        held: dict[str, Row] | None = {}  # None: there are more
        left: set[str] = set()
        quiet = before = 0
        for walked in range(MAX_WALKS):
            pages, received, fresh = 0, 0, False
            # Rows get lost at the borders of pages, so every second walk has other borders.
            async for rows in self._pages(query, tally, ROWS // 2 if walked % 2 else ROWS):
                pages += 1
                received += len(rows)
                numbered = {row_key(row): row for row in rows}
                kept = {number: row for number, row in numbered.items() if query.keeps(row)}
                new = numbered.keys() - seen
                fresh = fresh or any(number not in kept or not is_later(kept[number], begun) for number in new)
                seen |= new
                tally.seen(seen)
                if pages > 1:
                    log.info("page %s, %s orders so far%s", pages, len(seen), ", once more" if walked else "")
                left |= new & kept.keys()
                if held is not None:
                    held.update(kept)
                    held = held if len(held) <= HELD else None
                elif walked and kept:
                    left -= kept.keys()
                    yield kept
            quiet = 0 if fresh else quiet + 1
            # Repeated rows take the place of others; the number of rows still tells how many orders there are.
            lacking = max(received, before) > len(seen)
            if pages <= 1 or (walked and quiet >= (QUIET_WALKS if lacking else 1)):
                break
            before = received
        else:
            raise Retryable(f"the shop's list of orders brought other ones at each of {MAX_WALKS} walks")
        if held is not None or not walked:
            yield kept if held is None else held
            return
        # What only the first walk had: it moved since, or it is gone.
        for part in OrderQuery(numbers=frozenset(number for number in left if not number.startswith("?"))).parts():
            async for page in self._walk_until_stable(part):
                yield {number: row for number, row in page.items() if query.keeps(row)}

    async def _pages(self, query: OrderQuery, tally: Tally, limit: int = ROWS) -> AsyncIterator[list[Row]]:
        if query.is_empty:
            return
        if self._days_only:
            query = query.by_days()
        page = partial(self._orders_page, tally)
        first = await self._first_page(query, tally, limit)
        if first is None:
            self._days_only = True
            log.info("the shop takes no time of day in dates: asking for whole days")
            query = query.by_days()
            first = await page(query.parameters(0, limit))
        try:
            async for rows in walk(query, first, page, limit):
                yield rows
        except OffsetIgnored:
            log.info("the shop has no second page: asking for shorter and shorter times")
            async for rows in in_windows(query, first, page):
                yield rows

    async def _first_page(self, query: OrderQuery, tally: Tally, limit: int) -> list[Row] | None:
        # A shop before 3.30 refuses a time of day, or ignores the whole parameter and sends everything.
        if not query.is_timed:
            return await self._orders_page(tally, query.parameters(0, limit))
        rows = await self._session.rows(GET, "orders", query.parameters(0, limit), also={"ERROR"}, tally=tally)
        return rows if rows is not None and all(query.in_sent_dates(row) for row in rows) else None

    async def _orders_page(self, tally: Tally, parameters: dict[str, Any]) -> list[Row]:
        return await self._session.rows(GET, "orders", parameters, tally=tally) or []

    async def _filtered_page(self, parameters: dict[str, Any]) -> list[Row] | None:
        return await self._session.rows(EXPORT, "products", parameters, also={"ERROR", "EXCEPTION", UNKNOWN})

    async def _catalogue_page(self, tally: Tally, parameters: dict[str, Any]) -> list[Row]:
        return await self._session.rows(EXPORT, "products", parameters, also={UNKNOWN}, tally=tally) or []
