"""One order's way into RO App, and why it gets there exactly once.

drain       the holder of the account's lock delivers what waits, freshest first
order       one order: contact → products → order → lines → comment → status
contacts    the buyer among RO App's contacts: found by phone, then by e-mail, else made
products    the line's product in RO App's catalogue: found by the shop's identification, else made
lines       the order lines as a set of (product, price) with absolute quantities
notes       what a person reads in RO App: the marker, delivery, payment
markers     the token that every RO App order carries, and the walk that reads them
once        intent → call → result: how a call is never made twice
session     the account's lock and the transactions on its connection
"""
