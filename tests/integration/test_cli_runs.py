"""`cartum-roapp import | sync | backfill | reconcile | status | held` as scripts use them: documents, exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from installation import Installation, Row
from sqlalchemy import text

from sandbox.cartum_shop import CartumShop

SLUG, INDEX = "shop-5", 4
COUNTS = {"seen", "new", "changed", "unchanged", "delivered", "held", "calls", "seconds"}
DELIVERED = 3


@pytest.fixture(scope="module")
def cli(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    yield installation
    installation.done("shop", "delete", SLUG, "--yes", "--purge")


@pytest.fixture(scope="module")
def imported(cli: Installation) -> Row:
    counts = cli.done("import", SLUG)
    cli.only_by_hand(SLUG)
    return dict(counts)


@pytest.fixture
def shop(cli: Installation) -> CartumShop:
    return cli.box.shops[INDEX]


def latest(cli: Installation, what: str = "") -> Row:
    """The shop's latest run, or its latest one of a kind: `initial import`."""
    typed: Row = {"tags": {"all_": [f"shop:{SLUG}"]}, "state": {"type": {"not_any_": ["SCHEDULED"]}}}
    typed |= {"name": {"any_": [f"{SLUG}: {what}"]}} if what else {}
    body = {"sort": "EXPECTED_START_TIME_DESC", "limit": 1, "flow_runs": typed}
    return dict(cli.prefect.post("/flow_runs/filter", json=body).raise_for_status().json()[0])


def in_roapp(cli: Installation, number: str) -> list[Any]:
    return cli.box.roapp.orders_by_marker().get(f"{cli.key(INDEX)}:{number}", [])


def test_an_import_gives_its_counts_and_is_seen_in_the_ui(cli: Installation, shop: CartumShop, imported: Row) -> None:
    assert set(imported) >= COUNTS
    wanted = shop.qualifying()
    assert (imported["seen"], imported["new"], imported["delivered"]) == (len(wanted),) * 3
    run = latest(cli, "initial import")
    assert run["state_type"] == "COMPLETED"
    deployment = cli.deployment(f"initial-import/{SLUG}")
    assert deployment is not None
    assert (run["parameters"], run["deployment_id"]) == ({"shop": SLUG}, deployment["id"])
    assert run["state"]["message"] == f"{len(wanted)} new"
    assert set(run["tags"]) == {"cartum-roapp", f"shop:{SLUG}", "account:main"}
    assert {one["type"] for one in cli.artifacts(run["id"])} == {"progress", "markdown"}


def test_a_run_that_moved_something_says_in_its_log_where_its_summary_is(
    cli: Installation, shop: CartumShop, imported: Row
) -> None:
    def addresses() -> tuple[list[str], list[str]]:
        """Those in the log of the latest run, and that of its summary."""
        run = latest(cli)
        (summary,) = [one["id"] for one in cli.artifacts(run["id"]) if one["type"] == "markdown"]
        log = cli.logs(run["id"])
        assert log
        return re.findall(r"http\S+/v2/artifacts/artifact/(\S+)", log), [summary]

    cli.done("sync", SLUG)
    assert addresses()[0] == [], "nothing happened"
    shop.place_order()
    cli.done("sync", SLUG)
    found, summary = addresses()
    assert found == summary
    number = shop.qualifying()[0]
    sum_ = shop.orders[number]["total_sum"]
    shop.edit(number, total_sum="not a sum")
    try:
        cli.done("sync", SLUG)
        held = f"{cli.done('ui')['console']}/shops/{SLUG}/held"
        assert re.findall(r"http\S+", cli.logs(latest(cli)["id"])) == [held], "where a record is held, what fixes it"
    finally:
        shop.edit(number, total_sum=sum_)
    assert cli.done("sync", SLUG)["held"] == 0


