"""A fault at the calls of a small story, one run per point: the shop's first import, changes of every kind in the
shop, and the sync after them. The story has every kind of call, to the shop and to RO App."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice
from typing import Any, Literal, TypeVar

import thrift
from ledgers import empty_ledger
from sampling import EACH, Sample
from sqlalchemy import text
from world import Row, Toll, World

from cartum_roapp.errors import NotNow, Retryable
from cartum_roapp.shops import ShopConfig
from sandbox.faults import Faults

SHARES = 2  # how many processes try the points of one fault
LONGEST = 1000  # no story has so many points
SEED = 21

T = TypeVar("T")

#: So short that a fault costs little time.
QUICK: Row = {"http_timeout": 0.6, "unclear_wait": 0.2, "retries": 6, "retry_base": 0.02}
#: Time-out and wait as they are by default, 30 times as fast.
SCALE = 30
SCALED: Row = {**QUICK, "http_timeout": 20 / SCALE, "unclear_wait": 30 / SCALE}


class Recovery(IntEnum):
    """What brought everything right."""

    SAME_RUN = 0
    NEXT_SYNC = 1  # by itself: no run failed, and what was put off followed
    NEXT_RUN = 2

    def __str__(self) -> str:
        return self.name.replace("_", " ").lower()


def place(world: World) -> None:
    """A buyer whom RO App knows without an e-mail address, and a new one; products that it has and has not."""
    shop, roapp = world.box.shops[0], world.box.roapp
    roapp.seeded["contacts"].add(roapp.add_contact("Олена", phones=["(067) 111-22-33"]))
    known = {"delivery_phone": "+380671112233", "delivery_email": "olena@example.com"}
    shop.place_order(articles=[("FT-001-WHT", 1), ("KR-799", 2)], **known)
    shop.place_order(articles=[("CAP-2", 1), ("BOOK-12", 1)], status=2, delivery_phone="0502223344")


@dataclass(frozen=True)
class Fault:
    """A fault of `sandbox.faults` for `times` calls in a row; `more` are its details, `switches` the sandbox's. It
    begins at every `stride`-th call."""

    side: Literal["shop", "roapp"]
    kind: str
    times: int = 1
    more: Row = field(default_factory=dict)
    switches: Row = field(default_factory=dict)
    settings: Row = field(default_factory=lambda: QUICK)
    prepare: Callable[[World], None] = place
    stride: int = 1

    def on(self, world: World) -> Faults:
        return world.box.shops[0].faults if self.side == "shop" else world.box.roapp.faults

    def met(self, world: World) -> bool:
        calls = world.box.shops[0].calls if self.side == "shop" else world.box.roapp.calls
        return any(call.fault == self.kind for call in calls)


@dataclass
class Struck:
    """The toll of all points, and what it took at the worst of them. `about`: how many points there are, at most."""

    toll: Toll = field(default_factory=Toll)
    recovery: Recovery = Recovery.SAME_RUN
    about: int = 0

    def __iadd__(self, other: Struck) -> Struck:
        self.toll += other.toll
        self.recovery = max(self.recovery, other.recovery)
        return self


def begin() -> None:
    """What each of those processes does first, once it has imported all this."""
    thrift.begin()


class Points:
    """Tries points in several processes, each in a run with an empty ledger."""

    def __init__(self, pool: Executor, postgres: str, sample: Sample) -> None:
        self._pool = pool
        self._postgres = postgres
        self._sample = sample

    def __call__(self, attempt: Attempt, *rest: Any) -> Struck:
        """`attempt(url of the ledger, n, *rest)` for the sample's part of n = 0, 1, 2 … until it gives None: a run has
        no such point."""
        struck = self._shared(every, attempt, self._sample, *rest)
        if struck.toll.tried:
            struck.about = self._sample.about(struck.toll.tried)
        else:  # there are so few points that the sample took none
            struck = self.each(attempt, range(EACH), *rest)
            struck.about = struck.toll.tried
        return struck

    def each(self, attempt: Attempt, places: Sequence[object], *rest: Any) -> Struck:
        """`attempt(url of the ledger, place, *rest)` for all of these places; None where a run has no such point."""
        return self._shared(these, attempt, places, *rest)

    def _shared(self, work: Callable[..., Struck], *arguments: Any) -> Struck:
        shares = [self._pool.submit(work, self._postgres, *arguments, first=first) for first in range(SHARES)]
        struck = Struck()
        for share in shares:
            struck += share.result()
        return struck


Attempt = Callable[..., "Struck | None"]


def every(postgres: str, attempt: Attempt, sample: Sample, *rest: Any, first: int) -> Struck:
    """One process' share of the points, up to the end of the story."""
    struck = Struck()
    for n, one in _tried(postgres, attempt, islice(sample.points(), first, None, SHARES), *rest):
        assert n < LONGEST, "the story never ends"
        if one is None:
            break
        struck += one
    return struck


