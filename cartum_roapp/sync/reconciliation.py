"""Compares shop, ledger and RO App, step by step. The rules are in `cartum_roapp.reconciliation`.

The steps that read a system raise Retryable and BadConfig.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd

from cartum_roapp.delivery import account
from cartum_roapp.errors import BadConfig, Code
from cartum_roapp.ledger import held, matches, missing_orders, orders, standing
from cartum_roapp.ledger.orders import Priority
from cartum_roapp.ledger.scope import NOTHING, Scope
from cartum_roapp.ledger.standing import Standing
from cartum_roapp.orders.bad_rows import BadRow
from cartum_roapp.orders.frames import Frames, typed_frame
from cartum_roapp.orders.qualifying import FINAL_FOR
from cartum_roapp.reconciliation import compare, repair, roapp
from cartum_roapp.reconciliation.findings import STORED, Difference, Finding, Report, numbers
from cartum_roapp.reconciliation.roapp import RoAppSide
from cartum_roapp.reconciliation.sides import SHOP, by_currency, by_day, ledger_side, shop_side
from cartum_roapp.shops import ShopConfig
from cartum_roapp.sync import sentence
from cartum_roapp.sync.fetch import Found, Pages, ShopApi, batches, fetch_created, fetch_numbers, slices
from cartum_roapp.sync.roapp_orders import read_lost
from cartum_roapp.sync.run import Run
from cartum_roapp.sync.upsert import Reading, upsert
from cartum_roapp.sync.window import sync_range

# The shop's clock may be this far behind ours: an order with a stamp shortly before a read may have come after it.
CLOCK = timedelta(minutes=10)

log = logging.getLogger(__name__)

Portion = tuple[datetime, datetime] | None


@dataclass
class Sides:
    """What is known so far of the three sides. `scope`: which orders are compared. `ledger`: the orders by number as
    they were when other runs were last locked out of the shop; `seen`: all numbers that were read from the shop, taken
    over or not; `gone`: a person says that missing orders were deleted in the shop.
    `doubted`: orders that RO App lacks, but too many to be believed."""

    roapp: RoAppSide
    scope: Scope
    repair: bool
    gone: bool = False
    ledger: dict[str, Standing] = field(default_factory=dict)
    final: frozenset[int] = frozenset()
    shop: pd.DataFrame = field(default_factory=lambda: typed_frame(SHOP, ()))
    seen: set[str] = field(default_factory=set)
    doubted: list[Finding] = field(default_factory=list)
    report: Report = field(default_factory=Report)

    def believed(self) -> set[str]:
        """Returns the numbers of orders that the ledger has as existing in the shop."""
        return {number for number, order in self.ledger.items() if not order.gone}

    def doubtful(self, missing: Collection[str]) -> list[str]:
        """Returns those of the numbers missing in the shop that are too many to be believed."""
        return repair.doubtful(missing, [one for one in self.ledger.values() if not one.gone], self.scope)

    def marked(self) -> set[str]:
        """Returns the numbers in RO App's markers: these orders were taken over, also if the ledger was lost since."""
        return {one.number for one in self.roapp.values() if one.number is not None and one.number.isdecimal()}

    def unseen(self) -> set[str]:
        """Returns the numbers of `believed` and `marked` that were not read from the shop."""
        return (self.believed() | self.marked()) - self.seen


def confirmed(shop: ShopConfig, *, repair: bool, gone: bool) -> None:
    """Raises BadConfig if `gone` would have no effect. To be called before the run is opened, so that a typing mistake
    does not pause the shop."""
    if gone and not repair:
        raise BadConfig("it needs `--repair`: a report takes nothing for deleted.", shop=shop.slug, field="gone",
                        fix=f"`cartum-roapp reconcile {shop.slug} --repair --gone`.")  # fmt: skip


def read_ledger(run: Run, sides: Sides, final: frozenset[int]) -> None:
    """Reads the ledger's orders of the scope, those of RO App's markers, and those that were read from the shop
    before a pause. To be called while no other run reads this shop."""
    sides.ledger, sides.final = _standings(run, final, sides.scope, sides.marked() | set(sides.shop["number"])), final


def portions(run: Run, scope: Scope) -> list[Portion]:
    """Returns the portions in which the shop is read: the scope's orders week by week, the oldest first, but none
    before the window of the first import; then None, for orders that were not among them and are read by number."""
    assert run.state.window_from is not None
    window, ahead = run.state.window_from, sync_range(run).created_to
    return [*(week for since, until in scope.ranges for week in slices(max(since, window), min(until, ahead))), None]