def test_a_sync_takes_what_changed_and_holds_what_is_broken(cli: Installation, shop: CartumShop, imported: Row) -> None:
    moved, broken = shop.qualifying()[:2]
    placed = str(shop.place_order())
    shop.set_status(moved, 6)
    sum_ = shop.orders[broken]["total_sum"]
    shop.edit(broken, total_sum="not a sum")
    console = cli.done("ui")["console"]
    counts = cli.done("sync", SLUG)
    assert (counts["new"], counts["changed"], counts["delivered"], counts["held"]) == (1, 1, 2, 1)
    assert len(in_roapp(cli, placed)) == 1
    told = {one["number"]: one["what"] for one in counts["touched"]}
    assert told == {placed: "new", moved: "changed"} and counts["held_records"][0]["id"] == broken
    run = latest(cli)
    assert (run["state"]["message"], "held" in run["tags"]) == ("1 new, 1 changed, 1 held", True)
    (summary,) = [one["data"] for one in cli.artifacts(run["id"]) if one["type"] == "markdown"]
    assert f"[fix it]({console}/shops/{SLUG}/held)" in summary
    assert f"[what happened]({console}/shops/{SLUG}/orders/{placed})" in summary
    assert summary.endswith(f"[How this shop is doing]({console}/shops/{SLUG})")
    assert f"why, and how to fix each: {console}/shops/{SLUG}/held" in cli.logs(run["id"])
    (record,) = cli.done("held", "list", SLUG)
    assert (record["shop"], record["entity"], record["id"]) == (SLUG, "row", broken)
    assert "total_sum" in record["message"] and record["fix"]
    for dry in (("backfill", SLUG, "--ids", moved), ("held", "replay", SLUG, "--all")):
        cli.done(*dry, "--dry-run")
        (seen,) = [one for one in cli.done("status")["shops"] if one["shop"] == SLUG]
        assert seen["last_run"]["held"] == seen["held"] == len(cli.done("held", "list", SLUG)) == 1
        assert "held" not in latest(cli)["tags"], f"{dry} neither adds nor releases one"
    shop.edit(broken, total_sum=sum_)
    assert cli.done("sync", SLUG)["held"] == 0
    assert "held" not in latest(cli)["tags"]
    assert cli.done("held", "list") == []
    status = cli.done("status")
    assert (status["worker"], status["running"]) == ("running", "running")
    (seen,) = [one for one in status["shops"] if one["shop"] == SLUG]
    assert (seen["waiting"], seen["held"], seen["imported"], seen["paused"]) == (0, 0, True, None)
    assert seen["last_run"] == seen["last_runs"]["incremental-sync"]
    assert (seen["last_run"]["state"], seen["last_run"]["held"]) == ("completed", 0)
    assert seen["last_run"]["calls"] > 0
    assert seen["delivered"] == len(shop.qualifying())


def seen_by_status(cli: Installation) -> Row:
    (found,) = [one for one in cli.done("status")["shops"] if one["shop"] == SLUG]
    return dict(found)


def test_status_says_how_a_shop_is_doing(cli: Installation, shop: CartumShop, imported: Row) -> None:
    shop.place_order()
    cli.done("sync", SLUG)
    assert cli.ask("/artifacts/filter", artifacts={"key": {"any_": [SLUG, "all-shops"]}}) == []
    cli.done("shop", "pause", SLUG)
    assert seen_by_status(cli)["health"] == "paused"
    cli.done("shop", "resume", SLUG)
    status = cli.become(lambda: seen_by_status(cli), lambda shop: bool(shop["next_run"]))
    (whole,) = cli.done("status", SLUG)["shops"]
    assert whole.keys() - status.keys() == {"days", "erasures", "metrics"}
    for told in (status, whole):
        assert isinstance(told["lag_seconds"], int) and isinstance(told["budget_used"], float)
        assert (told["delivered"], told["last_24_hours"]["new"]) == (len(shop.qualifying()),) * 2
        assert datetime.fromisoformat(told["next_run"]) > datetime.fromisoformat(told["last_success"])
    *_, today = days = whole["days"]
    assert len(days) == 30
    assert set(today) == {"day", "delivered", "waiting", "held", "lag_p50", "lag_p95", "calls"}
    assert today["delivered"] >= 1 and today["calls"] > 0
    (lag,) = [one["value"] for one in whole["metrics"] if one["name"] == "cartum_roapp_lag_seconds"]
    assert round(lag) >= whole["lag_seconds"]
    cli.only_by_hand(SLUG)


