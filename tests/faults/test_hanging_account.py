"""Of three shops one has an account of RO App that hangs, and another one answers slowly. The third one keeps its
syncs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from homes import new_home
from installation import Installation
from reliability import Record
from sampling import Sample
from world import Toll, World

from cartum_roapp import service
from cartum_roapp.cli.demo_sandbox import DemoSandbox
from cartum_roapp.shops import shop_key
from sandbox import Sandbox

pytestmark = pytest.mark.long

#: Seconds. Each answer of the slow shop takes `SLOW`, less than the time-out of a call.
EVERY, SLOW = 5.0, 2.5
SLOW_SHOP, THIRD = 0, 1


@pytest.fixture
def hung() -> Iterator[Sandbox]:
    """The company whose RO App hangs, and its shop."""
    with Sandbox(orders=3, seed=11, rate_limit=0) as box:
        yield box


@pytest.fixture
def system(tmp_path_factory: pytest.TempPathFactory, hung: Sandbox) -> Iterator[Installation]:
    """All three shops are imported and synced often."""
    with Sandbox(shops=2, orders=3, seed=12, rate_limit=0) as box:
        system = Installation(new_home(tmp_path_factory, "hanging"), box)
        try:
            system.done("up")
            system.done("account", "add", "main", "--base-url", box.roapp.base_url)
            for index in (SLOW_SHOP, THIRD):
                system.connect(index)
            _connect(system, hung)
            for slug in ("shop-1", "shop-2", "hung"):
                system.done("import", slug)
                system.sync_every(slug, EVERY)
            yield system
        finally:
            system.close()


def test_the_third_shop_goes_on(system: Installation, hung: Sandbox, sample: Sample, record: Record) -> None:
    chance, edits = random.Random(sample.seed), sample.times(20, 3)
    ours, theirs = system.box, hung.shops[0]
    hung.roapp.faults.fail("hang", 10**6, seconds=600.0)
    ours.shops[SLOW_SHOP].faults.latency = SLOW
    stuck = theirs.place_order()
    for _ in range(edits):
        number = ours.shops[THIRD].place_order()
        theirs.set_status(chance.choice(theirs.qualifying()), chance.choice([1, 2, 6, 7]))
        ours.shops[SLOW_SHOP].change_line(
            chance.choice(ours.shops[SLOW_SHOP].qualifying()), quantity=chance.randint(1, 9)
        )
        _delivered(system, ours, THIRD, number)
    assert f"{shop_key(theirs.url)}:{stuck}" not in hung.roapp.orders_by_marker()
    (shown,) = [one for one in system.done("status")["shops"] if one["shop"] == "hung"]
    assert shown["waiting"], shown
    hung.roapp.faults.calm()
    ours.shops[SLOW_SHOP].faults.latency = 0.0
    toll = system.become(lambda: _toll(system, hung), lambda toll: not (toll.lost or toll.wrong), 120)
    toll.tried = edits
    fault = "of three shops one has an account that hangs, and another one answers slowly; the third one is edited"
    record("On the wire", fault, toll, "the third one needs none; the others by themselves")


def _connect(system: Installation, hung: Sandbox) -> None:
    addresses = hung.addresses()
    system.done("account", "add", "hung", "--base-url", hung.roapp.base_url,
                CARTUM_ROAPP_API_KEY=addresses["roapp"]["api_key"])  # fmt: skip
    file = DemoSandbox(addresses["shops"][0], addresses["roapp"]).shop_file(system.home, "hung.yaml", "hung")
    system.done("shop", "apply", str(file), "--no-import",
                CARTUM_ROAPP_SHOP_PASSWORD=hung.shops[0].password)  # fmt: skip


def _delivered(system: Installation, box: Sandbox, index: int, number: str) -> None:
    """Returns once the order is in RO App."""
    marker = f"{shop_key(box.shops[index].url)}:{number}"
    system.become(lambda: marker in box.roapp.orders_by_marker(), bool)


def _toll(system: Installation, hung: Sandbox) -> Toll:
    url, toll = service.use(system.config, prefect=False).database_url.get_secret_value(), Toll()
    for box, index, account in ((system.box, SLOW_SHOP, "main"), (system.box, THIRD, "main"), (hung, 0, "hung")):
        world, addresses = World(box, url), box.addresses()
        statuses = DemoSandbox(addresses["shops"][index], addresses["roapp"]).statuses
        toll += world.toll(world.shop(index, account=account, statuses=statuses), box.shops[index].qualifying(), index)
        world.engine.dispose()
    return toll
