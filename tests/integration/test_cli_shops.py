"""The command line of accounts and shops as a person or a script meets it: real processes, servers and HTTP."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from homes import new_home
from installation import disconnect
from prefect_api import over_http
from warm import warm

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.settings import Settings
from sandbox import Sandbox


class Shell:
    """Runs `cartum-roapp` with its own home; `out`, `err` and `code` are those of the last command."""

    def __init__(self, home: Path, box: Sandbox) -> None:
        self.home = home
        self.box = box
        self.out = self.err = ""
        self.code = -1
        self.connected: set[str] = set()

    def run(self, *arguments: str, stdin: str | None = None, **environment: str) -> Shell:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CARTUM_ROAPP_", "PREFECT_"))}
        home = {
            "CARTUM_ROAPP_HOME": str(self.home),
            "CARTUM_ROAPP_ROAPP_INTERVAL": "0.001",
        }
        done = warm().run(arguments, {**kept, **home, **environment}, stdin or "")
        self.out, self.err, self.code = done.stdout, done.stderr, done.returncode
        self.connected.update(re.findall(r"^(\S+) \(.*\): add$", self.err, re.MULTILINE))
        if arguments[:2] == ("shop", "delete") and not self.code:
            self.connected.discard(arguments[2])
        assert "Traceback" not in self.out + self.err
        return self

    def json(self, *arguments: str, **more: Any) -> Any:
        """The one document that stands on stdout."""
        return json.loads(self.run(*arguments, "--json", **more).out)

    @property
    def said(self) -> str:
        return self.out + self.err


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(shops=2, orders=3, accounts=2, rate_limit=0) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, box: Sandbox) -> Iterator[Path]:
    """A home whose servers stay up for the whole module, with the account `main` in it."""
    config = Settings(home=new_home(tmp_path_factory, "shops"), database_url=None)
    service.start(config, ["postgres", "prefect-server"])
    added = Shell(config.home, box).run(
        "account", "add", "main", "--base-url", box.roapp.base_url, CARTUM_ROAPP_API_KEY=box.roapp.api_key
    )
    assert added.code == 0, added.said
    yield config.home
    service.stop(config)


@pytest.fixture
def shell(home: Path, box: Sandbox) -> Iterator[Shell]:
    """A shell in which no shop is connected; those that a test connects are deleted afterwards."""
    shell = Shell(home, box)
    yield shell
    for slug in sorted(shell.connected):
        disconnect(Settings(home=home, database_url=None), slug)


@pytest.fixture(scope="module")
def template(home: Path, box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `shop discover` writes for the first shop."""
    shell, path, shop = Shell(home, box), tmp_path_factory.mktemp("template") / "mavka.yaml", box.shops[0]
    shell.run(
        "shop", "discover", "--url", shop.url, "--login", shop.login, "--account", "main", "--name", "Мавка",
        "--write", str(path), "--password-stdin", stdin=shop.password,
    )  # fmt: skip
    assert shell.code == 0, shell.said
    return path.read_text(encoding="utf-8")


@pytest.fixture
def file(template: str, tmp_path: Path) -> Path:
    """FILE.yaml of the first shop."""
    path = tmp_path / "mavka.yaml"
    path.write_text(template, encoding="utf-8")
    return path


def changed(file: Path, old: str, new: str) -> Path:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def add(shell: Shell, slug: str, file: Path, *more: str, password: str | None = None) -> Shell:
    """Applies the file under this name. Nothing is imported."""
    secret = shell.box.shops[0].password if password is None else password
    named = file.with_name(f"{slug}.yaml")
    named.write_bytes(file.read_bytes())
    return shell.run("shop", "apply", str(named), "--password-stdin", "--no-import", *more, stdin=f"{secret}\n")


def wrong(shell: Shell) -> dict[str, str]:
    """The problems that the last command named of one file, with their fixes."""
    said = re.findall(r"^\S+\.yaml: (\w+): (.*)$", shell.err, re.MULTILINE)
    return dict(said)


