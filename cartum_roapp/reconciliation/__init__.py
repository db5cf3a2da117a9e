"""Shop, ledger and RO App against each other: counts and sums by day, and every order that differs.

sides      the three sides as tables: one row an order
roapp      RO App's side: one walk of its orders, and a closer look at what seems to differ
compare    what differs, and how that is called
findings   one difference: what it means, what is done about it, how that ended
repair     what is safe, through ledger and outbox; nothing is written to RO App from here
"""
