"""How a command ends where nobody reads its result, and where a person says no."""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from cartum_roapp.cli import backend, shop_files
from cartum_roapp.cli.app import main
from cartum_roapp.cli.output import INTERRUPTED, CommandEnd, bad_input, opened, print_failure, say, show, terminal_table
from cartum_roapp.errors import BadConfig, IntegrationError, Retryable
from cartum_roapp.home import Home
from cartum_roapp.shops.problems import Problem, bad_config

READ_BY_NOBODY = """
import sys
from cartum_roapp.cli import app
from cartum_roapp.cli.output import BAD_INPUT, CommandEnd, Json, show
@app.app.command("try")
def tried(fail: bool, json: Json = False) -> None:
    if fail:
        raise CommandEnd(BAD_INPUT, "Nothing to change.")
    show({"a": 1}, lambda: "a")
sys.exit(app.main(["try", sys.argv[1], "--json"]))
"""


@pytest.mark.parametrize(("fail", "code", "said"), [("false", 1, ""), ("true", 2, "Nothing to change.\n")])
def test_a_document_that_nobody_reads_is_no_crash(fail: str, code: int, said: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", READ_BY_NOBODY, fail], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (code, said)


STEERING = "a\x1b]0;title\x07\x1b[2J\r\x08b\x7f\x85\x9b31m\u202ec\u2066\udc80\x00 Київ\tB\n"


def test_what_others_wrote_never_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(STEERING, STEERING, STEERING)
    with opened(as_json=False):
        show({}, lambda: [STEERING, terminal_table(STEERING, (STEERING,), [(STEERING,)])])
        say(STEERING)
        print_failure(bad_input([problem]))
        print_failure(CommandEnd(1, STEERING, fix=STEERING))
    said = "".join(capsys.readouterr())
    assert {letter for letter in said if not letter.isprintable()} <= {"\n", "\t"}
    assert said.count("Київ") >= 8
    with opened(as_json=True):
        show({"name": STEERING}, str)
    document = capsys.readouterr().out
    assert {letter for letter in document if not letter.isprintable()} == {"\n"}
    assert json.loads(document) == {"name": STEERING}


class Terminal(io.StringIO):
    """A person who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("options", "typed", "said"),
    [
        ([], "n", "Nothing was deleted: the answer was no."),
        (["--purge"], "y", "Nothing was deleted: that is not mavka."),
    ],
)
def test_no_to_the_question_deletes_nothing(
    options: list[str],
    typed: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from deployments import shops

    async def connected(*, deleted: bool = False) -> set[str]:
        return {"mavka"}

    monkeypatch.setattr("cartum_roapp.cli.backend.serving", nullcontext)
    monkeypatch.setattr(shops, "connected", connected)
    monkeypatch.setattr(shops, "disconnect", None)
    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    assert main(["shop", "delete", "mavka", *options]) == 1
    ended = capsys.readouterr()
    assert ended.err.endswith(f"{said}\n")
    assert ("dismissed records" in ended.out + ended.err) == bool(options), "it lists what is forgotten"


@pytest.mark.parametrize(
    "command",
    [
        "status", "ui", "down", "backup b", "account list", "account show main", "shop list", "shop show mavka",
        "held list", "held replay mavka --all", "match list mavka", "order show mavka 1", "import mavka", "sync mavka",
        "record mavka r", "reconcile mavka", "order resend mavka --all", "backfill list", "alerts slack-webhook/ops",
        "customer erase mavka a@b.example --yes",
    ],
)  # fmt: skip
def test_a_mistyped_home_starts_nothing(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(tmp_path / "typo"))
    assert main(command.split()) == 1
    fix = "correct CARTUM_ROAPP_HOME; on a new machine start with `cartum-roapp up`"
    assert capsys.readouterr().err == f"Nothing is set up here: {tmp_path / 'typo'}. Fix: {fix}\n"
    assert list(tmp_path.iterdir()) == []


def test_an_edit_may_be_a_new_password_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Asked(Exception):
        pass

    def serving() -> None:
        raise Asked

    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(tmp_path))
    monkeypatch.setattr("cartum_roapp.cli.backend.serving", serving)
    monkeypatch.delenv("CARTUM_ROAPP_SHOP_PASSWORD", raising=False)
    assert main(["shop", "edit", "mavka"]) == 2
    said = capsys.readouterr().err
    assert "Nothing to change." in said and "--password-stdin" in said
    monkeypatch.setenv("CARTUM_ROAPP_SHOP_PASSWORD", "new")
    assert main(["shop", "edit", "mavka"]) == 1
    assert "(Asked)" in capsys.readouterr().err


def test_a_warning_of_the_deployments_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    handler, log = backend._Warnings(), logging.getLogger("deployments.alerts")
    logging.getLogger("deployments").addHandler(handler)
    try:
        for _ in range(2):
            log.warning("No messages are sent: %s", "why")
    finally:
        logging.getLogger("deployments").removeHandler(handler)
    assert capsys.readouterr().err.count("Warning: No messages are sent: why\n") == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            bad_config([Problem("url", "this shop is connected already.", "choose another one")], shop="mavka"),
            "url: this shop is connected already. Fix: choose another one\n",
        ),
        (
            BadConfig("there is no shop.", field="slug", fix="`cartum-roapp shop list` shows them"),
            "slug: there is no shop. Fix: `cartum-roapp shop list` shows them\n",
        ),
        (Retryable("the shop did not answer", fix="Repeat."), "the shop did not answer. Fix: Repeat.\n"),
        (
            Retryable("the shop answers HTTP 503", field="url"),
            "url: the shop answers HTTP 503. Fix: try again later; the shop's syncs do so by themselves\n",
        ),
    ],
)
def test_a_failure_is_said_once_and_in_sentences(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: IntegrationError, said: str
) -> None:
    def serving() -> None:
        raise error

    monkeypatch.setattr("cartum_roapp.cli.backend.serving", serving)
    assert main(["shop", "list"]) == (2 if isinstance(error, BadConfig) else 1)
    assert capsys.readouterr().err == said


def test_a_bad_variable_is_named_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CARTUM_ROAPP_HTTP_TIMEOUT", "abc")
    assert main(["shop", "list"]) == 2
    assert capsys.readouterr().err == (
        "CARTUM_ROAPP_HTTP_TIMEOUT: is 'abc'; input should be a valid number, unable to parse string as a number. "
        "Fix: Correct CARTUM_ROAPP_HTTP_TIMEOUT or unset it for the default.\n"
    )


@pytest.mark.parametrize("command", [(), ("held",)])
def test_no_command_shows_what_there_is(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    printed = capsys.readouterr()
    assert "Usage: " in printed.out
    path = " ".join(("cartum-roapp", *command))
    assert printed.err == f"No command is given. Fix: `{path} --help` lists what there is\n"


@pytest.mark.parametrize(
    "command", [("sync", "\udcff"), ("held", "show", "mavka", "\udcff"), ("customer", "erase", "mavka", "\udcff")]
)
def test_an_argument_that_is_no_text_is_refused(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    refused = "is not UTF-8 text. Fix: type it again on a terminal that is set to UTF-8"
    assert capsys.readouterr().err == f"\\udcff {refused}\n"


def test_the_name_of_a_file_may_be_any_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shop", "export", "--to", f"{tmp_path}/\udcff.yaml"]) == 2
    assert "not UTF-8 text" not in capsys.readouterr().err


def test_the_version_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    version = capsys.readouterr().out.strip()
    assert main(["--version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": version}


def test_an_import_that_is_broken_off_says_that_the_shop_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    def follow(id: UUID, what: str) -> None:
        raise CommandEnd(INTERRUPTED, "Stopped following.", kind="interrupted")

    monkeypatch.setattr(shop_files, "follow", follow)
    with pytest.raises(CommandEnd) as ended:
        shop_files._follow({"dry_run": False, "imports": {"mavka": str(UUID(int=1))}})
    assert (ended.value.code, ended.value.kind) == (130, "interrupted")
    assert ended.value.message == "mavka is saved, but its orders are not all imported: Stopped following."
    assert ended.value.fix == "`cartum-roapp import mavka` goes on where it stopped"
    assert ended.value.as_dict()["dry_run"] is False


def test_an_import_ends_with_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"shop": "mavka", "run": "initial-import", "seen": 3, "new": 3, "changed": 0, "unchanged": 0,
              "delivered": 3, "held": 0, "calls_by_kind": {"cartum": 17, "roapp_reads": 0, "roapp_writes": 9},
              "seconds": 1.5}  # fmt: skip
    with opened(as_json=False):
        show(
            None,
            lambda: shop_files._summary({"dry_run": False, "shops": [], "pruned": [], "imports": {"mavka": counts}}),
        )
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert printed[:2] == [["Counts"], []]
    assert ["delivered", "3"] in printed and ["calls", "to", "the", "shop", "17"] in printed
    assert ["mavka:", "3", "new."] in printed


@pytest.mark.parametrize(("arguments", "printed"), [((), b"Gr??e"), (("--json",), '"Gr\\udcf6ße"'.encode())])
def test_a_name_that_the_terminal_can_not_show_is_no_crash(arguments: tuple[str, ...], printed: bytes) -> None:
    """Of two letters, one is not of the terminal's, the other of a path that is no text."""
    program = (
        "import sys; from cartum_roapp.cli.output import opened, show\n"
        "with opened(as_json='--json' in sys.argv): show({'name': 'Gr\\udcf6\\xdfe'}, lambda: 'Gr\\udcf6\\xdfe')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    assert printed in done.stdout


FULL = "The disk is full"


def _written_to_a_full_disk() -> None:
    try:
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"0")
    except OSError as error:
        raise RuntimeError("what was begun can't be ended") from error


def test_a_full_disk_is_said_whatever_it_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(tmp_path))
    monkeypatch.setattr("cartum_roapp.cli.backend.serving", _written_to_a_full_disk)
    assert main(["shop", "list"]) == 1
    said = capsys.readouterr().err
    assert said == f"{FULL}: the home directory. Fix: Free some space, then repeat.\n"
    assert main(["shop", "list", "--colour"]) == 2
    assert "--colour" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root to make a small disk")
