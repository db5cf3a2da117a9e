"""A month of a shop as a picture: orders by where they stand, lag, calls. And the days of a reconciliation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Colours that colour-blind people can distinguish, too.
_COLOURS = {"delivered": "#0072b2", "waiting": "#e69f00", "held": "#d55e00"}
_SIDES = {"shop": ("shop", "#999999"), "ledger": ("ledger", "#e69f00"), "roapp": ("RO App", "#0072b2")}
_DIFFERS = "#f7c9ad"
#: With more days the bars are too narrow to distinguish.
_DAYS = 92


def png(figures: pd.DataFrame, title: str, cache: Path) -> bytes:
    """Returns a picture of these days (`ledger.daily.figures`) as PNG. `cache`: a folder for the library's list of
    fonts, which takes seconds to make."""
    drawn = _figure(7, cache)
    orders, lag, calls = drawn.subplots(3, sharex=True, height_ratios=(3, 2, 2))
    days = [f"{day:%d.%m.}" for day in figures.index]
    below = figures["delivered"] * 0
    for name, colour in _COLOURS.items():
        orders.bar(days, figures[name], bottom=below, label=name, color=colour)
        below = below + figures[name]
    orders.set_ylabel("orders placed")
    lag.plot(days, figures["lag_p50"] / 60, marker="o", markersize=3, label="half of the orders", color="#0072b2")
    lag.plot(days, figures["lag_p95"] / 60, marker="o", markersize=3, label="95 % of them", color="#d55e00")
    lag.set_ylabel("minutes until\nin RO App")
    calls.bar(days, figures["calls"], color="#666666")
    calls.set_ylabel("calls to both\nsystems")
    for axes in (orders, lag, calls):
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    for axes in (orders, calls):
        axes.yaxis.get_major_locator().set_params(integer=True)  # there is no half an order
    for axes in (orders, lag):
        # Above the bars, as it would hide the highest.
        axes.legend(
            loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, frameon=False, fontsize="small", ncols=3
        )
    calls.set_xticks(range(0, len(days), 3), days[::3], rotation=45)
    orders.set_title(title, loc="left")
    return _png(drawn)


def comparison(days: Sequence[Mapping[str, Any]], title: str, cache: Path) -> bytes:
    """Returns a picture of the days of a reconciliation (`reconciliation.findings.Report.as_dict`) as PNG: how many
    orders each side has of the last three months, and which days differ, be it in the sums alone. `cache`: as
    for `png`."""
    drawn = _figure(4, cache)
    axes: Any = drawn.subplots()
    of_day = {date.fromisoformat(one["day"]): one for one in days if one["day"]}
    first, last = min(of_day, default=date.today()), max(of_day, default=date.today())
    shown = [first + timedelta(days=n) for n in range((last - first).days + 1)][-_DAYS:]
    for place, (side, (words, colour)) in enumerate(_SIDES.items()):
        counts = [of_day.get(day, {}).get(f"{side}_orders", 0) for day in shown]
        axes.bar([n + (place - 1) * 0.28 for n in range(len(shown))], counts, 0.28, label=words, color=colour)
    uneven = [n for n, day in enumerate(shown) if _differs(of_day.get(day, {}))]
    for n in uneven:
        axes.axvspan(n - 0.5, n + 0.5, color=_DIFFERS, lw=0, zorder=0, label="differs" if n == uneven[0] else None)
    axes.set_ylabel("orders placed")
    axes.set_ylim(bottom=0)
    axes.set_xlim(-0.7, len(shown) - 0.3)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.yaxis.get_major_locator().set_params(integer=True)
    every = max(1, len(shown) // 20)
    axes.set_xticks(range(0, len(shown), every), [f"{day:%d.%m.}" for day in shown[::every]], rotation=45)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, frameon=False, fontsize="small", ncols=4)
    axes.set_title(title, loc="left")
    return _png(drawn)


def _differs(day: Mapping[str, Any]) -> bool:
    return any(len({day.get(f"{side}_{what}") for side in _SIDES}) > 1 for what in ("orders", "sum"))


def _figure(height: float, cache: Path) -> Figure:
    os.environ.setdefault("MPLCONFIGDIR", str(cache))
    # Half a second to import, and only a picture needs it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(9, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


def _png(drawn: Figure) -> bytes:
    written = BytesIO()
    drawn.savefig(written, format="png", dpi=100)
    return written.getvalue()