def test_a_dry_run_shows_exactly_what_the_backfill_sends(cli: Installation, shop: CartumShop, imported: Row) -> None:
    number = next(one for one, row in shop.orders.items() if int(row["stat_status"]) == DELIVERED)
    writes = cli.box.roapp.counts()
    plan = cli.done("backfill", SLUG, "--ids", number, "--dry-run")
    assert cli.box.roapp.counts() == writes
    assert plan["calls_by_kind"]["roapp_writes"] == 0
    (order,) = plan["orders"]
    assert (order["number"], order["action"]) == (number, "create")

    sent = cli.done("backfill", SLUG, "--ids", number)
    assert (sent["new"], sent["delivered"]) == (1, 1)
    (there,) = in_roapp(cli, number)
    assert (there["status_id"], there["branch_id"]) == (order["status_id"], order["location_id"])
    items = cli.box.roapp.items[there["id"]]
    assert sorted((float(one["price"]), float(one["quantity"])) for one in items) == sorted(
        (float(line["price"]), float(line["quantity"])) for line in order["lines"]
    )
    other = next(iter(shop.qualifying()))
    again = cli.done("backfill", SLUG, "--ids", number, "--ids", other, "--dry-run")["orders"]
    assert {one["number"]: one["action"] for one in again}[number] == "nothing"
    assert {one["number"] for one in again} == {number, other}


@pytest.mark.parametrize("command", [("order", "resend", SLUG), ("backfill", SLUG, "--ids")])
def test_a_number_that_nobody_has_is_named_and_the_others_are_done(
    cli: Installation, shop: CartumShop, imported: Row, command: tuple[str, ...]
) -> None:
    ended = cli.command(*command, "999999")
    assert ended.code == 2 and "the shop has no order 999999" in ended.said
    number = shop.place_order(status=DELIVERED)
    several = [number, "999998", "999999"]
    ended = cli.command(*command, *([",".join(several)] if command[0] == "backfill" else several))
    assert ended.code == 2 and "the shop has no orders 999998, 999999" in ended.said
    assert ended.document["delivered"] == 1 and len(in_roapp(cli, number)) == 1
    assert latest(cli)["state"]["message"].endswith("2 missing in the shop")
    assert cli.command(*command, number).code == 0


def test_a_backfill_by_days_and_status(cli: Installation, shop: CartumShop, imported: Row) -> None:
    rows = [row for row in shop.orders.values() if int(row["stat_status"]) == DELIVERED]
    day = min(str(row["stat_created"]) for row in rows)[:10]
    wanted = {str(row["order_id"]) for row in rows if str(row["stat_created"])[:10] == day}
    arguments = ("--from", day, "--to", day, "--status", str(DELIVERED), "--dry-run")
    assert {order["number"] for order in cli.done("backfill", SLUG, *arguments)["orders"]} == wanted


