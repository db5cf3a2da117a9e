"""An hour of fifty shops with edits, network faults, and a kill every five minutes: `make soak`."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from statistics import median

import psutil
import pytest
from homes import new_home
from installation import Installation
from of_many_shops import IMPORTED_WITHIN, begin, disk, settle
from processes import Process
from reliability import Record
from world import Toll, World

from cartum_roapp import service
from sandbox import Sandbox
from sandbox.box import Shop

pytestmark = pytest.mark.soak

SHOPS = 50
#: Seconds.
LASTS = float(os.environ.get("SOAK_MINUTES", "60")) * 60
EDIT_EVERY, FAULT_EVERY, LOOK_EVERY, KILL_EVERY = 2.0, 10.0, 60.0, 300.0
CALM_WITHIN = 1800.0
PROGRAMS = ["supervisor", "postgres", "prefect-server", "worker", "console"]
ROAPP_FAULTS = ["error", "error_after", "drop", "drop_after", "hang_after", "late", "html_after", "half", "rate"]
SHOP_FAULTS = ["error", "drop", "half", "html", "unauthorized"]
#: Memory is level if its last third is not above the one before by more than this share.
GROWS = 0.15


@pytest.fixture
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """All shops imported, and everything up."""
    with Sandbox(shops=SHOPS, orders=3, seed=7, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "soaked"), box)
        try:
            begin(system)
            yield system
        finally:
            system.close()


@pytest.mark.timeout(LASTS + 2 * IMPORTED_WITHIN + 2 * CALM_WITHIN)
def test_an_hour(system: Installation, seed: int, record: Record) -> None:
    chance, kills, looks = random.Random(seed), 0, [_size(system)]
    acts = {EDIT_EVERY: _edit, FAULT_EVERY: _disturb, KILL_EVERY: _kill}
    due = {every: every for every in (*acts, LOOK_EVERY)}
    began = time.monotonic()
    while (now := time.monotonic() - began) < LASTS:
        for every in [every for every, at in due.items() if at <= now]:
            due[every] += every
            if every == LOOK_EVERY:
                looks.append(_size(system))
            else:
                acts[every](system, chance)
                kills += every == KILL_EVERY
        time.sleep(0.1)
    memory, disk = [one for one, _ in looks], [one for _, one in looks]
    third = len(memory) // 3
    print(f"{kills} kills; MB of memory: {list(map(round, memory))}; of disk: {list(map(round, disk))}")
    for faults in (system.box.roapp.faults, *(shop.faults for shop in system.box.shops)):
        faults.calm()
    settle(system, time.time(), CALM_WITHIN)
    toll, held = _toll(system)
    print(f"{held} held")
    toll.tried = kills
    assert (toll.lost, toll.doubled, toll.wrong) == (0, 0, [])
    if LASTS >= 3600:
        fault = "an hour of 50 shops with edits, network faults, and a kill every five minutes"
        record("Kills", fault, toll, "by itself, within a minute")
    assert median(memory[-third:]) <= (1 + GROWS) * median(memory[third:-third]), memory


def _edit(system: Installation, chance: random.Random) -> None:
    shop = chance.choice(system.box.shops)
    numbers = shop.qualifying()
    if len(numbers) < 3 or chance.random() < 0.4:
        shop.place_order()
        return
    _change(shop, chance.choice(numbers), chance)


def _change(shop: Shop, number: str, chance: random.Random) -> None:
    match chance.randrange(4):
        case 0:
            shop.change_line(number, quantity=chance.randint(1, 9))
        case 1:
            shop.add_line(number, chance.choice(["CAP-2", "TEA-100", "GIFT-1"]))
        case 2:
            shop.set_status(number, chance.choice([1, 2, 6, 7]))
        case _:
            shop.set_waybill(number, f"20450000{chance.randrange(10**6):06}")


def _disturb(system: Installation, chance: random.Random) -> None:
    if chance.random() < 0.5:
        system.box.roapp.faults.fail(chance.choice(ROAPP_FAULTS), chance.randint(1, 3), seconds=4.0)
    else:
        # A refused login is tried again after an hour, so that nobody is locked out; a refused token at once.
        where = "^(?!.*auth)"
        chance.choice(system.box.shops).faults.fail(chance.choice(SHOP_FAULTS), chance.randint(1, 3), path=where)


def _kill(system: Installation, chance: random.Random) -> None:
    name = chance.choice(PROGRAMS)
    if process := Process.of(service.state(system.config).pids.get(name, 0)):
        process.signal(signal.SIGKILL)


def _size(system: Installation) -> tuple[float, float]:
    """Megabytes of memory and of disk."""
    return _memory(system), disk(system)


def _memory(system: Installation) -> float:
    """Of all programs and what they have started; shared memory by its share."""
    total = 0.0
    for pid in service.state(system.config).pids.values():
        try:
            process = psutil.Process(pid)
            total += sum(one.memory_full_info().pss for one in (process, *process.children(recursive=True)))
        except psutil.Error:
            continue
    return total / 1024**2


def _toll(system: Installation) -> tuple[Toll, int]:
    """What it cost all shops, and how many orders are held."""
    world = World(system.box, service.use(system.config, prefect=False).database_url.get_secret_value())
    toll, held = Toll(), 0
    for index, shop in enumerate(system.box.shops):
        config = world.shop(index, statuses=system.shell.box.statuses)
        toll += world.toll(config, shop.qualifying(), index)
        held += len(world.held(config))
    world.engine.dispose()
    return toll, held
