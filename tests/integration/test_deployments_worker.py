"""The worker: runs what is scheduled and what is asked for, several at once; canceled, stopped, killed, late."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from installation import Installation, Row, names
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect_api import here, variables
from processes import Process
from sqlalchemy import create_engine, text

from cartum_roapp.ledger import backfills, database, runs
from cartum_roapp.service import ledger
from deployments import crashed, serve
from deployments.queues import IMPORTS, NIGHTS, PLACES, SYNCS
from deployments.run_thread import RunThread, own_flow
from deployments.worker import InProcessWorker

SHOP, OTHER = 0, 1
#: Other connections to the ledger that hold a lock.
LOCKS = """
    FROM pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database()
    WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def worker(installation: Installation) -> Iterator[Installation]:
    """Two shops are connected, and the first one is imported by the worker."""
    for index in (SHOP, OTHER):
        installation.connect(index)
    yield installation
    for slug in ("shop-1", "shop-2"):
        installation.done("shop", "delete", slug, "--yes", "--purge")


@pytest.fixture(scope="module")
def imported(worker: Installation) -> Row:
    return worker.completed(worker.start("initial-import/shop-1"))[0]


def test_an_import_asked_for_in_the_ui_is_done_and_explained(worker: Installation, imported: Row) -> None:
    id = imported["id"]
    assert imported["name"] == "shop-1: initial import"
    assert {"shop:shop-1", "account:main"} <= set(imported["tags"])
    assert imported["parameters"] == {"shop": "shop-1"}
    markers = [one for one in worker.box.roapp.orders_by_marker() if one.startswith(worker.key(SHOP))]
    assert len(markers) == len(worker.box.shops[SHOP].qualifying())
    shown = {artifact["type"]: artifact for artifact in worker.artifacts(id)}
    count = len(worker.box.shops[SHOP].qualifying())
    assert float(shown["progress"]["data"]) == 100
    assert shown["progress"]["description"] == f"{count} of {count} orders delivered or held"
    assert f"| delivered | {count} |" in shown["markdown"]["data"]
    said = worker.become(lambda: worker.logs(id), lambda logs: "Finished" in logs)
    assert f"delivering {count} orders" in said
    assert f"Finished in state Completed('{count} new')" in said, "and no line for each step"


def test_the_graph_of_an_import_shows_each_week_from_the_shop_to_ro_app(worker: Installation, imported: Row) -> None:
    last = f"deliver {len(worker.box.shops[SHOP].qualifying())} orders"
    chains = drawn(worker, imported["id"], last)
    weeks = [chain[0] for chain in chains]
    assert len(weeks) == len(set(weeks)) > 7, chains
    assert all(re.fullmatch(r"fetch \d+( \w{3}( \d{4})? )?–( )?\d+ \w{3}( \d{4})?", week) for week in weeks), weeks
    assert {chain[-1] for chain in chains} == {last}
    ways = {tuple(re.sub(r"\d+ (\w+?)s?$", r"\1", one) for one in chain[1:-1]) for chain in chains}
    stored = ("transform order", "de-duplicate product", "upsert order")
    assert ("fetch product", *stored) in ways
    assert ways <= {(), stored, ("fetch product", *stored)}, "a week without orders is only fetched"


def test_the_graph_of_a_sync_shows_what_became_of_an_order(worker: Installation, imported: Row) -> None:
    worker.only_by_hand("shop-1")
    worker.box.shops[SHOP].place_order()
    id = worker.start("incremental-sync/shop-1")
    worker.completed(id)
    (chain,) = drawn(worker, id, "deliver 1 order")
    assert [one for one in chain if "product" not in one] == ["fetch changes", "transform 1 order", "upsert 1 order",
                                                              "deliver 1 order"]  # fmt: skip


def drawn(worker: Installation, id: str, last: str) -> list[list[str]]:
    """The chains of the run's graph, once its last task is in it: Prefect stores that a little after the run's end."""
    return worker.become(lambda: worker.chains(id), lambda chains: any(last in chain for chain in chains))


def test_a_scheduled_sync_that_finds_nothing_leaves_little_behind(worker: Installation, imported: Row) -> None:
    """Prefect keeps 288 of them a day for each shop."""
    sync = worker.deployment("incremental-sync/shop-1")
    assert sync
    worker.completed(worker.start("incremental-sync/shop-1"))
    before = {run["id"] for run in worker.flow_runs(deployment_id={"any_": [sync["id"]]})}
    worker.sync_every("shop-1", 5)
    try:
        idle = {"deployment_id": {"any_": [sync["id"]]}, "state": {"name": {"any_": ["Completed"]}},
                "id": {"not_any_": list(before)}}  # fmt: skip
        runs = worker.become(lambda: worker.flow_runs(**idle), lambda runs: len(runs) > 1)
    finally:
        worker.sync_every("shop-1", 300)
    first = min(runs, key=lambda run: run["start_time"])
    assert first["auto_scheduled"]
    assert "nothing new" in first["state"]["message"]
    assert [task["name"] for task in worker.tasks(first["id"])] == ["fetch changes"]
    assert worker.artifacts(first["id"]) == []