@pytest.mark.long
def test_a_reconciliation_tells_repairs_and_shows_its_tables(
    cli: Installation, shop: CartumShop, imported: Row
) -> None:
    cli.done("sync", SLUG)
    clean = cli.done("reconcile", SLUG)
    assert (clean["findings"], clean["repair"], clean["calls_by_kind"]["roapp_writes"]) == ([], False, 0)
    assert clean["seen"] == clean["unchanged"] == sum(day["shop_orders"] for day in clean["days"]) > 0

    number, edited = shop.qualifying()[:2]
    (there,), (other,) = in_roapp(cli, number), in_roapp(cli, edited)
    gone = {"key": cli.key(INDEX), "number": number}
    with cli.engine.begin() as connection:
        for table in ("orders", "order_lines", "outbox", "order_matches", "agreed_lines"):
            connection.execute(text(f"DELETE FROM {table} WHERE shop = :key AND number = :number"), gone)
    cli.box.roapp.items[other["id"]][0]["price"] = 1
    cli.box.roapp.touch(other["id"])
    found = cli.done("reconcile", SLUG)
    told = {(one["number"], one["what"], one["outcome"]) for one in found["findings"]}
    assert told == {(number, "missing-in-ledger", "reported"), (edited, "edited-in-roapp", "reported")}
    assert cli.value("SELECT count(*) FROM orders WHERE shop = :key AND number = :number", **gone) == 0

    found = cli.done("reconcile", SLUG, "--repair")
    told = {(one["number"], one["what"], one["outcome"]) for one in found["findings"]}
    assert told == {(number, "missing-in-ledger", "repaired"), (edited, "edited-in-roapp", "reported")}
    assert (found["new"], found["delivered"]) == (1, 1)
    assert [row["id"] for row in in_roapp(cli, number)] == [there["id"]]
    run = latest(cli)
    given = {"shop": SLUG, "repair": True, "gone": False, "everything": False}
    told = (f"{SLUG}: reconcile with repair", given)
    assert (run["name"], run["parameters"]) == told
    (summary,) = [one for one in cli.artifacts(run["id"]) if one["type"] != "progress"]
    assert (summary["key"], summary["type"]) == (f"{SLUG}-reconcile", "markdown")
    assert summary["data"].startswith(f"**{run['state']['message']}**")
    told = summary["data"].partition("### Sums by currency")[0].splitlines()
    rows = {number: line for line in told for number in re.findall(r"^\| \[(\d+)\]", line)}
    assert "| only reported |" in rows[edited] and "missing-in-ledger" in rows[number]
    assert "| put right |" in rows[number]
    assert f"/v2/artifacts/artifact/{summary['id']}" in cli.logs(run["id"])
    assert cli.done("reconcile", SLUG)["findings"] == []


@pytest.mark.long
def test_a_reconciliation_that_is_typed_wrong_begins_nothing(cli: Installation, imported: Row) -> None:
    before = latest(cli)["id"]
    assert "--repair" in refused(cli, "reconcile", SLUG, "--gone")
    assert latest(cli)["id"] == before


@pytest.mark.parametrize(("typed", "offered"), [("shop-", [SLUG]), ("x", [])])
def test_a_shell_completes_the_name_of_a_shop(cli: Installation, typed: str, offered: list[str]) -> None:
    asked = {"_CARTUM_ROAPP_COMPLETE": "complete_bash", "COMP_WORDS": f"cartum-roapp sync {typed}", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "cartum_roapp.cli"],
        env={**os.environ, **cli.shell.environment, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ([slug for slug in done.stdout.split() if slug == SLUG], done.stderr) == (offered, "")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("backfill", SLUG), "from"),
        (("backfill", SLUG, "--ids", "12,x"), "ids"),
        (("backfill", SLUG, "--from", "2026-02-02", "--to", "2026-02-01"), "from"),
        (("backfill", SLUG, "--from", "yesterday"), None),
        (("sync", "ghost"), "slug"),
    ],
)
def test_bad_input_is_2_starts_no_run_and_changes_nothing(
    cli: Installation, imported: Row, arguments: tuple[str, ...], field: str | None
) -> None:
    before = latest(cli)["id"]
    ended = cli.command(*arguments)
    assert ended.code == 2
    assert [one["field"] for one in ended.document["error"]["fields"]] == ([field] if field else [])
    assert ended.document["error"]["message"] in ended.said or field
    assert cli.value("SELECT paused_because FROM shops WHERE slug = :slug", slug=SLUG) is None
    assert not cli.flow_runs(name={"like_": "ghost"})
    assert latest(cli)["id"] == before