def these(postgres: str, attempt: Attempt, places: Sequence[object], *rest: Any, first: int) -> Struck:
    """One process' share of the places."""
    struck = Struck()
    for _, one in _tried(postgres, attempt, places[first::SHARES], *rest):
        if one is not None:
            struck += one
    return struck


def _tried(postgres: str, attempt: Attempt, places: Iterable[T], *rest: Any) -> Iterator[tuple[T, Struck | None]]:
    for place in places:
        one = attempt(empty_ledger(postgres), place, *rest)
        if one is not None:
            one.toll.wrong[:] = [f"{place}: {what}" for what in one.toll.wrong]
        yield place, one


def strike(url: str, n: int, fault: Fault) -> Struck | None:
    """The fault meets the n-th call of the story, counted in strides."""
    with quiet(url, fault.settings, **fault.switches) as world:
        fault.prepare(world)
        fault.on(world).fail(fault.kind, fault.times, skip=n * fault.stride, **fault.more)
        through = story(world)
        if not fault.met(world):
            return None
        fault.on(world).calm()
        return judged(world, through)


@contextmanager
def quiet(url: str, settings: Row, **switches: Any) -> Iterator[World]:
    """A world whose shop has no orders yet."""
    with World.of(
        url, settings=settings, **{"orders": 0, "delivered": 0, "older": 0, "seed": SEED, **switches}
    ) as world:
        yield world


def change(world: World) -> None:
    """One change of every kind, and a third order."""
    shop = world.box.shops[0]
    first, second = list(shop.orders)
    shop.change_line(first, 1, quantity=3)
    shop.set_waybill(first, "20450000000001")
    shop.add_line(first, "UMB-1", 1)
    shop.remove_line(second, 0)
    shop.set_status(second, 6)
    shop.place_order(articles=[("UMB-1", 2)], delivery_phone="+380 50 222 33 44")


def story(world: World) -> bool:
    """False where one of its runs ended early: the sync after an import that failed does not begin."""
    through = ends(world.imported)
    change(world)
    return through and ends(world.synced)


def ends(run: Callable[[], object]) -> bool:
    """False where the run gives up for now, to go on with the next one."""
    try:
        run()
    except (Retryable, NotNow):
        return False
    return True


def looked_at(world: World, config: ShopConfig | None = None, gone: Collection[str] = (), index: int = 0) -> Toll:
    """What shop and RO App differ in now, but for the `gone` orders; nothing may be held."""
    shop = config or world.shop()
    toll = world.toll(shop, list(world.box.shops[index].orders), index, left_out=gone)
    toll.wrong += [f"held: {what} {code}" for what, code in world.held(shop).items()]
    return toll


def judged(world: World, through: bool = True, config: ShopConfig | None = None, gone: Collection[str] = ()) -> Struck:
    """What it takes until everything is right; after that a sync has nothing to write."""
    recovery = Recovery.NEXT_SYNC if world.followed else Recovery.SAME_RUN
    if not through or looked_at(world, config, gone).wrong:
        recovery = Recovery.NEXT_RUN
        with world.engine.begin() as connection:  # some time later: what was put off is due
            connection.execute(text("UPDATE outbox SET available_at = now() WHERE available_at > now()"))
        world.imported(config)
        world.synced(config)
    idle = world.synced(config)
    toll = looked_at(world, config, gone)
    if idle.calls.roapp_writes:
        toll.wrong.append(f"{idle.calls.roapp_writes} writing calls when nothing changed")
    return Struck(toll, recovery)


def stopped_at(world: World, run: Coroutine[Any, Any, object], n: int) -> bool:
    """Stops the run at its n-th event in RO App: a call that it received (even n) or applied. False where the run
    ended before."""
    return asyncio.run(_stopped_at(world, run, n))


async def _stopped_at(world: World, run: Coroutine[Any, Any, object], n: int) -> bool:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(run)
    left = n

    def listen(method: str, path: str, phase: str) -> None:
        nonlocal left
        if left == 0:
            loop.call_soon_threadsafe(task.cancel)
        left -= 1

    stop = world.box.roapp.on_call(listen)
    try:
        with suppress(asyncio.CancelledError):
            await task
    finally:
        stop()
    return task.cancelled()
