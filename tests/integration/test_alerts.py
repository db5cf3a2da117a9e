"""People are told when a run fails, no sync succeeds, or more records are held; by any notification block."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from inbox import Inbox
from installation import Installation, Row
from jinja2 import Template
from processes import Process
from sqlalchemy import create_engine, text
from warm import warm

SLUG, INDEX = "shop-4", 3
FAILED, SILENT, HELD = (
    f"{SLUG}: {what}" for what in ("a run failed", "no success for 15 minutes", "held records grew")
)
GONE = "cartum-roapp: the worker is gone"
CHOSEN = {"block": "custom-webhook/ops", "test": {"arrived": True, "answer": "HTTP 200 OK"}}


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    yield inbox
    inbox.server.shutdown()


@pytest.fixture(scope="module")
def told(installation: Installation, inbox: Inbox) -> Iterator[Installation]:
    """A connected shop, and a block that a person saved on the Blocks page."""
    slug = "custom-webhook"
    kind = installation.prefect.get(f"/block_types/slug/{slug}").raise_for_status().json()["id"]
    (schema, *_) = installation.ask("/block_schemas/filter", block_schemas={"block_type_id": {"any_": [kind]}})
    data = {"name": "ops", "url": inbox.url, "json_data": {"subject": "{{subject}}", "text": "{{body}}"}}
    installation.ask("/block_documents/", name="ops", data=data, block_type_id=kind, block_schema_id=schema["id"])
    installation.connect(INDEX)
    yield installation
    installation.done("alerts", "--off")
    assert installation.command("shop", "delete", SLUG, "--yes", "--purge").code in (0, 2)


@pytest.fixture
def watched(told: Installation) -> Installation:
    """The shop, with people told through that block."""
    assert told.done("alerts", "custom-webhook/ops") == CHOSEN
    return told


def automations(installation: Installation) -> dict[str, Row]:
    found = installation.ask("/automations/filter", automations={"name": {"any_": [FAILED, SILENT, HELD, GONE]}})
    return {one["name"]: one for one in found}


def sooner(installation: Installation, name: str) -> None:
    """This automation waits for ten seconds only, the shortest time that Prefect takes."""
    found = automations(installation)[name]
    quick = {one: found[one] for one in ("name", "description", "enabled", "tags", "trigger", "actions")}
    quick["trigger"] = {**quick["trigger"], "within": 10}
    installation.prefect.put(f"/automations/{found['id']}", json=quick).raise_for_status()


def others(installation: Installation) -> bool:
    """Whether another file's shop is connected and not paused."""
    query = "SELECT count(*) FROM shops WHERE slug <> :slug AND deleted_at IS NULL AND paused_because IS NULL"
    return bool(installation.value(query, slug=SLUG))


@pytest.mark.parametrize(
    ("block", "why"), [("slack-webhook/nobody", "there is no block"), ("ro-app-account/main", "sends no notifications")]
)
def test_a_block_that_can_not_tell_anybody_is_refused(told: Installation, block: str, why: str) -> None:
    ended = told.command("alerts", block)
    assert ended.code == 2
    (field,) = ended.document["error"]["fields"]
    assert field["field"] == "block" and why in field["message"]
    assert told.done("alerts") == {"block": None}


def test_each_shop_has_its_automations_while_people_are_told(told: Installation) -> None:
    assert automations(told) == {}
    told.done("alerts", "custom-webhook/ops")
    assert {name: one["enabled"] for name, one in automations(told).items()} == {
        FAILED: True, SILENT: True, HELD: True, GONE: True,
    }  # fmt: skip
    before = automations(told)
    told.done("alerts", "custom-webhook/ops")
    assert automations(told) == before, "an update would forget what the trigger has seen"
    told.done("alerts", "--off")
    assert automations(told) == {}


def test_a_test_message_says_whether_it_arrived(told: Installation, inbox: Inbox) -> None:
    """A block that it does not go through is not chosen; later `--test` sends another."""
    before = len(inbox.about("a test"))
    inbox.closed = True
    ended = told.command("alerts", "custom-webhook/ops")
    (field,) = ended.document["error"]["fields"]
    assert ended.code == 1
    assert (
        field["message"]
        == "the test message did not arrive: its server answered HTTP 404 Not Found, no channel for ••• of •••"
    )
    assert "Blocks page" in field["fix"]
    assert told.done("alerts") == {"block": None}

    inbox.closed = False
    assert told.done("alerts", "custom-webhook/ops") == CHOSEN
    assert inbox.about("a test")[before:] == ["Messages about runs and held records will arrive here."]
    assert told.done("alerts") == {"block": "custom-webhook/ops"}
    assert told.done("alerts", "--test") == CHOSEN
    assert len(inbox.about("a test")) == before + 2

    inbox.closed = True
    ended = told.command("alerts", "--test")
    inbox.closed = False
    assert (ended.code, told.done("alerts")) == (1, {"block": "custom-webhook/ops"})
    told.done("alerts", "--off")
    assert told.command("alerts", "--test").code == 2


