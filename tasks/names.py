"""The names of runs in Prefect: which shop, what, and what of it; and those of their tasks, what they are done on. Of
orders they have only numbers.

Prefect calls what `named` returns without arguments, inside the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from prefect.runtime import flow_run

Parameters = Mapping[str, Any]

#: Of a longer list this many are named.
_NAMED = 3


def named(name: Callable[[Parameters], str]) -> Callable[[], str]:
    """Returns a function without arguments that names the present run by its parameters."""

    def of_this_run() -> str:
        return name(flow_run.get_parameters())

    return of_this_run


def of_replay(given: Parameters) -> str:
    """Returns "mavka: replay of 3 records", "mavka: replay of 1001", or "mavka: replay of all held records"."""
    ids = list(given.get("ids") or ())
    what = [f"{len(ids)} records" if len(ids) > 1 else str(ids[0])] if ids else []
    if entity := given.get("entity"):
        what.append(f"entity {entity}")
    if code := given.get("code"):
        what.append(str(code))
    if not what:
        what = ["all held records" if given.get("all_held") else "nothing"]
    if limit := given.get("limit"):
        what.append(f"at most {limit}")
    if given.get("make_again"):
        what.append("made again")
    return _name(given, "replay", what)


def of_resending(given: Parameters) -> str:
    """Returns "mavka: order 1001 sent again", "mavka: order 1001, 1002, 1003 … sent again", or "mavka: all orders sent
    again"."""
    return f"{given['shop']}: {_listed('order', given['numbers']) if given['numbers'] else 'all orders'} sent again"


def of_reconciliation(given: Parameters) -> str:
    """Returns "mavka: reconcile", or "mavka: reconcile all with repair"."""
    kind = f"reconcile{' all' if given.get('everything') else ''}{' with repair' if given.get('repair') else ''}"
    return _name(given, f"{kind}, what is gone was deleted" if given.get("gone") else kind, ())


def of_days(since: datetime, until: datetime, zone: ZoneInfo) -> str:
    """Returns "2–9 Nov", "30 Oct – 6 Nov", or "2 Nov", on this zone's clock; of another year than the present one also
    the year."""
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    end = f"{last.day} {last:%b}" if last.year == datetime.now(UTC).year else f"{last.day} {last:%b %Y}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    return f"{first.day} {first:%b}{'' if first.year == last.year else f' {first.year}'} – {end}"


def counted(of: Sized, what: str) -> str:
    """Returns "1 order" or "2 orders"."""
    return f"{len(of)} {what}{'' if len(of) == 1 else 's'}"


def _name(given: Parameters, kind: str, what: Sequence[str]) -> str:
    text = f"{given['shop']}: {kind}{' of ' if what else ''}{', '.join(what)}"
    return f"{text}, dry run" if given.get("dry_run") else text


def _listed(what: str, all_: Sequence[object]) -> str:
    shown = ", ".join(str(one) for one in all_[:_NAMED])
    return f"{what} {shown}{' …' if len(all_) > _NAMED else ''}"
