"""The steps of a run, each a plain function with a thin Prefect task on top.

run            what a run has at hand: the shop, the ledger, the counts; how it begins and ends
fetch          which orders and products are read from the shop
transform      raw rows → typed frames
deduplicate    one row per order, per buyer, per product
upsert         frames → ledger and outbox, in one transaction
deliver        outbox → RO App
reconciliation shop, ledger and RO App against each other
report         what a person sees of a reconciliation
schedule       the shop's schedules, started and paused
progress       how far it is, in Prefect's UI and on the terminal
summary        what a person sees of it in Prefect's UI when it is done
plan           what a dry run would have sent
selection      which orders a backfill names
replay         held records that a person puts back, and what became of each
window         which orders an import, a sync and a reconciliation read
form           a form in Prefect's UI, and its answers
draft          a shop while it is connected or edited there
connecting     its forms, in their order
which          which shop is meant, and whether it is meant
step           how a function becomes a task
failure        what an error says outside of a step
"""