def test_a_shop_whose_name_looks_like_a_template_is_named_in_messages(told: Installation) -> None:
    name = "{{ secrets }} {% raw %} {# Ї #}"
    told.done("alerts", "custom-webhook/ops")
    told.done("shop", "edit", SLUG, "--set", f'name="{name}"')
    subject = automations(told)[FAILED]["actions"][0]["subject"]
    assert Template(subject).render() == f"{name}: a run failed"


@pytest.mark.long
def test_each_kind_of_message_arrives(watched: Installation, inbox: Inbox) -> None:
    shop = watched.box.shops[INDEX]
    watched.done("import", SLUG)
    watched.only_by_hand(SLUG)
    sooner(watched, SILENT)
    shop.edit(shop.place_order(), total_sum="not a sum")
    assert watched.done("sync", SLUG)["held"] == 1
    (message,) = watched.become(lambda: inbox.about("held records grew"), bool)
    assert message.startswith("1 more, 1 in all.") and f"held list {SLUG}" in message
    assert message.endswith(f"\nThe shop: {watched.done('ui')['console']}/shops/{SLUG}")
    (message,) = watched.become(lambda: inbox.about("no success for 15 minutes"), bool)
    assert "Is the worker there?" in message and f"{SLUG}: sync: Completed." in message

    password = shop.password
    shop.change_password("another")
    shop.revoke_tokens()
    assert watched.command("sync", SLUG).code == 1
    (message,) = watched.become(lambda: inbox.about("a run failed"), bool)
    assert f"{SLUG}: sync: Failed." in message and "/runs/flow-run/" in message
    assert password not in message
    assert len(inbox.about("no success for 15 minutes")) == 1, "until a sync succeeds"
    shop.change_password(password)
    watched.done("sync", SLUG)
    assert len(inbox.about("held records grew")) == 1, "what was held before is no news"


def test_a_run_that_is_started_in_the_ui_and_fails_is_told_once(told: Installation, inbox: Inbox) -> None:
    """Such a run is of a deployment of no shop, and gets its shop's tag only when it has begun."""
    told.done("alerts", "--off")  # whatever the automations have told already
    told.done("alerts", "custom-webhook/ops")
    told.done("shop", "edit", SLUG, "--set", "name=Верба")
    shop = told.box.shops[INDEX]
    before, password = len(inbox.messages), shop.password
    shop.change_password("another")
    shop.revoke_tokens()
    try:
        run = told.start("backfill/backfill", shops=[SLUG], numbers=["1"], dry_run=False)
        (ended,) = told.ended(run)
        assert ended["state_type"] == "FAILED", ended["state"]["message"]
        told.become(lambda: inbox.messages[before:], bool)
    finally:
        shop.change_password(password)
        told.done("shop", "resume", SLUG)
    ((subject, text),) = inbox.messages[before:]
    assert subject == "Верба: a run failed"
    assert f"{SLUG}: backfill orders 1: Failed." in text and text.endswith(f"/runs/flow-run/{run}")


@pytest.mark.long
def test_a_worker_that_is_gone_is_missed_and_one_that_comes_back_soon_is_not(
    watched: Installation, inbox: Inbox
) -> None:
    """Prefect's server is told of the worker by its heartbeats alone, whatever ended it."""
    sooner(watched, GONE)
    before = watched.worker()
    before.signal(signal.SIGKILL)
    watched.next_worker(before)
    assert not inbox.about("the worker is gone")

    supervisor = Process.named(watched.config, "supervisor")
    supervisor.signal(signal.SIGSTOP)  # else it starts the next one
    last = watched.worker()
    last.signal(signal.SIGKILL)
    try:
        (message,) = watched.become(lambda: inbox.about("the worker is gone"), bool, 120)
        assert watched.done("status")["worker"] == "stopped"
        assert "`cartum-roapp up`" in message and "/work-pools/work-pool/cartum-roapp" in message
        watched.done("alerts", "custom-webhook/ops")
    finally:
        supervisor.signal(signal.SIGCONT)
    watched.next_worker(last)
    (pool,) = watched.become(
        lambda: watched.ask("/work_pools/filter"), lambda pools: [one["status"] for one in pools] == ["READY"], 60
    )
    assert len(inbox.about("the worker is gone")) == 1, pool


