"""What Prometheus is told of the shops: the ledger's figures, over HTTP with a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import held
from cartum_roapp.metrics.collectors import METRICS, LedgerCollector, registry
from cartum_roapp.metrics.endpoint import serving

Samples = dict[tuple[str, ...], float]


def read(body: str) -> dict[str, Samples]:
    """Name → values of the labels, in the order in which they are declared → value."""
    orders = {metric.name: metric.labels for metric in METRICS}
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(body):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in orders[sample.name])
            found.setdefault(sample.name, {})[labels] = sample.value
    return {name.removeprefix("cartum_roapp_"): samples for name, samples in found.items()}


def scraped(world: World, shops: int = 100) -> dict[str, Samples]:
    made = LedgerCollector(world.engine, shops=shops, interval=world.settings.roapp_interval)
    return read(generate_latest(registry(made)).decode())


def test_figures_are_those_of_the_ledger_and_of_all_runs(database: str) -> None:
    patient = {"http_timeout": 30.0}  # a call that is not answered in time takes another turn
    with World.of(database, product_create=False, settings=patient) as world:
        shop = world.box.shops[0]
        ran = [world.imported(), world.synced()]
        number = shop.place_order()
        ran.append(world.synced())
        found = scraped(world)

        records = held.listed(world.engine, world.shop().key)
        codes = {one.code for one in records}
        assert found["held_records"] == {("shop-1", code): sum(one.code == code for one in records) for code in codes}
        assert found["dismissed_records"] == {("shop-1",): 0}
        assert 0 <= found["lag_seconds"]["shop-1",] < 600
        assert found["shop_paused"] == {("shop-1",): 0}
        assert found["runs_total"] == {
            ("shop-1", "initial-import", "completed"): 1, ("shop-1", "incremental-sync", "completed"): 2
        }  # fmt: skip
        assert found["calls_total"] == {
            ("shop-1", "cartum", "read"): sum(run.calls.cartum for run in ran),
            ("shop-1", "roapp", "read"): sum(run.calls.roapp_reads for run in ran),
            ("shop-1", "roapp", "write"): sum(run.calls.roapp_writes for run in ran),
        }
        assert found["roapp_turns_total"]["main",] == len(world.box.roapp.calls)
        assert found["orders_total"]["shop-1", "new"] == len(shop.qualifying())
        assert found["orders_total"]["shop-1", "delivered"] == sum(run.counts.delivered for run in ran)
        with world.engine.connect() as connection:
            ended = connection.scalar(text("SELECT extract(epoch FROM max(finished_at)) FROM runs"))
        assert found["last_success_timestamp_seconds"]["shop-1", "incremental-sync"] == pytest.approx(float(ended))

        with world.engine.begin() as connection:
            held.dismiss(connection, world.shop().key, records[:1])
            connection.execute(text("DELETE FROM runs"))
            connection.execute(
                text("UPDATE outbox SET wanted_version = 99, held = false, priority = 2 WHERE number = :number"),
                {"number": number},
            )
        after = scraped(world)
        assert after["dismissed_records"] == {("shop-1",): 1}
        assert sum(after["held_records"].values()) == len(records) - 1
        assert after["orders_waiting"] == {("shop-1", "history"): 1}
        assert after["calls_total"] == found["calls_total"]


def test_runs_that_fail_are_counted_by_the_kind_of_their_error(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        world.imported(shop)
        world.box.shops[0].change_password("another")
        world.box.shops[0].revoke_tokens()
        with pytest.raises(BadConfig):
            world.synced(shop)
        found = scraped(world)
        assert found["run_errors_total"] == {("shop-1", "bad-config"): 1}
        assert found["runs_total"]["shop-1", "incremental-sync", "failed"] == 1
        assert (found["shop_paused"], found["shop_refusals"]) == ({("shop-1",): 0}, {("shop-1",): 1})


def test_shops_beyond_the_cap_share_one_label(database: str) -> None:
    """That of the shops which were connected last: so that no series of another changes when one is added."""
    with World.of(database, shops=3) as world:
        for index in (2, 0, 1):
            world.imported(world.shop(index))
        apart, capped, none = (scraped(world, shops) for shops in (100, 1, 0))
        assert {shop for (shop,) in capped["lag_seconds"]} == {"shop-3", "_other"}
        assert {shop for (shop,) in none["lag_seconds"]} == {"_other"}
        own, others = ("shop-3",), [("shop-1",), ("shop-2",)]
        for name, labels in (("calls_total", ("cartum", "read")), ("orders_total", ("new",))):
            assert capped[name][(*own, *labels)] == apart[name][(*own, *labels)]
            assert capped[name][("_other", *labels)] == sum(apart[name][(*shop, *labels)] for shop in others)
        assert capped["lag_seconds"]["_other",] == pytest.approx(
            max(apart["lag_seconds"][one] for one in others), abs=5
        )
        success = apart["last_success_timestamp_seconds"]
        oldest = min(success[(*one, "initial-import")] for one in others)
        assert capped["last_success_timestamp_seconds"]["_other", "initial-import"] == oldest


def test_a_ledger_that_can_not_be_read_is_said(database: str) -> None:
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    assert read(generate_latest(registry(LedgerCollector(away, shops=1, interval=1.0))).decode()) == {
        "ledger_up": {(): 0}
    }
    with World.of(database) as world:
        assert scraped(world)["ledger_up"] == {(): 1}
        world.imported()
        served = {f"cartum_roapp_{name}" for name in scraped(world)}
    assert served <= {metric.name for metric in METRICS}


TOKEN = "the-token-of-this-home"


@contextmanager
def endpoint(world: World) -> Iterator[str]:
    made = LedgerCollector(world.engine, shops=100, interval=1.0)
    with serving(0, TOKEN, registry(made)) as port:
        yield f"http://127.0.0.1:{port}"


def test_metrics_are_read_with_the_token_and_under_names_of_this_machine_alone(database: str) -> None:
    key = {"Authorization": f"Bearer {TOKEN}"}
    asked: list[tuple[int, str, str, Mapping[str, str]]] = [
        (200, "GET", "/metrics", key),
        (200, "GET", "/metrics", {**key, "Host": "localhost:9100"}),
        (401, "GET", "/metrics", {}),
        (401, "GET", "/metrics", {"Authorization": "Bearer another"}),
        (401, "GET", "/anything", {}),
        (400, "GET", "/metrics", {**key, "Host": "evil.example"}),
        (400, "GET", "/metrics", {**key, "Host": "[::"}),
        (404, "GET", "/", key),
        (405, "POST", "/metrics", key),
    ]
    with World.of(database) as world, endpoint(world) as address, httpx.Client(trust_env=False) as client:
        world.imported()
        for code, method, path, headers in asked:
            answer = client.request(method, address + path, headers=dict(headers))
            assert answer.status_code == code, (method, path, headers)
            assert ("cartum_roapp_" in answer.text) is (code == 200)
        body = client.get(f"{address}/metrics", headers=key).text
        assert read(body)["orders_total"]["shop-1", "new"] > 0
        order = world.box.shops[0].orders[world.box.shops[0].qualifying()[0]]
        private = [world.shop().url, world.shop().key, world.box.shops[0].password, world.box.roapp.api_key]
        private += [str(order[name]) for name in ("delivery_name", "delivery_phone") if order.get(name)]
        assert [one for one in private if one in body] == []


def test_a_port_that_is_taken_stops_nothing(database: str, caplog: pytest.LogCaptureFixture) -> None:
    with World.of(database) as world, endpoint(world) as address:
        port = int(address.rpartition(":")[2])
        with serving(port, TOKEN, registry()) as other:
            assert other == 0
        assert f"port {port} can't be used" in caplog.text
