"""Shops from files, declaratively: what differs is shown and applied, what does not is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from installation import Installation, Row

SLUG, INDEX, OTHER = "shop-8", 7, 6
VARIABLE = "SHOP_8_PASSWORD"


@pytest.fixture
def folder(installation: Installation, tmp_path: Path) -> Iterator[Path]:
    """One file, of a shop that is not connected yet."""
    (folder := tmp_path / "shops").mkdir()
    write(installation, folder)
    yield folder
    installation.command("shop", "delete", SLUG, "--yes", "--purge")


def write(installation: Installation, folder: Path, **changes: Any) -> None:
    settings = json.loads(installation.file(INDEX).read_text())
    (folder / f"{SLUG}.yaml").write_text(json.dumps({**settings, "password_from": VARIABLE, **changes}))


def password(installation: Installation) -> dict[str, str]:
    return {VARIABLE: installation.box.shops[INDEX].password}


def block(installation: Installation) -> Row | None:
    found = installation.ask("/block_documents/filter", block_documents={"name": {"any_": [SLUG]}})
    return dict(found[0]) if found else None


def test_a_folder_is_applied_once_changed_and_exported(
    installation: Installation, folder: Path, tmp_path: Path
) -> None:
    given, box = password(installation), installation.box
    dry = installation.command("shop", "apply", str(folder), "--dry-run", **given)
    assert (dry.code, dry.document["shops"][0]["action"], block(installation)) == (0, "add", None)
    assert "+ password: set" in dry.said and given[VARIABLE] not in dry.said + str(dry.document)

    done = installation.done("shop", "apply", str(folder), **given)
    assert ([one["action"] for one in done["shops"]], list(done["imports"])) == (["add"], [SLUG])
    installation.completed(done["imports"][SLUG])
    installation.only_by_hand(SLUG)

    before, calls = block(installation), len(box.roapp.calls)
    again = installation.done("shop", "apply", str(folder), **given)
    assert [one["action"] for one in again["shops"]] == ["nothing"]
    assert (block(installation), len(box.roapp.calls)) == (before, calls), "nothing is asked or written"

    write(installation, folder, window_days=90)
    changed = installation.command("shop", "apply", str(folder), **given)
    assert "~ window_days: 60 → 90" in changed.said
    assert changed.document["shops"][0]["changes"] == [{"field": "window_days", "before": 60, "after": 90}]
    assert installation.done("shop", "show", SLUG)["window_days"] == 90

    installation.done("shop", "export", SLUG, "--to", str(tmp_path / "out"))
    text = (tmp_path / "out" / f"{SLUG}.yaml").read_text()
    assert "window_days: 90" in text and given[VARIABLE] not in text
    assert installation.command("shop", "export", SLUG, "--to", str(tmp_path / "out")).code == 2, "it is there already"
    same = installation.done("shop", "apply", str(tmp_path / "out"))
    assert [one["action"] for one in same["shops"]] == ["nothing"]

    assert installation.command("shop", "apply", str(folder), "--prune", SLUG, **given).code == 2, "it has a file"

    # Under another address its orders would come to RO App a second time, under another key.
    moved, twin = box.shops[INDEX].url.replace("127.0.0.1", "localhost"), tmp_path / "again.yaml"
    twin.write_text((folder / f"{SLUG}.yaml").read_text().replace("127.0.0.1", "localhost"))
    refused = installation.command("shop", "apply", str(twin), **given)
    assert refused.code == 2 and f"cartum-roapp shop edit {SLUG} --set url={moved}" in refused.said
    assert "again" not in {one["slug"] for one in installation.done("shop", "list")}
    key = installation.done("shop", "show", SLUG)["key"]
    edited = installation.done("shop", "edit", SLUG, "--set", f"url={moved}")["shop"]
    assert (edited["key"], edited["url"]) == (key, moved)


@pytest.mark.parametrize("wrong", ["a status that is not matched", "an address", "no file of settings"])
def test_one_bad_file_names_what_is_wrong_and_the_others_are_applied(
    installation: Installation, folder: Path, wrong: str
) -> None:
    settings = json.loads(installation.file(OTHER).read_text())
    bad: dict[str, Any] = {
        "a status that is not matched": {"statuses": dict(list(settings["statuses"].items())[1:])},
        "an address": {"url": settings["url"].replace("http", "ftp")},
    }.get(wrong, {})
    given = {**password(installation), "OTHER": installation.box.shops[OTHER].password}
    text = json.dumps({**settings, "password_from": "OTHER", **bad}) if bad else "- a list"
    (folder / "verba.yaml").write_text(text)
    for dry in (("--dry-run",), ("--no-import",)):
        ended = installation.command("shop", "apply", str(folder), *dry, **given)
        fields = [one["field"] for one in ended.document["error"]["fields"]]
        assert ended.code == 2 and fields and all(one.startswith(f"{folder / 'verba.yaml'}: ") for one in fields)
        assert {one["slug"]: one["action"] for one in ended.document["shops"]} == {SLUG: "add", "verba": "refused"}
        assert f"{SLUG} ({folder / f'{SLUG}.yaml'}): add" in ended.said and str(folder / "verba.yaml") in ended.said
        assert (block(installation) is None) == (dry == ("--dry-run",))
    assert {one["slug"] for one in installation.done("shop", "list")} >= {SLUG}
    assert "verba" not in {one["slug"] for one in installation.done("shop", "list")}


def test_where_each_file_is_bad_nothing_is_applied(installation: Installation, folder: Path) -> None:
    wrong = installation.command("shop", "apply", str(folder), **{VARIABLE: "not-the-password"})
    assert [one["field"] for one in wrong.document["error"]["fields"]] == [f"{folder / f'{SLUG}.yaml'}: password"]
    assert block(installation) is None


@pytest.mark.long
def test_a_shop_that_was_deleted_with_its_history_starts_over_and_doubles_nothing(
    installation: Installation, folder: Path
) -> None:
    given, found = password(installation), []
    for _ in range(2):
        done = installation.done("shop", "apply", str(folder), **given)
        installation.completed(done["imports"][SLUG])
        installation.only_by_hand(SLUG)
        installation.done("sync", SLUG)
        prefix = f"{installation.key(INDEX)}:"
        orders = installation.box.roapp.orders_by_marker().items()
        found.append({marker: [row["id"] for row in rows] for marker, rows in orders if marker.startswith(prefix)})
        installation.done("shop", "delete", SLUG, "--purge", "--yes")
    assert found[0] == found[1] and found[0]
    assert {len(ids) for ids in found[0].values()} == {1}