def test_help_needs_no_home_and_no_prefect(tmp_path: Path) -> None:
    code = (
        "import sys; from cartum_roapp.cli.app import main; code = main(['--help'])\n"
        "heavy = {'prefect', 'pandas', 'sqlalchemy', 'httpx', 'pydantic'}\n"
        "sys.exit(code or bool(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "shop" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shop", "apply"), "Missing argument 'PATH'."),
        (
            ("shop", "apply", "x", "--imprt"),
            "No such option: --imprt (Possible options: --import, --no-import, --wait)",
        ),
        (("shpo",), "No such command 'shpo'. Did you mean 'shop'?"),
    ],
)
def test_a_slip_in_the_command_itself_is_bad_input(
    tmp_path: Path, box: Sandbox, arguments: tuple[str, ...], message: str
) -> None:
    shell = Shell(tmp_path / "home", box)
    document = shell.json(*arguments)
    assert shell.code == 2
    assert document["error"]["kind"] == "bad-input"
    assert document["error"]["message"] == message
    assert message in shell.err


def test_a_shop_is_connected_listed_shown_checked_and_deleted(shell: Shell, file: Path) -> None:
    document = json.loads(add(shell, "mavka", file, "--json").out)
    assert (shell.code, document["imports"]) == (0, {}), shell.err
    assert [(one["slug"], one["action"], one["warnings"]) for one in document["shops"]] == [("mavka", "add", [])]

    (row,) = shell.json("shop", "list")
    assert (row["slug"], row["name"], row["account"], row["enabled"]) == ("mavka", "Мавка", "main", True)

    shown = shell.json("shop", "show", "mavka")
    assert (shown["location_id"], shown["password"]) == (234001, "set")
    assert shell.box.shops[0].password not in shell.said

    check = shell.json("shop", "check", "mavka")
    assert shell.code == 0
    assert check["ok"] is True
    found = {line["field"]: line for line in check["checks"]}
    unknown = {field for field, line in found.items() if line["state"] == "unknown"}
    assert unknown == {"timezone", "missing_products", "roapp_integration"}, "the shop has no order of the last days"
    assert {line["state"] for field, line in found.items() if field not in unknown} == {"ok"}
    assert "every order a second time" in found["roapp_integration"]["message"]
    assert found["currency"]["message"] == "UAH on both sides."
    assert "no TLS" in found["tls"]["message"]
    assert (found["url"]["state"], found["tariff"]["state"]) == ("ok", "ok")
    assert "Europe/Kyiv" in found["timezone"]["message"]

    refused = shell.json("shop", "delete", "mavka")
    assert shell.code == 2
    assert "there is no terminal" in refused["error"]["message"]
    assert shell.json("shop", "delete", "mavka", "--yes") == {"slug": "mavka", "deleted": True, "purged": False}
    assert shell.json("shop", "list") == []


def test_everything_wrong_is_said_at_once_and_nothing_is_saved(shell: Shell, file: Path) -> None:
    changed(file, "name: Мавка", "name:")
    changed(file, "location_id: 234001", "location_id: 234003")
    changed(file, "managers: all", "managers: [1]")
    document = json.loads(add(shell, "Mavka", file, "--json", password="wrong-password").out)
    assert shell.code == 2
    path = file.with_name("Mavka.yaml")
    assert [field["field"] for field in document["error"]["fields"]] == [
        f"{path}: {field}" for field in ("slug", "name", "password", "location_id", "managers")
    ]
    assert all(field["message"] and field["fix"] for field in document["error"]["fields"])
    for field in document["error"]["fields"]:
        assert f"{field['field']}: {field['message']} Fix: {field['fix']}" in shell.err.splitlines()
    assert "wrong-password" not in shell.said
    assert shell.json("shop", "list") == []


def test_an_unmatched_status_is_named_and_nothing_is_saved(shell: Shell, file: Path) -> None:
    changed(file, "  7: 5706140", "  # 7: 5706140")
    add(shell, "mavka", file)
    assert shell.code == 2
    said = 'a status of the shop is not matched: 7 "Очікує оплати". Fix: match 7 with a status of RO App'
    assert wrong(shell) == {"statuses": said}
    assert shell.out == ""
    assert shell.json("shop", "list") == []


def test_a_shop_is_connected_under_one_slug(shell: Shell, file: Path) -> None:
    assert add(shell, "mavka", file).code == 0
    add(shell, "other", file)
    assert shell.code == 2
    assert wrong(shell)["url"].startswith('this shop is connected already, as "mavka".')
    assert [row["slug"] for row in shell.json("shop", "list")] == ["mavka"]


