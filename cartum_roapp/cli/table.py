"""A table on the terminal in which no number and no word is broken: where it is too wide for that, its rows stand one
below the other. Its texts are printed literally: nothing is read as markup."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

#: Between columns; the second where there is no room for the first.
_GAPS = (2, 1)


class TerminalTable:
    """`rows` are texts without control characters; a row has a cell for each column."""

    def __init__(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.title = title
        self.columns = columns
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        # Not the table's own title, which rich would wrap to the width of the columns.
        yield Text(self.title, style="italic")
        for gap in _GAPS:
            if widths := self._widths(options.max_width, gap):
                yield _built(self.columns, self.rows, widths, gap)
                return
        gap = _GAPS[0]
        for row in self.rows:
            named = [(name, cell) for name, cell in zip(self.columns, row, strict=True) if cell]
            names = max((cell_len(name) for name, _ in named), default=0)
            yield _built(("", ""), named, [names, max(1, options.max_width - names - gap)], gap)

    def _widths(self, room: int, gap: int) -> list[int] | None:
        """Returns the width of each column, so that the table fits and each word does; None if it can't."""
        cells = [[name, *(row[n] for row in self.rows)] for n, name in enumerate(self.columns)]
        whole = [max(map(cell_len, column)) for column in cells]
        if any(self.columns):
            widths = [max(cell_len(word) for cell in column for word in cell.split() or [""]) for column in cells]
        else:  # names and values, which stand one below the other anyway
            widths = [*whole[:-1], 1]
        spare = room - sum(widths) - gap * (len(widths) - 1)
        if spare < 0:
            return None
        while spare and (short := [n for n, width in enumerate(widths) if width < whole[n]]):
            widths[min(short, key=lambda n: widths[n])] += 1
            spare -= 1
        return widths


#: Words that say how something stands, where they fill a cell.
_STYLES = {
    **dict.fromkeys(("well", "completed", "delivered", "running", "yes"), "green"),
    **dict.fromkeys(("needs you", "not imported", "importing", "paused", "held", "waiting"), "yellow"),
    **dict.fromkeys(("refused", "behind", "failed", "crashed", "stopped", "NO"), "red"),
}


def _built(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], gap: int) -> Table:
    built = Table(header_style="bold", box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        built.add_column(column, overflow="fold", width=width)
    for row in rows:
        built.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    return built
