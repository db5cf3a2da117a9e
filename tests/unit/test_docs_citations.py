"""Every section that is cited is there: `cartum §2.3`, `roapp §3.2`, `design §2, P4`, `cartum §8, row 10`."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = {
    "cartum": ROOT / "docs/apis/cartum.md",
    "roapp": ROOT / "docs/apis/roapp.md",
    "design": ROOT / "docs/design.md",
}
OLD = "design".upper()

_SECTION = r"§\d+(?:\.\d+)?"
_CITED = re.compile(
    rf"(?:\b({'|'.join(PAGES)})[\s#]+)?({_SECTION}(?:[,–]?\s*(?:and\s+)?{_SECTION})*)(?:,\s+(P\d+|rows?\s\d+(?:\sand\s\d+)?))?"
)


def files() -> list[Path]:
    """What may cite, without what begins with a dot (.venv, .uv, .git)."""
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".")]
    found = [path for top in tops for path in (top.rglob("*") if top.is_dir() else [top])]
    return sorted(path for path in found if path.suffix in (".py", ".md", ".yaml", ".toml"))


def there(page: Path) -> set[str]:
    """The sections of its headings, and `P4`, `row 10` for its numbered rows."""
    text = page.read_text("utf-8")
    sections = re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE)
    rows = re.findall(r"^\| (P?\d+) \|", text, re.MULTILINE)
    return {f"§{number}" for number in sections} | {number if number[0] == "P" else f"row {number}" for number in rows}


def unresolved(text: str, own: str = "") -> list[str]:
    """The citations that lead nowhere; a `§` without a name means `own`, the page in which it stands."""
    lost = []
    for found in _CITED.finditer(text):
        name, sections, row = found.groups(default="")
        wanted = set(re.findall(_SECTION, sections)) | set(re.findall(r"P\d+", row))
        wanted |= {f"row {number}" for number in re.findall(r"(?<![P\d])\d+", row)}
        if not (name or own) or not wanted <= there(PAGES[name or own]):
            lost.append(found.group())
    return lost


def test_there_are_citations_at_all() -> None:
    assert sum(len(_CITED.findall(path.read_text("utf-8"))) for path in files()) > 150


def test_what_is_cited_is_there() -> None:
    own = {page: name for name, page in PAGES.items()}
    texts = {path: path.read_text("utf-8") for path in files()}
    lost = {str(path.relative_to(ROOT)): unresolved(text, own.get(path, "")) for path, text in texts.items()}
    assert {path: found for path, found in lost.items() if found} == {}
    bare = [str(path.relative_to(ROOT)) for path, text in texts.items() if re.search(rf"\b{OLD}\b", text)]
    assert bare == [], f"write `design §…` with its section, not {OLD}"


def test_a_wrong_number_is_found() -> None:
    wrong = [
        f"cartum §{9}.9",
        f"roapp §2, §{8}",
        f"design §2, P{12}",
        f"cartum §8, row {24}",
        f"§{2}.3",
        f"cartum §{10}",
        f"{OLD} §{3}",
    ]
    assert [text for text in wrong if not unresolved(text)] == []
    wrapped = "cartum §8, rows 5 and 6".replace(" ", "\n# ", 1)
    assert unresolved(f"cartum §0–§6, (roapp §3.3, §3.4), design §2, P11 and {wrapped}") == []
