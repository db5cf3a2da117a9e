"""docs/reference.md says what the code declares, and nothing is left out of it."""

from __future__ import annotations

import re
from pathlib import Path

from docs import reference

ROOT = Path(__file__).parent.parent.parent
PAGE = reference.PAGE.read_text("utf-8")


def test_the_page_is_not_behind_the_code() -> None:
    is_behind = reference.page() != PAGE
    assert not is_behind, f"`{reference.COMMAND}` writes {reference.PAGE.name} anew"


def test_every_variable_of_ours_that_the_code_reads_is_on_the_page() -> None:
    sources = [path.read_text("utf-8") for path in ROOT.glob("cartum_roapp/**/*.py")]
    read = {name for text in sources for name in re.findall(r"\bCARTUM_ROAPP_[A-Z][A-Z_]*[A-Z]\b", text)}
    assert read - {*re.findall(r"`(CARTUM_ROAPP_\w+)`", PAGE)} == set()
