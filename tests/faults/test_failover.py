"""The database fails over to its standby at any call of a run. A standby that follows asynchronously lacks the commits
of the last moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress

import ledgers
import pytest
from points import QUICK, Struck, change, judged, place, quiet
from reliability import Record
from sampling import Sample
from standby import Pair, pair
from world import FORESEEN, Toll, World, admin

from cartum_roapp.postgres.cluster import binaries

pytestmark = pytest.mark.long

#: The standby lacks what was committed during so many calls, at most.
BEHIND = 6
#: RO App shows nobody which comments an order has, so one whose record is lost is sent again (docs/runbook.md).
REPEATED = "a comment 2 times"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(binaries(), tmp_path_factory.mktemp("servers")) as servers:
        ledgers.prepare(servers.url)
        yield servers


@pytest.mark.parametrize("run", ["an import", "a sync"])
@pytest.mark.parametrize("lacking", ["nothing", "the last commits"])
def test_a_failover(servers: Pair, sample: Sample, record: Record, run: str, lacking: str) -> None:
    struck = Struck()
    for n in sample.points():
        one = failed_over(servers, n, run, lacks=lacking != "nothing")
        if one is None:
            break
        struck += one
    assert struck.toll.tried
    fault = f"the database fails over in the middle of {run}, its standby lacks {lacking}"
    recovery = "the next run" if lacking == "nothing" else "the next run; a comment may be there twice"
    record("In the ledger", fault, struck.toll, recovery)


def failed_over(servers: Pair, n: int, run: str, *, lacks: bool) -> Struck | None:
    """At the n-th event in RO App; None where the run has fewer."""
    url = ledgers.empty_ledger(servers.url)
    admin(url, f"ALTER DATABASE {url.rpartition('/')[2]} RESET synchronous_commit")
    with quiet(url, QUICK) as world:
        place(world)
        if run == "a sync":
            world.imported()
            change(world)
        servers.replicate(synchronous=not lacks)
        fails = _listening(world, servers, n, n - n % BEHIND if lacks else None)
        with suppress(*FORESEEN):
            world.synced() if run == "a sync" else world.imported()
        if not fails.running() and not fails.done():
            servers.fail_over()
            return None
        fails.result(timeout=30)  # the run may be over before
        struck = judged(world, through=False)
        if lacks:
            _accept_repeated_comments(struck.toll)
        struck.toll.wrong[:] = [f"{n}: {what}" for what in struck.toll.wrong]
        return struck


def _accept_repeated_comments(toll: Toll) -> None:
    repeated = [what for what in toll.wrong if what.endswith(REPEATED)]
    toll.wrong = [what for what in toll.wrong if what not in repeated]
    toll.doubled -= len(repeated)


def _listening(world: World, servers: Pair, n: int, lacks_since: int | None) -> Future[None]:
    """Runs from the n-th event until the standby has taken over."""
    events, fails = iter(range(10_000)), Future[None]()

    def listen(method: str, path: str, phase: str) -> None:
        event = next(events)
        if event == lacks_since:
            servers.falls_behind()
        if event == n:
            fails.set_running_or_notify_cancel()
            servers.fail_over()
            fails.set_result(None)

    world.box.roapp.on_call(listen)
    return fails
