"""What the last comparison of a shop with RO App found, and a comparison that a person starts."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.ledger import runs
from cartum_roapp.report import tables
from cartum_roapp.sync import sentence
from console.backend import Backend
from console.page import once, redirect, render, started


class ComparePage:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def show(self, request: Request) -> Response:
        shop = await run_in_threadpool(self.backend.shop, request)
        last = await run_in_threadpool(runs.last_comparison, self.backend.engine, shop.key)
        return render(
            request, "compare.html", shop=shop, at=last and last.finished_at, started=started(request),
            said=sentence.of_summary(last.counts) if last else "", warnings=last.counts["warnings"] if last else [],
            parts=tables.of_comparison(last.counts) if last else [],
        )  # fmt: skip

    async def start(self, request: Request) -> Response:
        """Starts a comparison, which with `repair` also puts right what is safe."""
        shop, form = await self.backend.asked(request)
        key = once(shop.key, form)
        run = await self.backend.runs.start(f"reconcile/{shop.slug}", key, repair="repair" in form)
        return redirect(request, f"/shops/{shop.slug}/compare?run={run}")
