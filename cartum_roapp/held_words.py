"""What a person who fixes held records reads, in the same words on the command line and in Prefect's forms."""

from __future__ import annotations

IDS = "Order numbers, or ids of the list of held records."
ENTITY = "Only records of this kind."
CODE = "Only those held for this reason."
ALL = "All held records of the shop."
LIMIT = "At most so many, the oldest first."
MAKE_AGAIN = "Make an order again that was deleted in RO App."
DRY = "Show which would be replayed; send nothing."
REASON = "Why, for whoever reads the list; no buyers' data."
NUMBERS = "Order numbers of the shop."
NUMBER = "The order's number in the shop."
KIND = "What is chosen."
WHICH = "A product's article (its title if it has none); a buyer by one of their orders."
RO_ID = "The id of RO App's contact or product."
WHAT_WAITS = (
    "An order or row that is held waits with all its changes until that is fixed; where only a status, a total or a "
    "line is held, the rest of the order goes on."
)
