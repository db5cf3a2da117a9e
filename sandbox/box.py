"""The sandbox as a whole: shops and RO App accounts, served over HTTP from one background thread."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any

import uvicorn

from sandbox.cartum_http import CartumHttp
from sandbox.cartum_shop import CartumShop
from sandbox.clock import Clock
from sandbox.faults import RoAppFaults, ShopFaults
from sandbox.goods import Row, assortment
from sandbox.history import fill
from sandbox.messages import Call
from sandbox.people import People
from sandbox.roapp_account import RoAppAccount
from sandbox.roapp_http import RoAppHttp
from sandbox.roapp_seed import seed_account
from sandbox.wire import Listener

HOST = "127.0.0.1"


class Shop(CartumShop):
    """A shop with the application that serves it."""

    app: CartumHttp

    @property
    def calls(self) -> list[Call]:
        """Calls that arrived, oldest first; `path` is the function (`orders/get`)."""
        return self.app.calls

    def clear_calls(self) -> None:
        self.app.calls.clear()

    def on_call(self, listener: Listener) -> Callable[[], None]:
        return self.app.on_call(listener)


class Account(RoAppAccount):
    """An account with the application that serves it."""

    app: RoAppHttp

    @property
    def calls(self) -> list[Call]:
        """This account's calls, oldest first; `path` is without `/v2`."""
        return [call for call in self.app.calls if call.account == self.index]

    def writes(self) -> list[Call]:
        """The calls that changed something."""
        return [call for call in self.calls if call.written]

    def clear_calls(self) -> None:
        with self.lock:
            self.app.calls[:] = [call for call in self.app.calls if call.account != self.index]

    def on_call(self, listener: Listener) -> Callable[[], None]:
        """`listener(method, path, phase)`, phases "before" and "applied", in the server's thread."""
        return self.app.on_call(listener)


