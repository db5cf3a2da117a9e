"""Starts the demo's sandbox, which is another process, and calls it over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cartum_roapp.cli.output import FAILED, CommandEnd

# Each status of the shop → the place of the RO App status with the same meaning.
_SAME = {1: 0, 2: 1, 3: 7, 4: 8, 6: 6, 7: 3, 8: 2}


@dataclass(frozen=True)
class DemoSandbox:
    """One shop and one account, as the sandbox describes them."""

    shop: dict[str, Any]
    account: dict[str, Any]
    pid: int | None = None

    @property
    def statuses(self) -> dict[int, int]:
        """The shop's status → RO App's, by ids."""
        offered = [status["id"] for status in self.account["statuses"]]
        return {status["id"]: offered[_SAME[status["id"]]] for status in self.shop["statuses"]}

    def shop_file(self, folder: Path, name: str, account: str) -> Path:
        """Writes the shop's settings, as a person would. Returns the file's path."""
        settings = {
            "name": self.shop["name"],
            "platform": "horoshop",
            "url": self.shop["url"],
            "login": self.shop["login"],
            "timezone": self.shop["timezone"],
            "account": account,
            "location_id": self.account["locations"][0]["id"],
            "order_type_id": self.account["order_types"][0]["id"],
            "language": self.shop["languages"][0],
            "identify_products_by": "code",
            "managers": "all",
            "statuses": {str(ours): theirs for ours, theirs in self.statuses.items()},
            "missing_products": "create",
            "status_direction": "to_roapp",
        }
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(settings, ensure_ascii=False, indent=2), encoding="utf-8")  # JSON is YAML
        return path

    def act(self, action: str, **arguments: object) -> Any:
        """Makes something happen in the shop."""
        return _call("POST", f"{self.shop['control']}/{action}", json=arguments)["result"]

    def shop_orders(self) -> dict[str, dict[str, Any]]:
        return dict(_call("GET", f"{self.shop['control']}/orders"))

    def roapp(self, name: str) -> Any:
        """Returns what RO App has under this name of the sandbox."""
        base, _, query = self.account["control"].partition("?")
        return _call("GET", f"{base}/{name}?{query}")

    def roapp_orders(self) -> dict[str, list[dict[str, Any]]]:
        """Returns the shop's order number → the RO App orders with its marker."""
        markers = self.roapp("markers")  # first, as orders may be made in the meantime
        orders = {order["id"]: order for order in self.roapp("orders").values()}
        return {marker.strip("[]").partition(":")[2]: [orders[one] for one in ids] for marker, ids in markers.items()}

    def doubled(self) -> int:
        """Returns the number of doubled orders, contacts and products."""
        return sum(len(groups) for groups in self.roapp("duplicates").values())


def _call(method: str, url: str, **more: Any) -> Any:
    """Ignores proxies, as the sandbox is on this machine."""
    return httpx.request(method, url, timeout=30, trust_env=False, **more).raise_for_status().json()


@contextmanager
def sandbox(orders: int, log: Path, *, stay: bool) -> Iterator[DemoSandbox]:
    """Runs `python -m sandbox` on free ports; its errors go to the file. With `stay` it goes on after the demo."""
    command = [sys.executable, "-m", "sandbox", "--json", "--orders", str(orders)]
    with log.open("wb") as errors:  # not stderr, as a pipe behind the demo would not end before the sandbox
        process = subprocess.Popen(
            command if stay else [*command, "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise CommandEnd(FAILED, f"The sandbox did not start: {log.read_text(errors='replace').strip()}")
        described = json.loads(line)
        yield DemoSandbox(described["shops"][0], described["roapp"], process.pid)
    except BaseException:
        stay = False
        raise
    finally:
        if not stay:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
