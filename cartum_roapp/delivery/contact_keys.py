"""The keys by which the buyer of an order is known on the account (`ledger.links`)."""

from __future__ import annotations

from cartum_roapp.ledger.desired import DesiredOrder
from cartum_roapp.ledger.links import company_key, email_key, phone_key


def identity(order: DesiredOrder) -> str:
    """The key that decides. Order numbers repeat from shop to shop."""
    return f"order:{order.shop}:{order.number}" if order.customer.startswith("order:") else order.customer


def further(order: DesiredOrder, *, organization: bool) -> list[str]:
    """The other keys that lead to the same contact, without the e-mail address, which several may have. Who buys for an
    organization may be a private buyer as well: there the company's numbers alone."""
    phones = [phone_key(phone.number) for phone in order.phones]
    numbers = [company_key(number) for number in sorted(order.company_numbers)] if order.company else []
    keys = numbers if order.company and organization else [*phones, *numbers]
    return [key for key in keys if key != identity(order)]


def names(order: DesiredOrder) -> tuple[str, ...]:
    """All by which the contact that is made for the buyer may be found; the key that decides first."""
    email = [email_key(order.buyer_email)] if order.buyer_email else []
    return tuple(dict.fromkeys([identity(order), *further(order, organization=False), *email]))


def address(order: DesiredOrder) -> str | None:
    """The key of the e-mail address, where it is one of a private buyer's and does not decide already."""
    key = email_key(order.buyer_email)
    return key if order.buyer_email and not order.company and key != identity(order) else None
