"""What people see of a shop: its health, its month as figures and as a picture, the report in one file."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import text
from world import World

from cartum_roapp.errors import BadConfig
from cartum_roapp.ledger import daily, health, shops
from cartum_roapp.ledger.health import Health
from cartum_roapp.report import html, picture
from cartum_roapp.report.facts import facts, in_words

KYIV = ZoneInfo("Europe/Kyiv")


def figures(world: World) -> pd.DataFrame:
    return daily.figures(world.engine, world.shop().key, KYIV, datetime.now(KYIV).date(), days=90)


def found(world: World) -> Health:
    one = health.of_shop(world.engine, world.shop().key)
    assert one is not None
    return one


def test_a_shop_is_well_needs_a_person_is_behind_or_paused(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        world.run("incremental-sync", shop)
        assert found(world).word == "not imported"
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE shops SET window_stored_at = now(), watermark = now()"))
        assert found(world).word == "importing"
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE shops SET window_stored_at = now() - interval '1 hour'"))
        assert found(world).word == "behind"
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE shops SET window_stored_at = NULL, watermark = NULL"))
        world.imported(shop)
        assert (found(world).word, found(world).held) == ("well", 0)

        number = world.box.shops[0].place_order()
        world.box.shops[0].edit(number, total_sum="not a sum")
        world.synced(shop)
        seen = found(world)
        assert (seen.word, seen.held, seen.held_by_code) == ("needs you", 1, {"order-total": 1})

        ago = {"ago": timedelta(hours=2)}
        with world.engine.begin() as connection:
            connection.execute(text("UPDATE runs SET finished_at = finished_at - :ago"), ago)
        assert found(world).word == "behind"
        world.box.shops[0].faults.no_rights = True
        with pytest.raises(BadConfig):
            world.synced(shop)
        words = dict(in_words(facts(found(world), 0.351)))
        assert (found(world).word, "paused because" in words) == ("refused", False)
        assert "the shop lets this login not read" in words["refused"] and words["refused"].endswith(" UTC")
        shops.pause(world.engine, shop.key)
        assert dict(in_words(facts(found(world), 0.351)))["paused because"] == "Paused by hand."


def test_counts_of_the_day_and_the_budget_are_those_of_the_runs(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        done = world.imported(shop)
        world.box.shops[0].place_order()
        again = world.synced(shop)
        seen = found(world)
        assert (seen.new, seen.calls) == (done.counts.new + 1, done.calls.total + again.calls.total)
        ours = sum(run.calls.roapp_reads + run.calls.roapp_writes for run in (done, again))
        assert seen.hour_calls == ours
        assert seen.budget_used(0.36) == pytest.approx(ours / 10_000)


def test_what_a_backfill_brings_counts_among_the_orders_of_the_day(database: str) -> None:
    """As it does among those in RO App; a dry run brings nothing."""
    with World.of(database) as world:
        shop = world.shop()
        done = world.imported(shop)
        named = [number for number, row in world.box.shops[0].orders.items() if int(row["stat_status"]) == 3][:1]
        world.backfilled(shop, numbers=named, dry_run=True)
        assert found(world).new == done.counts.new
        world.backfilled(shop, numbers=named)
        assert found(world).new == done.counts.new + 1 == len(world.roapp_orders(shop))


def test_the_same_is_told_in_numbers_and_in_words(database: str) -> None:
    with World.of(database) as world:
        world.imported()
        seen = found(world)
        told = facts(seen, 0.36, delivered=9)
    words = dict(in_words(told))
    assert told["lag_seconds"] == round((seen.lag or timedelta(1)).total_seconds())
    assert told["budget_used"] == pytest.approx(seen.hour_calls / 10_000) and seen.hour_calls
    assert told["last_24_hours"] == {"new": seen.new, "changed": seen.changed, "calls": seen.calls}
    assert words["last 24 hours"] == f"{seen.new} new, 0 changed, {seen.calls} calls"
    assert (words["orders in RO App"], words["next run"], words["health"]) == ("9", "–", "well")


def test_each_order_counts_on_the_day_it_was_placed_where_it_stands(database: str) -> None:
    with World.of(database) as world:
        shop = world.shop()
        world.imported(shop)
        late = world.box.shops[0].place_order()
        world.synced(shop)
        with world.engine.begin() as connection:
            connection.execute(
                text("UPDATE order_matches SET bound_at = bound_at + :later WHERE number = :number"),
                {"number": late, "later": timedelta(minutes=3)},
            )
            connection.execute(text("UPDATE outbox SET held = true WHERE number <> :number"), {"number": late})
        seen, today = figures(world), datetime.now(KYIV).date()
        orders = world.roapp_orders(shop)
        assert (seen["delivered"].sum(), seen["held"].sum(), seen["waiting"].sum()) == (1, len(orders) - 1, 0)
        assert seen.loc[today, "delivered"] == 1
        # An order of the import's window has waited for the import, which is no lag.
        assert seen["lag_p95"].notna().sum() == 1 and 170 < seen.loc[today, "lag_p50"] < 300
        assert seen["calls"].sum() == seen.loc[today, "calls"] > 0


def test_a_day_without_anything_is_there(database: str) -> None:
    with World.of(database) as world:
        world.run("incremental-sync", world.shop())
        seen = figures(world)
    assert len(seen) == 90 and seen[["delivered", "waiting", "held", "calls"]].sum().sum() == 0
    assert picture.png(seen, "mavka", Path("/nowhere")).startswith(b"\x89PNG")


def test_the_report_is_one_file_that_names_nobody(database: str, tmp_path: Path) -> None:
    with World.of(database) as world:
        shop = world.shop()
        world.imported(shop)
        drawn = picture.png(figures(world), shop.slug, tmp_path)
        page = html.page("<Мавка>", in_words(facts(found(world), 0.351)), [("bad-row", 1)], drawn)
        people = world.engine.connect().execute(text("SELECT buyer_name, buyer_phone, buyer_email FROM orders")).all()
    assert "&lt;Мавка&gt;" in page and "<td>bad-row</td><td>1</td>" in page
    assert re.findall(r'(?:src|href)="([a-z]+:)', page) == ["data:"] and "http" not in page
    assert not [one for row in people for one in row if one and one in page]


def test_the_picture_of_a_reconciliation_shows_what_each_side_has(tmp_path: Path) -> None:
    from matplotlib.image import imread

    def drawn(days: int, **changes: object) -> bytes:
        sides = {f"{side}_{name}": value for side in ("shop", "ledger", "roapp")
                 for name, value in (("orders", 5), ("sum", "10.00"))}  # fmt: skip
        all_ = [{"day": str(date(2026, 1, 1) + timedelta(days=n)), **sides} for n in range(days)]
        return picture.comparison([*all_[:-1], {**all_[-1], **changes}], "mavka", tmp_path)

    (tmp_path / "plain.png").write_bytes(drawn(62))
    height, width, _ = imread(tmp_path / "plain.png").shape
    assert (height, width) == (400, 900)
    assert len({drawn(62), drawn(62, roapp_orders=4), drawn(62, roapp_sum="9.00"), drawn(200)}) == 4
    assert picture.comparison([], "mavka", tmp_path).startswith(b"\x89PNG")


def test_the_picture_shows_the_figures(tmp_path: Path) -> None:
    from matplotlib.image import imread

    def drawn(**changes: int) -> bytes:
        days = pd.Index([(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)).date() for n in range(30)], name="day")
        counts = {"delivered": 5, "waiting": 0, "held": 0, "lag_p50": 60.0, "lag_p95": 300.0, "calls": 50, **changes}
        return picture.png(pd.DataFrame(counts, index=days), "mavka", tmp_path)

    (tmp_path / "plain.png").write_bytes(drawn())
    height, width, _ = imread(tmp_path / "plain.png").shape
    assert (height, width) == (700, 900)
    assert drawn() == drawn() != drawn(held=2)
