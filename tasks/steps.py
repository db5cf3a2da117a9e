"""The steps of the flows as Prefect's UI names them; what each does is said where it is defined."""

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
from tasks.step import step

fetch_orders_task = step("fetch orders")(fetch.gather)
fetch_numbers_task = step("fetch orders by number")(fetch.fetch_numbers)
fetch_catalogue_task = step("fetch products")(fetch.fetch_catalogue)
transform_task = step("transform")(transform.transform)
deduplicate_task = step("de-duplicate")(deduplicate.deduplicate)
upsert_task = step("upsert", idle=upsert.is_idle)(upsert.upsert)
store_part_task = step("upsert")(backfill.store_part)
put_back_task = step("put back")(replay.put_back)
send_again_task = step("send again")(resend.send_again)
write_back_task = step("write back")(write_back.write_back)
read_roapp_task = step("read RO App's orders")(roapp_orders.read_roapp)
compare_shop_task = step("compare with the shop")(reconciliation.compare_shop)
store_task = step("store what differs")(reconciliation.store_findings)
compare_roapp_task = step("compare with RO App")(reconciliation.compare_roapp)
remember_reported_task = step("remember what was reported")(reconciliation.remember_reported)
put_right_task = step("put right")(reconciliation.put_right)
