"""An installation over many machines loses one part at a time while shops are edited: every shop goes on, no order is
lost or doubled, and RO App is never called more often than it allows."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from machines import Machine, Part, free_port, running
from processes import Process
from reliability import Record
from world import Toll, World

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.service import worker
from cartum_roapp.service.port import answers
from sandbox import Sandbox
from sandbox.budget import beyond

pytestmark = [pytest.mark.long, pytest.mark.alone]

WORKERS = 3
#: In a whole run, and else.
SHOPS, FEW_SHOPS = 30, 6
#: Seconds: how often each shop is synced here, how often one of them is edited, and how long a part is gone.
EVERY, FEW_EVERY = 30.0, 15.0
EDITED_EVERY = 3.0
GONE = 15.0
#: A machine that is cut off from the database is given up by it after a minute (ledger/database.py). Here sooner.
GIVEN_UP_AFTER, CUT_FOR = 10.0, 60.0
GOES_ON_WITHIN, ENDS_WITHIN, IMPORTED_WITHIN = 180.0, 300.0, 600.0


class Fleet:
    """The machines, the workers' homes, and the shops of one account. The last worker reaches the database through a
    relay."""

    def __init__(self, stack: ExitStack, place: Path, box: Sandbox, shops: int) -> None:
        self.box = box
        self.machines = stack.enter_context(running(place))
        self.relay = stack.enter_context(self.machines.relay())
        self.workers = [Machine(place / f"home-{n}", box, self.machines) for n in range(1, WORKERS)]
        self.workers.append(Machine(place / f"home-{WORKERS}", box, self.machines, self.relay.port))
        self.contained: list[Part] = []
        for machine in self.workers:
            stack.callback(machine.close)
        stack.callback(lambda: [part.kill() for part in self.contained])
        self.first = self.workers[0]
        self.slugs = [f"shop-{n}" for n in range(1, shops + 1)]

    def begin(self, every: float) -> None:
        """All workers are up, and all shops are imported and synced every so many seconds. The last worker runs as in a
        container, with a console beside it."""
        *upped, contained = self.workers
        for machine in upped:
            machine.done("up")
        port = free_port()
        self.contained = [
            contained.foreground("worker", up=lambda: worker.polls(Home(contained.home))),
            contained.foreground("console", "--port", str(port), up=lambda: answers(port)),
        ]
        for part in self.contained:
            part.start()
        for part in self.contained:
            part.wait()
        self.login_is_prefects(port)
        self.first.done("account", "add", "main", "--base-url", self.box.roapp.base_url)
        files = self.first.home / "shops"
        files.mkdir()
        passwords = {}
        for index, slug in enumerate(self.slugs):
            variable = f"PASSWORD_{index}"
            self.first.file(index, password_from=variable).rename(files / f"{slug}.yaml")
            passwords[variable] = self.box.shops[index].password
        self.first.done("shop", "apply", str(files), **passwords)
        for slug in self.slugs:
            self.first.schedule_every(slug, every)
        self.goes_on(datetime(2000, 1, 1, tzinfo=UTC), IMPORTED_WITHIN)

    def login_is_prefects(self, port: int) -> None:
        user, _, password = self.machines.auth.partition(":")
        codes = [
            httpx.get(f"http://127.0.0.1:{port}/shops", auth=(user, given), trust_env=False).status_code
            for given in (password, "x")
        ]
        assert codes == [200, 401]

    def goes_on(self, since: datetime, within: float = GOES_ON_WITHIN) -> float:
        """Returns once each shop has completed a sync that began later; gives how many seconds that took."""
        began = time.monotonic()
        query = """
            SELECT count(DISTINCT shop) FROM runs
            WHERE kind = 'incremental-sync' AND state = 'completed' AND started_at > :since
        """
        self.first.become(
            lambda: self.first.value(query, since=since), lambda shops: bool(shops == len(self.slugs)), within
        )
        return time.monotonic() - began

    def toll(self) -> Toll:
        """What is lost or doubled in the end, when everything has arrived that is going to."""
        world = World(self.box, self.first.url)
        try:
            deadline = time.monotonic() + ENDS_WITHIN
            while True:
                total = Toll()
                for index in range(len(self.slugs)):
                    shop = world.shop(index, statuses=self.first.shell.box.statuses)
                    total += world.toll(shop, self.box.shops[index].qualifying(), index)
                if not (total.lost or total.wrong) or time.monotonic() > deadline:
                    return total
                time.sleep(1)
        finally:
            world.engine.dispose()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    full = bool(request.config.option.full)
    place = tmp_path_factory.mktemp("machines")
    with ExitStack() as stack:
        shops = SHOPS if full else FEW_SHOPS
        box = stack.enter_context(Sandbox(shops=shops, orders=1, delivered=0, older=0, rate_limit=3, seed=7))
        fleet = Fleet(stack, place, box, shops)
        fleet.begin(EVERY if full else FEW_EVERY)
        yield fleet


@contextmanager
def a_machine_is_gone(fleet: Fleet) -> Iterator[None]:
    """Its supervisor, worker and console are killed at the same instant."""
    machine = fleet.workers[1]
    found = [Process.of(pid) for pid in service.state(machine.config).pids.values()]
    for process in found:
        assert process
        os.kill(process.pid, signal.SIGKILL)
    time.sleep(GONE)
    yield
    machine.done("up")


@contextmanager
def killed(part: Part) -> Iterator[None]:
    part.kill()
    time.sleep(GONE)
    yield
    part.start()
    part.wait()


@contextmanager
def an_api_server_is_gone(fleet: Fleet) -> Iterator[None]:
    """Whatever is asked, the others answer."""
    with killed(fleet.machines.servers[0]):
        for _ in range(20):
            assert fleet.first.ask("/flows/filter")
        yield


@contextmanager
def restarted(part: Part) -> Iterator[None]:
    """After a while what watches over it starts it again: systemd, or a container engine."""
    with killed(part):
        pass
    yield


@contextmanager
def a_worker_is_cut_off(fleet: Fleet) -> Iterator[None]:
    fleet.relay.cut()
    time.sleep(GIVEN_UP_AFTER)
    fleet.relay.given_up()
    time.sleep(CUT_FOR - GIVEN_UP_AFTER)
    yield
    fleet.relay.mend()


#: Each is a context inside which shops go on.
FAULTS = {
    "a machine with a worker is gone": a_machine_is_gone,
    "an API server is gone": an_api_server_is_gone,
    "the services are killed and start again": lambda fleet: restarted(fleet.machines.services),
    "Redis is killed and starts again without its data": lambda fleet: restarted(fleet.machines.redis),
    "a worker is cut off from the database for a minute": a_worker_is_cut_off,
}


@pytest.mark.one_of
@pytest.mark.parametrize("fault", FAULTS)
def test_every_shop_goes_on(fleet: Fleet, fault: str, record: Record, record_property) -> None:  # type: ignore[no-untyped-def]
    fleet.box.roapp.clear_calls()
    chance = random.Random(fault)
    with edited(fleet.box, chance):
        with FAULTS[fault](fleet):
            record_property("seconds until each shop was synced", fleet.goes_on(datetime.now(UTC)))
        record_property("seconds until each shop was synced, all parts there", fleet.goes_on(datetime.now(UTC)))
    toll = fleet.toll()
    toll.tried = 1
    assert beyond(fleet.box.roapp.calls) == 0
    record("Many machines", fault, toll, "its restart" if "again" in fault else "the other parts, at once")


@contextmanager
def edited(box: Sandbox, chance: random.Random) -> Iterator[None]:
    """Meanwhile buyers place orders in all shops, and staff change them."""
    over = threading.Event()

    def edit() -> None:
        while not over.wait(EDITED_EVERY):
            shop = chance.choice(box.shops)
            numbers = sorted(shop.qualifying())
            match chance.randrange(3):
                case 0:
                    shop.place_order()
                case 1:
                    shop.set_status(chance.choice(numbers), chance.choice([1, 2, 6, 7]))
                case _:
                    shop.change_line(chance.choice(numbers), quantity=chance.randint(1, 5))

    thread = threading.Thread(target=edit, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
