"""Compares shop, ledger and RO App: counts and sums by day, and every order that differs.

sides      the three sides as tables with one row per order
roapp      reads RO App's side: one walk over its orders, then each order that seems to differ
compare    finds the differences
findings   one difference: its kind, what is to be done about it, how it ended
repair     corrects what is safe in ledger and outbox; writes nothing to RO App
"""
