"""Logs in to both systems and reads their lists. An error becomes a problem of the field that it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine

from cartum_roapp.apis.calls import Calls
from cartum_roapp.apis.cartum import Cartum
from cartum_roapp.apis.cartum.session import NoShop
from cartum_roapp.apis.limiter import Limiter, LocalLimiter
from cartum_roapp.apis.retries import Patience
from cartum_roapp.apis.roapp import RoApp
from cartum_roapp.errors import BadConfig, IntegrationError
from cartum_roapp.ledger.slots import CallSlots
from cartum_roapp.settings import Settings
from cartum_roapp.shops import AccountConfig
from cartum_roapp.shops.account import ACCOUNT_FIELDS
from cartum_roapp.shops.lists import AccountLists, ShopLists, account_lists, shop_lists
from cartum_roapp.shops.problems import Problem

#: a person waits: three tries of each call, and no hour's quota is sat out.
TRIES = 3
PAUSE = 0.5
LONGEST_WAIT = 5.0
#: How long each look at a system may go on, in seconds.
LOOK = 300.0
#: The deadline of one call meanwhile, in seconds.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes clients of the two systems. `timeout` is the deadline of one call in seconds; `limiter` returns the limiter
    of an account by its name. The transports replace the network."""

    timeout: float = 10.0
    limiter: Callable[[str], Limiter] = lambda name: LocalLimiter()
    shop_transport: httpx.AsyncBaseTransport | None = None
    account_transport: httpx.AsyncBaseTransport | None = None

    def cartum(self, url: str, login: str, password: SecretStr) -> Cartum:
        return Cartum(
            url, login, password, zone=ZoneInfo("UTC"), patience=self._patience, calls=Calls(seconds=LOOK),
            transport=self.shop_transport,
        )  # fmt: skip

    def roapp(self, account: AccountConfig) -> RoApp:
        return RoApp(
            account.base_url, account.api_key, limiter=self.limiter(account.name), patience=self._patience,
            calls=Calls(seconds=LOOK), transport=self.account_transport,
        )  # fmt: skip

    @property
    def _patience(self) -> Patience:
        return Patience(self.timeout, TRIES, PAUSE, LONGEST_WAIT)


async def enter_shop(
    clients: Clients, url: str, login: str, password: SecretStr
) -> tuple[ShopLists | None, Problem | None]:
    """Logs in and reads the shop's lists. If that fails, returns why, as a problem of `url` (unreachable, no shop, no
    API in the tariff), `login` (no rights) or `password` (wrong login or password)."""
    try:
        async with clients.cartum(url, login, password) as cartum:
            await cartum.login()
            return await shop_lists(cartum), None
    except IntegrationError as error:
        return None, shop_problem(error)


async def enter_account(clients: Clients, account: AccountConfig) -> tuple[AccountLists | None, Problem | None]:
    """Reads the account's lists and checks that its key still belongs to the same company. If that fails, returns why,
    as a problem of `account`."""
    try:
        async with clients.roapp(account) as roapp:
            lists = await account_lists(roapp)
    except IntegrationError as error:
        return None, Problem(
            "account", f'"{account.name}": {_sentence(error)}', _fix(error, _again(account.name, error))
        )
    if account.fingerprint and lists.fingerprint != account.fingerprint:
        return None, Problem(
            "account", f'"{account.name}": its API key belongs to another company now.', other_company(account.name)
        )
    return lists, None


async def greet_account(clients: Clients, account: AccountConfig) -> tuple[dict[str, object] | None, Problem | None]:
    """Returns the company of the key (GET /company, roapp §3.7); or why it can't be read, as a problem of `api_key` or
    `base_url`."""
    try:
        async with clients.roapp(account) as roapp:
            company = await roapp.company()
    except BadConfig as error:
        field = error.field if error.field in ("api_key", "base_url") else "base_url"
        return None, Problem(field, _sentence(error), _fix(error, "check the address and the key"))
    except IntegrationError as error:
        return None, Problem("base_url", _sentence(error), _fix(error, "check the address; try again later"))
    if not company.get("name") and not company.get("created_at"):
        return None, Problem(
            "base_url", "the address answers, but not as RO App's API.", ACCOUNT_FIELDS["base_url"].fix
        )
    return company, None


def shop_problem(error: IntegrationError) -> Problem:
    """Returns a client's error as the problem of the field that it concerns."""
    field = error.field if error.field in ("url", "login", "password") else "url"
    return Problem(field, _sentence(error), _fix(error, "try again later; the shop answers, but not as it should"))


def other_company(name: str) -> str:
    """Returns the fix for a key that belongs to another company than the one that was connected."""
    return f"give a key of the company that {name} was connected to, or add the other company under another name"


def twin(field: str, account: AccountConfig, fingerprint: str, others: Iterable[AccountConfig]) -> list[Problem]:
    """Returns a problem if the company is connected under another name: its call budget would be spent twice (design
    §2, P4)."""
    return [
        Problem(
            field,
            f'this company is connected already, as "{other.name}".',
            f"use that account, with a new key if it needs one (`cartum-roapp account add {other.name}`)",
        )
        for other in others
        if other.name != account.name
        and fingerprint
        and other.fingerprint == fingerprint
        and other.base_url == account.base_url
    ]


def clients_of(engine: Callable[[], Engine], settings: Settings) -> Clients:
    """Returns the clients for checks while a person waits. They keep the accounts' call budget over all processes
    by the ledger; `engine` is called when an account is called for the first time."""

    def limiter(account: str) -> Limiter:
        return CallSlots(engine(), account, settings.roapp_interval)

    return Clients(timeout=min(settings.http_timeout, PATIENCE), limiter=limiter)


def _again(name: str, error: IntegrationError) -> str:
    if error.field == "api_key":
        return f"give a new key (`cartum-roapp account add {name}`)"
    return "check the account's address; try again later"


def _sentence(error: IntegrationError) -> str:
    text = (error.sentence if isinstance(error, NoShop) else error.message).strip()
    return text if text.endswith(".") else f"{text}."


def _fix(error: IntegrationError, otherwise: str) -> str:
    fix = (error.fix or otherwise).strip().rstrip(".")
    return fix[:1].lower() + fix[1:] if fix[1:2].islower() else fix
