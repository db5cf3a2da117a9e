"""A shop's orders, and all that is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.apis.calls import Calls
from cartum_roapp.delivery.account import reading
from cartum_roapp.ledger import database, order_list
from cartum_roapp.ledger.dossier import BUYER
from cartum_roapp.ledger.order_list import Listed
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.report import order_sides
from cartum_roapp.report.tables import Part
from cartum_roapp.shops import ShopSettings
from cartum_roapp.sync import order_story
from console.backend import PATIENCE, Backend, answering
from console.page import error, render, started

#: From UTC, of any time zone.
_FARTHEST = timedelta(hours=14)


class OrderPages:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def listed(self, request: Request) -> Response:
        """A page of the shop's orders, newest first; `state` and `before` choose which."""
        shop = await run_in_threadpool(self.backend.shop, request)
        state = request.query_params.get("state", "")
        if state not in ("", *order_list.STATES):
            raise HTTPException(404)
        before = _before(request.query_params.get("before", ""))
        found = await run_in_threadpool(self._listed, shop, state or None, before)
        more = f"{found[-1].created_at.isoformat()} {found[-1].number}" if len(found) == order_list.PAGE else ""
        return render(
            request, "orders.html", shop=shop, orders=found, state=state, states=list(order_list.STATES), more=more
        )

    async def one(self, request: Request) -> Response:
        shop = await run_in_threadpool(self.backend.shop, request)
        return await self._page(request, shop, await self.backend.runs.settings_if_known(shop.slug))

    async def compare(self, request: Request) -> Response:
        """The order's page with what RO App shows of it now."""
        shop = await run_in_threadpool(self.backend.shop, request)
        found = await self.backend.runs.settings(shop.slug)
        number, engine, config = request.path_params["number"], self.backend.engine, self.backend.config

        async def read() -> list[Part]:
            calls = Calls(seconds=PATIENCE)
            async with answering("RO App"), reading(engine, found.account, config, calls) as roapp:
                return await order_sides.read(engine, roapp, shop.account, shop.key, number)

        return await self._page(request, shop, found, await self.backend.runs.apart(read))

    async def _page(
        self, request: Request, shop: ShopState, found: ShopSettings | None, sides: Sequence[Part] = ()
    ) -> Response:
        story = await run_in_threadpool(self._story, shop, request.path_params["number"], found)
        if story is None:
            missing = order_story.unknown(shop.slug, request.path_params["number"])
            return error(request, 404, missing.message, missing.fix or "")
        order = story["order"] or {}
        return render(
            request, "order.html", shop=shop, story=story, facts=order_story.facts(story, shop.timezone),
            lines=order.get("lines", ()), timeline=folded(story["timeline"]),
            buyer=[(name.replace("_", " "), order[name]) for name in BUYER if order.get(name)],
            started=started(request), sides=sides,
        )  # fmt: skip

    def _listed(self, shop: ShopState, state: str | None, before: tuple[datetime, str] | None) -> list[Listed]:
        with database.reading(self.backend.engine) as connection:
            return order_list.newest(connection, shop.key, state=state, before=before)

    def _story(self, shop: ShopState, number: str, found: ShopSettings | None) -> dict[str, Any] | None:
        return order_story.read(
            self.backend.engine, shop.slug, shop.key, number, found, personal=True, zone=shop.timezone
        )


def folded(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the events, newest first, with reads of RO App in a row as one entry: `reads` has them, or is empty."""
    found: list[dict[str, Any]] = []
    for is_read, group in groupby(reversed(events), key=_is_read):
        entries = list(group)
        if is_read:
            count = len(entries)
            words = f"{count} read{'' if count == 1 else 's'} of RO App"
            found.append({"at": entries[0]["at"], "text": words, "reads": entries})
        else:
            found += [{**one, "reads": []} for one in entries]
    return found


def _is_read(event: dict[str, Any]) -> bool:
    return event["kind"] == "call" and str(event["details"].get("call", "")).startswith("GET ")


def _before(asked: str) -> tuple[datetime, str] | None:
    if not asked:
        return None
    at, _, number = asked.partition(" ")
    try:
        moment = datetime.fromisoformat(at)
        zone = moment.utcoffset()
        if zone is None or abs(zone) > _FARTHEST or not 2000 <= moment.year <= 9000:
            raise ValueError
    except ValueError:
        raise HTTPException(400, "before must be a time with its zone, such as 2026-11-30T14:05:09+00:00.") from None
    return moment.astimezone(UTC), number
