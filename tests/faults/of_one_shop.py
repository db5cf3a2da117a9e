"""What a fault of an installation with one shop is tried with: a beginning, more orders, and what it cost."""

from __future__ import annotations

from datetime import timedelta

from installation import Installation
from world import Toll, World

from cartum_roapp import service


def begin(system: Installation) -> None:
    """Starts everything, connects and imports the shop."""
    system.done("up")
    system.done("account", "add", "main", "--base-url", system.box.roapp.base_url)
    system.connect(0)
    system.done("import", "shop-1")


def place(system: Installation, orders: int) -> None:
    """Within the window of the import."""
    shop, yesterday = system.box.shops[0], system.box.clock.now() - timedelta(days=1)
    for _ in range(orders):
        phone = f"+38067{len(shop.orders):07}"
        shop.place_order(created=yesterday, articles=[("CAP-2", 1)], delivery_phone=phone)


def end(system: Installation, kills: int) -> Toll:
    """What the kills cost, after one more import and a sync that must find nothing to do."""
    last = system.command("import", "shop-1")
    idle = system.done("sync", "shop-1")
    running = service.use(system.config, prefect=False)
    world = World(system.box, running.database_url.get_secret_value())
    toll = world.toll(world.shop(statuses=system.shell.box.statuses), system.box.shops[0].qualifying())
    world.engine.dispose()
    toll.tried = kills
    if last.code or last.document["held"]:
        toll.wrong.append(f"the last import: {last.document}")
    if (idle["new"], idle["changed"], idle["calls_by_kind"]["roapp_writes"]) != (0, 0, 0):
        toll.wrong.append(f"a sync with nothing to do: {idle}")
    return toll
