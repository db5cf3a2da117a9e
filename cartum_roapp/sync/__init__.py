"""The steps of a run, free of Prefect.

run             one run: its shop, ledger and counts
window          which orders an import, a sync and a reconciliation read
fetch           reads orders and products from the shop
shop_catalogue  reads products from the shop, and does without where that fails
transform       raw rows → typed frames
deduplicate     one row per product
upsert          frames → ledger and outbox, in one transaction
write_back      statuses that staff set in RO App → shop
selection       the orders that a backfill names
status_names    what the shop calls its statuses
backfill        one backfill, slice by slice
plan            a dry run: what a backfill would do with each order
planned_changes what a plan would change in one order, in words
replay          held records that a person tries again, and their outcomes
resend          orders that a person sends again, and what became of them
order_story     all that is known of one order
dismissal       held records that a person leaves as they are
digest          what a run did to each order, and what is held
sentence        what a run did, in one sentence
reconciliation  compares shop, ledger and RO App
retention       removes what was kept long enough
failure         removes private data from errors that leave a step

`tasks` makes Prefect tasks of them, `flows` calls those in their order.
"""