def test_the_worker_serves_metrics(worker: Installation, imported: Row) -> None:
    ended = 'cartum_roapp_runs_total{run="initial-import",shop="shop-1",state="completed"}'
    assert f"{ended} 1.0\n" in worker.metrics().text
    assert worker.metrics("another token").status_code == 401
    printed = {one["name"] for one in worker.done("status", "shop-1")["shops"][0]["metrics"]}
    assert "cartum_roapp_lag_seconds" in printed
    assert [one for one in printed if f"\n{one}" not in worker.metrics().text] == []


def test_what_a_command_logs_is_json_where_that_is_wanted(worker: Installation, imported: Row) -> None:
    ended = worker.command("sync", "shop-1", CARTUM_ROAPP_LOG_FORMAT="json")
    lines = [json.loads(line) for line in ended.said.splitlines()]
    assert ended.code == 0
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))


def test_no_count_or_order_is_kept_as_a_result(worker: Installation, imported: Row) -> None:
    assert "data" not in imported["state"] or "delivered" not in str(imported["state"]["data"])
    kept = [path.read_bytes() for path in (worker.home / "prefect").rglob("storage/*")]
    assert not [text for text in kept if b"delivered" in text or b"shop-1" in text]


def test_the_schedule_begins_with_the_import(worker: Installation, imported: Row) -> None:
    found = {index: worker.deployment(f"incremental-sync/shop-{index}") for index in (1, 2)}
    assert [found[index]["schedules"][0]["active"] for index in (1, 2)] == [True, False]  # type: ignore[index]


