"""What the pages tell people to type is typed: the steps of the runbook's pages after that has happened which they are
about, and commands that no other test types."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from homes import new_home
from installation import Installation
from pages import ROOT, blocks
from processes import Process
from terminal import CTRL_C, Terminal, typed

from cartum_roapp import service
from cartum_roapp.cli.demo import meet
from sandbox import Sandbox

pytestmark = pytest.mark.long

README = (ROOT / "README.md").read_text()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
GUIDE = (ROOT / "docs" / "guide.md").read_text()
SLUG, SHOP = "shop-1", 0
BACKUP = "cartum-roapp.backup"
#: What only gets a newer version, of which there is none here.
NOT_TYPED = {"git pull", "make setup"}


class House(Installation):
    """An installation in which somebody types. Its home may be put elsewhere."""

    def do(self, block: list[str], typed: str = "") -> dict[str, Any]:
        """Types a block of steps: each has to end well. Gives what the commands print, by command."""
        printed: dict[str, Any] = {}
        for line in block:
            words = shlex.split(line.replace("my-shop", SLUG).replace(f" {BACKUP}", f" {self.backup}"))
            if words[0] == "cartum-roapp":
                ended = self.command(*words[1:], typed=typed)
                assert ended.code == 0, (line, ended.said)
                printed[" ".join(words[1:3])] = ended.document
            elif words[0] == "export":
                for name, _, value in (word.partition("=") for word in words[1:]):
                    self.shell.environment[name] = value.replace("$PATH", self.shell.environment["PATH"])
            elif line not in NOT_TYPED:
                done = subprocess.run(
                    ["sh", "-c", line], env=self.shell.environment, cwd=self.home.parent,
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert done.returncode == 0, (line, done.stderr)
        return printed

    @property
    def backup(self) -> Path:
        """The file that the pages name; commands work in the folder of the tests."""
        return self.home.parent / BACKUP

    def order(self) -> str:
        return self.box.shops[SHOP].place_order()

    def arrived(self, *numbers: str) -> bool:
        """Whether RO App has each of these orders once, and nothing else twice."""
        found = self.box.roapp.orders_by_marker()
        once = all(len(found.get(f"{self.key(SHOP)}:{number}", ())) == 1 for number in numbers)
        return once and not any(self.box.roapp.duplicates().values()) and not self.box.roapp.oddities

    def refused(self) -> str | None:
        (shop,) = self.done("status")["shops"]
        return None if shop["refused"] is None else str(shop["refused"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Sandbox(orders=5, seed=11, rate_limit=0) as box:
        found = House(new_home(tmp_path_factory, "house"), box)
        # A call that fails is not tried for half a minute here.
        found.shell.environment["CARTUM_ROAPP_RETRIES"] = "2"
        try:
            found.done("up")
            found.done("account", "add", "main", "--base-url", box.roapp.base_url)
            found.connect(SHOP)
            found.done("import", SLUG)
            yield found
        finally:
            found.close()


def test_commands_of_the_guide(house: House, tmp_path: Path) -> None:
    number = house.order()
    house.box.shops[SHOP].edit(number, total_sum="not a sum")
    house.done("sync", SLUG)
    assert house.done("held", "replay", SLUG, "--code", "order-total")["records"][0]["id"] == number
    house.done("held", "dismiss", SLUG, number, "--reason", "entered by hand")
    assert house.done("backfill", "cancel", SLUG) == []
    assert house.done("reconcile", SLUG, "--repair", "--gone")["findings"] == []
    house.done("shop", "export", "--all", "--to", str(tmp_path / "shops"))
    assert house.done("shop", "apply", str(tmp_path / "shops"), "--dry-run")["shops"][0]["changes"] == []
    assert house.done("--version")["version"]


def test_a_status_is_watched_until_ctrl_c(house: House) -> None:
    watching = Terminal(house.shell, "status", "--watch")
    watching.sees("Worker: running")
    watching.sees(SLUG)
    watching.presses(CTRL_C)
    assert watching.ended() == 130


def test_a_wrong_password(house: House) -> None:
    house.box.shops[SHOP].change_password("a new one")
    number = house.order()
    assert house.command("sync", SLUG).code == 1
    assert "the shop refuses login and password" in str(house.refused())
    (steps,) = blocks(RUNBOOK, "A wrong password")
    house.do(steps, typed="a new one\n")
    assert house.refused() is None
    assert house.arrived(number)


def test_too_many_requests(house: House) -> None:
    house.box.roapp.faults.fail("rate", 1)
    number = house.order()
    house.done("sync", SLUG)
    assert house.arrived(number)
    (steps,) = blocks(RUNBOOK, "429: too many requests")
    before = dict(house.shell.environment)
    (shown,) = house.do(steps)[f"status {SLUG}"]["shops"]
    house.shell.environment = before
    turn = [one["value"] for one in shown["metrics"] if one["name"] == "cartum_roapp_roapp_turn_interval_seconds"]
    assert turn == [0.702]


def test_an_outage(house: House) -> None:
    faults = house.box.shops[SHOP].faults
    faults.fail("error", 10_000, status=503)
    numbers = [house.order() for _ in range(3)]
    refused = house.command("sync", SLUG)
    assert (refused.code, refused.document["error"]["kind"]) == (1, "retryable")
    assert house.refused() is None
    faults.calm()
    (steps,) = blocks(RUNBOOK, "An outage of two hours")
    done = house.do(steps)
    assert house.arrived(*numbers)
    assert done[f"reconcile {SLUG}"]["findings"] == []


def test_a_swapped_key(house: House) -> None:
    company = house.box.roapp.company
    ours = company["created_at"]
    company["created_at"] = "2001-01-01T00:00:00Z"  # as RO App answers to the key of another company
    number = house.order()
    assert house.command("sync", SLUG).code == 1
    assert "the API key belongs to another company" in str(house.refused())
    assert not house.arrived(number)
    (steps,) = blocks(RUNBOOK, "A swapped key")
    assert "belongs to another company" in house.command(*steps[0].split()[1:]).said
    company["created_at"] = ours
    house.do(steps)
    assert house.refused() is None
    assert house.arrived(number)


def test_a_full_disk(house: House) -> None:
    """What is said of it, and that it heals, is tried with the embedded database."""
    (steps,) = blocks(RUNBOOK, "A full disk")
    assert house.do(steps)["status"]["worker"] == "running"


def test_a_read_only_disk(house: House) -> None:
    """What is said of it is tried with a disk that fails."""
    (steps,) = blocks(RUNBOOK, "A read-only disk")
    assert house.do(steps)["status"]["worker"] == "running"


def test_an_upgrade(house: House) -> None:
    deployment = house.deployment(f"incremental-sync/{SLUG}")
    assert deployment is not None
    house.prefect.delete(f"/deployments/{deployment['id']}").raise_for_status()  # as if an older version had none
    (steps,) = blocks(RUNBOOK, "An upgrade")
    assert {*steps} > NOT_TYPED
    before = house.worker()
    done = house.do(steps)
    assert done["status"]["worker"] == "running" and not before.alive()
    house.become(lambda: house.deployment(f"incremental-sync/{SLUG}"), lambda found: found is not None)
    assert done["up"]["backup"] is None, "the ledger is this version's"


def test_a_reboot(house: House) -> None:
    with house.held_up(SHOP):
        run = house.start(f"initial-import/{SLUG}")
        house.begun(run)
        worker = house.worker()
        for pid in (
            service.state(house.config).pids["supervisor"],
            worker.pid,
            *service.state(house.config).pids.values(),
        ):
            if process := Process.of(pid):
                process.signal(signal.SIGKILL)
                assert process.wait(10)
    (steps,) = blocks(RUNBOOK, "A reboot")
    assert house.do(steps)["status"]["worker"] == "running"
    house.state(run, "Crashed")
    (new,) = house.become(lambda: house.flow_runs(idempotency_key={"any_": [f"goes on: {run}"]}), bool)
    house.completed(new["id"])


def test_a_backup_is_restored(house: House) -> None:
    (backup,) = blocks(RUNBOOK, "A backup")
    house.do(backup)
    number = house.order()
    house.done("sync", SLUG)
    assert house.arrived(number)
    (steps,) = blocks(RUNBOOK, "A restored backup")
    done = house.do(steps)
    house.backup.unlink()
    assert done["up"]["worker"] == "started"
    # The backup did not know the order: it was found in RO App.
    assert "adopted" in {one["kind"] for one in house.done("order", "show", SLUG, number)["timeline"]}
    found = {(one["what"], one["outcome"]) for one in done[f"reconcile {SLUG}"]["findings"]}
    assert (found, house.refused()) == ({("lines-unbound", "repaired")}, None)
    assert house.done("reconcile", SLUG)["findings"] == []
    assert house.arrived(number)


def test_another_machine(house: House) -> None:
    there, here = blocks(RUNBOOK, "Another machine")
    house.do(there)
    number = house.order()
    house.shell.environment["CARTUM_ROAPP_HOME"] = str(house.home.with_name("another"))
    try:
        done = house.do(here)
        assert [one["shop"] for one in done["status"]["shops"]] == [SLUG]
        assert house.arrived(number)
        house.done("down")
    finally:
        house.shell.environment["CARTUM_ROAPP_HOME"] = str(house.home)
        # The page stops the first machine for good; the tests after this one go on there.
        house.done("up")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page types curl")
def test_a_newcomer_makes_something_happen(house: House) -> None:
    """In the demo, as `make demo ARGS=--keep` leaves it."""
    shop, before = house.box.shops[SHOP], dict(house.shell.environment)
    number = house.order()
    house.done("sync", SLUG)
    roapp = house.box.roapp.orders_by_marker()[f"{house.key(SHOP)}:{number}"][0]["id"]
    house.do([meet(house.home, house.shell.box)])
    steps = [
        [line.replace("demo-shop", SLUG).replace("1071", number).replace("61700013", str(roapp)) for line in block]
        for block in blocks(GUIDE, "Try it: make something happen")
    ]
    sync, in_shop, held, mended, outage, over, wrong, right, in_roapp = steps

    known = set(shop.orders)
    house.do(in_shop)
    house.do(sync)
    placed = set(shop.orders) - known
    assert len(placed) == 2 and house.arrived(number, *placed)
    assert "дзвоніть увечері" in str([house.box.roapp.orders_by_marker()[f"{house.key(SHOP)}:{one}"] for one in placed])

    house.do(held)
    house.do(sync)
    codes = {one["code"] for one in house.done("held", "list", SLUG)}
    assert codes == {"line-product", "status-unmatched"}
    house.do(mended)
    house.do(sync)
    assert house.done("held", "list", SLUG) == []

    house.do(outage)
    late = house.order()
    assert house.command("sync", SLUG).document["error"]["kind"] == "retryable"
    house.do(over)
    house.do(sync)
    assert house.arrived(late)

    house.do(wrong)
    assert (house.command("sync", SLUG).code, house.refused() is None) == (1, False)
    house.do(right)
    house.do(sync)
    assert house.refused() is None

    house.do(in_roapp)
    shop.set_waybill(number, "20450000000002")
    house.do(sync)
    assert {one["code"] for one in house.done("held", "list", SLUG)} == {"deleted-in-roapp"}
    house.done("held", "dismiss", SLUG, number)
    house.shell.environment = before


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page types curl")
def test_a_newcomer_without_an_roapp_account(house: House, tmp_path: Path) -> None:
    """With the README's sandbox, on ports that are free here and with fewer orders."""
    (steps,) = [block for block in blocks(README, "Connect a shop") if block[0].startswith("python -m sandbox")]
    port = two_free_ports()
    file = str(tmp_path / "made-up.yaml")
    here = {"8900": str(port), "8901": str(port + 1), "my-shop.yaml": file, "my-shop": "made-up"}
    start, *commands, order = (reduce(lambda line, old: line.replace(old, here[old]), here, line) for line in steps)
    with started(start, "--orders", "3", "--switch", "rate_limit=0") as printed:
        key, password = after("API key", printed), after("password", printed)
        questions = ("API key of RO App", "Password of the shop's admin", "Password of the admin of made-up")
        asked = zip(questions, (key, password, password), strict=True)
        for command, (question, answer) in zip(commands, asked, strict=True):
            terminal = Terminal(house.shell, *command.split()[1:], CARTUM_ROAPP_API_KEY="")
            terminal.answers(question, typed(answer))
            assert terminal.ended() == 0, terminal.seen
            assert answer not in terminal.seen
        house.become(lambda: house.done("status", "made-up")["shops"][0]["delivered"], lambda all_: all_ == 3)
        house.do([order])
        house.done("sync", "made-up")
        assert house.done("status", "made-up")["shops"][0]["delivered"] == 4
        house.done("shop", "delete", "made-up", "--purge", "--yes")
        house.done("account", "delete", "sandbox", "--yes")


@contextmanager
def started(command: str, *options: str) -> Iterator[str]:
    """What the sandbox prints when it serves; it ends afterwards."""
    words = [sys.executable, *shlex.split(command)[1:], *options]
    sandbox = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert sandbox.stdout is not None
        yield "".join(takewhile(lambda line: "Ctrl-C ends it" not in line, sandbox.stdout))
    finally:
        sandbox.terminate()
        sandbox.communicate()


def after(name: str, printed: str) -> str:
    """What the sandbox prints behind a name."""
    return re.findall(rf"\b{name} +(\S+)", printed)[0]


def two_free_ports() -> int:
    """The first of two ports in a row."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first, suppress(OSError):
            port = int(first.getsockname()[1])
            with socket.create_server(("127.0.0.1", port + 1)):
                return port


def test_every_page_is_tried() -> None:
    pages = [name for name in re.findall(r"^## (.*)$", RUNBOOK, re.MULTILINE) if blocks(RUNBOOK, name)]
    files = (Path(__file__), Path(__file__).with_name("test_work_pool.py"))
    tried = [name for file in files for name in re.findall(r'blocks\(RUNBOOK, "(.*?)"\)', file.read_text())]
    assert {*pages} - {*tried} == {"Who may look inside"}
