"""One file a flow; its body reads as the story. Nothing but flows is defined here.

initial_import     two months of orders, once; then their delivery
incremental_sync   what is new or changed, every five minutes
backfill           what a data engineer names: dates, statuses, order numbers
connect_shop       forms that connect a shop, in Prefect's UI
edit_shop          forms that change one
delete_shop        disconnects one, once its name is typed
"""