async def fetch_portion(run: Run, api: ShopApi, sides: Sides, portion: Portion, missing: set[str]) -> Pages:
    """Yields the shop's rows that were not `seen` yet, and adds the numbers that the shop should have and lacks to
    `missing`."""
    if portion is None:
        for some in batches(sides.unseen()):
            found = await fetch_numbers(api, some)
            missing |= found.missing
            yield found.rows
        return
    async for rows in fetch_created(api, *portion, run.zone):
        yield {number: row for number, row in rows.items() if number not in sides.seen}


@dataclass(frozen=True)
class Compared:
    """A part of the shop next to the ledger. `read`: the numbers that it had, taken over or not; `shop`: the orders
    that are taken over; `lost`: those that the shop lacks, but too many to be believed."""

    read: Collection[str]
    shop: pd.DataFrame
    findings: list[Finding]
    lost: Collection[str]


def compare_shop(run: Run, sides: Sides, part: Found, frames: Frames, bad: Iterable[BadRow]) -> Compared:
    """Returns what of this part the ledger lacks or has with other content."""
    # The shop may have moved an order's date, or its zone was corrected: the ledger has it in another month.
    elsewhere = set(frames.orders["number"]) - sides.ledger.keys()
    sides.ledger |= _standings(run, sides.final, NOTHING, elsewhere) if elsewhere else {}
    watermark = run.state.watermark or run.started
    portion = shop_side(frames, sides.ledger, delivery_line=_delivery_line(run))
    known = [sides.ledger[number] for number in portion["number"] if number in sides.ledger]
    found = compare.with_shop(portion, ledger_side(known), read_until=watermark - CLOCK, zone=run.zone)
    gone = compare.not_in_shop(sides.ledger.values(), set(part.missing), run.zone)
    lost = [] if sides.gone else sides.doubtful([one.number for one in gone])
    found += gone
    found += [Finding(row.id, "", Difference.UNREADABLE_IN_SHOP) for row in bad]
    return Compared(part.rows.keys(), portion, found, lost)


def add_part(run: Run, sides: Sides, part: Compared) -> None:
    """Adds the part to the report. To be called once it is stored: if the lock is lost before, it is read again."""
    sides.seen |= set(part.read)
    if part.lost:
        sides.report.warnings.append(
            f"{len(part.lost)} of {len(sides.believed())} orders are not in the shop: probably its user has lost "
            "rights. None counts as gone. If they were really deleted, say so "
            f"(`cartum-roapp reconcile {run.shop.slug} --repair --gone --all`)."
        )
    sides.shop = pd.concat([sides.shop, part.shop], ignore_index=True)
    sides.report.findings += part.findings
    changed = len(numbers(part.findings, STORED))
    run.counts.unchanged += len(part.shop) - changed
    run.counts.seen += len(part.shop) - changed
    if not sides.repair:
        run.counts.seen += changed + len(numbers(part.findings, {Difference.UNREADABLE_IN_SHOP}))


def store_findings(run: Run, sides: Sides, frames: Frames, bad: Iterable[BadRow], found: Iterable[Finding]) -> None:
    """Stores the orders of the findings, as the shop has them now, in ledger and outbox.

    Missing orders are noted, and count as deleted if an earlier run missed them as well. Too many at once are ignored,
    unless a person says that they were deleted. Idempotent."""
    found = list(found)
    missing = numbers(found, {Difference.NOT_IN_SHOP})
    lost = [] if sides.gone else sides.doubtful(missing)
    missing = [number for number in missing if number not in lost]
    with run.storing() as connection:
        orders.forget_hashes(connection, run.shop.key, numbers(found, {Difference.SUM_DIFFERS_IN_LEDGER}))
    stored = frames.only(numbers(found, STORED))
    reading = Reading(stored, list(bad), sides.final, missing, asked=len(sides.believed()), deleted=sides.gone)
    upsert(run, reading, new_as=Priority.CHANGE)


async def compare_roapp(run: Run, sides: Sides) -> Report:
    """Returns the complete report: adds what still differs between ledger and RO App after both were read again. An
    order that changed in the ledger meanwhile is left to the next run."""
    report, moving = sides.report, set(numbers(sides.report.findings, STORED))
    if not sides.scope.is_all:
        sides.roapp |= await read_lost(run, _lost(sides), sides.roapp)
    suspects = _differences(run, sides, sides.ledger, moving)
    async with account.reading(run.engine, run.account, run.settings, run.calls) as api:
        looked, report.unchecked = await roapp.read_again(api, run.shop.key, sides.roapp, suspects)
    now = _standings(run, sides.final, NOTHING, looked)
    still = {number: order for number, order in now.items() if _stands(order, sides.ledger.get(number))}
    report.findings += [one for one in _differences(run, sides, still, moving) if one.number in looked]
    missing = [one for one in report.findings if one.what is Difference.MISSING_IN_ROAPP]
    more = any(one.what is Difference.MISSING_IN_ROAPP and one.number not in looked for one in suspects)
    # More than a run reads again are too many to be believed.
    sides.doubted = missing if more else repair.missing_if_lost_rights(missing, sides.ledger, sides.scope)
    if sides.doubted:
        report.warnings.append(
            f"{len(sides.doubted)} orders are missing in RO App: probably the key has lost rights. "
            "None of them is held."
        )
    unknown = set(numbers(report.findings, {Difference.MARKER_OF_NOBODY}))
    # Deleted in RO App, and a person left it so: counted on no side, as it would differ every night.
    alone = {one.number for one in sides.ledger.values() if _is_left_alone(one, sides.roapp)}
    shop = sides.shop[~sides.shop["number"].isin(alone)]
    ledger = ledger_side(one for one in sides.ledger.values() if one.number not in alone)
    log.info("%s", sentence.of_differences(len(sides.ledger), [one.what for one in report.findings]))
    report.days = by_day(shop, ledger, sides.roapp.values(), run.zone, unknown)
    report.currencies = by_currency(shop, ledger, sides.roapp.values(), unknown)
    return report


