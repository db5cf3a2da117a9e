"""The steps of a run, each a plain function with a thin Prefect task on top.

run            what a run has at hand: the shop, the ledger, the counts; how it begins and ends
fetch          which orders and products are read from the shop
transform      raw rows → typed frames
deduplicate    one row per order, per buyer, per product
upsert         frames → ledger and outbox, in one transaction
deliver        outbox → RO App
schedule       the shop's schedule, started and paused
summary        what a person sees of it in Prefect's UI
"""