def test_a_wrong_password_is_told_pauses_nothing_and_is_over_with_the_next_success(
    cli: Installation, shop: CartumShop, imported: Row
) -> None:
    password = shop.password
    shop.change_password("changed in the shop")
    ended = cli.command("sync", SLUG)
    assert (ended.code, ended.document["error"]["kind"]) == (1, "bad-config")
    assert ended.document["error"]["fields"][0]["field"] == "password"
    waited, refused = ended.said.splitlines()
    assert waited == f"{SLUG}: Reading what is new or changed …"
    assert refused.startswith("password: ") and "Fix: " in refused
    seen = seen_by_status(cli)
    assert (seen["health"], seen["paused"]) == ("refused", None)
    assert "the shop refuses login and password" in seen["refused"]
    again = datetime.fromisoformat(seen["tried_again_at"]) - datetime.fromisoformat(seen["last_run"]["at"])
    assert timedelta(minutes=59) < again < timedelta(minutes=62)
    assert schedule(cli) is True
    failed = latest(cli)
    assert failed["state_type"] == "FAILED"
    assert failed["state"]["message"].startswith(f"{SLUG}: the shop refuses login and password")
    said = failed["state"]["message"] + cli.logs(failed["id"]) + ended.said
    assert "Traceback" not in said
    assert password not in said and "changed in the shop" not in said

    shop.change_password(password)
    assert cli.done("sync", SLUG)["held"] == 0
    seen = seen_by_status(cli)
    assert (seen["health"], seen["refused"]) == ("well", None)


def schedule(cli: Installation) -> bool:
    found = cli.deployment(f"incremental-sync/{SLUG}")
    assert found is not None
    return bool(found["schedules"][0]["active"])


@pytest.mark.long
def test_a_buyer_is_erased_by_hand(cli: Installation, shop: CartumShop, imported: Row) -> None:
    number = shop.place_order(delivery_name="Ганна", delivery_phone="+38 (067) 123-45-67", delivery_email="a@b.example")
    cli.done("sync", SLUG)
    erase = ("customer", "erase", SLUG)
    assert "still open" in refused(cli, *erase, number, "--yes")
    shop.set_status(number, 4)
    cli.done("sync", SLUG)
    assert "add --yes" in refused(cli, *erase, number)
    for nobody in ("067 000 11 22", "nobody@b.example", "987654", "?"):
        said = refused(cli, *erase, nobody, "--yes")
        assert nobody not in said and "of an order" in said
    assert cli.done("held", "show", SLUG, number, "--payload")["order"]["buyer_name"] == "Ганна"
    ended = cli.command(*erase, "0671234567", "--yes")
    assert ended.document == {"shop": SLUG, "erased": True, "named": "phone", "orders": [number], "rows": 0,
                              "checkpoint": True}  # fmt: skip
    assert cli.done("held", "show", SLUG, number, "--payload")["order"]["buyer_name"] == ""
    assert "erased on" in refused(cli, *erase, number, "--yes")
    assert cli.done("sync", SLUG)["calls_by_kind"]["roapp_writes"] == 0


def refused(cli: Installation, *arguments: str) -> str:
    ended = cli.command(*arguments)
    assert ended.code == 2, ended.said
    return ended.said


@pytest.mark.long
def test_statuses_travel_both_ways_where_the_shop_says_so(cli: Installation, shop: CartumShop, imported: Row) -> None:
    both = cli.done("shop", "edit", SLUG, "--set", "status_direction=both")["shop"]
    number = str(shop.place_order())
    cli.done("sync", SLUG)
    (there,) = in_roapp(cli, number)
    cli.box.roapp.set_status(there["id"], both["statuses"]["6"])
    assert cli.done("sync", SLUG)["calls_by_kind"]["roapp_writes"] == 0
    assert shop.orders[number]["stat_status"] == 6
    run = latest(cli)["id"]  # Prefect's server records tasks a moment after the run
    cli.become(lambda: {one["name"] for one in cli.tasks(run)}, lambda found: "write statuses back" in found)
