"""Shops as files: what they say, what differs from what is stored, and what is written back."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from test_shop_file import GOOD

from cartum_roapp.cli.app import main
from cartum_roapp.errors import BadConfig
from cartum_roapp.shops.configs import shop_config
from cartum_roapp.shops.draft import Change, Draft, files_of, read, refuse_twins
from cartum_roapp.shops.shop_file import parse_shop_file
from cartum_roapp.shops.written import exported

PASSWORD = "a-long-password"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mavka.yaml").write_text(GOOD + "password_from: MAVKA\n")
    return tmp_path


def desired(path: Path, **variables: str) -> Draft:
    return read(path, variables)


def stored(text: str = GOOD, password: str = PASSWORD, slug: str = "mavka") -> Draft:
    """A shop that is connected as this file says."""
    config = shop_config(parse_shop_file(text.encode()).good, slug=slug, password=SecretStr(password))
    return Draft(slug, before=config)


def problems(one: Draft) -> dict[str, str]:
    return {problem.field: f"{problem.message} Fix: {problem.fix}" for problem in one.problems}


def test_a_folder_is_all_its_files_and_what_is_none_is_named(folder: Path) -> None:
    for name in ("verba.yml", "notes.txt"):
        (folder / name).write_text("")
    (folder / "empty").mkdir()
    found, wrong = files_of([folder, folder / "mavka.yaml", folder / "empty", folder / "nowhere"])
    assert [path.name for path in found] == ["mavka.yaml", "verba.yml"]
    assert [problem.message for problem in wrong] == ["holds no file SLUG.yaml.", "is not there."]


def test_a_new_shop_is_added_with_all_its_settings_and_never_shows_its_password(folder: Path) -> None:
    one = desired(folder / "mavka.yaml", MAVKA=PASSWORD)
    one.compare(None)
    assert (one.slug, one.action, problems(one)) == ("mavka", "add", {})
    assert one.config is not None and one.config.password.get_secret_value() == PASSWORD
    fields = {change.field: change.after for change in one.changes}
    assert (fields["statuses.1"], fields["window_days"], fields["password"]) == (11, 60, "set")
    assert PASSWORD not in str(one.changes) + repr(one)


def test_what_is_stored_already_is_left_alone_whatever_the_order_of_its_lines(folder: Path) -> None:
    (folder / "mavka.yaml").write_text("\n".join(reversed(GOOD.splitlines())))
    one = desired(folder / "mavka.yaml")
    one.compare(stored().before)
    assert (one.action, one.changes, problems(one)) == ("nothing", [], {})


def test_what_differs_is_named_field_by_field(folder: Path) -> None:
    text = (
        GOOD.replace('"2": 12', "2: 13, 3: 14").replace("Мавка", "Верба") + "retention_days: 365\npassword_from: NEW\n"
    )
    (folder / "mavka.yaml").write_text(text)
    one = desired(folder / "mavka.yaml", NEW="another-password")
    one.compare(stored(GOOD + "window_days: 90\n").before)
    assert one.action == "change"
    assert one.changes == [
        Change("name", "Мавка", "Верба"),
        Change("statuses.2", 12, 13),
        Change("statuses.3", None, 14),
        Change("window_days", 90, 60),
        Change("retention_days", None, 365),
        Change("password", "set", "set"),
    ]


def test_a_shop_that_cant_be_used_as_it_is_stored_is_given_all_of_it(folder: Path) -> None:
    one = desired(folder / "mavka.yaml", MAVKA=PASSWORD)
    one.compare(BadConfig("location_id: is missing."))
    assert (one.action, len(one.changes) > 10) == ("change", True)


@pytest.mark.parametrize(
    ("name", "line", "field", "says"),
    [
        ("mavka.yaml", "window_days: never", "window_days", "must be a"),
        ("mavka.yaml", "password: secret", "password", "must not be in the file"),
        ("mavka.yaml", "password_from: two words", "password_from", "is not the name of a variable"),
        ("mavka.yaml", "password_from: SHORT", "password_from", "SHORT"),
        ("Мавка.yaml", "", "slug", '"Мавка" can\'t be a name here. Fix: rename the file: use 1 to 48'),
    ],
)
def test_a_bad_file_names_field_problem_and_fix(folder: Path, name: str, line: str, field: str, says: str) -> None:
    path = folder / name
    path.write_text(GOOD + line)
    one = desired(path, SHORT="two\nlines")
    assert says in problems(one)[field]
    assert "two\nlines" not in str(problems(one))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"name: A\nurl: [a\nlogin: b: c\n",
            "line 3, column 6: expected ',' or ']', but got ':'. Fix: correct this line",
        ),
        (b"- name\n", "is not a mapping of keys to values. Fix: write one `key: value` a line"),
        (b"", "is empty. Fix: "),
        (b"name: \xff\n", "is not UTF-8 (line 1). Fix: save it as UTF-8"),
    ],
)
def test_a_file_that_is_none_is_told_once_and_nobody_is_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    says: str,
) -> None:
    (path := tmp_path / "verba.yaml").write_bytes(content)
    monkeypatch.setattr("cartum_roapp.cli.backend.serving", lambda: pytest.fail("something is started"))
    assert main(["shop", "apply", str(tmp_path)]) == 2
    head, only = capsys.readouterr().err.splitlines()
    assert head == "1 field needs correcting. Nothing was applied."
    assert only.startswith(f"{path}: file: {says}")


def test_two_files_of_one_shop_are_refused(folder: Path) -> None:
    (folder / "verba.yaml").write_text(GOOD)
    files = [desired(folder / "mavka.yaml"), desired(folder / "verba.yaml")]
    refuse_twins(files)
    assert "verba.yaml" in problems(files[0])["url"]
    assert "mavka.yaml" in problems(files[1])["url"]


def test_what_is_exported_is_applied_without_a_difference_and_holds_no_password(tmp_path: Path) -> None:
    shop = stored(GOOD.replace("managers: all", "managers: [12, 34]") + "window_days: 90\nphone_region: UA\n").before
    assert shop is not None
    text = exported(shop)
    assert PASSWORD not in text
    assert "password_from: CARTUM_ROAPP_PASSWORD_MAVKA" in text
    assert "retention_days" not in text, "what is not set is left out"
    (tmp_path / "mavka.yaml").write_text(text)
    again = desired(tmp_path / "mavka.yaml")
    again.compare(shop)
    assert (problems(again), again.changes) == ({}, [])
