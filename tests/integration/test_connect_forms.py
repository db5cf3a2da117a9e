"""Connecting, editing and deleting a shop through the forms of Prefect's UI, over REST as the UI does it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from forms import Forms, of_a_shop
from installation import Installation, disconnect

from blocks.store import load_shop
from cartum_roapp.connection.access import Clients
from tasks.draft import Blocks, Draft
from tasks.form import block_id

pytestmark = pytest.mark.drawn(4, turn=2)

INDEX = 6
SLUG = "verba"


@pytest.fixture
def forms(installation: Installation) -> Iterator[Forms]:
    """No shop is connected as `verba`, and no login is saved; whatever a test leaves is removed."""
    forms = Forms(installation)
    yield forms
    disconnect(installation.config, SLUG)
    forms.forget()


def login(forms: Forms, name: str = "verba-login", **changed: str) -> dict[str, Any]:
    shop = forms.installation.box.shops[INDEX]
    return forms.block(
        "cartum-login", name, **{"url": shop.url, "login": shop.login, "password": shop.password, **changed}
    )


def account(forms: Forms) -> dict[str, Any]:
    return forms.reference("ro-app-account", "main")


def begin(forms: Forms, **changed: Any) -> str:
    values = {"slug": SLUG, "name": "Верба", "account": account(forms), **changed}
    return forms.installation.start("connect-shop/connect-shop", **values)


def connected(forms: Forms, decision: str = "Save without importing") -> str:
    run = begin(forms, login=login(forms))
    form = forms.next(run, forms.shown(run))
    form = forms.next(run, form)
    forms.answer(run, form, decision=decision)
    forms.installation.completed(run)
    return run


def test_a_shop_is_connected_form_by_form_and_imported(forms: Forms) -> None:
    run = begin(forms, login=login(forms))
    settings = forms.shown(run)
    assert settings.title == "Where the orders go"
    assert settings.refused() == {}
    assert settings.defaults["location_id"] == "Магазин на Хрещатику (234001)"
    assert [one for one in settings.choices("location_id") if "234003" in one] == [], "an archived location is offered"
    assert settings.choices("managers") == [
        "Олег Шевченко, Менеджер (336001)", "Ганна Коваленко, Менеджер (336002)", "Тарас Бондаренко, Комірник (336003)",
    ]  # fmt: skip
    statuses = forms.next(
        run, settings, location_id=settings.choice("location_id", "Склад"),
        managers=[settings.choice("managers", "Ганна")], language="ru",
    )  # fmt: skip
    assert statuses.title == "Statuses"
    assert statuses.defaults["status_7"] == "Очікує оплати (5706140)"
    decision = forms.next(run, statuses, status_7=statuses.choice("status_7", "Новий"))
    assert '234002 is the location "Склад"' in decision.text
    assert "| ожидает оплаты (7) | Новий (5706131) |" in decision.text
    forms.answer(run, decision)
    forms.installation.completed(run)

    shop = forms.installation.done("shop", "show", SLUG)
    assert (shop["name"], shop["location_id"], shop["language"], shop["managers"]) == ("Верба", 234002, "ru", [336002])
    assert shop["statuses"]["7"] == 5706131
    forms.installation.completed(import_of(forms, run))
    orders = forms.installation.box.roapp.orders_by_marker()
    mine = [marker for marker in orders if marker.startswith(forms.installation.key(INDEX))]
    assert len(mine) == len(forms.installation.box.shops[INDEX].qualifying())
    assert ("cartum-login", "verba-login") not in forms.blocks(), "the password is kept twice"


@pytest.mark.long
def test_refused_input_stands_with_its_field_and_nothing_typed_is_lost(forms: Forms) -> None:
    shop = forms.installation.box.shops[INDEX]
    wrong = login(forms, password="wrong-password")
    run = begin(forms, slug="My Shop", name="Верба (2)", login=wrong, platform="horoshop")
    form = forms.shown(run)
    assert form.title == "The shop and how to get in"
    refused = form.refused()
    assert set(refused) == {"slug", "login"}
    assert refused["slug"].startswith('slug: "My Shop" can\'t be a name here. Fix: use 1 to 48 lower-case')
    assert refused["login"].startswith("password: the shop refuses login and password")
    assert '**slug**: "My Shop" can' in form.text and "**password**: the shop refuses login and password" in form.text
    id = wrong["$ref"]["block_document_id"]
    assert f"[Correct verba-login](/v2/blocks/block/{id}/edit)" in form.text
    assert form.defaults == {
        "slug": "My Shop", "name": "Верба (2)", "platform": "horoshop", "login": wrong, "account": account(forms),
    }  # fmt: skip

    forms.correct(wrong, url="http://shop.example.com", login="me@example.com")
    form = forms.next(run, form, slug=SLUG)
    assert set(form.refused()) == {"login"}
    assert "**login**: is an e-mail address" in form.text
    assert "**url**: is http on a public address" in form.text

    forms.correct(wrong, url=shop.url, login=shop.login, password=shop.password)
    settings = forms.next(run, form)
    assert settings.refused() == {}
    form = forms.next(
        run, settings, without=("phone_region",), timezone="Kyiv", window_days=90, missing_products="hold",
        managers=[settings.choice("managers", "Олег")],
    )  # fmt: skip
    assert form.title == settings.title
    assert form.refused() == {"timezone": 'timezone: "Kyiv" is not a time zone. Fix: write Europe/Kyiv'}
    assert form.defaults["timezone"] == "Kyiv"
    assert form.defaults["window_days"] == 90
    assert form.defaults["managers"] == ["Олег Шевченко, Менеджер (336001)"]

    rejected = forms.answer(run, form, window_days=900)
    assert rejected["status"] == "REJECT"
    assert "900 is greater than the maximum of 365" in rejected["details"]["reason"]
    decision = forms.next(run, forms.next(run, form, timezone="Europe/Kyiv", phone_region="md"))
    revised = forms.next(run, decision, decision="Change something")
    assert revised.defaults["phone_region"] == "md"
    kept = {"slug": SLUG, "name": "Верба (2)", "platform": "horoshop", "missing_products": "hold"}
    assert {key: revised.defaults[key] for key in kept} == kept
    form = forms.next(run, revised, name=" ")
    assert form.refused() == {"name": "name: is empty. Fix: give the shop's name, 1 to 64 characters"}
    decision = forms.next(run, forms.next(run, form, name="Верба"))
    forms.answer(run, decision, decision="Save without importing")
    forms.installation.completed(run)
    shown = forms.installation.done("shop", "show", SLUG)
    assert (shown["name"], shown["platform"], shown["window_days"]) == ("Верба", "horoshop", 90)
    assert (shown["phone_region"], shown["missing_products"], shown["managers"]) == ("MD", "hold", [336001])


@pytest.mark.long
def test_a_status_that_means_nothing_has_to_be_chosen(forms: Forms) -> None:
    shop = forms.installation.box.shops[INDEX]
    shop.add_status(77, {"ua": "Хтозна", "ru": "Хтозна"})
    try:
        run = begin(forms, login=login(forms))
        form = forms.next(run, forms.shown(run))
        assert form.defaults["status_77"] == "— choose —"
        again = forms.next(run, form, status_1=form.choice("status_1", "Виконано"))
        assert again.refused() == {
            "status_77": 'statuses: a status of the shop is not matched: 77 "Хтозна". Fix: match 77 with '
            "a status of RO App"
        }
        assert again.defaults["status_1"] == "Виконано (5706152)"
        decision = forms.next(run, again, status_77=again.choice("status_77", "Новий"))
        forms.answer(run, decision, decision="Save without importing")
        forms.installation.completed(run)
        statuses = forms.installation.done("shop", "show", SLUG)["statuses"]
        assert (statuses["77"], statuses["1"]) == (5706131, 5706152)
    finally:
        del shop.statuses[77]


@pytest.mark.long
def test_the_command_lines_words_for_what_is_taken(forms: Forms) -> None:
    connected(forms)
    run = begin(forms, login=login(forms))
    form = forms.shown(run)
    assert form.refused()["slug"].startswith(f'slug: "{SLUG}" is taken. Fix: choose another one')
    form = forms.next(run, form, slug="verba-2")
    assert form.refused()["login"].startswith(f'url: this shop is connected already, as "{SLUG}".')
    forms.installation.set_state(run, "CANCELLED")
    assert forms.installation.flow_run(run)["state_type"] == "CANCELLED"


@pytest.mark.long
def test_an_account_that_was_saved_by_hand_is_checked_and_learns_its_company(forms: Forms) -> None:
    installation = forms.installation
    with_twin = forms.block("ro-app-account", "twin", base_url=installation.box.roapp.base_url,
                            api_key=installation.box.roapp.api_key, fingerprint="")  # fmt: skip
    try:
        run = begin(forms, login=login(forms), account=with_twin)
        form = forms.shown(run)
        assert form.refused()["account"].startswith('account: this company is connected already, as "main".')
        forms.correct(with_twin, base_url="https://api.roapp.io")
        form = forms.next(run, form)
        assert 'account: "twin" can\'t be used: base_url: has no API version.' in form.refused()["account"]
        forms.correct(with_twin, base_url=installation.box.roapp.base_url, api_key="wrong-key")
        form = forms.next(run, form)
        assert 'account: "twin": RO App refuses the API key' in form.refused()["account"]
        link = f"[Correct twin](/v2/blocks/block/{with_twin['$ref']['block_document_id']}/edit)"
        assert link in form.text
        settings = forms.next(run, form, account=account(forms))
        assert settings.refused() == {}
        installation.set_state(run, "CANCELLED")
    finally:
        installation.prefect.delete(f"/block_documents/{with_twin['$ref']['block_document_id']}")


@pytest.mark.long
def test_a_form_left_open_outlives_stops_and_kills_of_the_worker(forms: Forms) -> None:
    installation = forms.installation
    run = begin(forms, login=login(forms))
    settings = forms.shown(run)
    before = installation.worker()
    before.signal(signal.SIGTERM)
    assert before.wait(20)
    assert installation.flow_run(run)["state_name"] == "Suspended"
    assert forms.answer(run, settings, timezone="Europe/Bucharest")["status"] == "ACCEPT"
    installation.done("up")
    statuses = forms.shown(run, after=settings)
    shop = installation.box.shops[INDEX]
    shop.faults.latency = 20.0
    try:
        assert forms.answer(run, statuses, status_1=statuses.choice("status_1", "Виконано"))["status"] == "ACCEPT"
        installation.become(lambda: installation.flow_run(run), lambda found: found["state_type"] == "RUNNING")
        killed = installation.worker()
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait(10)
    finally:
        shop.faults.latency = 0.0
    installation.done("up")
    decision = forms.shown(run, after=statuses)
    forms.answer(run, decision, decision="Save without importing")
    installation.completed(run)
    shown = installation.done("shop", "show", SLUG)
    assert (shown["timezone"], shown["statuses"]["1"]) == ("Europe/Bucharest", 5706152)


@pytest.mark.long
def test_a_failed_run_that_is_retried_keeps_its_answers(forms: Forms) -> None:
    installation = forms.installation
    run = begin(forms, login=login(forms), name=" Верба ", slug=f" {SLUG}\n")
    settings = forms.shown(run)
    statuses = forms.next(run, settings, timezone="Europe/Bucharest")
    decision = forms.next(run, statuses)
    installation.set_state(run, "FAILED")
    retry = {"type": "SCHEDULED", "name": "AwaitingRetry"}
    installation.ask(f"/flow_runs/{run}/set_state", state=retry, force=False)
    again = forms.shown(run)
    assert again.key == decision.key, "what was not answered is asked again, nothing is saved by itself"
    assert SLUG not in [shop["slug"] for shop in installation.done("shop", "list")]
    forms.answer(run, again, decision="Save without importing")
    installation.completed(run)
    shown = installation.done("shop", "show", SLUG)
    assert (shown["name"], shown["timezone"]) == ("Верба", "Europe/Bucharest")


@pytest.mark.long
def test_a_run_that_was_killed_while_it_saved_finds_its_own_shop(forms: Forms) -> None:
    connected(forms)
    with forms.prefect_here():
        saved = asyncio.run(load_shop(SLUG))
        values = saved.model_dump(exclude={"slug", "key", "password"}, exclude_none=True)
        draft = Draft(SLUG, values, Blocks(block_id(login(forms)), block_id(account(forms))), Clients())
        shop = draft.shop
        shop.answered_forms, shop.decision = {"access", "settings", "statuses"}, "Save without importing"
        asyncio.run(draft.validate())
        assert shop.examination.problems == []
        assert shop.config() == saved
        shop.decision = None
        asyncio.run(draft.validate())
        assert [problem.field for problem in shop.examination.problems] == ["slug"]


@pytest.mark.long
def test_nothing_is_saved_for_a_run_that_goes_on_without_an_answer(forms: Forms) -> None:
    installation = forms.installation
    run = begin(forms, login=login(forms))
    form = forms.shown(run)
    installation.ask(f"/flow_runs/{run}/resume")
    assert installation.flow_run(run)["state_name"] == "Suspended", "what is required is not optional"
    decision = forms.next(run, forms.next(run, form))
    scheduled = {"type": "SCHEDULED", "name": "AwaitingRetry"}
    installation.ask(f"/flow_runs/{run}/set_state", state=scheduled, force=False)
    again = forms.shown(run, after=decision)
    assert (again.title, without_clock(again.text)) == (decision.title, without_clock(decision.text))
    assert SLUG not in [shop["slug"] for shop in installation.done("shop", "list")]
    assert forms.answer(run, again, decision="Save without importing")["status"] == "ACCEPT"
    assert forms.answer(run, again)["status"] == "ABORT", "submitted twice"
    installation.completed(run)


def without_clock(text: str) -> str:
    """The text without times of day: a minute may end between two forms."""
    return re.sub(r"\d\d:\d\d", "", text)


def test_a_canceled_connection_leaves_nothing_but_the_login(forms: Forms) -> None:
    before = forms.blocks()
    run = begin(forms, login=login(forms))
    form = forms.next(run, forms.shown(run))
    forms.installation.set_state(run, "CANCELLING")
    assert forms.installation.flow_run(run)["state_type"] == "CANCELLED"
    assert forms.answer(run, form)["status"] == "ABORT"
    assert forms.blocks() - before == {("cartum-login", "verba-login")}
    assert SLUG not in [shop["slug"] for shop in forms.installation.done("shop", "list")]


@pytest.mark.long
def test_a_shop_is_edited_and_keeps_what_was_not_changed(forms: Forms) -> None:
    installation = forms.installation
    connected(forms)
    before = installation.done("shop", "show", SLUG)
    deployments = installation.deployment(f"incremental-sync/{SLUG}"), installation.deployment(f"initial-import/{SLUG}")

    run = installation.start("edit-shop/edit-shop", shop="nobody")
    which = forms.shown(run)
    assert which.refused() == {"shop": 'shop: there is no shop "nobody". Fix: choose one of these'}
    form = forms.next(run, which, shop=SLUG)
    assert form.refused() == {}
    assert (form.defaults["name"], form.defaults["account"]) == ("Верба", account(forms))
    assert "slug" not in form.fields
    wrong = login(forms, "new-login", password="wrong-password")
    form = forms.next(run, form, name="Нова верба", login=wrong, location_id=form.choice("location_id", "Склад"))
    assert form.refused()["login"].startswith("password: the shop refuses login and password")
    statuses = forms.next(run, form, without=("login",))
    assert statuses.title == "Statuses", "without a new login the old one stays"
    decision = forms.next(run, statuses, status_7=statuses.choice("status_7", "Новий"))
    changes, _, checks = decision.text.partition("#### Look at this first")
    assert "- **name**: Верба → Нова верба\n" in changes
    assert "- **location_id**: Магазин на Хрещатику (234001) → Склад (234002)\n" in changes
    assert re.search(r"- \*\*status .* \(7\)\*\*: .* \(\d+\) → Новий \(5706131\)\n", changes)
    assert changes.count("**status ") == 1, "only the one that changes"
    assert "password" not in changes
    to_do, _, found = checks.partition("#### What was checked")
    assert "- **roapp_integration**: RO App's API doesn't tell" in to_do
    assert "**Fix:** look in RO App, and switch it off\n" in to_do
    assert "- **password**: the shop takes it." in found and "Fix:" not in found
    assert decision.choices("decision") == ["Save", "Change something"]
    forms.answer(run, decision)
    installation.completed(run)

    after = installation.done("shop", "show", SLUG)
    matched = {**before["statuses"], "7": 5706131}
    assert after == {**before, "name": "Нова верба", "location_id": 234002, "statuses": matched}
    assert installation.done("shop", "check", SLUG)["ok"] is True
    renewed = installation.deployment(f"incremental-sync/{SLUG}"), installation.deployment(f"initial-import/{SLUG}")
    for old, new in zip(deployments, renewed, strict=True):
        assert old is not None and new is not None
        assert new["id"] == old["id"]
        assert new["description"].startswith("Нова верба")
    assert not [name for kind, name in forms.blocks() if kind == "cartum-login"]


@pytest.mark.long
def test_a_new_password_is_taken_from_a_new_login(forms: Forms) -> None:
    installation = forms.installation
    connected(forms)
    shop = installation.box.shops[INDEX]
    kept = shop.password
    shop.change_password("a-new-password")
    try:
        run = installation.start("edit-shop/edit-shop", shop=SLUG)
        form = forms.shown(run)
        assert form.title == "The shop and how to get in"
        assert form.refused()["login"].startswith("password: the shop refuses login and password")
        settings = forms.next(run, form, login=login(forms, "new-login"))
        decision = forms.next(run, forms.next(run, settings))
        assert "- **password**: a new one\n" in decision.text
        forms.answer(run, decision)
        installation.completed(run)
        assert installation.done("shop", "check", SLUG)["ok"] is True
    finally:
        shop.change_password(kept)


def import_of(forms: Forms, run: str) -> str:
    """The import that began by itself: the run's artifact links to it."""
    (told,) = forms.installation.artifacts(run)
    found = re.search(r"\(/v2/runs/flow-run/([0-9a-f-]+)\)", told["data"])
    assert found is not None, told["data"]
    return found[1]


