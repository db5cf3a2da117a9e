"""The steps of the flows as Prefect's UI names and links them; what each does is said where it is defined."""

from __future__ import annotations

from cartum_roapp.sync import (
    backfill,
    deduplicate,
    fetch,
    reconciliation,
    replay,
    resend,
    roapp_orders,
    transform,
    upsert,
    write_back,
)
from tasks.arrows import After
from tasks.names import counted
from tasks.step import step

fetch_orders_task = step("fetch", lambda pages, into: f"fetch {into.what}", after=After.NOTHING)(fetch.gather)
fetch_numbers_task = step(
    "fetch by number", lambda api, numbers: f"fetch {counted(numbers, 'order')} by number", after=After.NOTHING
)(fetch.fetch_numbers)
fetch_catalogue_task = step("fetch products", lambda api, articles: f"fetch {counted(articles, 'product')}")(
    fetch.fetch_catalogue
)
transform_task = step("transform", lambda rows, **_: f"transform {counted(rows, 'order')}")(transform.transform)
deduplicate_task = step("de-duplicate", lambda frames: f"de-duplicate {counted(frames.products, 'product')}")(
    deduplicate.deduplicate
)
upsert_task = step(
    "upsert", lambda reading, **_: f"upsert {counted(reading.frames.orders, 'order')}", idle=upsert.is_idle
)(upsert.upsert)
store_part_task = step("upsert", lambda reading, **_: f"upsert {counted(reading.frames.orders, 'order')}")(
    backfill.store_part
)
put_back_task = step("put back", lambda records, **_: f"put back {counted(records, 'record')}", after=After.ALL)(
    replay.put_back
)
send_again_task = step("send again", lambda numbers, **_: f"send {counted(numbers, 'order')} again")(resend.send_again)
write_back_task = step("write back", lambda run: "write statuses back")(write_back.write_back)
read_roapp_task = step("read RO App's orders")(roapp_orders.read_roapp)
compare_shop_task = step("compare with the shop", lambda part, **_: f"compare {counted(part.rows, 'order')}")(
    reconciliation.compare_shop
)
store_task = step("store what differs", lambda found, **_: f"store {counted(found, 'difference')}")(
    reconciliation.store_findings
)
compare_roapp_task = step("compare with RO App", after=After.ALL)(reconciliation.compare_roapp)
remember_reported_task = step("remember what was reported")(reconciliation.remember_reported)
put_right_task = step("put right")(reconciliation.put_right)
