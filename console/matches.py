"""Which contacts and products of RO App persons chose for a shop, and the end of a choice."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.delivery import choosing
from cartum_roapp.ledger import chosen_contacts, chosen_products
from cartum_roapp.ledger.chosen_contacts import ChosenContact
from cartum_roapp.ledger.chosen_products import ChosenProduct
from cartum_roapp.ledger.shops import ShopState
from console.backend import Backend
from console.page import redirect, render, text


class MatchPage:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def show(self, request: Request) -> Response:
        shop = await run_in_threadpool(self.backend.shop, request)
        contacts, products = await run_in_threadpool(self._chosen, shop)
        return render(request, "matches.html", shop=shop, contacts=contacts, products=products)

    async def unset(self, request: Request) -> Response:
        """Takes a choice back: of a contact by an order of the buyer, of a product by its article (`kind`, `which`)."""
        shop, form = await self.backend.asked(request)
        unchoose = choosing.unchoose_product if text(form, "kind") == "product" else choosing.unchoose_contact
        await run_in_threadpool(unchoose, self.backend.engine, shop, text(form, "which"))
        return redirect(request, f"/shops/{shop.slug}/matches", "unset")

    def _chosen(self, shop: ShopState) -> tuple[list[ChosenContact], list[ChosenProduct]]:
        engine = self.backend.engine
        return chosen_contacts.listed(engine, [shop.key]), chosen_products.listed(engine, [shop.key])
