"""The deployments of a shop through its life: connected, connected again, edited, paused, resumed, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from installation import Installation, Row, names

from deployments.shops import anchor, night

SLUG = "shop-3"
INDEX = 2


@pytest.fixture(scope="module")
def connected(installation: Installation) -> Iterator[Installation]:
    installation.connect(INDEX)
    yield installation
    assert installation.command("shop", "delete", SLUG, "--yes", "--purge").code in (0, 2)


def deployments(installation: Installation) -> dict[str, Row]:
    found = installation.ask("/deployments/filter", deployments={"tags": {"all_": [f"shop:{SLUG}"]}})
    flows = {flow["id"]: flow["name"] for flow in installation.ask("/flows/filter")}
    return {flows[one["flow_id"]]: one for one in found}


def test_a_connected_shop_has_its_deployments(connected: Installation) -> None:
    found = deployments(connected)
    assert set(found) == {"incremental-sync", "initial-import", "reconcile"}
    for flow, one in found.items():
        assert one["name"] == SLUG
        assert sorted(one["tags"]) == ["account:main", "cartum-roapp", f"shop:{SLUG}"]
        nightly = {"repair": True} if flow == "reconcile" else {}
        assert one["parameters"] == {"shop": SLUG, **nightly}
        assert list(one["parameter_openapi_schema"]["properties"]) == ["shop", *nightly]
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
    assert nightly["schedule"]["cron"] == night(connected.key(INDEX))


def test_the_schedules_of_shops_are_spread(connected: Installation) -> None:
    keys = [f"{first}{second}abcd" for first in "abcdefghijklmnop" for second in "qrstuvwxyz"]
    ticks = {anchor(key) for key in keys}
    assert len(ticks) > 60
    assert all(0 <= (tick - anchor("")).total_seconds() < 300 for tick in ticks)
    nights = {night(key) for key in keys}
    assert len(nights) > 30
    assert nights <= {f"{minute} 3 * * *" for minute in range(60)}


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

    connected.done("shop", "edit", SLUG, "--from", str(connected.file(INDEX, enabled=False)))
    assert schedules() == {False}
    assert connected.become(planned, lambda count: count == 0) == 0
    (run,) = connected.ended(connected.start(f"incremental-sync/{SLUG}"))
    assert "switched off" in run["state"]["message"]


def test_a_deleted_shop_leaves_nothing_behind_and_can_come_again(connected: Installation) -> None:
    connected.done("shop", "delete", SLUG, "--yes")
    assert deployments(connected) == {}
    assert connected.flow_runs(tags={"all_": [f"shop:{SLUG}"]}, state={"type": {"any_": ["SCHEDULED"]}}) == []
    blocks = connected.ask("/block_documents/filter", block_types={"slug": {"any_": ["cartum-shop"]}})
    assert SLUG not in names(blocks)
    assert connected.value("SELECT deleted_at FROM shops WHERE slug = :slug", slug=SLUG) is not None
    connected.connect(INDEX)
    for flow in ("incremental-sync", "reconcile"):
        (every,) = deployments(connected)[flow]["schedules"]
        assert every["active"] is True, "its window is in the ledger still"