def test_an_unknown_account_is_named(shell: Shell, file: Path) -> None:
    add(shell, "mavka", changed(file, "account: main", "account: mian"))
    assert shell.code == 2
    assert wrong(shell)["account"].startswith('there is no account "mian". Fix: write one of main, or add it first')


@pytest.mark.parametrize(
    ("line", "files", "fix"),
    [
        ("", 1, "give it at the prompt, with --password-stdin or in CARTUM_ROAPP_SHOP_PASSWORD"),
        ("password_from: MAVKA", 1, "set MAVKA, the variable that the file names"),
        ("", 2, "write `password_from: NAME` with the name of an environment variable that holds the password"),
    ],
)
def test_a_new_shop_without_a_password_names_the_ways_to_give_it(
    shell: Shell, file: Path, line: str, files: int, fix: str
) -> None:
    with file.open("a", encoding="utf-8") as end:
        end.write(f"{line}\n")
    (file.parent / "empty.yaml").touch()
    named = [str(file), str(file.parent / "empty.yaml")][:files]
    shell.run("shop", "apply", *named)
    assert (shell.code, wrong(shell)["password"]) == (2, f"is missing. Fix: {fix}")


def test_one_password_for_several_files_is_refused(shell: Shell, file: Path) -> None:
    (file.parent / "verba.yaml").touch()
    shell.run("shop", "apply", str(file.parent), "--password-stdin", stdin="a-password")
    assert shell.code == 2
    said = "--password-stdin: is one password for 2 files. Fix: name one file, or let each name a variable"
    assert f"{said} (`password_from: NAME`)" in shell.err.splitlines()


def test_the_variable_that_the_file_names_counts_before_the_one_of_all(shell: Shell, file: Path) -> None:
    password = shell.box.shops[0].password
    with file.open("a", encoding="utf-8") as end:
        end.write("password_from: MAVKA\n")
    shell.run("shop", "apply", str(file), "--no-import", CARTUM_ROAPP_SHOP_PASSWORD="wrong", MAVKA=password)
    assert shell.code == 0, shell.said
    shell.run("shop", "apply", str(file), CARTUM_ROAPP_SHOP_PASSWORD="wrong")
    assert (shell.code, list(wrong(shell))) == (2, ["password"]), "a new password of a shop that is connected"
    assert password not in shell.said


def test_a_file_that_is_not_there_needs_no_server(tmp_path: Path, box: Sandbox) -> None:
    shell = Shell(tmp_path / "home", box)
    document = shell.json("shop", "apply", str(tmp_path / "none.yaml"))
    assert shell.code == 2
    assert document["error"]["fields"] == [
        {
            "field": str(tmp_path / "none.yaml"),
            "message": "is not there.",
            "fix": "name a file SLUG.yaml, or a folder of such files",
        }
    ]
    assert not (tmp_path / "home").exists()


def test_both_directions_warn_of_statuses_that_are_matched_alike(shell: Shell, file: Path) -> None:
    changed(file, "status_direction: to_roapp", "status_direction: both")
    document = json.loads(add(shell, "mavka", file, "--json").out)
    assert document["shops"][0]["warnings"] == []
    theirs = shell.json("shop", "show", "mavka")["statuses"]["1"]
    said = f"1, 7 of the shop are matched with the same status {theirs} of RO App"
    document = shell.json("shop", "edit", "mavka", "--set", f"statuses.7={theirs}")
    assert (shell.code, document["warnings"][0]["message"].startswith(said)) == (0, True)
    changed(file, "  7: 5706140", f"  7: {theirs}")
    changed(file, "name: Мавка", "name: Лісова")
    document = json.loads(add(shell, "mavka", file, "--json").out)
    assert (shell.code, document["shops"][0]["warnings"][0]["message"].startswith(said)) == (0, True)
    assert f"Warning: statuses: {said}" in shell.err