def test_a_shop_that_stands_still_is_not_missed(watched: Installation) -> None:
    """Nor is the worker, where no shop is left that it is for."""
    watched.done("shop", "pause", SLUG)
    assert {name: one["enabled"] for name, one in automations(watched).items()} == {
        FAILED: True, SILENT: False, HELD: True, GONE: others(watched),
    }  # fmt: skip
    watched.done("shop", "resume", SLUG)
    assert automations(watched)[SILENT]["enabled"] and automations(watched)[GONE]["enabled"]


def due(installation: Installation) -> Row:
    """A sync as the schedule begins it, once it is over."""
    # The worker takes a run ten seconds before its time: by then it is the schedule's.
    id = installation.start(f"incremental-sync/{SLUG}", at=datetime.now(UTC) + timedelta(seconds=13))
    prefect = create_engine(installation.engine.url.set(database="prefect"))
    with prefect.begin() as connection:
        connection.execute(text("UPDATE flow_run SET auto_scheduled = true WHERE id = :id"), {"id": id})
    prefect.dispose()
    return installation.ended(id)[0]


@pytest.mark.long
def test_a_shop_that_is_refused_is_told_at_the_third_time_in_a_row(told: Installation, inbox: Inbox) -> None:
    """Its schedule stays switched on, and it goes on by itself."""
    told.done("import", SLUG)
    told.only_by_hand(SLUG)
    told.done("alerts", "--off")  # whatever the automations have told already
    told.done("alerts", "custom-webhook/ops")
    shop, before = told.box.shops[INDEX], len(inbox.about("a run failed"))
    password = shop.password
    shop.change_password("another")
    shop.revoke_tokens()
    try:
        for state in ("Put off", "Put off", "Failed"):
            ended = due(told)
            assert (ended["state_type"], ended["state_name"]) == ("FAILED", state)
            assert "the shop refuses login and password" in ended["state"]["message"]
            assert "Tried again at" in ended["state"]["message"]
            early = due(told)
            assert (early["state_type"], early["state_name"]) == ("COMPLETED", "Skipped")
            with told.engine.begin() as connection:
                hour = ", ".join(f"{one} = {one} - interval '1 hour'" for one in ("started_at", "finished_at"))
                connection.exec_driver_sql(f"UPDATE runs SET {hour}")
        (message,) = told.become(lambda: inbox.about("a run failed")[before:], bool)
        assert f"{SLUG}: sync: Failed." in message and ended["id"] in message
    finally:
        shop.change_password(password)
    number = shop.place_order()
    assert due(told)["state_name"] == "Completed"
    assert f"{told.key(INDEX)}:{number}" in told.box.roapp.orders_by_marker()


def test_connecting_again_renews_and_deleting_removes_them(watched: Installation) -> None:
    before = {name: one["id"] for name, one in automations(watched).items()}
    watched.done("shop", "apply", str(watched.file(INDEX, name="Інша назва")))
    after = automations(watched)
    assert {name: one["id"] for name, one in after.items()} == before
    assert after[FAILED]["actions"][0]["subject"] == "Інша назва: a run failed"
    watched.done("shop", "delete", SLUG, "--yes")
    assert {name: one["enabled"] for name, one in automations(watched).items()} == {GONE: others(watched)}


def test_a_block_that_is_gone_is_said(watched: Installation) -> None:
    block = watched.prefect.get("/block_types/slug/custom-webhook/block_documents/name/ops").raise_for_status().json()
    watched.prefect.delete(f"/block_documents/{block['id']}").raise_for_status()
    found = watched.done("alerts")
    assert (found["block"], found["problem"]) == ("custom-webhook/ops", 'there is no block "custom-webhook/ops".')
    said = warm().run(["alerts"], watched.shell.environment, "").stdout
    assert said.startswith('No messages are sent: there is no block "custom-webhook/ops". Fix: `cartum-roapp alerts')
    assert watched.done("alerts", "--off") == {"block": None}
