"""The deployments of a shop through its life: connected, connected again, edited, paused, resumed, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from installation import Installation, Row, names, renewed
from prefect_api import here
from prefect_side import PrefectSide, of_a_shop
from sqlalchemy import create_engine, text

from blocks import store
from deployments import one_shop, pool, shops
from deployments.one_shop import anchor, nightly_cron
from tasks import schedule

pytestmark = pytest.mark.drawn(2)

SLUG = "shop-3"
INDEX, ANOTHER = 2, 5


@pytest.fixture(scope="module")
def connected(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    yield installation
    assert installation.command("shop", "delete", SLUG, "--yes", "--purge").code in (0, 2)


def deployments(installation: Installation) -> dict[str, Row]:
    found = installation.ask("/deployments/filter", deployments={"tags": {"all_": [f"shop:{SLUG}"]}})
    flows = {flow["id"]: flow["name"] for flow in installation.ask("/flows/filter")}
    return {flows[one["flow_id"]]: one for one in found}


def offered(installation: Installation, flow: str) -> bool:
    """Does the run form of the flow offer the shop?"""
    found = installation.deployment(flow)
    assert found is not None
    return SLUG in found["parameter_openapi_schema"]["properties"]["shop"].get("enum", ())


def test_a_connected_shop_has_its_deployments(connected: Installation) -> None:
    forms = ("replay-held/replay-held", "resend-orders/resend-orders")
    assert [form for form in forms if not offered(connected, form)] == []
    found = deployments(connected)
    assert set(found) == {"incremental-sync", "initial-import", "reconcile"}
    for flow, one in found.items():
        assert one["name"] == SLUG
        assert sorted(one["tags"]) == ["account:main", "cartum-roapp", f"shop:{SLUG}"]
        nightly = {"repair": True} if flow == "reconcile" else {}
        assert one["parameters"] == {"shop": SLUG, **nightly}
        asked = {"shop", "repair", "gone", "everything"} if nightly else {"shop"}
        assert one["parameter_openapi_schema"]["properties"].keys() == asked
        assert one["description"].startswith(f"{connected.box.shops[INDEX].name} ({connected.box.shops[INDEX].url})")
        assert one["work_pool_name"] == "cartum-roapp"
        module = flow.replace("-", "_")
        assert one["entrypoint"] == f"flows.{module}.{module}"
    assert found["initial-import"]["schedules"] == []
    (every,) = found["incremental-sync"]["schedules"]
    assert (every["active"], every["schedule"]["interval"]) == (False, 300)
    assert datetime.fromisoformat(every["schedule"]["anchor_date"]) == anchor(connected.key(INDEX))
    (nightly,) = found["reconcile"]["schedules"]
    assert (nightly["active"], nightly["schedule"]["timezone"]) == (False, "Europe/Kyiv")
    assert nightly["schedule"]["cron"] == nightly_cron(connected.key(INDEX))


def test_the_schedules_of_shops_are_spread(connected: Installation) -> None:
    keys = [f"{first}{second}abcd" for first in "abcdefghijklmnop" for second in "qrstuvwxyz"]
    ticks = {anchor(key) for key in keys}
    assert len(ticks) > 60
    assert all(0 <= (tick - anchor("")).total_seconds() < 300 for tick in ticks)
    nights = {nightly_cron(key) for key in keys}
    assert len(nights) > 30
    assert nights <= {f"{minute} 3 * * *" for minute in range(60)}


@pytest.mark.long
def test_its_schedule_follows_import_edit_pause_and_resume(connected: Installation) -> None:
    before = {flow: one["id"] for flow, one in deployments(connected).items()}

    def schedules() -> set[bool]:
        found = deployments(connected)
        return {one["active"] for flow in ("incremental-sync", "reconcile") for one in found[flow]["schedules"]}

    def planned() -> int:
        return len(connected.flow_runs(tags={"all_": [f"shop:{SLUG}"]}, state={"type": {"any_": ["SCHEDULED"]}}))

    connected.done("shop", "pause", SLUG)
    connected.completed(connected.start(f"initial-import/{SLUG}"))
    assert schedules() == {False}, "a person paused the shop: an import that ends well does not change that"
    assert planned() == 0

    connected.done("shop", "resume", SLUG)
    assert schedules() == {True}
    connected.become(planned, bool)
    (nightly,) = connected.completed(connected.start(f"reconcile/{SLUG}"))
    assert nightly["parameters"] == {"shop": SLUG, "repair": True}

    edited = connected.file(INDEX, name="Нова назва")
    connected.done("shop", "edit", SLUG, "--from", str(edited))
    found = deployments(connected)
    assert {flow: one["id"] for flow, one in found.items()} == before
    assert schedules() == {True}
    assert all(one["description"].startswith("Нова назва") for one in found.values())

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    by_hand = connected.start(f"incremental-sync/{SLUG}", at=tomorrow)
    connected.become(planned, lambda count: count > 3)
    engine = create_engine(connected.engine.url.set(database="prefect"))
    with engine.begin() as connection:  # as the server does that planned just before the pause
        connection.execute(text("UPDATE deployment_schedule SET active = false"))
    engine.dispose()
    assert schedules() == {False}
    assert connected.become(planned, lambda count: count <= 1) == 1
    assert connected.flow_run(by_hand)["state"]["type"] == "SCHEDULED"

    connected.done("shop", "edit", SLUG, "--from", str(connected.file(INDEX, enabled=False)))
    assert schedules() == {False}
    connected.set_state(by_hand, "CANCELLED")
    assert connected.become(planned, lambda count: count == 0) == 0
    (run,) = connected.ended(connected.start(f"incremental-sync/{SLUG}"))
    assert "switched off" in run["state"]["message"]
    with here(connected.config):  # an import ends that began before
        assert not asyncio.run(schedule.start(connected.engine, connected.key(INDEX)))
    assert schedules() == {False}
    connected.done("shop", "edit", SLUG, "--from", str(connected.file(INDEX)))


def test_a_shop_that_is_saved_while_its_import_ends_is_synced(
    connected: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, key, pause = connected.engine, connected.key(INDEX), schedule.pause

    def stored(value: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE shops SET window_stored_at = {value} WHERE key = :key"), {"key": key})

    async def pause_late(slug: str) -> bool:
        stored("now()")
        await schedule.start(engine, key)
        return await pause(slug)

    monkeypatch.setattr(schedule, "pause", pause_late)
    stored("NULL")
    with here(connected.config):
        asyncio.run(shops._connect(engine, asyncio.run(store.load_shop(SLUG)), checked=True))
    assert [one["active"] for one in deployments(connected)["incremental-sync"]["schedules"]] == [True]


def test_a_deleted_shop_leaves_nothing_behind_and_can_come_again(connected: Installation) -> None:
    connected.completed(connected.start(f"initial-import/{SLUG}"))
    connected.done("shop", "delete", SLUG, "--yes")
    assert deployments(connected) == {}
    assert connected.flow_runs(tags={"all_": [f"shop:{SLUG}"]}, state={"type": {"any_": ["SCHEDULED"]}}) == []
    blocks = connected.ask("/block_documents/filter", block_types={"slug": {"any_": ["cartum-shop"]}})
    assert SLUG not in names(blocks)
    assert connected.value("SELECT deleted_at FROM shops WHERE slug = :slug", slug=SLUG) is not None
    assert not offered(connected, "replay-held/replay-held")
    connected.connect(INDEX)
    for flow in ("incremental-sync", "reconcile"):
        (every,) = deployments(connected)[flow]["schedules"]
        assert every["active"] is True, "its window is in the ledger still"


@pytest.mark.long
def test_a_shop_with_alerts_leaves_no_trace_in_prefect(installation: Installation) -> None:
    """Where another shop stays connected."""
    side = PrefectSide(installation)
    side.cleared()
    nothing = side.traces()
    with side.alerts():
        slug = installation.connect(ANOTHER)
        installation.completed(installation.start(f"initial-import/{slug}"))
        side.planned(slug)
        assert side.traces() - nothing >= of_a_shop(slug)
        installation.done("shop", "delete", slug, "--yes")
        assert {one for one in side.traces() - nothing if slug in "".join(one)} == set()
    # The runs of the other shop are planned by Prefect, whenever it gets to it.
    assert {one for one in side.traces() ^ nothing if one[0] != "scheduled run"} == set()
    assert installation.value("SELECT deleted_at FROM shops WHERE slug = :slug", slug=slug) is not None
    installation.done("shop", "delete", slug, "--yes", "--purge")


def test_a_starting_worker_makes_what_is_missing_and_sets_nothing_back(
    connected: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a person changes in Prefect's UI stays until the shop's settings or this package change."""
    before = deployments(connected)
    page = f"{connected.done('ui')['console']}/shops/{SLUG}"
    assert {f"[How this shop is doing]({page})" in one["description"] for one in before.values()} == {True}
    connected.completed(connected.start(f"initial-import/{SLUG}"))
    connected.schedule_every(SLUG, 3600)
    nightly = before["reconcile"]
    path = f"/deployments/{nightly['id']}/schedules/{nightly['schedules'][0]['id']}"
    connected.prefect.patch(path, json={"active": False}).raise_for_status()
    connected.prefect.patch(f"/deployments/{nightly['id']}", json={"description": "?"}).raise_for_status()
    connected.prefect.delete(f"/deployments/{before['initial-import']['id']}").raise_for_status()

    def changed() -> tuple[object, ...]:
        now = deployments(connected)
        (every,), (night,) = now["incremental-sync"]["schedules"], now["reconcile"]["schedules"]
        return every["schedule"]["interval"], every["active"], night["active"], now["reconcile"]["description"]

    assert renewed(connected.config) == shops.Synced([SLUG], [], {})
    assert set(deployments(connected)) == set(before)
    monkeypatch.setattr(one_shop.console, "address", lambda _: None)  # it is not up yet
    assert renewed(connected.config) == shops.Synced([], [], {})
    assert changed() == (3600, True, False, "?")
    monkeypatch.setattr(pool, "version", lambda _: "the next one")
    assert renewed(connected.config) == shops.Synced([SLUG], [], {})
    assert changed()[:3] == (300, True, True) and changed()[3] != "?"
    with here(connected.config):  # its block is edited by hand
        for enabled in (False, True):
            config = asyncio.run(store.load_shop(SLUG)).model_copy(update={"enabled": enabled})
            asyncio.run(store.save_shop(config))
            assert renewed(connected.config) == shops.Synced([SLUG], [], {})
            assert changed()[1:3] == (enabled, enabled)
    assert {flow: one["id"] for flow, one in deployments(connected).items() if flow != "initial-import"} == {
        flow: one["id"] for flow, one in before.items() if flow != "initial-import"
    }