def test_an_edit_keeps_password_and_key(shell: Shell, file: Path) -> None:
    add(shell, "mavka", file)
    before = shell.json("shop", "show", "mavka")
    edited = shell.json("shop", "apply", str(changed(file, "name: Мавка", "name: Лісова")))
    assert [one["action"] for one in edited["shops"]] == ["change"], shell.err
    assert shell.json("shop", "show", "mavka") == {**before, "name": "Лісова"}
    assert shell.json("shop", "check", "mavka")["ok"] is True
    shell.run("shop", "apply", str(file), "--password-stdin", stdin="wrong")
    assert shell.code == 2
    assert wrong(shell)["password"].startswith("the shop refuses login and password")
    assert shell.run("shop", "edit", "nobody", "--set", "window_days=90").code == 2


def test_an_edit_is_refused_for_what_it_changes_alone(shell: Shell, file: Path) -> None:
    """Meanwhile the shop got a status and another password, and RO App archived the location."""
    add(shell, "mavka", file)
    shop, location = shell.box.shops[0], shell.box.roapp.locations[234001]
    kept = shop.password
    shop.add_status(77, {"ua": "Повернення"})
    shop.change_password("changed-meanwhile")
    shop.revoke_tokens()
    location["is_archived"] = True
    try:
        refused = shell.json("shop", "edit", "mavka", "--set", "statuses.77=5706155")
        assert shell.code == 2, "whether the shop has this status can't be seen"
        fields = {field["field"]: field["fix"] for field in refused["error"]["fields"]}
        assert fields["password"].endswith("; give the new one with --password-stdin, before this edit or with it")

        document = shell.json("shop", "edit", "mavka", "--password-stdin", stdin="changed-meanwhile")
        assert (shell.code, document["saved"]) == (0, True), shell.err
        assert {warning["field"] for warning in document["warnings"]} == {"location_id", "statuses"}
        assert 'Warning: statuses: a status of the shop is not matched: 77 "Повернення". Fix: match 77' in shell.err

        document = shell.json("shop", "edit", "mavka", "--set", "statuses.77=5706155")
        assert (shell.code, document["shop"]["statuses"]["77"]) == (0, 5706155), shell.err
        assert [warning["field"] for warning in document["warnings"]] == ["location_id"]

        wrong_ones = ("location_id=234003", "statuses.77=1", "password=x")
        refused = shell.json("shop", "edit", "mavka", *(word for one in wrong_ones for word in ("--set", one)))
        assert shell.code == 2
        fields = {field["field"]: field["fix"] for field in refused["error"]["fields"]}
        assert fields.keys() == {"location_id", "statuses", "password"}
        assert fields["password"] == "give it with --password-stdin or in CARTUM_ROAPP_SHOP_PASSWORD"
        shell.run("shop", "apply", str(file))
        assert shell.code == 2 and "location_id" in wrong(shell), "all settings anew are all checked"
        assert shell.json("shop", "show", "mavka")["location_id"] == 234001
    finally:
        shop.password = kept
        del shop.statuses[77]
        location["is_archived"] = False


def test_another_address_is_checked_as_a_whole(shell: Shell, file: Path) -> None:
    """What is wrong with settings that stay follows from it."""
    add(shell, "mavka", file)
    other = shell.box.shops[1]
    other.add_status(77, {"ua": "Повернення"})
    try:
        shell.run(
            "shop", "edit", "mavka", "--set", f"url={other.url}", "--set", f"login={other.login}", "--password-stdin",
            stdin=other.password,
        )  # fmt: skip
    finally:
        del other.statuses[77]
    assert shell.code == 2
    assert "statuses: a status of the shop is not matched: 77" in shell.err


def test_a_check_tells_what_broke_later(shell: Shell, file: Path) -> None:
    add(shell, "mavka", file)
    location = shell.box.roapp.locations[234001]
    shop = shell.box.shops[0]
    kept, shop.password = shop.password, "changed-meanwhile"
    location["is_archived"] = True
    try:
        document = shell.json("shop", "check", "mavka")
        code = shell.code
        human = shell.run("shop", "check", "mavka").out.splitlines()
    finally:
        shop.password = kept
        location["is_archived"] = False
    assert code == 1, "what was typed was right"
    assert (document["ok"], document["error"]["kind"]) == (False, "failed")
    states = {line["field"]: line["state"] for line in document["checks"]}
    assert (states["password"], states["location_id"]) == ("problem", "problem")
    assert (states["url"], states["tls"], states["tariff"]) == ("ok", "ok", "ok"), "who refuses was reached"
    assert (states["account"], states["managers"]) == ("ok", "ok")
    assert (states["language"], states["statuses"]) == ("unknown", "unknown")
    assert {field["field"] for field in document["error"]["fields"]} == {"password", "location_id"}
    assert shell.run("shop", "check", "nobody").code == 2
    assert any(line.startswith("problem location_id: ") and "Fix:" in line for line in human)


