"""The table of docs/reliability.md: a row a fault, written by the test that tries it, where it tries all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from world import Toll

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
HEAD = "| Fault | Points tried | Lost | Doubled | Recovery |\n| --- | ---: | ---: | ---: | --- |\n"
FOLDER = "reliability"

#: The sections of the page, in their order.
SECTIONS = (
    "Kills", "On the wire", "In the shop", "In RO App", "In the ledger", "Side by side", "Many machines", "The machine",
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Row:
    """`recovery`: what brings everything right, in words that don't change from run to run."""

    section: str
    fault: str
    tried: int
    lost: int
    doubled: int
    recovery: str

    def __str__(self) -> str:
        return f"| {self.fault} | {self.tried} | {self.lost} | {self.doubled} | {self.recovery} |"


class Record:
    """Called by a test with what its fault cost."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def __call__(self, section: str, fault: str, toll: Toll, recovery: str) -> None:
        """Asserts that the fault cost nothing. A whole run stores the row first; may be called twice for one fault: the
        later row stands. A sample asserts that the page has the row."""
        assert section in SECTIONS
        row = Row(section, fault, toll.tried, toll.lost, toll.doubled, recovery)
        hidden = toll.wrong and not (toll.lost or toll.doubled)  # its zeros would say that all is well
        if self._config.cache and self._config.option.full and not hidden:
            folder = self._config.cache.mkdir(FOLDER)
            (folder / f"{re.sub('[^a-z0-9]+', '-', fault.lower())}.json").write_text(json.dumps(asdict(row)))
        assert toll.wrong == [], f"{fault}: of {toll.tried} points"
        assert (toll.lost, toll.doubled) == (0, 0)
        written = self._config.option.full or f"| {fault} | " in PAGE.read_text()
        assert written, f"{PAGE.name} has no row of this fault: try it once with --full"


def stored(config: pytest.Config) -> list[Row]:
    """The rows of this run; taken out, so that the next run begins without them. None where pytest keeps no cache."""
    rows: list[Row] = []
    if (cache := getattr(config, "cache", None)) is None:
        return rows
    for file in cache.mkdir(FOLDER).glob("*.json"):
        rows.append(Row(**json.loads(file.read_text())))
        file.unlink()
    return rows


def rewrite(rows: Sequence[Row], page: Path = PAGE) -> None:
    """Puts the rows into the page, each in its section, in place of those of the same fault."""
    intro, *parts = page.read_text().split("\n## ")
    tables = {title: table.splitlines()[2:] for title, _, table in (part.partition("\n\n") for part in parts)}
    assert tuple(tables) == SECTIONS, f"the sections of {page.name}"
    text = intro
    for section, lines in tables.items():
        old = {line.split(" | ")[0].removeprefix("| "): line for line in lines if line}
        new = {row.fault: str(row) for row in rows if row.section == section}
        text += f"\n## {section}\n\n" + HEAD + "".join(f"{line}\n" for line in sorted((old | new).values()))
    page.write_text(text)
