"""What a shop or RO App wrote is text in Prefect's UI, whatever stands in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cartum_roapp.markdown import escaped, markdown_table
from cartum_roapp.report.tables import Page, Table
from tasks.links import Links
from tasks.sections import sections

EVIL = "![x](http://127.0.0.1:9/x.png) [a](javascript:alert(1)) <img src=x> <!-- | \n# H\n\n---\n1. x\n\n    code"
TITLES = [
    EVIL, "# H", "- item", "1. item", "+ x", "> quote", "---", "===", "```\nx\n```", "[x]: http://evil.example",
    "[x][y] *a* __b__ ~~c~~", "&lt;img src=x&gt; &#33;[x](y)", "\\![x](y) \\<b>", "http://evil.x www.evil.x",
    "` ![x](http://e) `` <b> `", "``` `![x](y)` ```", "`a | ![x](http://e) |`", "`http://e`![x](y)`", "\\`![x](y)\\`",
]  # fmt: skip
# What the UI makes a link of.
LINKED = r"(?i)\w://|www\."
HTML = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def rendered(markdown: str) -> str:
    """The page without what stands as code: there nothing is a link, an image or a tag."""
    return re.sub(r"<code>[^<]*</code>", "", HTML.render(markdown))


def tags(page: str) -> set[str]:
    return set(re.findall(r"</?([a-z0-9]+)", page))


@pytest.mark.parametrize("title", TITLES)
def test_a_title_makes_no_mark_up_and_ends_no_cell(title: str) -> None:
    alone, cell = rendered(escaped(title)), rendered(markdown_table(("a", "b"), [(title, "end"), ("x", title)]))
    assert tags(alone) == {"p"}
    assert tags(cell) == {"table", "thead", "tbody", "tr", "th", "td"}
    assert re.findall(r"<td>(end|x)</td>", cell) == ["end", "x"]
    assert not re.search(LINKED, alone + cell)


@given(st.text(alphabet="`\\[]()!<>|*_~#&; ahttp:/w.\n\t1-", max_size=40))
def test_no_text_makes_mark_up(title: str) -> None:
    page = rendered(escaped(title))
    assert tags(page) <= {"p"}
    assert not re.search(LINKED, page)


def test_words_are_shown_as_they_are() -> None:
    plain = "Кава «Мокко» 250 г, 50% (A&B) + 1.5 l #7 – field_name, 12.50 & Co!"
    assert escaped(plain) == plain
    assert rendered(escaped("a *b* <c> [d] e_ &amp;")) == "<p>a *b* &lt;c&gt; [d] e_ &amp;amp;</p>\n"
    assert (
        escaped("Fix: `cartum-roapp shop discover --write FILE.yaml`.")
        == "Fix: `cartum-roapp shop discover --write FILE.yaml`."
    )


def test_control_characters_are_shown() -> None:
    assert escaped("a\x1b[2Jb\x85\u202ec\x00") == "a�\\[2Jb��c�"


def test_a_table_of_a_run_is_text_but_for_our_own_links() -> None:
    table = Table(EVIL, ("order", "why", "in RO App"), [("1", EVIL, [Page(EVIL)])], of="order")
    page = rendered("\n\n".join(sections([table, EVIL], Links("mavka", "https://shop.example/adminLegacy/"))))
    assert tags(page) == {"h3", "table", "thead", "tbody", "tr", "th", "td", "a", "p"}
    assert re.findall('href="([^"]*)"', page) == ["https://shop.example/adminLegacy/"]
