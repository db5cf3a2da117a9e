"""What a person who fixes held records reads, in the same words on the command line and in Prefect's forms."""

from __future__ import annotations

IDS = "Order numbers, or ids from the list of held records."
ENTITY = "Only records of this kind."
CODE = "Only records held for this reason."
ALL = "All held records of the shop."
LIMIT = "At most this many records, oldest first."
MAKE_AGAIN = "Create an order that was deleted in RO App again."
DRY = "Only show which records would be replayed. Nothing is sent."
REASON = "The reason, for whoever reads the list. Don't include buyers' data."
NUMBERS = "Order numbers of the shop."
ALL_ORDERS = "Agree anew on all orders of the shop. A client and a status that staff may have set stay as they are."
NUMBER = "The order's number in the shop."
KIND = "What you choose: a contact or a product."
WHICH = "A product's article, or its title if it has none. For a buyer, the number of one of their orders."
RO_ID = "The id of RO App's contact or product."
WHAT_WAITS = (
    "A held order or row waits with all its changes until the problem is fixed. If only a status, a total or a line is "
    "held, the rest of the order still syncs."
)