def test_what_follows_from_a_full_disk_is_said_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A server that is gone, for example: without space it can't run."""

    def gone() -> None:
        httpx.get("http://127.0.0.1:1/", trust_env=False)

    def refused() -> None:
        raise BadConfig("It is in recovery mode.", field="CARTUM_ROAPP_DATABASE_URL", fix="Correct it.")

    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(tmp_path))
    monkeypatch.setattr("cartum_roapp.cli.backend.serving", gone)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(tmp_path)], check=False).returncode:
        pytest.skip("no small disk can be made here")
    try:
        assert main(["shop", "list"]) == 1
        assert "Unexpected error (ConnectError)" in capsys.readouterr().err
        (tmp_path / "filling").write_bytes(b"0" * (3 << 20))
        for follows in (gone, refused):
            monkeypatch.setattr("cartum_roapp.cli.backend.serving", follows)
            assert main(["shop", "list"]) == 1
            assert capsys.readouterr().err == f"{FULL}: {tmp_path}. Fix: Free some space, then repeat.\n"
        home = Home(tmp_path).create()
        assert main(["up"]) == 1
        assert f"{FULL}: {tmp_path}. Fix: Free some space" in capsys.readouterr().err
        assert not home.log_path("supervisor").exists(), "nothing was begun"
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_console_for_other_machines_needs_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARTUM_ROAPP_HOME", str(tmp_path / "home"))
    assert main(["console", "--host", "0.0.0.0", "--port", "18321"]) == 2
    assert "CARTUM_ROAPP_CONSOLE_URL" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["console", "--port", str(taken.getsockname()[1])]) == 1
    assert "in use" in capsys.readouterr().err.lower()
    assert not (tmp_path / "home").exists()
