"""What a person starts on a page. Each answer leads back to a page that shows how it goes on."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.errors import BadConfig, Code
from cartum_roapp.ledger import held
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.sync.dismissal import dismiss
from console.backend import Backend, answering
from console.choices import asked
from console.page import once, redirect, text

#: Digits of the largest id that RO App may have.
_LONGEST_ID = 18


class Actions:
    """The endpoints of the forms."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def sync(self, request: Request) -> Response:
        shop, form = await self.backend.asked(request)
        run = await self.backend.runs.start(f"incremental-sync/{shop.slug}", once(shop.key, form))
        return redirect(request, f"/shops/{shop.slug}?run={run}")

    async def import_(self, request: Request) -> Response:
        shop, form = await self.backend.asked(request)
        run = await self.backend.runs.start(f"initial-import/{shop.slug}", once(shop.key, form))
        return redirect(request, f"/shops/{shop.slug}?run={run}")

    async def pause(self, request: Request) -> Response:
        shop, _ = await self.backend.asked(request)
        config = await self.backend.runs.shop(shop.slug)
        from deployments import shops

        await self.backend.runs.apart(lambda: shops.pause(config))
        return redirect(request, f"/shops/{shop.slug}", "paused")

    async def resume(self, request: Request) -> Response:
        shop, _ = await self.backend.asked(request)
        config = await self.backend.runs.shop(shop.slug)
        from deployments import shops

        await self.backend.runs.apart(lambda: shops.resume(config))
        return redirect(request, f"/shops/{shop.slug}", "resumed")

    async def retry(self, request: Request) -> Response:
        """Tries one record again (`id`, `entity`), or all of one reason (`code`)."""
        shop, form = await self.backend.asked(request)
        named: dict[str, Any] = {"code": text(form, "code")} if "code" in form else _named(form)
        if "make_again" in form:
            named["make_again"] = True
        return await self._retry(request, shop, form, **named)

    async def dismiss(self, request: Request) -> Response:
        """Leaves a record as it is (`id`, `entity`, `reason`). Raises BadConfig where it is held for another reason
        than `code` by now."""
        shop, form = await self.backend.asked(request)
        await run_in_threadpool(self._dismiss, shop, form)
        return redirect(request, f"/shops/{shop.slug}/held", "dismissed")

    async def choose(self, request: Request) -> Response:
        """Stores which contact or product of RO App is meant (`ro_id`) by a question of the record (`kind`, `which`),
        and tries the record again. Raises BadConfig for what the record does not wait for, and for an id that is none
        of the candidates where some are known."""
        shop, form = await self.backend.asked(request)
        kind, which, ro_id = text(form, "kind"), text(form, "which"), text(form, "ro_id")
        if not ro_id.isdecimal() or len(ro_id) > _LONGEST_ID or not int(ro_id):
            raise BadConfig("RO App's id is a number above 0.", field="ro_id", fix="Give the id that RO App shows.")
        entity, id = text(form, "entity"), text(form, "id")
        _, question = await run_in_threadpool(asked, self.backend, shop, entity, id, kind, which)
        if question["ids"] and int(ro_id) not in question["ids"]:
            raise BadConfig(
                f"RO App's {kind} {ro_id} is none of those that may be meant.",
                field="ro_id",
                fix="Choose one of those that the held record names.",
            )
        found = await self.backend.runs.settings(shop.slug)
        from tasks.matches import choose

        async def chosen() -> None:
            async with answering("RO App"):
                await choose(found, kind, which, int(ro_id))

        await self.backend.runs.apart(chosen)
        return await self._retry(request, shop, form, **_named(form))

    async def match(self, request: Request) -> Response:
        """Matches a status of the shop with one of RO App (`status`, `roapp_status`), and tries all again that are held
        for a status that is not matched."""
        shop, form = await self.backend.asked(request)
        config = await self.backend.runs.shop(shop.slug)
        from deployments import shops
        from tasks.matches import find_match

        async def matched() -> None:
            clients = self.backend.clients()
            await shops.match(await find_match(config, text(form, "status"), text(form, "roapp_status"), clients))

        await self.backend.runs.apart(matched)
        return await self._retry(request, shop, form, code=Code.STATUS_UNMATCHED)

    async def resend(self, request: Request) -> Response:
        """Sends an order again, whatever was sent."""
        shop, form = await self.backend.asked(request)
        number = request.path_params["number"]
        run = await self.backend.runs.start(
            "resend-orders/resend-orders", once(shop.key, form), shop=shop.slug, numbers=[number]
        )
        return redirect(request, f"/shops/{shop.slug}/orders/{quote(number, safe='')}?run={run}")

    async def _retry(self, request: Request, shop: ShopState, form: FormData, **named: Any) -> Response:
        named |= {"shop": shop.slug, "dry_run": False}
        run = await self.backend.runs.start("replay-held/replay-held", once(shop.key, form), **named)
        return redirect(request, f"/shops/{shop.slug}/held?run={run}")

    def _dismiss(self, shop: ShopState, form: FormData) -> None:
        entity: Any = text(form, "entity")
        id, reason = text(form, "id"), text(form, "reason")
        with self.backend.engine.connect() as connection:
            code = held.code(connection, shop.key, entity, id)
        if code != text(form, "code"):
            raise BadConfig("it is now held for another reason, or not at all.", field="id", fix="Look at it again.")
        dismiss(self.backend.engine, shop.key, [id], entity, reason)


def _named(form: FormData) -> dict[str, Any]:
    return {"ids": [text(form, "id")], "entity": text(form, "entity")}