def test_orders_in_the_future_give_a_wrong_zone_away(shell: Shell, file: Path) -> None:
    shop = shell.box.shops[0]
    number = shop.place_order()
    try:
        west = changed(file, "timezone: Europe/Kyiv", "timezone: America/New_York")
        add(shell, "mavka", west)
        assert shell.code == 2
        assert wrong(shell)["timezone"].startswith("by the clock of America/New_York the shop's newest order is")
    finally:
        shop.delete_order(number)


def test_discover_writes_one_file_once_and_says_what_to_do_next(shell: Shell, file: Path) -> None:
    shop, path = shell.box.shops[0], file.with_name("verba.yaml")
    arguments = ("shop", "discover", "--url", shop.url, "--login", shop.login, "--account", "main", "--write")
    shell.run(*arguments, str(path), CARTUM_ROAPP_SHOP_PASSWORD=shop.password)
    assert (shell.code, f"cartum-roapp shop apply {path}" in shell.out) == (0, True), shell.said
    assert path.read_text(encoding="utf-8") == file.read_text(encoding="utf-8").replace("Мавка", "127.0.0.1", 1)
    for name, said in (
        ("verba.yaml", "the file already exists."),
        ("My Shop.yaml", '"My Shop" can\'t be a name here.'),
    ):
        shell.run(*arguments, str(file.with_name(name)), CARTUM_ROAPP_SHOP_PASSWORD=shop.password)
        assert (shell.code, f"--write: {said}" in shell.err) == (2, True), shell.said


def test_an_account_is_shown_as_tables_with_the_keys_that_take_the_ids(shell: Shell) -> None:
    shell.run("account", "show", "main")
    shown = [" ".join(line.split()) for line in shell.out.splitlines()]
    employees = shown[shown.index("Employees (managers)") + 1 :][:5]
    assert employees == [
        "id name", "336001 Олег Шевченко, Менеджер", "336002 Ганна Коваленко, Менеджер",
        "336003 Тарас Бондаренко, Комірник", "336004 Павло Ткаченко, Менеджер not active",
    ]  # fmt: skip
    services = shown[shown.index("Services (delivery_service_id)") + 1 :][:2]
    assert services == ["id name", "72000001 Доставка"]


def test_an_account_is_shown_and_its_key_renewed_only_for_the_same_company(shell: Shell) -> None:
    box = shell.box
    document = shell.json("account", "show", "main")
    assert [row["id"] for row in document["order_types"]] == [358001, 358002]
    assert [row["name"] for row in document["employees"] if not row["is_active"]] == ["Павло Ткаченко"]
    assert [row["position"] for row in document["employees"]] == ["Менеджер", "Менеджер", "Комірник", "Менеджер"]
    assert document["services"] == [{"id": 72000001, "name": "Доставка"}]
    assert box.roapp.api_key not in shell.said

    renewed = shell.json("account", "add", "main", "--api-key-stdin", stdin=box.roapp.api_key)
    assert renewed["updated"] is True
    assert renewed["base_url"] == box.roapp.base_url

    foreign = shell.json("account", "add", "main", "--api-key-stdin", stdin=box.roapps[1].api_key)
    assert shell.code == 2
    assert foreign["error"]["fields"] == [
        {
            "field": "api_key",
            "message": 'belongs to another company than "main" was connected to.',
            "fix": "give a key of the company that main was connected to, or add the other company under another name",
        }
    ]
    assert shell.json("account", "show", "main")["company"] == document["company"]

    twice = shell.json(
        "account", "add", "second", "--base-url", box.roapp.base_url, "--api-key-stdin", stdin=box.roapp.api_key
    )
    assert shell.code == 2
    assert twice["error"]["fields"][0]["message"] == 'this company is connected already, as "main".'
    assert [row["name"] for row in shell.json("account", "list")] == ["main"]


