"""The accounts of RO App: what is known of each, a check, a new one or a new key, and a test of the alerts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.errors import BadConfig, IntegrationError
from cartum_roapp.ledger import accounts, database, health
from cartum_roapp.ledger.accounts import Known
from cartum_roapp.shops import AccountConfig
from cartum_roapp.shops.account import ACCOUNT_FIELDS
from cartum_roapp.shops.problems import Problem, Problems
from console.backend import Backend
from console.page import redirect, render, text

_PRODUCTS = {
    "unknown": "not known yet whether RO App accepts new products",
    "works": "RO App accepts new products",
    "refused": "RO App refuses new products; this is tried again after a day",
}


@dataclass
class Account:
    """An account on the page; `config` is why it can't be used where that is so. `used`: the share of its calls that
    the last hour took."""

    name: str
    config: AccountConfig | BadConfig
    shops: list[str] = field(default_factory=list)
    used: float = 0.0
    facts: list[tuple[str, str]] = field(default_factory=list)

    @property
    def problem(self) -> BadConfig | None:
        return self.config if isinstance(self.config, BadConfig) else None


class AccountPage:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def listed(self, request: Request) -> Response:
        return await self._page(request)

    async def save(self, request: Request) -> Response:
        """Tries the key, and saves the account: a new one, or one that there is with its new key."""
        form = await request.form()
        given = {key: text(form, key) for key in ("name", "base_url", "api_key")}
        clients, problems = self.backend.clients(), Problems()

        async def work() -> None:
            from deployments import accounts

            key = SecretStr(given["api_key"])
            connected = await accounts.connect(given["name"], given["base_url"] or None, key, clients)
            problems.extend(connected.problems)

        try:
            await self.backend.runs.apart(work)
        except IntegrationError as error:
            problems.add(error.field or "base_url", error.message, error.fix or "try again")
        if problems:
            return await self._page(request, given=given, problems=problems)
        return redirect(request, "/accounts", "saved")

    async def check(self, request: Request) -> Response:
        """Asks RO App whether the account's key works, and says so beside it."""
        name = text(await request.form(), "name")
        clients = self.backend.clients()

        async def work() -> str:
            from blocks.store import load_account
            from cartum_roapp.shops.access import enter_account

            lists, problem = await enter_account(clients, await load_account(name))
            if lists is None:
                assert problem is not None
                raise BadConfig(problem.message, fix=problem.fix)
            return f"The key works. The company is {lists.company.get('name') or 'without a name'}."

        return await self._page(request, name, *await self._said(work))

    async def alert(self, request: Request) -> Response:
        """Sends a test message through the block that alerts go through."""

        async def work() -> str:
            from deployments import alerts

            block = await alerts.chosen()
            if block is None:
                raise BadConfig("No block is chosen, so no alerts are sent.", fix="`cartum-roapp alerts TYPE/NAME`")
            answer = await alerts.try_out(block)
            return f"A test message went through {block}. The server's answer: {answer or 'accepted'}."

        return await self._page(request, "", *await self._said(work))

    async def _said(self, work: Callable[[], Coroutine[Any, Any, str]]) -> tuple[str, IntegrationError | None]:
        """Returns what the work says, or why it can't be done."""
        try:
            return await self.backend.runs.apart(work), None
        except IntegrationError as error:
            return "", error

    async def _page(
        self, request: Request, about: str | None = None, said: str = "", error: IntegrationError | None = None, *,
        given: dict[str, str] | None = None, problems: Problems | None = None,
    ) -> Response:  # fmt: skip
        """`said`, `error`: what came of a check of the account `about`, or of a test of the alerts ("")."""
        found = {name: Account(name, config) for name, config in (await self.backend.runs.accounts()).items()}
        await run_in_threadpool(self._describe, found)
        refused: dict[str, Problem] = {problem.field: problem for problem in problems or ()}
        return render(
            request, "accounts.html", 422 if refused or error else 200, accounts=found.values(), fields=ACCOUNT_FIELDS,
            given=given or {}, problems=refused, about=about, said=said, error=error,
        )  # fmt: skip

    def _describe(self, found: dict[str, Account]) -> None:
        engine = self.backend.engine
        for one in health.of_all(engine):
            if account := found.get(one.state.account):
                account.shops.append(one.state.slug)
                account.used = one.budget_used(self.backend.config.roapp_interval)
        with database.reading(engine) as connection:
            for name, known in accounts.known(connection).items():
                if account := found.get(name):
                    account.facts = _facts(known)


def _facts(known: Known) -> list[tuple[str, str]]:
    read = f"{known.products_read_at:%Y-%m-%d %H:%M} UTC" if known.products_read_at else ""
    return [
        ("RO App's products", f"{known.products}, read at {read}" if read else "not read yet"),
        ("New products", _PRODUCTS[known.product_writes]),
    ]