def _lost(sides: Sides) -> dict[str, datetime]:
    """Returns number → when it was created, of the orders that the ledger has lost, or whose link it has lost."""
    known = (one for one in sides.ledger.values() if not one.gone and one.state in ("delivered", "lost"))
    lost = {one.number: one.created_at for one in known if one.ro_id is None}
    unknown = sides.shop[sides.shop["number"].isin(numbers(sides.report.findings, {Difference.MISSING_IN_LEDGER}))]
    return lost | dict(zip(unknown["number"], unknown["created_at"], strict=True))


def _is_left_alone(order: Standing, roapp: RoAppSide) -> bool:
    return order.dismissed and order.held_because == Code.DELETED_IN_ROAPP and order.ro_id not in roapp


def put_right(run: Run, sides: Sides) -> None:
    """Repairs what is safe, in ledger and outbox; the delivery that follows does the rest. Idempotent."""
    findings = [one for one in sides.report.findings if one not in sides.doubted]
    with run.engine.begin() as connection:
        repair.note_markers(connection, run.account.name, run.shop.key, sides.roapp.values())
        shown = {one.ro_id: one.roapp_number for one in sides.roapp.values() if one.roapp_number}
        matches.note_roapp_numbers(connection, run.shop.key, shown)
        repair.put_right(connection, run.shop.key, findings, sides.ledger)
        missing_orders.note(connection, run.shop.key, run.id, known=sides.seen)


def conclude(run: Run, sides: Sides) -> Report:
    """Returns the report, with the outcome of each finding."""
    after = _standings(run, sides.final, NOTHING, {one.number for one in sides.report.findings})
    held_rows = {one.id: one for one in held.listed(run.engine, run.shop.key, entity="row", dismissed=True)}
    sides.report.compared = sentence.of_scope(sides.scope, run.zone)
    sides.report.findings = repair.outcomes(sides.report.findings, after, held_rows, repaired=sides.repair)
    return sides.report


def remember_reported(run: Run, sides: Sides) -> None:
    """Remembers by how much the totals differ that were reported: they are no difference from now on, and one that was
    reported before is forgotten once RO App's total is the shop's. To be called after the report was shown, so that a
    kill in between reports them twice rather than never."""
    reported = set(numbers(sides.report.findings, {Difference.EDITED_IN_ROAPP}))
    totals = {
        order.number: one.total - order.total
        for order in sides.ledger.values()
        if order.ro_id and (one := sides.roapp.get(order.ro_id)) and one.total is not None
        and (order.number in reported or one.total == order.total)
    }  # fmt: skip
    with run.engine.begin() as connection:
        standing.note_staff_totals(connection, run.shop.key, totals)


def _differences(run: Run, sides: Sides, ledger: Mapping[str, Standing], moving: set[str]) -> list[Finding]:
    there = sides.roapp.values()
    found = compare.with_roapp(ledger.values(), there, zone=run.zone, moving=moving)
    return found + compare.unknown_markers(there, sides.ledger.keys(), sides.seen, run.zone)


def _standings(run: Run, final: frozenset[int], scope: Scope, numbers: Collection[str]) -> dict[str, Standing]:
    with run.engine.connect() as connection:
        found = standing.read(
            connection,
            run.shop.key,
            final_statuses=final,
            open_for=timedelta(days=run.shop.window_days),
            final_for=FINAL_FOR,
            delivery_line=_delivery_line(run),
            scope=scope,
            numbers=numbers,
        )
    return {one.number: one for one in found}


def _delivery_line(run: Run) -> bool:
    return run.shop.delivery_service_id is not None


def _stands(order: Standing, before: Standing | None) -> bool:
    return before is not None and (order.version, order.state) == (before.version, before.state)
