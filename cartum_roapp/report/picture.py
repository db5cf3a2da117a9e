"""A month of a shop as a picture: orders by where they stand, lag, calls."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: What can be told apart by people who see colours otherwise, too.
_COLOURS = {"delivered": "#0072b2", "waiting": "#e69f00", "held": "#d55e00"}


def png(figures: pd.DataFrame, title: str, cache: Path) -> bytes:
    """Returns a picture of these days (`ledger.daily.figures`) as PNG. `cache`: a folder for the library's list of
    fonts, which takes seconds to make."""
    os.environ.setdefault("MPLCONFIGDIR", str(cache))
    # Half a second to import, and only a picture needs it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(9, 7), layout="constrained")
    FigureCanvasAgg(drawn)
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
    written = BytesIO()
    drawn.savefig(written, format="png", dpi=100)
    return written.getvalue()
