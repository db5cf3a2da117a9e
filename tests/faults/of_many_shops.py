"""Installations with many shops: all of them connected and imported, and everything up."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from datetime import datetime

from installation import Installation, Row

from cartum_roapp.cli.demo_sandbox import DemoSandbox

#: Seconds.
IMPORTED_WITHIN = 1200.0


def begin(system: Installation) -> None:
    """Starts everything, and connects and imports all shops of the sandbox."""
    system.done("up")
    system.done("account", "add", "main", "--base-url", system.box.roapp.base_url)
    _apply(system)
    settle(system, 0.0, IMPORTED_WITHIN)


def settle(system: Installation, since: float, within: float) -> None:
    """Returns when all shops were read since then, and no order waits."""
    deadline = time.monotonic() + within
    while late := _late(system, since):
        assert time.monotonic() < deadline, late
        time.sleep(5)


def disk(system: Installation) -> float:
    """Megabytes of the home's files."""
    used = 0
    for folder, _, files in os.walk(system.home):
        for file in files:
            with suppress(OSError):  # it was deleted in the meantime
                used += os.lstat(os.path.join(folder, file)).st_size
    return used / 1024**2


def _apply(system: Installation) -> None:
    folder, passwords = system.home / "shops", {}
    folder.mkdir()
    addresses = system.box.addresses()
    for number, shop in enumerate(addresses["shops"]):
        path = DemoSandbox(shop, addresses["roapp"]).shop_file(folder, f"shop-{number + 1}.yaml", "main")
        settings = {**json.loads(path.read_text()), "password_from": f"PASSWORD_{number}"}
        path.write_text(json.dumps(settings, ensure_ascii=False))
        passwords[f"PASSWORD_{number}"] = shop["password"]
    system.done("shop", "apply", str(folder), **passwords)


def _late(system: Installation, since: float) -> list[str]:
    """The shops that were not read since, or have orders that wait."""
    shown = system.command("status")
    if shown.code:
        return [shown.said]
    return [shop["shop"] for shop in shown.document["shops"] if shop["waiting"] or _read(shop) <= since]


def _read(shop: Row) -> float:
    """When it was read last, in seconds since 1970."""
    return datetime.fromisoformat(shop["last_success"]).timestamp() if shop["last_success"] else 0.0
