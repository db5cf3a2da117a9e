"""All faults mixed, in histories that nobody has thought of: hypothesis draws what buyers, shop and RO App's staff do,
what the wire does to it, and when runs are stopped or the ledger is lost. `--seed` replays a run."""

from __future__ import annotations

import asyncio
import secrets
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack, suppress
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from ledgers import empty_ledger
from points import stopped_at
from reliability import Record
from sampling import Sample
from world import FORESEEN, Row, Toll, World, admin, named

from sandbox import Sandbox
from sandbox.box import Shop

SHOPS = 2
#: In a whole run, and else.
HISTORIES, FEW_HISTORIES = 200, 24
STEPS = 12
AT_ONCE = 8
TIMEOUT, WAIT = 0.5, 0.5
HASTE: Row = {"http_timeout": TIMEOUT, "unclear_wait": WAIT, "recheck_after": 2 * WAIT, "retry_base": 0.02}
HANG = 3 * TIMEOUT
LATE = 1.6 * WAIT  # a write that arrives so late is still waited for

BUYERS: list[Row] = [
    {"delivery_phone": "0671112233", "delivery_email": "olena@example.com"},
    {"delivery_phone": "+38 (067) 111-22-33", "delivery_email": ""},
    {"delivery_phone": "", "delivery_email": "Olena@Example.com"},
    {"delivery_phone": "050 222 33 44", "delivery_email": ""},
    {"delivery_phone": "", "delivery_email": "petro@example.com"},
    {"delivery_phone": "0503334455", "delivery_email": "petro@example.com"},
    {"delivery_phone": "", "delivery_email": ""},
]
ARTICLES = ["CAP-2", "FT-001-WHT", "TEA-100", "GIFT-1", "SET-1"]
PRICES = [100, "87.25", 0, "1299.9"]
OPEN, DELIVERED = [1, 2, 6, 7, 8, 4], 3

ROAPP_FAULTS = [
    "error", "error_after", "drop", "drop_after", "hang", "hang_after", "late", "overdue", "html", "html_after", "half",
    "rate", "unauthorized",
]  # fmt: skip
SHOP_FAULTS = ["error", "drop", "hang", "half", "html", "rate", "unauthorized"]
#: Which calls of RO App: method and path.
CALLS = [
    ("", ""), ("GET", ""), ("POST|PATCH", ""), ("PATCH", ""), ("POST", "^/contacts/people$"),
    ("POST", "^/catalog/products$"), ("POST", "^/orders$"), ("POST", "/items$"), ("POST", "/comments$"),
    ("POST", "/status$"),
]  # fmt: skip


def _remove_line(box: Shop, number: str, value: int) -> None:
    lines = box.orders[number]["products"]
    if len(lines) > 1:
        box.remove_line(number, value % len(lines))


def _give_coupon(box: Shop, number: str, value: int) -> None:
    """Other sums than the sandbox's own: to the cent, and more than the shop has; none below 0, as that is held."""
    gross = sum(Decimal(str(line["total_price"])) for line in box.orders[number]["products"])
    off = [Decimal(0), gross / 7, Decimal("0.01"), gross, -Decimal("9.99")][value % 5]
    box.edit(number, coupon_code=f"C{value}", total_sum=float(max(Decimal(0), gross - off).quantize(Decimal("0.01"))))