@pytest.fixture
def alerted(forms: Forms) -> Iterator[Forms]:
    with forms.alerts():
        yield forms


@pytest.mark.long
def test_a_shop_is_deleted_once_its_name_is_typed_and_leaves_nothing(alerted: Forms) -> None:
    forms, installation = alerted, alerted.installation
    forms.cleared()
    nothing = forms.traces()
    run = connected(forms, "Save and import")
    installation.completed(import_of(forms, run))
    forms.planned(SLUG)
    forgotten = login(forms, "forgotten-login", url=installation.box.shops[INDEX].url + "/")
    assert forms.traces() - nothing == {*of_a_shop(SLUG), ("block", "cartum-login", "forgotten-login")}

    run = installation.start("delete-shop/delete-shop", shop=SLUG)
    form = forms.shown(run)
    assert "RO App keeps its orders" in form.text
    form = forms.next(run, form, confirmed="Верба")
    assert form.refused()["confirmed"].startswith("confirmed: this is not the shop's name.")
    assert ("block", "cartum-shop", SLUG) in forms.traces()
    forms.answer(run, form, confirmed=f" {SLUG} ")
    installation.completed(run)
    assert forms.traces() == nothing
    assert installation.prefect.get(f"/block_documents/{block_id(forgotten)}").status_code == 404
    assert installation.value("SELECT deleted_at FROM shops WHERE slug = :slug", slug=SLUG) is not None
    (again,) = installation.ended(installation.start("delete-shop/delete-shop", shop=SLUG))
    assert f'there is no shop "{SLUG}". Fix: Connect one first.' in again["state"]["message"]


