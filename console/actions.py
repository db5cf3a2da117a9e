"""What a person starts on a page. Each answer leads back to a page that shows how it goes on."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.connection.access import clients_of
from cartum_roapp.errors import BadConfig, Code
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.sync.dismissal import dismiss
from console.console import Console
from console.page import redirect


class Actions:
    def __init__(self, console: Console) -> None:
        self.console = console

    async def sync(self, request: Request) -> Response:
        shop, form = await self._asked(request)
        run = await self.console.runs.start(f"incremental-sync/{shop.slug}", _text(form, "key"))
        return redirect(request, f"/shops/{shop.slug}?run={run}")

    async def compare(self, request: Request) -> Response:
        shop, form = await self._asked(request)
        run = await self.console.runs.start(f"reconcile/{shop.slug}", _text(form, "key"), repair=False)
        return redirect(request, f"/shops/{shop.slug}?run={run}")

    async def pause(self, request: Request) -> Response:
        shop, _ = await self._asked(request)
        config = await self.console.runs.shop(shop.slug)
        from deployments import shops

        await shops.pause(config)
        return redirect(request, f"/shops/{shop.slug}")

    async def resume(self, request: Request) -> Response:
        shop, _ = await self._asked(request)
        config = await self.console.runs.shop(shop.slug)
        from deployments import shops

        await shops.resume(config)
        return redirect(request, f"/shops/{shop.slug}")

    async def retry(self, request: Request) -> Response:
        """Tries one record again (`id`, `entity`), or all of one reason (`code`)."""
        shop, form = await self._asked(request)
        named: dict[str, Any] = {"code": _code(form)} if "code" in form else _named(form)
        if "make_again" in form:
            named["make_again"] = True
        return await self._retry(request, shop, _text(form, "key"), **named)

    async def dismiss(self, request: Request) -> Response:
        """Leaves a record as it is (`id`, `entity`, `reason`)."""
        shop, form = await self._asked(request)
        entity: Any = _text(form, "entity")
        await run_in_threadpool(
            dismiss, self.console.engine, shop.key, [_text(form, "id")], entity, _text(form, "reason")
        )
        return redirect(request, f"/shops/{shop.slug}/held")

    async def choose(self, request: Request) -> Response:
        """Stores which contact or product of RO App is meant (`kind`, `which`, `ro_id`), and tries the record again."""
        shop, form = await self._asked(request)
        kind, ro_id = _text(form, "kind"), _text(form, "ro_id")
        if kind not in ("contact", "product") or not ro_id.isdecimal():
            raise BadConfig("RO App's id is a number.", field="ro_id", fix="Give the id that RO App shows.")
        found = await self.console.runs.settings(shop.slug)
        from tasks.matches import choose

        await choose(found, kind, _text(form, "which"), int(ro_id))
        return await self._retry(request, shop, _text(form, "key"), **_named(form))

    async def match(self, request: Request) -> Response:
        """Matches a status of the shop with one of RO App (`status`, `roapp_status`), and tries all again that are held
        for a status that is not matched."""
        shop, form = await self._asked(request)
        config = await self.console.runs.shop(shop.slug)
        from deployments import shops
        from tasks.matches import find_match

        clients = clients_of(lambda: self.console.engine, self.console.config)
        await shops.match(await find_match(config, _text(form, "status"), _text(form, "roapp_status"), clients))
        return await self._retry(request, shop, _text(form, "key"), code=Code.STATUS_UNMATCHED)

    async def resend(self, request: Request) -> Response:
        """Sends an order again, whatever was sent."""
        shop, form = await self._asked(request)
        number = request.path_params["number"]
        run = await self.console.runs.start(
            "resend-orders/resend-orders", _text(form, "key"), shop=shop.slug, numbers=[number]
        )
        return redirect(request, f"/shops/{shop.slug}/orders/{number}?run={run}")

    async def _asked(self, request: Request) -> tuple[ShopState, FormData]:
        shop = await run_in_threadpool(self.console.shop, request)
        return shop, await request.form()

    async def _retry(self, request: Request, shop: ShopState, key: str, **named: Any) -> Response:
        named |= {"shop": shop.slug, "dry_run": False}
        run = await self.console.runs.start("replay-held/replay-held", key, **named)
        return redirect(request, f"/shops/{shop.slug}/held?run={run}")


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _code(form: FormData) -> str:
    return _text(form, "code")


def _named(form: FormData) -> dict[str, Any]:
    return {"ids": [_text(form, "id")], "entity": _text(form, "entity")}
