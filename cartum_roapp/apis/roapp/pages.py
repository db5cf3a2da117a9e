"""Pages of RO App for people."""

from __future__ import annotations

from urllib.parse import urlsplit

_API, _WEB = "api.roapp.io", "https://web.roapp.io"


def order_page(base_url: str, ro_id: int) -> str | None:
    """Returns the address of a person's page of an order; None for an account at another address than RO App's own, of
    which none is known (roapp §3.2)."""
    return f"{_WEB}/orders/table/{ro_id}" if urlsplit(base_url).hostname == _API else None
