"""Connects a shop, edits its settings and deletes it: two steps of one form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.errors import BadConfig, IntegrationError
from cartum_roapp.ledger.deleted_shops import FORGOTTEN
from cartum_roapp.ledger.shops import ShopState
from cartum_roapp.shops import form as shop_form
from cartum_roapp.shops.draft import settings
from cartum_roapp.shops.form import ACCESS, SECTIONS, SETTINGS, STATUSES, UNASKED, Flat
from cartum_roapp.shops.problems import Problems
from cartum_roapp.shops.refused import Refused
from cartum_roapp.shops.setting import Values, check
from cartum_roapp.shops.shop import PASSWORD, SHOP_FIELDS, SLUG
from console.backend import Backend, answering
from console.filled import Filled, readable
from console.page import once, redirect, render, text

#: What the fields of checks are called.
_TITLES = {
    **{key: declared.setting.title for key, declared in SHOP_FIELDS.items()}, "password": PASSWORD.setting.title,
    "settings": "Settings", "tls": "Certificate", "tariff": "Plan", "currency": "Currency",
    "roapp_integration": "RO App's own integration",
}  # fmt: skip
#: The field of what concerns no single control.
_GENERAL = ""


class SettingsPages:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def new(self, request: Request) -> Response:
        """The page that connects a shop; its form checks it, or saves it."""
        draft = Filled("")
        if request.method == "GET":
            return await self._page(request, draft)
        form = await request.form()
        draft.slug = _checked(draft.problems, SLUG.key, SLUG.checked, text(form, "slug"))
        draft.typed = shop_form.read(_lists(form))
        asked = {key: SHOP_FIELDS[key] for key in {key.partition(".")[0] for key in draft.typed}}
        values = check(shop_form.whole(_set(draft.typed)), asked)
        self._take_password(draft, form, demanded=True)
        await self._examine(draft, values)
        if not set(SETTINGS) <= asked.keys():
            known = {*asked, "slug", "password", _GENERAL}
            draft.problems = Problems(problem for problem in draft.problems if problem.field in known)
        return await self._answer(request, draft, form)

    async def edit(self, request: Request) -> Response:
        """The page with a shop's settings; its form checks them, or saves what was changed."""
        shop = await run_in_threadpool(self.backend.shop, request)
        before = await self.backend.runs.stored(shop.slug)
        if before is None:
            raise HTTPException(404)
        if isinstance(before, BadConfig):
            return await self._repair(request, shop)
        now = settings(before)
        draft = Filled(shop.slug, shown=now, typed=now, step=request.url.path.rpartition("/")[2])
        draft.compare(before)
        if request.method == "GET":
            return await self._page(request, draft, shop)
        form = await request.form()
        typed = shop_form.normal(shop_form.read(_lists(form)))
        merged = shop_form.merge(_shown(form), typed, now)
        for key in sorted(merged.conflicts):
            draft.problems.add(
                key, "was changed by somebody else meanwhile.", "keep your value or take theirs, then save"
            )
        draft.typed = merged.values
        values = check(shop_form.whole(merged.values), SHOP_FIELDS)
        self._take_password(draft, form, demanded=not {"url", "login"}.isdisjoint(merged.changed))
        asked = text(form, "action") == "check" or draft.problems or values.problems
        if asked or merged.changed - UNASKED or draft.password != before.password:
            kept = set(SHOP_FIELDS) - {key.partition(".")[0] for key in merged.changed}
            await self._examine(draft, values, kept if {"url", "account"} <= kept else set())
        else:
            draft.values = values.good
            draft.problems.extend(values.problems)
        return await self._answer(request, draft, form, shop)

    async def _repair(self, request: Request, shop: ShopState) -> Response:
        """The page of a shop that can't be used as it is stored, with what is wrong with each setting; its form checks
        what was corrected, or saves it."""
        draft = Filled(shop.slug, stored=True, key=shop.key)
        if request.method == "GET":
            draft.typed = readable(await self.backend.runs.raw(shop.slug))
            draft.problems.extend(check(shop_form.whole(draft.typed), SHOP_FIELDS).problems)
            return await self._page(request, draft, shop)
        form = await request.form()
        draft.typed = shop_form.read(_lists(form))
        values = check(shop_form.whole(_set(draft.typed)), SHOP_FIELDS)
        self._take_password(draft, form, demanded=True)
        await self._examine(draft, values)
        return await self._answer(request, draft, form, shop)

    async def delete(self, request: Request) -> Response:
        """Deletes the shop whose name was typed; with `purge` its history, too."""
        shop, form = await self.backend.asked(request)
        if text(form, "confirmed") != shop.slug:
            fix = f"Type {shop.slug} to delete it."
            raise BadConfig("This is not the shop's short name.", field="confirmed", fix=fix)

        async def work() -> None:
            from deployments import shops

            await shops.disconnect(shop.slug, purge="purge" in form)

        await self.backend.runs.apart(work)
        return redirect(request, "/shops", "deleted")

    def _take_password(self, draft: Filled, form: FormData, *, demanded: bool) -> None:
        """Sets the password that was typed, otherwise the stored one unless the access has changed."""
        typed = form.get(PASSWORD.key, "")
        if isinstance(typed, str) and typed:
            try:
                draft.password = PASSWORD.checked(typed)
            except Refused as refused:
                draft.password = None
                draft.problems.add(PASSWORD.key, refused.reason, refused.fix)
        elif demanded or draft.before is None:
            draft.password = None
            why = (
                "is missing." if draft.before is None else "is needed again, because the address or login has changed."
            )
            draft.problems.add(PASSWORD.key, why, "type the password of that user")

    async def _examine(self, draft: Filled, values: Values, kept: set[str] | None = None) -> None:
        """Asks both systems. Sets `found`, and adds problems."""
        draft.values = values.good
        draft.problems.extend(problem for problem in values.problems if problem.field not in draft.problems)

        async def work() -> None:
            from blocks.examine import examine_drafts

            async with answering("The two systems"):
                await examine_drafts([draft], self.backend.clients(), kept or ())

        try:
            async with self.backend.free:
                await self.backend.runs.apart(work)
        except IntegrationError as error:
            draft.problems.add(_GENERAL, error.message, error.fix or "try again")

    async def _answer(self, request: Request, draft: Filled, form: FormData, shop: ShopState | None = None) -> Response:
        """Returns the page with all problems, or what was checked; after a save the shop's page."""
        draft.step, draft.action = text(form, "step") or draft.step, text(form, "action")
        config = draft.config
        if config is None or draft.action not in ("save", "import"):
            return await self._page(request, draft, shop)

        async def work() -> None:
            from deployments import drafts

            await drafts.save([draft])

        try:
            await self.backend.runs.apart(work)
        except IntegrationError as error:
            draft.problems.add(error.field or _GENERAL, error.message, error.fix or "try again")
            return await self._page(request, draft, shop)
        if draft.action == "save" or not config.enabled:
            return redirect(request, f"/shops/{config.slug}", "saved")
        run = await self.backend.runs.start(f"initial-import/{config.slug}", once(config.key, form))
        return redirect(request, f"/shops/{config.slug}?run={run}")

    async def _page(self, request: Request, draft: Filled, shop: ShopState | None = None) -> Response:
        accounts = await self.backend.runs.accounts()
        found, values, stored = draft.found, draft.typed, draft.shown if draft.before else None
        known = found.shop_lists is not None and found.account_lists is not None
        sections = [("The shop", shop_form.controls(ACCESS, values, found, accounts, stored))]
        statuses: list[shop_form.Control] = []
        if known or shop is not None or set(SETTINGS) <= values.keys():
            sections += [
                (title, shop_form.controls(keys, values, found, accounts, stored)) for title, keys in SECTIONS.items()
            ]
            statuses = shop_form.status_controls(values, found, stored)
        rest = shop_form.controls(STATUSES, values, found, accounts, stored) if len(sections) > 1 else []
        shown = {control.key for _, controls in sections for control in controls} | {one.key for one in rest}
        by_field = {problem.field: problem for problem in draft.problems}
        named = {*shown, "slug", PASSWORD.key, "statuses", *(one.key for one in statuses)}
        on_statuses = {"statuses", *STATUSES, *(one.key for one in statuses)}
        step = draft.step
        if by_field:
            step = "statuses" if by_field.keys() <= on_statuses else "settings"
        return render(
            request, "settings.html" if shop else "new_shop.html", 422 if by_field else 200,
            shop=shop, draft=draft, sections=sections, statuses=statuses, rest=rest, problems=by_field, step=step,
            general=[problem for problem in draft.problems if problem.field not in named], accounts=accounts,
            to_do=draft.to_do, checked=[one for one in draft.checks if not one.fix],
            shown=json.dumps(draft.shown, ensure_ascii=False),
            asks=request.method == "GET" and shop is not None,
            forgotten=FORGOTTEN, titles=_TITLES | {one.key: one.title for one in statuses},
        )  # fmt: skip


def _checked(problems: Problems, key: str, rule: Callable[[object], Any], value: str) -> str:
    try:
        return str(rule(value))
    except Refused as refused:
        problems.add(key, refused.reason, refused.fix)
        return ""


def _lists(form: FormData) -> dict[str, list[str]]:
    return {key: [one for one in form.getlist(key) if isinstance(one, str)] for key in form}


def _set(values: Flat) -> Flat:
    return {key: value for key, value in values.items() if value is not None}


def _shown(form: FormData) -> Flat:
    """Returns what the form showed. Raises HTTPException 400."""
    try:
        shown = json.loads(text(form, "shown"))
    except (ValueError, RecursionError):
        shown = None
    if not isinstance(shown, dict):
        raise HTTPException(400, "The form is not complete.")
    return shown
