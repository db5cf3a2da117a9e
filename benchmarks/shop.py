"""The sandbox's shop and its RO App, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.messages import Call

PRODUCTS = 300


@dataclass(frozen=True)
class Shop:
    """A shop whose orders all belong to the window of a first import. `url`, `login`, `password` as in the shop's
    block; `control` is the sandbox's own door, `roapp` what it says of its RO App."""

    url: str
    login: str
    password: str
    control: str
    roapp: dict[str, Any]

    @property
    def access(self) -> dict[str, str]:
        return {"url": self.url, "login": self.login, "password": self.password}

    def edit(self, numbers: Iterable[str], comment: str) -> None:
        """Somebody in the shop writes a comment to each of these orders."""
        for number in numbers:
            self._control("edit", {"number": number, "manager_comment": comment})

    def calls(self) -> list[Call]:
        """The calls that RO App got."""
        base, _, query = self.roapp["control"].partition("?")
        with urllib.request.urlopen(f"{base}/calls?{query}", timeout=30) as answer:  # noqa: S310
            return [Call(**row) for row in json.load(answer)]

    def _control(self, name: str, arguments: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310 - the sandbox's address on this machine
            f"{self.control}/{name}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass


@contextmanager
def serving(orders: int, lines: int, *, rate_limit: int = 0, latency: float = 0.0) -> Iterator[Shop]:
    """`orders` orders with `lines` lines on average, until the end of the block. `rate_limit`: RO App's calls a second
    (0: any number), `latency`: seconds that each call takes."""
    command = [
        sys.executable, "-m", "sandbox", "--orders", str(orders), "--delivered", "0", "--older", "0", "--lines",
        str(lines), "--products", str(PRODUCTS), "--switch", f"rate_limit={rate_limit}",
        "--switch", f"latency={latency}", "--json", "--parent", str(os.getpid()),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        shop = addresses["shops"][0]
        yield Shop(shop["url"], shop["login"], shop["password"], shop["control"], addresses["roapp"])
    finally:
        process.terminate()
        process.wait(10)
