"""The steps of a run, each a plain function with a thin Prefect task on top.

run             one run: its shop, ledger and counts; how it begins and ends
window          which orders an import, a sync and a reconciliation read
fetch           reads orders and products from the shop
transform       raw rows → typed frames
deduplicate     one row per order, per buyer, per product
frames          these steps in one
upsert          frames → ledger and outbox, in one transaction
deliver         outbox → RO App
write_back      statuses that staff set in RO App → shop
schedule        starts and pauses the shop's schedules
selection       the orders that a backfill names
plan            what a dry run would send
replay          held records that a person tries again, and their outcomes
reconciliation  compares shop, ledger and RO App
retention       removes old personal data
progress        the progress of a run, in Prefect's UI and on the terminal
summary         the artifacts of a run in Prefect's UI
report          the artifacts of a reconciliation
form            a form in Prefect's UI, and its answers
draft           a shop while it is connected or edited there
connecting      the forms for that
shop_forms      forms that ask which shop is meant, and for the confirmation to delete it
step            makes a task of a function
failure         removes private data from errors that leave a step
"""