RUNS = st.sampled_from(["import", "sync", "sync", "sync", "resend", "reconcile", "replay"])
#: What staff and buyers do to an order of the shop; the last argument is anything.
EDITS: dict[str, Callable[[Shop, str, int], None]] = {
    "quantity": lambda box, number, value: box.change_line(number, quantity=value % 9 + 1),
    "price": lambda box, number, value: box.change_line(number, price=PRICES[value % len(PRICES)]),
    "add line": lambda box, number, value: box.add_line(number, ARTICLES[value % len(ARTICLES)]),
    "add line at a price": lambda box, number, value: box.add_line(
        number, ARTICLES[value % len(ARTICLES)], price="12.5"
    ),
    "remove line": _remove_line,
    "coupon": _give_coupon,
    "status": lambda box, number, value: box.set_status(number, OPEN[value % len(OPEN)]),
    "deliver": lambda box, number, value: box.set_status(number, DELIVERED),
    "waybill": lambda box, number, value: box.set_waybill(number, f"20450000{value:06}"),
    "payment": lambda box, number, value: box.mark_paid(number),  # once: the text of each comment is new
    "buyer": lambda box, number, value: box.edit(number, **BUYERS[value % len(BUYERS)]),
    "delete": lambda box, number, value: box.delete_order(number),
}

