"""The accounts of RO App: which there are, who uses them; one is added, or gets a new key."""

from __future__ import annotations

from collections import defaultdict

from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from cartum_roapp.config.account import ACCOUNT_FIELDS
from cartum_roapp.config.problems import Problems
from cartum_roapp.errors import BadConfig, IntegrationError
from cartum_roapp.ledger import shops
from console.backend import Backend
from console.page import redirect, render, text


class AccountPage:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    async def listed(self, request: Request) -> Response:
        return await self._page(request, {}, Problems())

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
            return await self._page(request, given, problems)
        return redirect(request, "/accounts")

    async def _page(self, request: Request, given: dict[str, str], problems: Problems) -> Response:
        accounts = await self.backend.runs.accounts()
        users: dict[str, list[str]] = defaultdict(list)
        for state in await run_in_threadpool(shops.all_states, self.backend.engine):
            users[state.account].append(state.slug)
        rows = [
            (name, "" if isinstance(one, BadConfig) else one.base_url, one if isinstance(one, BadConfig) else None)
            for name, one in accounts.items()
        ]
        return render(
            request, "accounts.html", 422 if problems else 200, accounts=rows, users=users, fields=ACCOUNT_FIELDS,
            given=given, problems={problem.field: problem for problem in problems},
        )  # fmt: skip
