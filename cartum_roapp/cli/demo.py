"""`cartum-roapp demo`: shows everything on this machine, by the commands that a person would type."""

from __future__ import annotations

import json as json_
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.output import FAILED, CommandEnd, Json, say, show, terminal_table

if TYPE_CHECKING:
    from cartum_roapp.cli.demo_sandbox import DemoSandbox

SHOP, ACCOUNT = "demo-shop", "demo"
DELIVERED, SENT = 3, 6
Check = tuple[str, object, object]


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep everything running, including the schedule.")] = False,
    orders: Annotated[int, typer.Option(min=5, max=500, help="The number of orders in the shop for the import.")] = 40,
    json: Json = False,
) -> None:
    """Run a demo with a sandbox shop, a sandbox RO App, a database and Prefect: an import, two syncs and a change."""
    from cartum_roapp.cli.demo_sandbox import sandbox

    home = Path(tempfile.mkdtemp(prefix="cartum-roapp-demo-"))
    with sandbox(orders, home / "sandbox.log", stay=keep) as box:
        command = Command(home, box)
        try:
            command.run("up")
            ui = command.run("ui")
            say(f"The console: {ui['console']}. Prefect's UI: {ui['ui']}")
            document, checks = _story(command, box)
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                command.run("down")
                shutil.rmtree(home, ignore_errors=True)
    rows = [(what, expected, found, "yes" if expected == found else "NO") for what, expected, found in checks]
    for name in ("console", "console_login", "ui", "login"):
        document[name] = ui[name] if keep else None
    document["use"] = meet(home, box) if keep else None
    document["stop"] = _stop(home, box) if keep else None
    document["checks"] = [dict(zip(("what", "expected", "found", "holds"), row, strict=True)) for row in rows]
    if wrong := [row[0] for row in rows if row[3] == "NO"]:
        raise CommandEnd(FAILED, f"The demo found what it should not: {'; '.join(wrong)}.", document=document)
    show(document, lambda: _printed(document, rows))


def _story(command: Command, box: DemoSandbox) -> tuple[dict[str, Any], list[Check]]:
    say(f"A shop at {box.shop['url']} and an RO App at {box.account['base_url']}, both simulated on this machine.")
    command.run("account", "add", ACCOUNT, "--base-url", box.account["base_url"])
    applied = command.run("shop", "apply", str(box.shop_file(command.home, f"{SHOP}.yaml", ACCOUNT)), "--wait")
    imported = applied["imports"][SHOP]
    there = box.roapp_orders()
    delivered = {number for number, order in box.shop_orders().items() if order["stat_status"] == DELIVERED}
    checks: list[Check] = [
        ("import: orders of the window, in RO App", box.shop["qualifying"], len(there)),
        ("import: each of them once", len(there), sum(len(found) for found in there.values())),
        ("import: Delivered ones in RO App", 0, len(delivered & there.keys())),
        ("import: doubled orders, contacts, products", 0, box.doubled()),
        ("import: calls beyond RO App's 3 a second", 0, box.roapp("counts")["calls"]["beyond"]),
    ]
    second = command.run("sync", SHOP)
    checks += [
        ("second sync: new and changed", 0, second["new"] + second["changed"]),
        ("second sync: writing calls", 0, second["calls_by_kind"]["roapp_writes"]),
    ]
    placed = str(box.act("place_order"))
    moved = next(number for number, order in box.shop_orders().items() if number in there and order["stat_status"] == 1)
    box.act("set_status", number=moved, status=SENT)
    say(f"In the shop: order {placed} is placed, order {moved} is sent.")
    third = command.run("sync", SHOP)
    there, names = box.roapp_orders(), {one["id"]: one["name"] for one in box.account["statuses"]}
    checks += [
        ("third sync: new", 1, third["new"]),
        ("third sync: changed", 1, third["changed"]),
        ("third sync: the new order in RO App", 1, len(there.get(placed, []))),
        ("third sync: the status in RO App", names[box.statuses[SENT]], names[there[moved][0]["status_id"]]),
        ("third sync: doubled orders, contacts, products", 0, box.doubled()),
    ]
    remarks = []
    if late := box.roapp("counts")["calls"]["limited"]:
        remarks.append(
            f"RO App answered 429 (too many requests) to {late} calls, and they were sent again. Where a machine is "
            "busy, calls that were sent apart arrive together."
        )
        say(remarks[-1])
    return {"import": imported, "second_sync": second, "third_sync": third, "remarks": remarks}, checks


class Command:
    """Runs `cartum-roapp …` in the demo's home. `run` returns its JSON document."""

    def __init__(self, home: Path, box: DemoSandbox) -> None:
        self.home = home
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "CARTUM_ROAPP_"))}
        self._environment = {
            **kept,
            "CARTUM_ROAPP_HOME": str(home),
            "CARTUM_ROAPP_API_KEY": box.account["api_key"],
            "CARTUM_ROAPP_SHOP_PASSWORD": box.shop["password"],
        }

    def run(self, *arguments: str) -> dict[str, Any]:
        say(f"$ cartum-roapp {' '.join(arguments)}")
        command = [sys.executable, "-m", "cartum_roapp.cli.app", *arguments, "--json"]
        ended = subprocess.run(command, env=self._environment, stdout=subprocess.PIPE, check=False, encoding="utf-8")
        if ended.returncode:
            raise CommandEnd(FAILED, f"`cartum-roapp {' '.join(arguments)}` ended with {ended.returncode}.")
        return dict(json_.loads(ended.stdout))


def meet(home: Path, box: DemoSandbox) -> str:
    """Returns the line after which commands in a shell, those of the guide as well, meet a demo that was kept up."""
    control = {"SHOP": box.shop["control"], "ROAPP": box.account["control"].partition("?")[0]}
    named = {"CARTUM_ROAPP_HOME": str(home), **control}.items()
    path = f'{shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
    return " ".join(["export", f"PATH={path}", *(f"{name}={shlex.quote(value)}" for name, value in named)])


def _stop(home: Path, box: DemoSandbox) -> str:
    """Returns the commands, for any shell, that stop a demo that was kept up, with its sandbox, and delete its home."""
    command = shlex.join([sys.executable, "-m", "cartum_roapp.cli", "down"])
    return f"CARTUM_ROAPP_HOME={home} {command}; kill {box.pid}; rm -r {home}"


def _printed(document: dict[str, Any], rows: Sequence[tuple[object, ...]]) -> list[object]:
    runs = [(name, document[name]) for name in ("import", "second_sync", "third_sync")]
    names = ("seen", "new", "changed", "unchanged", "delivered", "held", "calls", "seconds")
    parts = [
        terminal_table(
            "Runs", ("", *names), [(name.replace("_", " "), *(run[key] for key in names)) for name, run in runs]
        ),
        "",
        terminal_table("Checked in RO App", ("", "expected", "found", "holds"), rows),
    ]
    if document["ui"]:
        parts += ["", f"The console: {document['console']}, log in with {document['console_login']}"]
        parts += [f"Prefect's UI: {document['ui']}, log in with {document['login']}"]
        parts += ["To use it, and to make something happen in it (docs/guide.md, Try it):", f"    {document['use']}"]
        parts += ["To stop it all:", f"    {document['stop']}"]
    return parts
