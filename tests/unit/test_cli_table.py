"""Tables on the terminal: no number and no word is broken, however narrow it is."""

from __future__ import annotations

import pytest
from rich.console import Console

from cartum_roapp.cli.output import terminal_table

COLUMNS = ("day", "differs", "orders in shop", "orders in RO App", "sum in shop", "sum in RO App", "waiting", "held")
ROWS = [
    ("2026-11-03", "orders and sums", 12, 11, "77345.75", "70012.50", 1, 0),
    ("2026-11-01", "sums", 2, 2, "20.00", "19.00", "", 0),
]
PROSE = "bring its lines to what the shop has, then look again at the merchandise " * 3


def shown(width: int, *table: object) -> list[str]:
    screen = Console(width=width)
    with screen.capture() as kept:
        screen.print(terminal_table(*table))  # type: ignore[arg-type]
    return kept.get().splitlines()


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40])
def test_no_number_and_no_word_is_broken(width: int) -> None:
    lines = shown(width, "Days that differ", COLUMNS, ROWS)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert {word for row in ROWS for cell in row for word in str(cell).split()} <= set(words)
    assert {word for column in COLUMNS for word in column.split()} <= set(words)


def test_a_wide_terminal_has_a_row_in_a_line() -> None:
    lines = shown(120, "Days that differ", COLUMNS, ROWS)
    assert len(lines) == 2 + len(ROWS) and lines[2].split() == [word for one in ROWS[0] for word in str(one).split()]


def test_a_narrow_one_has_each_cell_beside_its_name_and_leaves_out_empty_ones() -> None:
    lines = shown(40, "Days that differ", COLUMNS, ROWS)
    assert [line.split() for line in lines[:4] if line.split()] == [["Days", "that", "differ"], ["day", "2026-11-03"],
                                                    ["differs", "orders", "and", "sums"]]  # fmt: skip
    assert [line.rstrip() for line in lines if line.startswith("waiting")] == ["waiting           1"]


def test_prose_takes_the_room_that_numbers_leave() -> None:
    lines = shown(
        80,
        "Orders that differ",
        ("order", "what to do", "was done"),
        [("1001", PROSE, "held"), ("1002", "nothing", "")],
    )
    assert lines[2].startswith("1001   bring its lines to what the shop has, then look again") and len(lines) <= 7
    assert "merchandise" in " ".join(lines).split()


def test_names_and_values_stand_beside_each_other_on_any_terminal() -> None:
    lines = shown(40, "shop-1: reconcile", ("", ""), [("seen", 12), ("calls to the shop", PROSE)])
    assert lines[2].split() == ["seen", "12"] and lines[3].startswith("calls to the shop  bring its lines to")


def test_a_table_without_rows_has_its_columns() -> None:
    assert [line.split() for line in shown(80, "Shops", ("shop", "health"), [])] == [["Shops"], ["shop", "health"]]
