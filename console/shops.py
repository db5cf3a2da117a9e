"""The overview of all shops, a shop's page, and how a run that was started here goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp import service
from cartum_roapp.ledger import daily, database, health, order_list, outbox, runs, shops
from cartum_roapp.ledger.daily import Day
from cartum_roapp.ledger.health import Health
from cartum_roapp.ledger.runs import RunRecord
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.report import facts, month
from cartum_roapp.service import worker
from cartum_roapp.sync import sentence
from console.backend import Backend
from console.page import again, redirect, render, started

#: What needs a person most comes first.
_ORDER = ("refused", "behind", "needs you", "not imported", "importing", "paused", "well")
#: A shop's page shows so many of its last runs.
_RUNS = 20


class ShopPages:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def overview(self, request: Request) -> Response:
        """All shops, or the shops and orders that a search finds; a single order's page at once."""
        self.backend.runs.begin()
        asked = request.query_params.get("q", "").strip().lstrip("#№").strip()
        found, slugs, orders = await run_in_threadpool(self._search, asked)
        if len(orders) == 1 and not found:
            (order,) = orders
            return redirect(request, f"/shops/{slugs[order.shop].slug}/orders/{quote(order.number, safe='')}")
        found.sort(key=lambda one: (_ORDER.index(one.word), one.state.slug))
        return render(
            request, "shops.html", shops=found, orders=orders, states=slugs, asked=asked,
            has_worker=worker.polls(self.backend.home),
        )  # fmt: skip

    async def one(self, request: Request) -> Response:
        self.backend.runs.begin()
        shop = await run_in_threadpool(self.backend.shop, request)
        found, words, last = await run_in_threadpool(self._one, shop)
        days = await run_in_threadpool(self._days, shop)
        return render(
            request, "shop.html", shop=shop, health=found, facts=words, runs=[self._run(one) for one in last],
            month=month.drawn(days), days=days, started=started(request),
        )  # fmt: skip

    async def run(self, request: Request) -> Response:
        """A part of a page: where a run stands. It is asked for again until the run has ended. From the dry run of a
        backfill it leads to what would be done."""
        shop, id = await run_in_threadpool(self.backend.shop, request), request.path_params["run"]
        run = await self.backend.runs.read(id)
        if run.is_look and run.state == "completed":
            return redirect(request, f"/shops/{shop.slug}/backfills?look={id}")
        if run.has_ended and (answer := again(request, id)):
            return answer
        page = self._page(id, is_import=run.is_import)
        has_worker = worker.polls(self.backend.home)
        counts = await run_in_threadpool(outbox.counts, self.backend.engine, shop.key)
        done, total = counts["delivered"], counts["delivered"] + counts["missing"]
        return render(
            request, "run.html", shop=shop, id=id, run=run, page=page, has_worker=has_worker, done=done, total=total
        )

    def _search(self, asked: str) -> tuple[list[Health], dict[str, ShopState], list[order_list.Listed]]:
        """Returns the health of the shops that are called so, all shops by key, and the orders with this number."""
        engine = self.backend.engine
        slugs = {one.key: one for one in shops.all_states(engine)}
        if not asked:
            return health.of_all(engine), slugs, []
        with database.reading(engine) as connection:
            orders = order_list.found(connection, asked) or order_list.found(connection, asked.upper())
        called = {key for key, one in slugs.items() if asked.casefold() in f"{one.slug} {one.name}".casefold()}
        return [one for one in health.of_all(engine) if one.state.key in called] if called else [], slugs, orders

    def _one(self, shop: ShopState) -> tuple[Health, list[tuple[str, str]], list[RunRecord]]:
        """Returns the shop's health, the same in words, and its last runs."""
        engine, config = self.backend.engine, self.backend.config
        found = health.of_shop(engine, shop.key) or Health(shop)
        (document,) = facts.read(engine, config, [found])
        return found, facts.in_words(document, shop.timezone), runs.recent(engine, shop.key, _RUNS)

    def _days(self, shop: ShopState) -> list[Day]:
        zone = zone_of(shop.timezone)
        return daily.figures(self.backend.engine, shop.key, zone, datetime.now(zone).date())

    def _run(self, one: RunRecord) -> dict[str, Any]:
        said = one.error or (sentence.of_summary(one.counts) if one.state == "completed" else "")
        ended = one.finished_at or datetime.now(UTC)
        return {
            "kind": one.kind,
            "began": one.started_at,
            "took": ended - one.started_at,
            "state": one.state,
            "sentence": said,
            "page": self._page(one.id, is_import=one.kind == "initial-import"),
        }

    def _page(self, run: str, *, is_import: bool) -> str | None:
        """Returns the run's page in Prefect's UI, of an import with its tasks in view; None while the UI's address is
        unknown."""
        ui = service.ui_url(self.backend.config)
        tab = "?tab=TaskRuns" if is_import else ""
        return f"{ui}/v2/runs/flow-run/{run}{tab}" if ui else None