AT = st.integers(0, SHOPS - 1)
ANY = st.integers(0, 30)
Change = tuple[int, str, int, int]  # shop, edit, which order, anything
CHANGES = st.lists(st.tuples(AT, st.sampled_from(["order", "order", *EDITS]), ANY, ANY), min_size=2, max_size=5)
Planned = tuple[int, str, tuple[str, str], int, int]  # shop or RO App, kind, calls, times, skip
FAULTS = st.lists(
    st.tuples(
        st.sampled_from([*range(SHOPS), *[SHOPS] * 6]),
        st.sampled_from(ROAPP_FAULTS),
        st.sampled_from(CALLS),
        st.integers(1, 3),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


def _edited(shop: int, report: Row) -> set[tuple[int, str]]:
    return {(shop, one["number"]) for one in report["findings"] if one["what"] == "edited-in-roapp"}


def _about(shop: int, text: str) -> tuple[int, str]:
    """The order that a difference is about."""
    return shop, text.partition(":")[0]


class History(RuleBasedStateMachine):
    """One shop account with two shops. What a person did in RO App, or the ledger can't know any more, is excused in
    the end; nothing else is."""

    def __init__(self, postgres: str) -> None:
        super().__init__()
        self.postgres = postgres
        self.stack = ExitStack()
        self.box = self.stack.enter_context(
            Sandbox(shops=SHOPS, orders=0, delivered=0, older=0, rate_limit=0, quota_seconds=0)
        )
        self.named: list[set[str]] = []
        self.world = self._in(empty_ledger(postgres))
        self.disturbed_once = False
        self.changes = 0
        self.backups: list[str] = []
        self.gone: set[tuple[int, str]] = set()  # deleted in the shop
        self.deleted: set[tuple[int, str]] = set()  # deleted in RO App
        self.written_off: set[tuple[int, str]] = set()
        self.moved: set[tuple[int, str]] = set()  # to a status that may not be the shop's
        self.unknown: set[tuple[int, str]] = set()  # had changed in the shop when the ledger was lost
        self.not_taken: set[tuple[int, str]] = set()  # Delivered and not in RO App yet when the ledger was lost
        self.strange: set[tuple[int, str]] = set()  # a lost ledger takes a line that was taken out for staff's
        self.told: set[tuple[int, str]] = set()  # RO App has them otherwise, as a repairing reconciliation said
        self.lost = False

    # -- runs, what happened before them, and what happens to them ----------------------------------------------------

    @rule(changes=CHANGES, faults=FAULTS, run=st.one_of(RUNS, st.just("all at once")), shop=AT)
    def disturbed(self, changes: list[Change], faults: list[Planned], run: str, shop: int) -> None:
        """A run that meets faults."""
        self._prepare(changes, faults)
        with suppress(*FORESEEN):
            asyncio.run(self._together() if run == "all at once" else self._begin(run, shop))

    @rule(changes=CHANGES, faults=FAULTS, run=RUNS, shop=AT, n=st.integers(0, 50))
    def stopped(self, changes: list[Change], faults: list[Planned], run: str, shop: int, n: int) -> None:
        """A run that is stopped at its n-th event in RO App."""
        self._prepare(changes, faults)
        with suppress(*FORESEEN):
            stopped_at(self.world, self._begin(run, shop), n)

    def _prepare(self, changes: list[Change], faults: list[Planned]) -> None:
        for shop, edit, n, value in changes:
            self._change(shop, edit, n, value)
        for side, kind, (method, path), times, skip in faults:
            self.disturbed_once = True
            if side < SHOPS:
                self.box.shops[side].faults.fail(
                    kind if kind in SHOP_FAULTS else "error", times, skip=skip, seconds=HANG
                )
            else:
                seconds = HANG if kind.startswith("hang") else LATE
                self.box.roapp.faults.fail(kind, times, method=method, path=path, skip=skip, seconds=seconds)

    def _change(self, shop: int, edit: str, n: int, value: int) -> None:
        box = self.box.shops[shop]
        if edit == "order" or not box.orders:
            if len(box.orders) < 5:
                goods = [(ARTICLES[(value + index) % len(ARTICLES)], 1 + index) for index in range(1 + n % 3)]
                box.place_order(articles=goods, status=OPEN[n % len(OPEN)], **BUYERS[value % len(BUYERS)])
            return
        number = sorted(box.orders)[n % len(box.orders)]
        if edit == "deliver" and not self._known(shop, number):
            return  # an import takes no delivered order
        if edit == "delete":
            oldest = min(box.orders, key=int)
            if number == oldest or not self._known(shop, oldest):
                return  # when all that are known vanish, the shop stops
            self.gone.add((shop, number))
        if edit in {"status", "deliver"} and not self._has_agreed(shop, number) and number in self._in_roapp(shop):
            self.moved.add((shop, number))  # a lost ledger can't tell which side did it: a person is told
        if edit == "remove line" and self.lost and self._unmatched(shop, number):
            self.strange.add((shop, number))
        self.changes += 1
        self.named.append(named(box.orders[number]))
        EDITS[edit](box, number, self.changes if edit == "waybill" else value)

    def _in_roapp(self, shop: int) -> dict[str, list[Row]]:
        return self.world.roapp_orders(self.world.shop(shop))

    def _known(self, shop: int, number: str) -> bool:
        query = "SELECT count(*) FROM orders WHERE shop = :shop AND number = :number"
        return bool(self.world.value(query, shop=self.world.shop(shop).key, number=number))

    def _has_agreed(self, shop: int, number: str) -> bool:
        """Whether the ledger knows what the order's status was carried as; a restored one has the order without it."""
        query = "SELECT fields ? 'status_id' FROM order_matches WHERE shop = :shop AND number = :number"
        return bool(self.world.value(query, shop=self.world.shop(shop).key, number=number))

    def _unmatched(self, shop: int, number: str) -> bool:
        """Whether the order has a line in RO App that the ledger does not know of."""
        query = "SELECT json_agg(item_id) FROM agreed_lines WHERE shop = :shop AND number = :number"
        known = self.world.value(query, shop=self.world.shop(shop).key, number=number) or []
        there = self._in_roapp(shop).get(number, [])
        items = [item["id"] for order in there for item in self.box.roapp.items[order["id"]]]
        return not set(items) <= set(known)

    async def _together(self) -> None:
        runs = [self._begin(run, shop) for shop in range(SHOPS) for run in ("import", "sync")]
        for result in await asyncio.gather(*runs, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, FORESEEN):
                raise result

    async def _begin(self, run: str, shop: int) -> None:
        shops = [self.world.shop(shop), *(self.world.shop(index) for index in range(SHOPS) if index != shop)]
        if run == "import":
            await self.world.import_(*shops)
        elif run == "sync":
            await self.world.sync(*shops)
        elif run == "reconcile":
            self.told |= _edited(shop, await self.world.reconcile(shops[0], repair=True))
        elif run == "replay":
            await self.world.replay(shops[0], (), make_again=False)
        else:
            await self.world.resend(shops[0], list(self.box.shops[shop].orders))

    @rule()
    def pause(self) -> None:
        """The faults that have not come by now stay away; what was unclear is clear."""
        self._calm()
        time.sleep(2.5 * WAIT)

    def _calm(self) -> None:
        for faults in (self.box.roapp.faults, *(shop.faults for shop in self.box.shops)):
            faults.calm()

    # -- RO App's staff -----------------------------------------------------------------------------------------------

    @rule(shop=AT, n=ANY, edit=st.sampled_from(["delete", "write off", "status", "note", "merge"]), value=ANY)
    def edit_in_ro_app(self, shop: int, n: int, edit: str, value: int) -> None:
        roapp, there = self.box.roapp, self._in_roapp(shop)
        if not there:
            return
        number = sorted(there)[n % len(there)]
        order = there[number][0]
        if edit == "delete":
            roapp.delete_order(order["id"])
            self.deleted.add((shop, number))
        elif edit == "write off":
            roapp.write_off(order["id"])
            self.written_off.add((shop, number))
        elif edit == "status":
            roapp.set_status(order["id"], sorted(roapp.statuses)[value % len(roapp.statuses)])
            self.moved.add((shop, number))
        elif edit == "merge":
            self.pause()
            self._merge(order["client_id"])
        else:
            roapp.edit_order(order["id"], manager_notes=f"{order['manager_notes']}\nзателефонувати")

    def _merge(self, contact: int) -> None:
        """Staff make another contact of it, which gets its orders."""
        roapp = self.box.roapp
        kept = roapp.copy_contact(contact)
        for order in list(roapp.orders.values()):
            if order["client_id"] == contact:
                roapp.edit_order(order["id"], client_id=kept)
        roapp.delete_contact(contact)

    # -- the ledger ---------------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["purge", "back up", "restore", "delete with --purge"]), shop=AT)
    def lose_the_ledger(self, what: str, shop: int) -> None:
        if what == "purge":
            self._lost(*range(SHOPS))
            self.world.purged()
        elif what == "delete with --purge":
            self._lost(shop)
            self.world.forget(self.world.shop(shop))
        elif what == "restore" and self.backups:
            self._lost(*range(SHOPS))
            self.world = self._in(self.backups.pop())
            self.world.restored()
        elif len(self.backups) < 3:
            name = f"backup_{secrets.token_hex(4)}"
            self.backups.append(self.world.copied(name))
            self.stack.callback(admin, self.postgres, f"DROP DATABASE {name} WITH (FORCE)")

    def _lost(self, *shops: int) -> None:
        self.lost = True
        for shop, text in self._differences():
            number = text.partition(":")[0].partition(" ")[0]
            if shop in shops:
                self.unknown.add((shop, number))
        for index in shops:
            orders = self.box.shops[index].orders
            delivered = {number for number, row in orders.items() if row["stat_status"] == DELIVERED}
            self.unknown |= {(index, number) for number in delivered}  # not read again
            self.not_taken |= {(index, number) for number in delivered - self._in_roapp(index).keys()}

    # -- the end ------------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self._calm()
            if self.disturbed_once:
                time.sleep(2.5 * WAIT)
            for shop in range(SHOPS):
                asyncio.run(self._begin("import", shop))
            if self.disturbed_once:
                time.sleep(HASTE["recheck_after"])
            for shop in [*range(SHOPS), *range(SHOPS)]:
                asyncio.run(self._begin("sync", shop))
            self.box.roapp.clear_calls()
            for shop in range(SHOPS):
                asyncio.run(self._begin("sync", shop))
            wrong = [f"written although nothing changed: {call.method} {call.path}" for call in self.box.roapp.writes()]
            differences = [(shop, text) for shop, text in self._differences() if not self._excused(shop, text)]
            told = self._told() if differences else set()
            dearer = {_about(shop, text) for shop, text in differences if ": the total" in text}
            wrong += [text for at, text in differences if not self._is_strange(at, text, told, dearer)]
            wrong += [f"held: {what}" for what in self._held()]
            assert not wrong, "\n".join(wrong)
        finally:
            self.world.engine.dispose()
            self.stack.close()

    def _differences(self) -> list[tuple[int, str]]:
        found = []
        for index in range(SHOPS):
            shop, orders = self.world.shop(index), self.box.shops[index].orders
            there = self.world.roapp_orders(shop)
            gone = {number for at, number in self.gone if at == index}
            absent = self.deleted | self.not_taken
            left_out = gone | {number for at, number in absent if at == index and number not in there}
            found += [(index, text) for text in self.world.differences(shop, list(orders), index, left_out)]
            found += [(index, f"{number} doubled") for number in gone if len(there.get(number, [])) > 1]
        return found

    def _excused(self, shop: int, text: str) -> bool:
        number, _, what = text.partition(": ")
        order = shop, number
        return order in self.unknown or (
            (order in self.written_off and what.startswith(("line", "the total")))
            or (order in self.moved and what.startswith("status"))
        )

    def _is_strange(self, shop: int, text: str, told: set[tuple[int, str]], dearer: set[tuple[int, str]]) -> bool:
        """Sums are compared, so nothing tells of a line that changes none: one that costs nothing, if only by its
        discount. `dearer`: orders whose total is another one."""
        order, what = _about(shop, text), text.partition(": ")[2]
        return (
            order in self.strange
            and what.startswith(("line", "the total"))
            and (order in told or order not in dearer or "Decimal('0')" in what)
        )

    def _told(self) -> set[tuple[int, str]]:
        """The orders of which a reconciliation said that RO App has them otherwise."""
        now = (_edited(shop, self.world.reconciled(self.world.shop(shop))) for shop in range(SHOPS))
        return self.told.union(*now)

    def _held(self) -> list[str]:
        found = []
        for index in range(SHOPS):
            for (entity, number), code in self.world.held(self.world.shop(index)).items():
                order = index, number
                right = (entity, code) == ("order", "deleted-in-roapp") and order in self.deleted
                right |= (entity, code) == ("status", "status-differs") and order in self.unknown | self.moved
                right |= (entity, code) == ("total", "total-differs") and order in self.written_off | self.unknown
                if not right:
                    found.append(f"{entity} {number}: {code}")
        return found

    def _in(self, url: str) -> World:
        if hasattr(self, "world"):
            self.world.engine.dispose()
        world = World(self.box, url, **HASTE)
        world.named = self.named
        return world


@pytest.mark.long
def test_many_histories(postgres: str, record: Record, pool: Executor, sample: Sample) -> None:
    """Several at once: they mostly wait."""
    count = sample.times(HISTORIES, FEW_HISTORIES) // AT_ONCE
    shares = [pool.submit(failure, postgres, sample.seed + n, count, STEPS) for n in range(AT_ONCE)]
    failures = [text for share in shares if (text := share.result())]
    assert not failures, f"--seed {sample.seed}\n" + "\n\n".join(failures)
    tried = f"histories of up to {STEPS} disturbed or stopped runs, people's edits and lost ledgers"
    record("Side by side", f"all of this page mixed: {tried}", Toll(tried=HISTORIES), "the runs after it")


def failure(postgres: str, chance: int, count: int, steps: int, shrink: bool = True) -> str:
    """How a history failed, as short as hypothesis could make it; empty where none did. `chance` draws them."""

    def begin() -> History:
        return History(postgres)

    profile = settings(
        max_examples=count,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
    )
    try:
        run_state_machine_as_test(seeded(chance)(begin), settings=profile)
    except BaseException as error:  # noqa: BLE001 - it has to come out of its process in words
        return "\n".join([*traceback.format_exception(error), *getattr(error, "__notes__", [])])
    return ""
