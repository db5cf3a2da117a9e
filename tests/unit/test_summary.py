"""Held records in a run's summary."""

from __future__ import annotations

from tasks.summary import _held_table


def rows(count: int) -> list[dict[str, str]]:
    return [{"entity": "order", "id": str(n), "code": "refused", "message": f"a|b {n}", "fix": "Mend it."}
            for n in range(count)]  # fmt: skip


def test_at_most_fifty_are_listed() -> None:
    text = _held_table(rows(53), "`cartum-roapp held list shop`")
    assert text.startswith("| id | entity | code | message | fix |")
    assert "| 0 | order | refused | a\\|b 0 | Mend it. |" in text
    assert "| 49 |" in text and "| 50 |" not in text
    assert text.endswith("… and 3 more: `cartum-roapp held list shop`")


def test_fifty_need_no_more() -> None:
    assert "more" not in _held_table(rows(50))
