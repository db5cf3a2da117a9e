"""People are told when a run fails, no sync succeeds, or more records are held; by any notification block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from installation import Installation, Row
from jinja2 import Template
from warm import warm

SLUG, INDEX = "shop-4", 3
FAILED, SILENT, HELD = (
    f"{SLUG}: {what}" for what in ("a run failed", "no success for 15 minutes", "held records grew")
)


class Inbox:
    """What a person would receive: (subject, text) of each message."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.messages.append((message["subject"], message["text"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def about(self, what: str) -> list[str]:
        return [text for subject, text in self.messages if subject.endswith(what)]


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
    assert told.done("alerts", "custom-webhook/ops") == {"block": "custom-webhook/ops"}
    return told


def automations(installation: Installation) -> dict[str, Row]:
    found = installation.ask("/automations/filter", automations={"name": {"any_": [FAILED, SILENT, HELD]}})
    return {one["name"]: one for one in found}


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
        FAILED: True, SILENT: True, HELD: True,
    }  # fmt: skip
    told.done("alerts", "--off")
    assert automations(told) == {}


def test_a_shop_whose_name_looks_like_a_template_is_named_in_messages(told: Installation) -> None:
    name = "{{ secrets }} {% raw %} {# Ї #}"
    told.done("alerts", "custom-webhook/ops")
    told.done("shop", "edit", SLUG, "--set", f'name="{name}"')
    subject = automations(told)[FAILED]["actions"][0]["subject"]
    assert Template(subject).render() == f"{name}: a run failed"


@pytest.mark.long
def test_each_kind_of_message_arrives(watched: Installation, inbox: Inbox) -> None:
    found = automations(watched)
    shop = watched.box.shops[INDEX]
    watched.done("import", SLUG)
    watched.only_by_hand(SLUG)

    quick = {name: found[SILENT][name] for name in ("name", "description", "enabled", "tags", "trigger", "actions")}
    quick["trigger"] = {**quick["trigger"], "within": 10}
    watched.prefect.put(f"/automations/{found[SILENT]['id']}", json=quick).raise_for_status()

    shop.edit(shop.place_order(), total_sum="not a sum")
    assert watched.done("sync", SLUG)["held"] == 1
    (message,) = watched.become(lambda: inbox.about("held records grew"), bool)
    assert message.startswith("1 more, 1 in all;") and f"held list {SLUG}" in message
    (message,) = watched.become(lambda: inbox.about("no success for 15 minutes"), bool)
    assert "Is the worker there?" in message

    password = shop.password
    shop.change_password("another")
    shop.revoke_tokens()
    assert watched.command("sync", SLUG).code == 1
    (message,) = watched.become(lambda: inbox.about("a run failed"), bool)
    assert f"{SLUG}: sync: Failed." in message and "/runs/flow-run/" in message
    assert password not in message
    shop.change_password(password)
    watched.done("sync", SLUG)
    assert len(inbox.about("held records grew")) == 1, "what was held before is no news"


def test_a_shop_that_stands_still_is_not_missed(watched: Installation) -> None:
    watched.done("shop", "pause", SLUG)
    assert {name: one["enabled"] for name, one in automations(watched).items()} == {
        FAILED: True, SILENT: False, HELD: True,
    }  # fmt: skip
    watched.done("shop", "resume", SLUG)
    assert automations(watched)[SILENT]["enabled"]


def test_connecting_again_renews_and_deleting_removes_them(watched: Installation) -> None:
    before = {name: one["id"] for name, one in automations(watched).items()}
    watched.done("shop", "edit", SLUG, "--from", str(watched.file(INDEX, name="Інша назва")))
    after = automations(watched)
    assert {name: one["id"] for name, one in after.items()} == before
    assert after[FAILED]["actions"][0]["subject"] == "Інша назва: a run failed"
    watched.done("shop", "delete", SLUG, "--yes")
    assert automations(watched) == {}


def test_a_block_that_is_gone_is_said(watched: Installation) -> None:
    block = watched.prefect.get("/block_types/slug/custom-webhook/block_documents/name/ops").raise_for_status().json()
    watched.prefect.delete(f"/block_documents/{block['id']}").raise_for_status()
    found = watched.done("alerts")
    assert (found["block"], found["problem"]) == ("custom-webhook/ops", 'there is no block "custom-webhook/ops".')
    said = warm().run(["alerts"], watched.shell.environment, "").stdout
    assert said.startswith('No messages are sent: there is no block "custom-webhook/ops". Fix: `cartum-roapp alerts')
    assert watched.done("alerts", "--off") == {"block": None}
