"""What a run did in one sentence: the message of its state in Prefect's UI, and the last line of its tables on the
terminal. Has no buyer's data, and no number of an order.

Each function takes the document that the run returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cartum_roapp.ledger.scope import LONG_FINAL, Scope

Document = Mapping[str, Any]

#: Of a run that a person canceled in Prefect's UI.
CANCELED = "Cancelled; what it had stored and delivered stays."


def of_summary(result: Document) -> str:
    """Returns the sentence of a run that has a summary: the same as its state's message."""
    if result["run"] == "backfill":
        return of_backfill(result)
    own = {"findings": of_comparison, "records": of_replay, "resent": of_resending}
    return next((said for key, said in own.items() if key in result), of_run)(result)


def of_run(result: Document) -> str:
    """Returns "2 new, 1 changed, 3 held", "41 orders, nothing new, 3 held", or "40 new, 12 delivered, 28 follow"."""
    if "skipped" in result:
        return str(result["skipped"]).rstrip(".")
    if result["run"] == "incremental-sync" and not result["calls"]:
        return _joined(["nothing to read: another run was just there", *_still_held(result)])
    parts = _news(result["new"], result["changed"])
    if not parts:
        seen = result["seen"]
        parts = [*([_counted(seen, "order")] if seen else []), "nothing new"]
    if result["delivered"] not in (0, result["new"] + result["changed"]):
        parts.append(f"{result['delivered']} delivered")
    if result.get("set_in_shop"):
        parts.append(f"{result['set_in_shop']} set in the shop")
    if follow := result.get("follow"):
        parts.append(f"{follow} follow")
    if both := result.get("both_changed"):
        parts.append(f"{len(both)} changed on both sides")
    return _joined([*parts, *_still_held(result)])


def of_backfill(result: Document) -> str:
    """As `of_run`; of a canceled one "canceled, 22 taken out of the queue: 26 new, 4 delivered"; of a dry run "dry run:
    3 to create, 1 to change, 2 as they are, 1 to hold"; of several shops "2 runs started, one for each shop". Where
    numbers are named that the shop lacks, it adds "1 missing in the shop"."""
    if "started" in result:
        return f"{_counted(len(result['started']), 'run')} started, one for each shop"
    if result.get("state") == "canceled":
        return f"canceled, {result['taken_out']} taken out of the queue: {of_run(result)}"
    done = f"dry run: {of_plan(result)}" if result.get("dry_run") else of_run(result)
    absent = len(result.get("not_in_shop", ()))
    return _joined([done, *([f"{absent} missing in the shop"] if absent else [])])


def of_plan(result: Document) -> str:
    """Returns "3 to create, 1 to change, 2 as they are, 1 to hold"; "no order" if there is none. Where of some orders
    only a status, a total or a line would be held, it adds "2 to hold in part"."""
    words = {"nothing": "as they are", "held": "to hold", "wait": "waiting for an earlier call"}
    counts = {**result["actions"], "hold in part": result["held_in_part"]}
    return (
        _joined(f"{count} {words.get(action, f'to {action}')}" for action, count in counts.items() if count)
        or "no order"
    )


def of_replay(result: Document) -> str:
    """Returns "2 delivered, 1 held again, 3 held"."""
    records = result["records"]
    if not records:
        return _joined(["nothing to replay", *_still_held(result)])
    if result["dry_run"]:
        return f"dry run: {_counted(len(records), 'record')} to replay"
    words = {"delivered": "delivered", "held": "held again", "missing": "missing in the shop"}
    ended = Counter(one["outcome"] for one in records)
    return _joined(f"{ended[outcome]} {what}" for outcome, what in words.items() if ended[outcome])


def of_resending(result: Document) -> str:
    """Returns "2 delivered, 1 missing in the shop"."""
    words = {"delivered": "delivered", "held": "held", "waiting": "waiting", "missing": "missing in the shop"}
    ended = Counter(one["outcome"] for one in result["resent"])
    return _joined(f"{ended[outcome]} {what}" for outcome, what in words.items() if ended[outcome]) or "no order"


def of_comparison(result: Document) -> str:
    """Returns "214 orders, all alike, 3 held", or "214 orders, 3 differences: 2 repaired, 1 held"."""
    parts = [_counted(result["seen"], "order")]
    ends: Counter[str] = Counter(result["outcomes"])
    if ends:
        ended = _joined(f"{count} {what}" for what, count in ends.most_common())
        return "; ".join([f"{parts[0]}, {_counted(ends.total(), 'difference')}: {ended}", *_still_held(result)])
    return _joined([*parts, "all alike", *_still_held(result)])


def of_scope(scope: Scope, zone: ZoneInfo) -> str:
    """Returns "All orders since 2026-07-01 were compared.", or which ones had their turn."""
    *older, recent = scope.ranges
    since = f"since {_day(recent[0], zone)}"
    if scope.is_all:
        return f"All orders {since} were compared."
    turns = "".join(f", orders from {_day(begin, zone)} to {_last_day(end, zone)}" for begin, end in older)
    return f"Compared: orders {since}{turns}, and all that are open or were final for less than {LONG_FINAL.days} days."


def of_reading(new: int, changed: int, unchanged: int, unreadable: int = 0, deleted: int = 0) -> str:
    """Returns "41 orders: 1 new, 1 changed, 39 as they were"; "" if nothing happened to any."""
    read = [(new, "new"), (changed, "changed"), (unchanged, "as they were"), (unreadable, "that can't be read")]
    parts = [*read, (deleted, "deleted in the shop")]
    counts = _joined(f"{count} {what}" for count, what in parts if count)
    return f"{_counted(sum(count for count, _ in read), 'order')}: {counts}" if new or changed or deleted else ""


def of_differences(compared: int, whats: Iterable[str]) -> str:
    """Returns "41 orders compared: 2 missing-in-ledger", or "41 orders compared: all alike"."""
    return f"{_counted(compared, 'order')} compared: {_by_kind(whats) or 'all alike'}"


def of_held(codes: Iterable[str]) -> str:
    """Returns "3 held: 2 status-unmatched, 1 product-missing"; "" if there are none."""
    reasons = list(codes)
    return f"{len(reasons)} held: {_by_kind(reasons)}" if reasons else ""


def _by_kind(kinds: Iterable[str]) -> str:
    return _joined(f"{count} {kind}" for kind, count in Counter(map(str, kinds)).most_common())


def _news(new: int, changed: int) -> list[str]:
    return [f"{count} {what}" for count, what in ((new, "new"), (changed, "changed")) if count]


def _still_held(result: Document) -> list[str]:
    return [f"{result['held']} held"] if result["held"] else []


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}"


def _last_day(end: datetime, zone: ZoneInfo) -> str:
    return _day(end - timedelta(seconds=1), zone)
