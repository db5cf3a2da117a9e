"""A shop's backfills: a dry run, the run that does the same, how far each is, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.backfill_words import canceled
from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import backfills, runs, shop_statuses
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.report import tables
from cartum_roapp.shops.choices import Choice
from cartum_roapp.sync.backfill import document
from cartum_roapp.sync.selection import selection
from console.backend import Backend
from console.page import once, redirect, render, started, text

_FLOW = "backfill/backfill"
#: With these actions of a dry run a real one would do something.
_DONE = ("create", "adopt", "change")


class BackfillPages:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def show(self, request: Request) -> Response:
        """The form, a dry run that is through, and all backfills."""
        shop, look = await run_in_threadpool(self.backend.shop, request), request.query_params.get("look")
        if look is None:
            return await self._page(request, shop, {})
        plan = await run_in_threadpool(self._plan, shop, look)
        return await self._page(request, shop, await self.backend.runs.parameters(look), plan=plan)

    async def look(self, request: Request) -> Response:
        """Starts the dry run of what was named, or shows what is wrong with it."""
        shop, form = await self.backend.asked(request)
        config = await self.backend.runs.shop(shop.slug)
        named: dict[str, Any] = {
            "created_from": text(form, "created_from"),
            "created_to": text(form, "created_to"),
            "statuses": [one for one in form.getlist("statuses") if isinstance(one, str)],
            "numbers": text(form, "numbers").replace(",", " ").split(),
        }
        try:
            since, until = (_day(named, field) for field in ("created_from", "created_to"))
            selection(config, since, until, named["statuses"], named["numbers"])
        except BadConfig as error:
            return await self._page(request, shop, named, error)
        named |= {"created_from": since and since.isoformat(), "created_to": until and until.isoformat()}
        named, key = {name: value or None for name, value in named.items()}, once(shop.key, form)
        run = await self.backend.runs.start(_FLOW, key, shops=[shop.slug], dry_run=True, **named)
        return redirect(request, f"/shops/{shop.slug}/backfills?run={run}")

    async def do(self, request: Request) -> Response:
        """Starts the backfill of what a dry run named."""
        shop, form = await self.backend.asked(request)
        look = text(form, "look")
        await run_in_threadpool(self._plan, shop, look)
        named = await self.backend.runs.parameters(look)
        run = await self.backend.runs.start(_FLOW, once(shop.key, form), **{**named, "dry_run": False})
        return redirect(request, f"/shops/{shop.slug}/backfills?run={run}")

    async def cancel(self, request: Request) -> Response:
        """Takes what waits of a backfill out of the queue."""
        shop, form = await self.backend.asked(request)
        id = text(form, "id")
        await run_in_threadpool(self._cancel, shop, id)
        return redirect(request, f"/shops/{shop.slug}/backfills?canceled={id}")

    async def _page(
        self,
        request: Request,
        shop: ShopState,
        named: Mapping[str, Any],
        error: BadConfig | None = None,
        plan: Mapping[str, Any] | None = None,
    ) -> Response:
        """`named`: what the form shows as chosen; `error` refuses it; `plan`: the document of its dry run."""
        found, statuses = await run_in_threadpool(self._found, shop)
        ended = [
            canceled(one)
            for one in found
            if (str(one["id"]), one["state"]) == (request.query_params.get("canceled"), "canceled")
        ]
        return render(
            request, "backfills.html", 422 if error else 200, shop=shop, backfills=found, statuses=statuses,
            plan=tables.of_plan(plan) if plan else None, of=request.query_params.get("look"),
            doable=sum(plan["actions"][action] for action in _DONE) if plan else 0,
            ended=ended, started=started(request), error=error,
            given={field: named.get(field) or "" for field in ("created_from", "created_to")},
            numbers=" ".join(named.get("numbers") or ()), chosen=named.get("statuses") or [],
        )  # fmt: skip

    def _found(self, shop: ShopState) -> tuple[list[dict[str, Any]], list[Choice]]:
        engine = self.backend.engine
        found = [document(engine, shop.slug, one) for one in backfills.listed(engine, shop.key)]
        return found, [Choice(id, name) for id, name in sorted(shop_statuses.matched(engine, shop.key).items())]

    def _plan(self, shop: ShopState, run: str) -> Mapping[str, Any]:
        """Returns the document of a dry run of this shop that is through. Raises BadConfig where it is none."""
        found = runs.find(self.backend.engine, run)
        if found is None or found.shop != shop.key or "would_hold" not in found.counts:
            raise BadConfig("no dry run of this shop has this id.", field="look", fix="Look again, then do it.")
        return found.counts

    def _cancel(self, shop: ShopState, id: str) -> None:
        engine = self.backend.engine
        if id not in {str(one.id) for one in backfills.listed(engine, shop.key)}:
            raise HTTPException(404)
        backfills.cancel(engine, int(id))


def _day(named: Mapping[str, Any], field: str) -> date | None:
    typed: str = named[field]
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise BadConfig(f'"{typed[:20]}" is not a date.', field=field, fix="Write it like 2026-01-31.") from None
