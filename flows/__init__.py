"""The flows, one per file, each with its steps in order. Nothing except flows is defined here.

initial_import     reads two months of orders once, and delivers them
incremental_sync   reads what is new or changed every five minutes, and delivers it
reconcile          compares shop, ledger and RO App every night
backfill           takes orders that a person names: by dates, statuses, order numbers
replay_held        tries held records that a person names again
resend_orders      reads orders again and corrects what differs in RO App
"""
