"""A shop's backfills: a look at what one would do, the backfill that does it, how far each is, and its end."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.backfill_look import Look
from cartum_roapp.backfill_words import canceled
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import backfills, shop_statuses
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.sync.backfill import document
from console.backend import Backend
from console.page import once, redirect, render, started, text

_FLOW = "backfill/backfill"
#: A look shows so many orders; all of them are done.
SHOWN = 500


class BackfillPages:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def show(self, request: Request) -> Response:
        """The form, the look that was taken last, and all backfills."""
        shop = await run_in_threadpool(self.backend.shop, request)
        asked = request.query_params
        looked: Look | None = None
        if "look" in asked:
            looked = await self.backend.runs.apart(lambda: _look(shop.slug, asked["look"]))
        found, statuses = await run_in_threadpool(self._found, shop)
        ended = [
            canceled(one) for one in found if str(one["id"]) == asked.get("canceled") and one["state"] == "canceled"
        ]
        return render(
            request, "backfills.html", shop=shop, backfills=found, statuses=statuses, look=looked, of=asked.get("look"),
            shown=SHOWN, ended=ended, started=started(request),
        )  # fmt: skip

    async def look(self, request: Request) -> Response:
        """Starts the dry run of what was named."""
        shop, form = await self._asked(request)
        named = {
            "created_from": _day(form, "created_from"),
            "created_to": _day(form, "created_to"),
            "statuses": [one for one in form.getlist("statuses") if isinstance(one, str)] or None,
            "numbers": text(form, "numbers").replace(",", " ").split() or None,
        }
        if not any(named.values()):
            raise BadConfig("nothing is named.", field="from", fix="Name days, statuses or order numbers.")
        key = once(shop.key, form)
        run = await self.backend.runs.start(_FLOW, key, shops=[shop.slug], dry_run=True, look="", **named)
        return redirect(request, f"/shops/{shop.slug}/backfills?run={run}")

    async def do(self, request: Request) -> Response:
        """Starts the backfill of a look: of what was named then, as it was shown."""
        shop, form = await self._asked(request)
        look = text(form, "look")
        named = await self.backend.runs.parameters(look)
        if named.get("shops") != [shop.slug] or not named.get("dry_run"):
            raise BadConfig("this is no look at orders of this shop.", field="look", fix="Look again, then do it.")
        run = await self.backend.runs.start(_FLOW, once(shop.key, form), **{**named, "dry_run": False, "look": look})
        return redirect(request, f"/shops/{shop.slug}/backfills?run={run}")

    async def cancel(self, request: Request) -> Response:
        """Takes what waits of a backfill out of the queue."""
        shop, form = await self._asked(request)
        id = text(form, "id")
        await run_in_threadpool(self._cancel, shop, id)
        return redirect(request, f"/shops/{shop.slug}/backfills?canceled={id}")

    async def _asked(self, request: Request) -> tuple[ShopState, FormData]:
        shop = await run_in_threadpool(self.backend.shop, request)
        return shop, await request.form()

    def _found(self, shop: ShopState) -> tuple[list[dict[str, Any]], list[str]]:
        engine = self.backend.engine
        found = [document(engine, shop.slug, one) for one in backfills.listed(engine, shop.key)]
        return found, sorted(set(shop_statuses.matched(engine, shop.key).values()))

    def _cancel(self, shop: ShopState, id: str) -> None:
        engine = self.backend.engine
        if id not in {str(one.id) for one in backfills.listed(engine, shop.key)}:
            raise HTTPException(404)
        backfills.cancel(engine, int(id))


async def _look(slug: str, run: str) -> Look:
    from tasks.plan_page import read_look

    return await read_look(slug, run)


def _day(form: FormData, field: str) -> str | None:
    typed = text(form, field)
    try:
        return date.fromisoformat(typed).isoformat() if typed else None
    except ValueError:
        raise BadConfig("this is no day.", field=field, fix="Write it like 2026-01-31.") from None