@pytest.mark.long
def test_no_password_and_no_key_is_seen_anywhere(forms: Forms) -> None:
    """What Prefect's API tells of all that the forms did."""
    installation = forms.installation
    installation.box.shops[INDEX].change_password(secret := f"пароль-{uuid4().hex}")
    wrong = login(forms, password="a-wrong-password-to-hide")
    run = begin(forms, login=wrong)
    form = forms.shown(run)
    forms.correct(wrong, password=secret)
    form = forms.next(run, forms.next(run, form))
    forms.answer(run, forms.next(run, form), decision="Save without importing")
    installation.completed(run)

    get, ask = installation.prefect.get, installation.ask
    inputs = [
        one for prefix in ("suspended", "0") for one in ask(f"/flow_runs/{run}/input/filter", prefix=prefix, limit=200)
    ]
    told = {
        "flow run": get(f"/flow_runs/{run}").text,
        "inputs": str([one["value"] for one in inputs]),
        "logs": installation.logs(run),
        "artifacts": str(installation.artifacts(run)),
        "task runs": str(installation.tasks(run)),
        "states": get("/flow_run_states/", params={"flow_run_id": run}).text,
        "blocks": str(ask("/block_documents/filter", limit=200)),
        "deployments": str(ask("/deployments/filter")),
        "events": str(ask("/events/filter", filter={"any_resource": {"id": [f"prefect.flow-run.{run}"]}})),
    }
    assert len(inputs) == 12, "four forms: schema, description, response of each"
    assert SLUG in told["flow run"] and "Верба" in told["inputs"] and "refuses login" in told["logs"]
    secrets = (secret, "a-wrong-password-to-hide", installation.box.roapp.api_key)
    assert [(where, one) for where, text in told.items() for one in secrets if one in text] == []
