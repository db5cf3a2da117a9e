"""The overview of all shops, a shop's page, and how a run that was started here goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp import service
from cartum_roapp.ledger import database, health, order_list, runs
from cartum_roapp.ledger.health import Health
from cartum_roapp.ledger.runs import RunRecord
from cartum_roapp.report.facts import facts, in_words
from cartum_roapp.service import worker
from cartum_roapp.sync import sentence
from console.console import Console
from console.page import redirect, render

#: What needs a person most comes first.
_ORDER = ("refused", "behind", "needs you", "not imported", "importing", "paused", "well")
#: A shop's page shows so many of its last runs.
_RUNS = 20


class ShopPages:
    def __init__(self, console: Console) -> None:
        self.console = console

    async def overview(self, request: Request) -> Response:
        """All shops, or the shops and orders that a search finds; a single order's page at once."""
        self.console.runs.begin()
        asked = request.query_params.get("q", "").strip()
        found, orders = await run_in_threadpool(self._search, asked)
        slugs = {one.state.key: one.state for one in found}
        if len(orders) == 1 and asked:
            return redirect(request, f"/shops/{slugs[orders[0].shop].slug}/orders/{orders[0].number}")
        if asked:
            found = [one for one in found if asked.casefold() in f"{one.state.slug} {one.state.name}".casefold()]
        found.sort(key=lambda one: (_ORDER.index(one.word), one.state.slug))
        return render(
            request, "shops.html", shops=found, orders=orders, states=slugs, asked=asked,
            has_worker=worker.polls(self.console.home),
        )  # fmt: skip

    async def one(self, request: Request) -> Response:
        self.console.runs.begin()
        shop = await run_in_threadpool(self.console.shop, request)
        found, last = await run_in_threadpool(self._one, shop.key)
        config = self.console.config
        words = in_words(facts(found, config.roapp_interval, refused_again=config.refused_again)) if found else []
        return render(
            request, "shop.html", shop=shop, health=found, facts=words, runs=[self._run(one) for one in last],
            started=request.query_params.get("run"),
        )  # fmt: skip

    async def run(self, request: Request) -> Response:
        """A part of a page: where a run stands. It is asked for again until the run has ended."""
        shop = await run_in_threadpool(self.console.shop, request)
        id = request.path_params["run"]
        found = await run_in_threadpool(runs.find, self.console.engine, id)
        if found is not None and found.shop != shop.key:
            found = None
        has_worker = worker.polls(self.console.home)
        return render(
            request,
            "run.html",
            shop=shop,
            id=id,
            run=None if found is None else self._run(found),
            has_worker=has_worker,
        )

    def _search(self, asked: str) -> tuple[list[Health], list[order_list.Listed]]:
        with database.reading(self.console.engine) as connection:
            orders = order_list.found(connection, asked) if asked else []
        return health.of_all(self.console.engine), orders

    def _one(self, key: str) -> tuple[Health | None, list[RunRecord]]:
        return health.of_shop(self.console.engine, key), runs.recent(self.console.engine, key, _RUNS)

    def _run(self, one: RunRecord) -> dict[str, Any]:
        said = one.error or (sentence.of_summary(one.counts) if one.state == "completed" else "")
        ended = one.finished_at or datetime.now(UTC)
        return {
            "kind": one.kind,
            "began": one.started_at,
            "took": ended - one.started_at,
            "state": one.state,
            "sentence": said,
            "page": f"{page}/v2/runs/flow-run/{one.id}" if (page := self._prefect()) else None,
        }

    def _prefect(self) -> str | None:
        """Returns the address of Prefect's UI; None while it is unknown."""
        return service.ui_url(self.console.config)
