"""The steps of the flows as Prefect's UI names them; what each does is said where it is defined."""

from __future__ import annotations

from cartum_roapp.sync import (
    backfill,
    deduplicate,
    fetch,
    reconciliation,
    replay,
    resend,
    retention,
    transform,
    upsert,
    write_back,
)
from tasks.step import step

fetch_created_task = step("fetch created orders", "cartum")(fetch.gather)
fetch_open_task = step("fetch open orders", "cartum")(fetch.gather)
fetch_numbers_task = step("fetch orders by number", "cartum")(fetch.fetch_numbers)
fetch_catalogue_task = step("fetch products", "cartum")(fetch.fetch_catalogue)
transform_task = step("transform", "transform")(transform.transform)
deduplicate_task = step("de-duplicate", "transform")(deduplicate.deduplicate)
upsert_task = step("upsert", "ledger")(upsert.upsert)
fetch_selection_task = step("fetch named orders", "cartum")(fetch.gather)
store_part_task = step("upsert", "ledger")(backfill.store_part)
put_back_task = step("put back", "ledger")(replay.put_back)
send_again_task = step("send again", "ledger")(resend.send_again)
remove_old_task = step("remove what is old", "ledger")(retention.remove_old)
write_back_task = step("write back", "roapp", "cartum")(write_back.write_back)
read_roapp_task = step("read RO App's orders", "roapp")(reconciliation.read_roapp)
fetch_portion_task = step("fetch orders", "cartum")(fetch.gather)
compare_shop_task = step("compare with the shop")(reconciliation.compare_shop)
store_task = step("store what differs", "ledger")(reconciliation.store_findings)
compare_roapp_task = step("compare with RO App", "roapp")(reconciliation.compare_roapp)
remember_reported_task = step("remember what was reported", "ledger")(reconciliation.remember_reported)
put_right_task = step("put right", "ledger")(reconciliation.put_right)