def test_an_account_that_was_spoilt_in_prefect_keeps_its_company(shell: Shell) -> None:
    account, address = shell.box.roapps[1], shell.box.roapp.base_url
    with closing(over_http(Settings(home=shell.home, database_url=None))) as prefect:
        found = prefect.get("/block_types/slug/ro-app-account/block_documents/name/main").raise_for_status().json()
        spoilt = {"data": {"api_key": "two words"}, "merge_existing_data": True}
        prefect.patch(f"/block_documents/{found['id']}", json=spoilt).raise_for_status()
    foreign = shell.json("account", "add", "main", "--api-key-stdin", stdin=account.api_key)
    assert foreign["error"]["fields"][0]["message"] == 'belongs to another company than "main" was connected to.'
    renewed = shell.json("account", "add", "main", "--api-key-stdin", stdin=shell.box.roapp.api_key)
    assert (renewed["updated"], renewed["base_url"]) == (True, address)


@pytest.mark.parametrize(
    ("arguments", "key", "field", "message"),
    [
        (("bad name",), "KEY", "name", '"bad name" can\'t be a name here.'),
        (("x", "--base-url", "api.roapp.io"), "KEY", "base_url", "has no scheme."),
        (("x", "--base-url", "https://api.roapp.io"), "KEY", "base_url", "has no API version."),
        (("x", "--base-url", "http://api.roapp.io/v2"), "KEY", "base_url", "is http on a public address"),
        (("x", "--base-url", "http://127.0.0.1:9/v2"), "KEY", "base_url", "127.0.0.1 can't be reached"),
        (("x", "--base-url", "BASE"), "", "api_key", "is missing."),
        (("x", "--base-url", "BASE"), "два слова", "api_key", "has a character that no API key has."),
        (("x", "--base-url", "BASE"), "wrong", "api_key", "RO App refuses the API key for GET /company (HTTP 401)"),
    ],
)  # fmt: skip
def test_a_bad_account_gives_its_message(
    shell: Shell, arguments: tuple[str, ...], key: str, field: str, message: str
) -> None:
    roapp = shell.box.roapp
    typed = [argument.replace("BASE", roapp.base_url) for argument in arguments]
    document = shell.json("account", "add", *typed, CARTUM_ROAPP_API_KEY=key.replace("KEY", roapp.api_key))
    assert shell.code == 2
    (found,) = document["error"]["fields"]
    assert found["field"] == field
    assert found["message"].startswith(message)
    assert found["fix"]


def test_a_shop_is_connected_once(shell: Shell, file: Path) -> None:
    box = shell.box
    add(shell, "mavka", file)
    shop, there = box.shops[1], box.shops[0].url
    path = changed(file, f"url: {there}", f"url: {shop.url}")
    assert add(shell, "other", path, password=shop.password).code == 0, shell.err
    shell.run("shop", "edit", "other", "--set", f"url={there}")
    assert shell.code == 2
    assert 'url: this shop is connected already, as "mavka".' in shell.err


def test_an_unexpected_error_is_one_line_and_a_log_without_secrets(tmp_path: Path, box: Sandbox) -> None:
    Home(tmp_path).create()
    code = (
        "import sys; from cartum_roapp.cli import app, accounts\n"
        "def broken(*args, **more): raise RuntimeError('a-secret-to-hide in the message')\n"
        "import cartum_roapp.service as service; service.use = broken\n"
        "sys.exit(app.main(['account', 'add', 'main', '--json']))"
    )
    environment = {
        **os.environ, "CARTUM_ROAPP_HOME": str(tmp_path), "CARTUM_ROAPP_API_KEY": "a-secret-to-hide",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, encoding="utf-8"
    )
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["error"]["kind"] == "unexpected"
    [line] = done.stderr.splitlines()
    log = tmp_path / "logs" / "errors.log"
    assert line == f"Unexpected error (RuntimeError). Fix: Repeat. The traceback is in {log}"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert "RuntimeError" in text
    assert "list_accounts" not in done.stderr
    assert "a-secret-to-hide" not in text + done.stdout + done.stderr
