"""What the pages tell people to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def commands(text: str) -> list[str]:
    """Whole lines of code blocks and of `code` that call the program."""
    found = re.findall(r"^(?:    |\$ )(cartum-roapp [^\n]*)", text, re.MULTILINE)
    found += re.findall(r"`(cartum-roapp [^`\n]*)`", text)
    return [re.split(r"\s+#|\s{3,}|[;&|]", command)[0].strip() for command in found]


def blocks(text: str, heading: str) -> list[list[str]]:
    """The lines of each code block of a section, without their remarks."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?:^    \S.*\n)+", section, re.MULTILINE)
    return [[re.split(r"\s{2,}#", line.strip())[0] for line in block.splitlines()] for block in found]