def test_a_paused_shop_stays_paused(connected: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    connected.done("shop", "pause", SLUG)
    monkeypatch.setattr(pool, "version", lambda _: "one more")
    assert SLUG in renewed(connected.config).renewed
    assert connected.value("SELECT paused_because FROM shops WHERE slug = :slug", slug=SLUG) == "Paused by hand."
    assert not any(one["active"] for one in deployments(connected)["incremental-sync"]["schedules"])
    connected.done("shop", "resume", SLUG)


def test_one_setting_is_edited(connected: Installation) -> None:
    edited = connected.done("shop", "edit", SLUG, "--set", "name=Інша", "--set", "window_days=90")
    assert (edited["shop"]["name"], edited["shop"]["window_days"]) == ("Інша", 90)
    assert deployments(connected)["incremental-sync"]["description"].startswith("Інша (")
    ended = connected.command("shop", "edit", SLUG, "--set", "location_id=1", "--set", "statuses.3=")
    assert ended.code == 2
    assert {one["field"] for one in ended.document["error"]["fields"]} == {"location_id", "statuses"}
    assert connected.command("shop", "edit", SLUG).code == 2
    assert connected.done("shop", "show", SLUG)["name"] == "Інша"


def delete_block(connected: Installation) -> None:
    block = connected.prefect.get(f"/block_types/slug/cartum-shop/block_documents/name/{SLUG}").raise_for_status()
    connected.prefect.delete(f"/block_documents/{block.json()['id']}").raise_for_status()


@pytest.mark.long
def test_a_shop_whose_block_was_deleted_by_hand_stays_until_it_is_deleted(connected: Installation) -> None:
    delete_block(connected)
    done = renewed(connected.config)
    assert (done.renewed, done.removed, list(done.unusable)) == ([], [], [SLUG])
    (shop,) = [one for one in connected.done("status")["shops"] if one["shop"] == SLUG]
    assert shop["unusable"].startswith("Prefect has no settings of it. Fix: Connect it again")
    assert connected.done("shop", "delete", SLUG, "--yes")["deleted"] is True
    assert deployments(connected) == {}
    assert connected.command("shop", "delete", SLUG, "--yes").code == 2
    assert connected.value("SELECT count(*) FROM shops WHERE slug = :slug", slug=SLUG) == 1
    assert connected.done("shop", "delete", SLUG, "--yes", "--purge")["purged"] is True, "its history can go later"
    assert connected.value("SELECT count(*) FROM shops WHERE slug = :slug", slug=SLUG) == 0
    assert connected.command("shop", "delete", SLUG, "--yes", "--purge").code == 2
