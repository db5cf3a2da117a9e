"""One order's way into RO App, and why it gets there exactly once.

account      delivery as a run sees it: wait for one's own orders, deliver for all while nobody else does
session      the account's lock and the statements on its connection
account_shops    the shops that are delivered for, by the settings that they have now
company      is it still the company that was connected
drain        the holder of the account's lock delivers what waits, by priority, then the shops in turn
refused_alike    orders of one shop that are refused alike, which stop it
attempt      one try to deliver an order: what happens in it is gathered, and written with its end
order        one order: contact → products → order, then a step
step         one order that is in RO App: looked at, planned, brought to what the shop has
creation     makes an order, a contact or a product once: a row before the call, its end with the link
agreement    what both sides agreed on of an order: each change is noted before its call, and its end
doubt        a call that nobody answered: how long it may still arrive, when it is held
recheck      a second look at what was repeated: did both tries arrive

bindings     which RO App order is this shop order: the bound one, the one with the marker, or a new one
bound        the RO App order that a shop order is bound to
markers      the token that every RO App order carries, and the walk that reads them
order_problems the errors for an order that RO App lacks, has twice or as another one, or refuses a call for
looks        RO App's orders as they are seen, many in one call
managers     who looks after an order in RO App
status       the order's status: what the shop has, what is held of it, its call

contacts     the buyer among RO App's contacts: found by phone, then by e-mail, else made (`new_contacts`)
contact_keys by what the buyer of an order is known on the account
known_contacts   which of those keys lead to which contact
gone_contacts    those that staff merged or deleted
contact_sides    people and organizations: their calls, and what was searched of them
search       RO App's contacts by phone and e-mail
choosing     a person chooses the contact or the product
candidates   those of which a person chooses one, as RO App shows them
keyed_locks  one at a time on the same buyer or contact

products     the line's product in RO App's catalogue: found by the shop's identification, else made
identities   what a product is known by: the shop's line and RO App's product in one form
product_index    RO App's catalogue as it was last read, and when it is read again
product_making   makes a product with everything that identifies it
product_problems the errors for a line whose product can't be determined

lines        the order's lines: what RO App has, and the calls that change them
items        which of the shop's lines a line of RO App is; pure functions
prices       what the lines cost, and what the account makes of a discount
totals       RO App's totals, read back

shop_order   what the shop has of an order, as a plan compares it with RO App
fields       client, manager, notes, number and estimate: their call
said         what is said of an order: its notes and its comment, in digests and words
notes        what a person reads in RO App: the marker, delivery, payment
labels       the words before what notes and comments say, in the shop's languages
comment      how it is delivered and paid, as a comment: at most once each time that it changes

plan         what is to be done about an order: a pure function, which the delivery follows (ADR 15)
decision     one value of an order: what was agreed, what is shown, what is to be done
plan_lines   the lines of a plan
plan_total   RO App's total once the lines are the shop's, and how discounts are counted
plan_fields  its client, manager, notes, number, estimate and comment
plan_status  the status of a plan, and what goes back into the shop
agreeing     what a call changes of what both sides agreed on
operations   what can be done to an order in RO App

preview      what a delivery would do, for a dry run: up to the plan of each order
"""