def test_a_sync_that_a_person_starts_leaves_nothing_in_the_worker(
    worker: Installation, imported: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log is whole when it ends, as the page of a run that has ended asks for no more of it."""
    for name, value in {**variables(worker.config), "CARTUM_ROAPP_HOME": str(worker.home)}.items():
        monkeypatch.setenv(name, value)
    sync = worker.deployment("incremental-sync/shop-1")
    assert sync

    def synced() -> str:
        run = worker.ask(f"/deployments/{sync['id']}/create_flow_run", state={"type": "PENDING"})
        found = FlowRun.model_validate(run)
        asyncio.run(RunThread(own_flow(sync["entrypoint"]), found, is_short=True).run())
        assert "Beginning flow run" in worker.logs(run["id"])
        return str(run["id"])

    def kept() -> set[str]:
        gc.collect()
        contexts = [one for one in gc.get_objects() if type(one) is FlowRunContext]
        return {str(one.flow_run.id) for one in contexts if one.flow_run}

    with here(worker.config), ledger.shared(worker.engine.url.render_as_string(hide_password=False)):
        # Prefect's queues keep that of the run which began them, and the last run's thread may still be ending.
        first, *ids, last = [synced() for _ in range(4)]
        assert not kept() & set(ids)
    worker.completed(first, *ids, last)


@pytest.mark.long
def test_one_shop_does_not_wait_for_another(worker: Installation, imported: Row) -> None:
    with worker.held_up(SHOP):
        waiting = worker.start("incremental-sync/shop-1")
        worker.begun(waiting)
        worker.completed(worker.start("initial-import/shop-2"))
        assert worker.flow_run(waiting)["state_type"] == "RUNNING"
    worker.completed(waiting)


@pytest.mark.long
def test_a_shop_that_answers_slowly_stops_no_other_shop(worker: Installation, imported: Row) -> None:
    """More of its syncs were begun than the worker runs at once: one reads, the others wait for it."""
    worker.done("import", "shop-2")
    slow, number = worker.box.shops[SHOP].faults, worker.box.shops[OTHER].place_order()
    slow.latency = 15
    try:
        piled = [worker.start("incremental-sync/shop-1") for _ in range(PLACES[SYNCS] + 4)]
        worker.completed(worker.start("incremental-sync/shop-2"))
        assert len(worker.box.roapp.orders_by_marker()[f"{worker.key(OTHER)}:{number}"]) == 1
        assert "RUNNING" in worker.shop_states("shop-1"), "a sync still reads the slow shop"
    finally:
        slow.latency = 0
    worker.completed(*piled)


@pytest.mark.long
def test_a_used_up_quota_holds_up_the_import_alone(worker: Installation, imported: Row) -> None:
    """The import waits for an hour: neither the shop's syncs nor other shops wait with it."""
    shop = worker.box.shops[SHOP]
    shop.faults.hourly_quota = 0
    try:
        waiting = worker.start("initial-import/shop-1")
        worker.become(lambda: worker.logs(waiting), lambda log: "quota" in log)
        (skipped,) = worker.completed(worker.start("incremental-sync/shop-1"))
        assert skipped["state_name"] == "Skipped"
        assert "hourly quota of requests is used up until" in skipped["state"]["message"]
        (seen,) = [one for one in worker.done("status")["shops"] if one["shop"] == "shop-1"]
        assert "hourly quota" in seen["last_run"]["error"]
        assert datetime.fromisoformat(seen["last_success"]) < datetime.fromisoformat(seen["last_run"]["at"])
    finally:
        shop.faults.hourly_quota = None
    number = shop.place_order()
    worker.completed(worker.start("incremental-sync/shop-1"))
    assert len(worker.box.roapp.orders_by_marker()[f"{worker.key(SHOP)}:{number}"]) == 1
    assert worker.flow_run(waiting)["state_type"] == "RUNNING"
    worker.set_state(waiting, "CANCELLING")
    worker.state(waiting, "Cancelled")


def test_a_slip_is_refused_in_one_sentence_and_the_next_run_goes_its_way(worker: Installation, imported: Row) -> None:
    shop = {"shop": "shop-1"}
    slips: list[tuple[str, Row, str]] = [
        ("backfill", {"shops": ["shop-1"]}, "nothing is named"),
        ("backfill", {"numbers": ["1"]}, "no shop is named"),
        ("backfill", {"shops": ["nobody"], "numbers": ["1"]}, 'no shop "nobody"'),
        ("backfill", {"shops": ["shop-1"], "created_from": "2026-02-02", "created_to": "2026-02-01"},
         "from: the first day lies after the last. Fix: Swap the two days."),
        ("replay-held", shop, "nothing is named"),
        ("replay-held", {**shop, "code": "refuse"}, "Did you mean refused?"),
        ("replay-held", {**shop, "all_held": True, "limit": 0}, "limit: 0 is less than 1"),
        ("resend-orders", {**shop, "numbers": ["abc"]}, "no order number"),
        ("replay-held", {**shop, "ids": ["nobody"]}, "nothing of that id is held"),
        ("replay-held", {}, "shop: is empty. Fix: Fill it in."),
        ("resend-orders", shop, "numbers: no order is named. Fix: Name orders, or all of them (`--all`)."),
    ]  # fmt: skip
    ended = worker.ended(*[worker.start(f"{flow}/{flow}", **typed) for flow, typed, _ in slips])
    for run, (_, _, said) in zip(ended, slips, strict=True):
        assert (run["state_type"], run["state_name"]) == ("CANCELLED", "Refused"), (said, run["state"]["message"])
        assert said in run["state"]["message"]
        assert "Traceback" not in worker.logs(run["id"])
    number = next(iter(worker.box.shops[SHOP].orders))
    plan = worker.start("backfill/backfill", shops=["shop-1"], numbers=[number])
    assert worker.completed(plan)[0]["name"] == f"shop-1: backfill orders {number}, dry run"
    (shown,) = [one for one in worker.artifacts(plan) if one["type"] == "markdown"]
    assert "nothing was sent" in shown["data"]
    assert f"| [{number}](" in shown["data"]
    # A slip in a backfill says nothing about the shop.
    assert worker.value("SELECT paused_because FROM shops WHERE slug = 'shop-1'") is None


def test_a_run_is_canceled_in_the_ui(worker: Installation, imported: Row) -> None:
    sync = worker.only_by_hand("shop-1")  # else the schedule's run may be there first, and this one has nothing to do
    with worker.held_up(SHOP):
        id = worker.start("incremental-sync/shop-1")
        worker.begun(id)
        worker.set_state(id, "CANCELLING")
        worker.state(id, "Cancelled")
    worker.prefect.post(f"/deployments/{sync}/resume_deployment").raise_for_status()
    assert worker.value("SELECT finished_at FROM runs WHERE id = :id", id=id) is not None
    states = worker.prefect.get("/flow_run_states/", params={"flow_run_id": id}).raise_for_status().json()
    last = [one["name"] for one in sorted(states, key=lambda one: one["timestamp"])][-2:]
    assert last == ["Cancelling", "Cancelled"], "a page that is open stays at the first state that is final"


def test_the_form_of_a_backfill_offers_shops_and_statuses_by_name(worker: Installation, imported: Row) -> None:
    form = worker.become(
        lambda: worker.deployment("backfill/backfill"), lambda found: bool(found and _choices(found, "statuses"))
    )
    assert form is not None
    assert (_choices(form, "shops"), form["parameters"]) == (["shop-1", "shop-2"], {"dry_run": True})
    assert {"Нове", "Доставлене"} <= set(_choices(form, "statuses"))
    fields = form["parameter_openapi_schema"]["properties"]
    titles = ["Shops", "From", "To", "Status", "Order numbers (ids)", "Dry run"]
    assert [one["title"] for one in sorted(fields.values(), key=lambda one: int(one["position"]))] == titles
    assert [fields[name]["format"] for name in ("created_from", "created_to")] == ["date", "date"]
    assert all(one["description"] and "`" not in one["description"] for one in fields.values())


def _choices(deployment: Row, parameter: str) -> list[str]:
    return list(deployment["parameter_openapi_schema"]["properties"][parameter].get("items", {}).get("enum", ()))


def test_a_backfill_that_is_canceled_in_the_ui_empties_its_queue(worker: Installation, imported: Row) -> None:
    shop = worker.box.shops[SHOP]
    number = shop.place_order(created=datetime.now(UTC) - timedelta(days=90), status=3)
    with database.locked(worker.engine, "account:main"):  # nobody delivers
        id = worker.start("backfill/backfill", shops=["shop-1"], numbers=[number], dry_run=False)
        worker.become(lambda: worker.value("SELECT count(*) FROM backfills WHERE stored_at IS NOT NULL"), bool)
        (one,) = worker.done("backfill", "list")
        assert (one["shop"], one["what"], one["state"]) == ("shop-1", f"orders {number}", "delivering")
        assert (one["read"], one["waiting"], one["expected_end"]) == (1, 1, None)
        worker.set_state(id, "CANCELLING")
        worker.state(id, "Cancelled")
    (ended,) = backfills.listed(worker.engine, worker.key(SHOP))
    assert (ended.state, ended.waiting, ended.counts["taken_out"]) == ("canceled", 0, 1)
    (summary,) = [one["data"] for one in worker.artifacts(id) if "summary" in one["description"]]
    assert summary.startswith("**canceled, 1 taken out of the queue: 1 new")
    assert worker.value("SELECT count(*) FROM outbox WHERE wanted_version > delivered_version AND NOT held") == 0


@pytest.mark.long
def test_a_backfill_that_was_typed_is_canceled_in_the_ui_too(worker: Installation, imported: Row) -> None:
    number = worker.box.shops[SHOP].place_order(created=datetime.now(UTC) - timedelta(days=91), status=3)
    with database.locked(worker.engine, "account:main"):  # nobody delivers
        typed = worker.shell.start("backfill", "shop-1", "--ids", number)
        (one,) = worker.become(
            lambda: worker.flow_runs(
                name={"any_": [f"shop-1: backfill orders {number}"]}, state={"type": {"any_": ["RUNNING"]}}
            ),
            bool,
        )
        worker.become(
            lambda: [one.waiting for one in backfills.listed(worker.engine, worker.key(SHOP))][:1],
            lambda now: now == [1],
        )
        worker.set_state(one["id"], "CANCELLING")
        assert typed.wait(60) == 1
        document = json.loads(typed.communicate()[0])
    assert document["error"]["kind"] == "canceled"
    assert worker.flow_run(one["id"])["state_name"] == "Cancelled"
    ended = backfills.listed(worker.engine, worker.key(SHOP))[0]
    assert (ended.state, ended.waiting, ended.counts["taken_out"]) == ("canceled", 0, 1)


def test_each_of_several_shops_gets_a_run_of_its_own(worker: Installation, imported: Row) -> None:
    id = worker.start("backfill/backfill", shops=["shop-1", "shop-2"], numbers=["999999"], dry_run=False)
    worker.completed(id)
    keys = {"any_": [f"{id}: {slug}" for slug in ("shop-1", "shop-2")]}
    started = worker.completed(*[run["id"] for run in worker.flow_runs(idempotency_key=keys)])
    assert {run["name"].partition(":")[0] for run in started} == {"shop-1", "shop-2"}


@pytest.mark.long
def test_a_backfill_that_was_canceled_while_its_worker_was_killed_stays_canceled(
    worker: Installation, imported: Row
) -> None:
    before = worker.worker()
    number = worker.box.shops[SHOP].place_order(created=datetime.now(UTC) - timedelta(days=92), status=3)
    with database.locked(worker.engine, "account:main"):  # nobody delivers
        id = worker.start("backfill/backfill", shops=["shop-1"], numbers=[number], dry_run=False)
        worker.become(lambda: [one.waiting for one in backfills.listed(worker.engine)][:1], lambda now: now == [1])
        before.signal(signal.SIGSTOP)  # the machine hangs, or goes down
        worker.set_state(id, "CANCELLING")
        before.signal(signal.SIGKILL)
        worker.next_worker(before)
        worker.state(id, "Cancelled")
        # What is started again is so before the worker takes its first run.
        worker.completed(worker.start("backfill/backfill", shops=["shop-1"], numbers=["999998"], dry_run=True))
        assert worker.flow_runs(idempotency_key={"any_": [f"goes on: {id}"]}) == []
        ended = next(one for one in backfills.listed(worker.engine) if one.selection["numbers"] == [number])
    assert (ended.state, ended.waiting, ended.counts["taken_out"]) == ("canceled", 0, 1)


@pytest.mark.long
def test_runs_that_wait_for_another_hold_no_place(worker: Installation, imported: Row) -> None:
    old = datetime.now(UTC) - timedelta(days=93)
    numbers = [worker.box.shops[SHOP].place_order(created=old, status=3) for _ in range(PLACES[IMPORTS])]
    with database.locked(worker.engine, "account:main"):  # another run delivers
        piled = [worker.start("backfill/backfill", shops=["shop-1"], numbers=[one], dry_run=False) for one in numbers]
        waiting = "SELECT count(*) FROM backfills WHERE stored_at IS NOT NULL AND ended_at IS NULL"
        worker.become(lambda: worker.value(waiting), lambda count: count == len(numbers))
        worker.completed(worker.start("backfill/backfill", shops=["shop-2"], numbers=["999997"], dry_run=True))
        assert worker.value(waiting) == len(numbers)
    worker.completed(*piled)


@pytest.mark.long
def test_several_shops_are_typed_at_once(worker: Installation, imported: Row) -> None:
    ended = worker.command("backfill", "shop-1", "shop-2", "--ids", "999999", "--status", "Доставлене")
    assert [one["not_in_shop"] for one in ended.document] == [["999999"]] * 2
    refused = worker.command("backfill", "shop-1", "shop-2", "--ids", "1", "--status", "Gone")
    assert (refused.code, refused.document["error"]["fields"][0]["field"]) == (2, "status")
    assert "it has 1 Нове, 2 В обробці, 3 Доставлене" in refused.said


def test_a_failed_run_can_be_retried_in_the_ui(worker: Installation, imported: Row) -> None:
    id = worker.start("backfill/backfill", shops=["shop-1"], numbers=["1"])
    worker.ended(id)
    worker.ask(f"/flow_runs/{id}/set_state", state={"type": "SCHEDULED", "name": "AwaitingRetry"}, force=True)
    worker.become(lambda: worker.flow_run(id), lambda run: bool(run["run_count"] == 2))
    worker.completed(id)


def of_long_runs(worker: Installation) -> list[psutil.Process]:
    """The processes of the worker's long runs."""
    around = psutil.Process(worker.worker().pid).children(recursive=True)
    return [one for one in around if (parent := one.parent()) is not None and parent in around]


@pytest.mark.long
def test_a_long_run_that_burns_or_leaks_harms_no_other_shop_and_goes_on(worker: Installation, imported: Row) -> None:
    """It is in a process of its own. A stopped one answers to nothing, as one that burns a core; a killed one is what
    the kernel leaves of one that leaks."""
    worker.done("import", "shop-2")
    with worker.held_up(SHOP):
        stuck = worker.start("initial-import/shop-1")
        worker.begun(stuck)
        (process,) = of_long_runs(worker)
        score = Path(f"/proc/{process.pid}/oom_score_adj").read_text()
        assert int(score) == 500, "where memory is short the worker ends before the run"
        process.suspend()
        number = worker.box.shops[OTHER].place_order()
        worker.completed(worker.start("incremental-sync/shop-2"))
        arrived(worker, OTHER, number)
        process.kill()
        (new,) = worker.become(
            lambda: worker.flow_runs(idempotency_key={"any_": [f"goes on: {stuck}"]}), lambda found: len(found) == 1
        )
        worker.state(stuck, "Crashed")
    worker.completed(new["id"])
    worker.become(lambda: of_long_runs(worker), lambda found: not found)


@pytest.mark.long
def test_a_long_run_that_answers_to_nothing_is_canceled_all_the_same(worker: Installation, imported: Row) -> None:
    with worker.held_up(SHOP):
        stuck = worker.start("initial-import/shop-1")
        worker.begun(stuck)
        (process,) = of_long_runs(worker)
        process.suspend()
        worker.set_state(stuck, "CANCELLING")
        worker.state(stuck, "Cancelled")
        assert not process.is_running()


@pytest.mark.long
def test_a_long_run_whose_process_alone_is_ended_goes_on(worker: Installation, imported: Row) -> None:
    with worker.held_up(SHOP):
        ended = worker.start("initial-import/shop-1")
        worker.begun(ended)
        (process,) = of_long_runs(worker)
        process.terminate()
        (new,) = worker.become(
            lambda: worker.flow_runs(idempotency_key={"any_": [f"goes on: {ended}"]}), lambda found: len(found) == 1
        )
    worker.completed(new["id"])


@pytest.mark.long
@pytest.mark.parametrize("whom", ["the worker", "all of its processes"])
def test_a_stopped_worker_hands_its_runs_to_the_next_one(worker: Installation, imported: Row, whom: str) -> None:
    """systemd ends all processes of a service at the same time."""
    before = worker.worker()
    with worker.held_up(SHOP):
        id = worker.start("initial-import/shop-1")
        worker.begun(id)
        around = psutil.Process(before.pid).children(recursive=True) if whom != "the worker" else []
        for process in around:
            process.terminate()
        before.signal(signal.SIGTERM)
        assert before.wait(20)
        states = worker.prefect.get("/flow_run_states/", params={"flow_run_id": id}).json()
        assert "AwaitingRetry" in names(states)
        assert whom != "the worker" or "Crashed" not in names(states), "people are alerted to that"
    worker.next_worker(before)
    worker.completed(id)


@pytest.mark.long
def test_runs_of_a_killed_worker_are_marked_and_the_living_are_left(worker: Installation, imported: Row) -> None:
    before = worker.worker()
    with worker.held_up(SHOP):
        lost = worker.start("initial-import/shop-1")
        worker.begun(lost)
        os.kill(before.pid, signal.SIGKILL)
        assert before.wait(10)
        unseen, living = (worker.start("backfill/backfill", shops=["shop-1"], numbers=["1"]) for _ in range(2))
        labels = {"prefect.worker.name": worker.flow_run(lost)["labels"]["prefect.worker.name"]}
        for id in (unseen, living):
            worker.set_state(id, "PENDING")
            worker.prefect.patch(f"/flow_runs/{id}/labels", json=labels).raise_for_status()
        with runs.alive(worker.engine, living):
            worker.next_worker(before)
            assert [run["state_name"] for run in worker.ended(lost, unseen)] == ["Crashed", "Crashed"]
            assert worker.flow_run(living)["state_type"] == "PENDING"
            worker.set_state(living, "CANCELLED")
        assert {task["state_type"] for task in worker.tasks(lost)} <= {"COMPLETED", "CRASHED"}
    assert worker.value("SELECT state FROM runs WHERE id = :id", id=lost) == "crashed"
    new = worker.become(
        lambda: worker.flow_runs(tags={"all_": ["shop:shop-1"]}, idempotency_key={"any_": [f"goes on: {lost}"]}), bool
    )
    worker.completed(new[0]["id"])


@pytest.mark.long
def test_what_is_old_is_removed_of_a_paused_shop_too(worker: Installation, imported: Row) -> None:
    number = worker.box.shops[SHOP].place_order(status=2)
    worker.done("sync", "shop-1")
    worker.box.shops[SHOP].set_status(number, 4)
    worker.done("sync", "shop-1")
    worker.done("shop", "edit", "shop-1", "--set", "retention_days=90")
    worker.done("shop", "pause", "shop-1")
    mine, named = "shop = :shop AND number = :number", {"shop": worker.key(SHOP), "number": number}
    try:
        with worker.engine.begin() as connection:
            long_ago = "created_at = created_at - interval '91 days', final_since = final_since - interval '91 days'"
            connection.execute(text(f"UPDATE orders SET {long_ago} WHERE {mine}"), named)
            connection.execute(text("UPDATE shops SET retention_days = NULL"))  # its block was edited since
        with here(worker.config):
            asyncio.run(serve.remove_old(worker.engine))
        assert worker.value(f"SELECT erased_at IS NOT NULL FROM orders WHERE {mine}", **named)
    finally:
        worker.done("shop", "resume", "shop-1")


@pytest.mark.long
def test_a_run_that_is_tried_again_is_not_taken_for_dead_before_it_begins(worker: Installation, imported: Row) -> None:
    """The ledger knows its first try alone."""
    deployment = worker.deployment("reconcile/shop-1")
    assert deployment
    path = f"/deployments/{deployment['id']}/create_flow_run"
    *begin, dead = [worker.ask(path, state={"type": kind})["id"] for kind in ("PENDING", "RUNNING", "RUNNING")]
    ago = {**dict.fromkeys(begin, timedelta(hours=1)), dead: timedelta(0)}
    with worker.engine.begin() as connection:
        tried = "INSERT INTO runs (id, shop, kind, started_at) VALUES (:id, :shop, 'reconcile', now() - :ago)"
        shop = worker.key(SHOP)
        connection.execute(text(tried), [{"id": id, "shop": shop, "ago": age} for id, age in ago.items()])
    with here(worker.config):
        asyncio.run(crashed.end_killed(worker.engine))
    assert [worker.flow_run(id)["state_name"] for id in ago] == ["Pending", "Running", "Crashed"]
    for id in begin:
        worker.set_state(id, "CANCELLED")
    (new,) = worker.flow_runs(idempotency_key={"any_": [f"goes on: {dead}"]})
    worker.completed(new["id"])  # it has a place until then


@pytest.mark.long
def test_runs_for_which_a_worker_has_no_place_are_left_to_others(worker: Installation, imported: Row) -> None:
    """Nor do they hide the runs of another queue."""
    roapp, places = worker.box.roapp.faults, PLACES[NIGHTS]
    roapp.latency = 30
    try:
        piled = [worker.start("reconcile/shop-1") for _ in range(places + 2)]
        worker.become(lambda: _states(worker, piled)["RUNNING"], lambda count: count == places)
        worker.completed(worker.start("incremental-sync/shop-1"))
        assert _states(worker, piled) == {"RUNNING": places, "SCHEDULED": 2}
    finally:
        roapp.latency = 0
    worker.completed(*piled)


@pytest.mark.long
def test_a_backlog_of_syncs_hides_no_night(
    worker: Installation, imported: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of Prefect's server has 200 runs. This worker polls once, and again when places become free."""
    for name, value in {**variables(worker.config), "CARTUM_ROAPP_HOME": str(worker.home)}.items():
        monkeypatch.setenv(name, value)
    own, sync = worker.worker(), worker.deployment("incremental-sync/shop-1")
    own.signal(signal.SIGSTOP)
    try:
        assert sync
        late = {
            "type": "SCHEDULED",
            "state_details": {"scheduled_time": (datetime.now(UTC) - timedelta(hours=1)).isoformat()},
        }
        path = f"/deployments/{sync['id']}/create_flow_run"
        syncs = [worker.ask(path, state=late)["id"] for _ in range(201 + PLACES[SYNCS])]
        night = worker.start("reconcile/shop-1")

        async def polling_once() -> None:
            another = InProcessWorker(work_pool_name="cartum-roapp", name="polls once")
            polling = asyncio.create_task(another.start())
            await asyncio.to_thread(worker.completed, night)
            done = 2 * PLACES[SYNCS]
            await asyncio.to_thread(
                worker.become, lambda: _states(worker, syncs)["COMPLETED"], lambda count: count > done
            )
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            await another.close(60)

        with here(worker.config), temporary_settings({PREFECT_WORKER_QUERY_SECONDS: 600}):
            asyncio.run(polling_once())
        for id in syncs:
            worker.prefect.delete(f"/flow_runs/{id}").raise_for_status()
    finally:
        own.signal(signal.SIGCONT)


def _states(worker: Installation, runs: list[str]) -> Counter[str]:
    return Counter(run["state_type"] for run in worker.flow_runs(id={"any_": runs}))


@pytest.mark.long
def test_an_import_goes_on_after_its_locks_were_lost(worker: Installation, imported: Row) -> None:
    """The connection to PostgreSQL broke while it read the shop, or PostgreSQL was restarted."""
    shop = worker.box.shops[SHOP].faults
    shop.latency = 5
    try:
        id = worker.start("initial-import/shop-1")
        worker.begun(id)
        named = f"{LOCKS} AND (classid::bigint << 32 | objid::bigint) = hashtextextended(:name, 0)"
        worker.become(lambda: worker.value(f"SELECT count(*) {named}", name=f"reading:{worker.key(SHOP)}"), bool)
        assert worker.value(f"SELECT bool_and(pg_terminate_backend(pid)) {LOCKS}")
        worker.become(lambda: runs.is_alive(worker.engine, id), lambda alive: not alive)
        shop.latency = 1
        worker.become(lambda: runs.is_alive(worker.engine, id), bool)
        assert worker.flow_run(id)["state_name"] == "Running"
    finally:
        shop.latency = 0
    worker.completed(id)
    assert "the lock of this shop" in worker.logs(id)


@pytest.mark.long
def test_an_import_that_failed_is_begun_again(worker: Installation, imported: Row) -> None:
    """The shop was away for longer than a run waits for it; no schedule would repeat an import."""
    shop = worker.box.shops[SHOP].faults
    shop.fail("error", 1000, path="^orders/get$")
    try:
        id = worker.start("initial-import/shop-1")
        worker.state(id, "Failed", seconds=120)
    finally:
        shop.calm()

    def begun_again() -> list[str]:
        with here(worker.config):
            asyncio.run(serve.sweep(worker.engine, (), 600))
        found = worker.flow_runs(deployment_id={"any_": [worker.flow_run(id)["deployment_id"]]})
        return [run["id"] for run in found if run["created"] > worker.flow_run(id)["created"]]

    assert begun_again() == []
    with worker.engine.begin() as connection:  # for five minutes nothing else was read
        ago = "UPDATE runs SET finished_at = now() - interval '6 minutes' WHERE id = :id"
        connection.execute(text(ago), {"id": id})
        later = text("DELETE FROM runs WHERE kind = 'incremental-sync' AND shop = :shop")
        connection.execute(later, {"shop": worker.key(SHOP)})
    (again,) = begun_again()
    assert begun_again() == [again]
    worker.completed(again)
    assert begun_again() == [again]


@pytest.mark.long
def test_a_run_that_is_canceled_when_it_has_a_place_does_not_begin(worker: Installation, imported: Row) -> None:
    due = datetime.now(UTC) + timedelta(seconds=8)
    id = worker.start("reconcile/shop-1", at=due)
    worker.state(id, "Pending")
    worker.set_state(id, "CANCELLING")
    worker.state(id, "Cancelled")
    worker.completed(worker.start("reconcile/shop-1", at=due + timedelta(seconds=1)))
    assert worker.flow_run(id)["state_name"] == "Cancelled"
    assert worker.value("SELECT count(*) FROM runs WHERE id = :id", id=id) == 0


def away(worker: Installation, slug: str) -> list[str]:
    """The shop was read two hours ago: the runs that were due since, the last one last."""
    now = datetime.now(UTC)
    with worker.engine.begin() as connection:
        back = text("UPDATE shops SET watermark = :then WHERE slug = :slug")
        connection.execute(back, {"slug": slug, "then": now - timedelta(hours=2, minutes=3)})
    return [worker.start(f"incremental-sync/{slug}", at=now - timedelta(minutes=5 * age)) for age in range(24, 0, -1)]


def _as_scheduled(worker: Installation, ids: list[str]) -> None:
    """Their schedules have planned these runs, and nobody has started them."""
    engine = create_engine(worker.engine.url.set(database="prefect"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE flow_run SET auto_scheduled = true WHERE id::text = ANY(:ids)"), {"ids": ids})
    engine.dispose()


def arrived(worker: Installation, index: int, number: str) -> None:
    """Where the schedule's own sync was due meanwhile, the others had nothing to do, and it may still deliver. Where it
    had read the shop just before the order was placed, its next one brings it."""
    marker = f"{worker.key(index)}:{number}"
    found = worker.become(lambda: worker.box.roapp.orders_by_marker().get(marker, []), bool, seconds=400)
    assert len(found) == 1


@pytest.mark.long
def test_after_two_hours_without_a_worker_each_shop_catches_up_with_one_run(
    worker: Installation, imported: Row
) -> None:
    slugs = {SHOP: "shop-1", OTHER: "shop-2"}
    worker.done("import", "shop-2")
    before = worker.worker()
    before.signal(signal.SIGSTOP)
    placed = {index: worker.box.shops[index].place_order() for index in slugs}
    piles = {index: away(worker, slug) for index, slug in slugs.items()}
    nights = [worker.start("reconcile/shop-1", at=datetime.now(UTC) - timedelta(days=age)) for age in (3, 2, 1)]
    _as_scheduled(worker, [*nights, *(id for pile in piles.values() for id in pile)])
    by_hand = worker.start("reconcile/shop-1", at=datetime.now(UTC) - timedelta(days=2), everything=True)
    before.signal(signal.SIGKILL)
    worker.next_worker(before)
    for index, pile in piles.items():
        *canceled, last = worker.ended(*pile)
        assert {(run["state_type"], run["state"]["message"]) for run in canceled} == {
            ("CANCELLED", "It is late, and a later run reads the same.")
        }
        assert last["state_type"] == "COMPLETED"
        assert worker.value("SELECT count(*) FROM runs WHERE id = ANY(:pile)", pile=pile) == 1
        arrived(worker, index, placed[index])
    assert [run["state_type"] for run in worker.ended(*nights)] == ["CANCELLED"] * 2 + ["COMPLETED"]
    worker.completed(by_hand)


@pytest.mark.long
def test_of_late_runs_that_a_worker_takes_at_once_one_reads(worker: Installation, imported: Row) -> None:
    """As where a machine slept: its worker goes on, and takes all of them."""
    number = worker.box.shops[SHOP].place_order()
    late = away(worker, "shop-1")
    worker.completed(*late)
    calls = [worker.value("SELECT (counts->>'calls')::int FROM runs WHERE id = :id", id=id) for id in late]
    assert sum(made > 0 for made in calls) <= 1, calls  # none where the schedule's own run was due meanwhile
    arrived(worker, SHOP, number)


@pytest.mark.long
def test_up_lasts_whoever_is_killed(worker: Installation, imported: Row) -> None:
    """The supervisor starts a killed worker again, and the worker a killed supervisor; nobody types anything."""
    before = worker.worker()
    before.signal(signal.SIGKILL)
    after = worker.next_worker(before)
    supervisor = Process.named(worker.config, "supervisor")
    supervisor.signal(signal.SIGKILL)
    worker.next_worker(after)
    assert Process.named(worker.config, "supervisor") != supervisor
    worker.completed(worker.start("incremental-sync/shop-1"))


def test_up_again_changes_nothing(worker: Installation, imported: Row) -> None:
    before = worker.worker()
    again = worker.done("up")
    assert again["worker"] == "was running"
    assert again["ui"].startswith("http://127.0.0.1:")
    assert worker.worker() == before
    known = worker.ask("/work_pools/cartum-roapp/workers/filter")  # a killed one stays there for a while
    assert [one["status"] for one in known].count("ONLINE") == 1
