"""What is delivered next of an account: calls that look for one order look for those behind it as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cartum_roapp.delivery.session import AccountSession
from cartum_roapp.ledger import desired, matches, outbox
from cartum_roapp.ledger.outbox import Claim

#: A buyer who is to be searched: phones (E.164) and e-mail address.
Buyer = tuple[tuple[str, ...], str]
#: Orders that are delivered at the same time. More urgent ones do not wait for a place.
IN_FLIGHT = 8
#: Orders behind those in flight whose buyers are searched with theirs.
_AHEAD = 25
#: Orders that one call looks at, those in flight among them: at 3 calls a second, as many as have their turn while a
#: look counts.
_LOOKED_AT = 24


class Upcoming:
    """The orders of the `served` shops that are due, those in flight among them."""

    def __init__(self, session: AccountSession, served: Callable[[], Sequence[str]]) -> None:
        self._session = session
        self._served = served

    def buyers(self) -> list[Buyer]:
        """Returns the buyers of the next orders."""
        claims = self._claims(IN_FLIGHT + _AHEAD)
        with self._session.autocommit() as connection:
            return desired.buyers(connection, [(claim.shop, claim.number) for claim in claims])

    def orders(self) -> list[int]:
        """Returns RO App's ids of the next orders, as far as it has them."""
        claims = self._claims(_LOOKED_AT)
        with self._session.autocommit() as connection:
            return matches.ids(connection, [(claim.shop, claim.number) for claim in claims])

    def to_create(self) -> int:
        """Returns how many of the orders that wait, now due or later, RO App lacks."""
        with self._session.autocommit() as connection:
            return outbox.to_create(connection, self._served())

    def _claims(self, most: int) -> list[Claim]:
        with self._session.autocommit() as connection:
            return outbox.due(connection, self._session.account, self._served(), (), most)
