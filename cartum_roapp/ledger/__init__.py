"""What PostgreSQL knows: every order as last read, what RO App has of it, and what is still to be done.

tables          all tables and the unique constraints that make a doubled order impossible
database        engine, migrations, advisory locks, reads without a transaction
lock_session    the connection that holds such a lock, and the statements on it
shops           the life of a shop: its frozen import window, its watermark, its pause
shop_statuses   what a shop calls its statuses, and what they are matched with
deleted_shops   the end of a shop: what stays of it, and what a purge removes
accounts        which shops stand in an account, and the end of one that nobody uses
orders          a shop's orders as last read: which are known, to be read again, to be delivered again
arriving        a window of orders arrives: what is new or changed is stored and queued
changes         how the shop differs from the ledger, in words
missing_orders  orders that a read by number did not return
standing        where each order stands, for a reconciliation
outbox          which order waits for delivery, in which order
desired         the newest state of one order, as RO App should have it
links           which contact of RO App is which buyer
product_links   which product of RO App is which
chosen_contacts those contacts that a person has chosen
chosen_products    those products, above what the catalogue says
matches         which RO App order is which
agreed          what both sides agreed on of an order, value by value
comments        the comments of an order, and which are to be sent
creations       what is being made in RO App: a row before the call, until it is known what that made
markers         which RO App order carries the marker of which shop order
catalogue       RO App's products by code, SKU, barcode and name
missing_products   products that RO App lacks, and that held orders wait for
shop_catalogue  what the shop's catalogue says of its products, and which orders wait for it
staff_statuses  statuses that staff set in RO App, on their way back into the shop
roapp_statuses  RO App's statuses: names, and which ask for a comment
totals          which orders' totals are to be read back, and what they showed of the account
held            records that need a person, with reason and fix
entities        what can be held
held_selection  those of them that a person names
release         how they go back into delivery, automatically or by hand
erasure         buyers' data taken out of the ledger
dossier         everything known of one order, for whoever looks into it
slots           the account's call budget over all processes
runs            what each run did
journal         what happened to each order, and which run did it
timeline        the story of one order in words
counters        what all of them did, added up
figures         how all shops stand, for monitoring
health          how each shop is doing, for people
daily           what happened to a shop's orders, day by day
backfills       orders that a person names once: how far they are read, which of them wait
scratch         a copy of it in temporary tables, for a dry run
"""