class Sandbox:
    """`with Sandbox(shops=2, orders=40, seed=7) as box:` …; may be started once.

    `orders`: orders per shop that the first import must take; `delivered` (in the same window) and `older` follow it
    unless given. `products`: how many the shops sell; `lines`: average lines of an order. `markets`: one of "ua", "md"
    per shop. `port`: RO App's port, the shops' follow (0: free ports). Any other keyword is a switch of `ShopFaults`
    or `RoAppFaults` (of both, where both have it); `shop_plan` and `roapp_plan` are lists of planned faults.
    """

    def __init__(
        self, shops: int = 1, orders: int = 40, seed: int = 7, *, accounts: int = 1, delivered: int | None = None,
        older: int | None = None, products: int = 16, lines: float = 1.5, markets: tuple[str, ...] = ("ua",),
        port: int = 0,
        offset: timedelta = timedelta(0), ambiguous_contacts: bool = False, ambiguous_products: bool = False,
        currency: str = "UAH",
        **switches: Any,
    ) -> None:  # fmt: skip
        rng = random.Random(seed)
        self.lock = threading.RLock()
        self.clock = Clock(offset)
        self.people = People(rng)
        goods = assortment(products)
        self.shops: list[Shop] = []
        for index in range(shops):
            name = f"Мавка {index + 1}"
            market = markets[index] if index < len(markets) else markets[-1]
            shop = Shop(
                name, clock=self.clock, lock=self.lock, rng=random.Random(f"{seed}:{index}"), people=self.people,
                goods=goods,
                market=market, line_average=lines,
            )  # fmt: skip
            fill(shop, orders, orders // 4 if delivered is None else delivered, orders // 2 if older is None else older)
            shop.app = CartumHttp(shop)
            self.shops.append(shop)
        self.roapps = [
            Account(index, secrets.token_hex(20), clock=self.clock, lock=self.lock) for index in range(accounts)
        ]
        buyers = list(dict.fromkeys(shop.buyers[number] for shop in self.shops for number in shop.qualifying()))
        for account in self.roapps:
            seed_account(
                account, random.Random(f"{seed}:roapp:{account.index}"), goods, buyers,
                ambiguous_contacts=ambiguous_contacts,
                ambiguous_products=ambiguous_products, currency=currency,
            )  # fmt: skip
        self._app = RoAppHttp(list(self.roapps), self.lock)
        for account in self.roapps:
            account.app = self._app
        self._port = port
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None
        self._switch(switches)

    @property
    def roapp(self) -> Account:
        """The first account."""
        return self.roapps[0]

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Bind the ports, serve, and return when all of them answer. OSError where a port is taken."""
        ports = [self._port + index if self._port else 0 for index in range(len(self.shops) + 1)]
        sockets = [_bound(port) for port in ports]
        addresses = [f"http://{HOST}:{bound.getsockname()[1]}" for bound in sockets]
        for account in self.roapps:
            account.base_url = f"{addresses[0]}/v2"
        for shop, address in zip(self.shops, addresses[1:], strict=True):
            shop.url = address
        for app in (self._app, *(shop.app for shop in self.shops)):
            config = uvicorn.Config(
                app, log_config=None, log_level="critical", access_log=False, lifespan="off", http="h11", ws="none",
                timeout_graceful_shutdown=1, timeout_keep_alive=60,
            )  # fmt: skip
            self._servers.append(uvicorn.Server(config))
        self._thread = threading.Thread(target=self._serve, args=(sockets,), name="sandbox", daemon=True)
        self._thread.start()
        while not all(server.started for server in self._servers):
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox's server thread ended while starting")
            time.sleep(0.005)

    def stop(self) -> None:
        """End the servers; may be called twice."""
        for server in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None

    def addresses(self) -> Row:
        """Everything that one needs to connect, as one JSON document."""
        accounts = [
            {
                "base_url": account.base_url, "api_key": account.api_key,
                "control": account.base_url.removesuffix("/v2") + f"/_sandbox?account={account.index}",
                "currency": account.company["currency"], "timezone": account.company["timezone"],
                "locations": _named(account.locations, "name", "is_archived"),
                "order_types": _named(account.order_types, "title"),
                "employees": _named(account.employees, "first_name", "last_name", "is_active"),
                "statuses": _named(account.statuses, "name"), "custom_fields": _named(account.custom_fields, "name"),
            }
            for account in self.roapps
        ]  # fmt: skip
        shops = [
            {
                "name": shop.name, "url": shop.url, "login": shop.login, "password": shop.password,
                "control": f"{shop.url}/_sandbox",
                "timezone": shop.market.zone, "languages": shop.market.languages, "currency": shop.market.currency,
                "orders": len(shop.orders), "qualifying": len(shop.qualifying()),
                "statuses": [{"id": id_, "title": status["title"]} for id_, status in shop.statuses.items()],
            }
            for shop in self.shops
        ]  # fmt: skip
        return {"roapp": accounts[0], "accounts": accounts, "shops": shops}

    def _serve(self, sockets: list[socket.socket]) -> None:
        async def all_of_them() -> None:
            pairs = zip(self._servers, sockets, strict=True)
            await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in pairs))

        asyncio.run(all_of_them())

    def _switch(self, switches: dict[str, Any]) -> None:
        for name, value in switches.items():
            sides: list[Any] = []
            if name in ShopFaults.names() - {"plan"} or name == "shop_plan":
                sides += [shop.faults for shop in self.shops]
            if name in RoAppFaults.names() - {"plan"} or name == "roapp_plan":
                sides += [account.faults for account in self.roapps]
            if not sides:
                raise TypeError(f"Sandbox has no switch {name!r}")
            for faults in sides:
                faults.switch(**{"plan" if name.endswith("_plan") else name: value})


def _bound(port: int) -> socket.socket:
    # With the protocol named, asyncio sends short answers at once instead of 40 ms later.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    return bound


def _named(records: dict[int, Row], *names: str) -> list[Row]:
    return [{name: record[name] for name in ("id", *names)} for record in records.values()]
