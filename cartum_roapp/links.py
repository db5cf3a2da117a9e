"""How a person finds an order in RO App, in the shop and in the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

_OF_ROAPP = "roapp.io"


def roapp_order(base_url: str, ro_id: int) -> str | None:
    """RO App's page of an order, by its id (roapp §3.2); None for an account at another address than RO App's own:
    where its pages are is not known."""
    host = urlsplit(base_url).hostname or ""
    is_own = host == _OF_ROAPP or host.endswith(f".{_OF_ROAPP}")
    return f"https://web.{_OF_ROAPP}/orders/table/{ro_id}" if is_own else None


def shop_admin(url: str) -> str:
    """The shop's admin: no link to one order can be made from its number (cartum §2.3)."""
    return f"{url.rstrip('/')}/adminLegacy/"


def roapp_name(order: Mapping[str, Any]) -> str:
    """Returns the number that people see in RO App, and the id; `order` has `roapp_number` and `roapp_id`, None where
    RO App lacks it, or has not shown the number yet."""
    return "not there" if order["roapp_id"] is None else order_name(order["roapp_id"], order["roapp_number"])


def order_name(ro_id: int, number: str | None) -> str:
    """Returns the number that people see in RO App, and the id; the id alone where RO App has not shown the number."""
    return f"no. {number}, id {ro_id}" if number else f"id {ro_id}"


def console_shop(console: str, slug: str) -> str:
    """The console's page of a shop. `console`: its address without a slash at its end (`service.console.address`)."""
    return f"{console}/shops/{slug}"


def console_held(console: str, slug: str) -> str:
    """The console's page of the shop's held records, with the controls that fix them."""
    return f"{console_shop(console, slug)}/held"


def console_order(console: str, slug: str, number: str) -> str:
    """The console's page of one order: all that is known of it, and what happened to it."""
    return f"{console_shop(console, slug)}/orders/{quote(number, safe='')}"
