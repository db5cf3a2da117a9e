"""One file a flow; its body reads as the story. Nothing but flows is defined here.

initial_import     two months of orders, once; then their delivery
incremental_sync   what is new or changed, every five minutes
reconcile          shop, ledger and RO App against each other, every night
backfill           what a data engineer names: dates, statuses, order numbers
replay_held        held records, tried again by a person
connect_shop       forms that connect a shop, in Prefect's UI
edit_shop          forms that change one
delete_shop        disconnects one, once its name is typed
"""
