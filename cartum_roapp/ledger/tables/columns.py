"""What the tables' declarations have in common."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Numeric, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

#: What these columns are wherever they have no `doc` of their own.
EVERYWHERE = {
    "shop": "the shop's key",
    "number": "the shop's order number",
    "account": "the account's name",
    "product": "the shop's product, like `article:cap-2`; `name:` and its title where it has no article",
    "ro_id": "RO App's id of it",
}

Stamp = DateTime(timezone=True)
Money = Numeric(18, 4)


def required(name: str, type_: Any, doc: str | None = None, *, default: Any = None) -> Column[Any]:
    """Returns a column that always has a value, by `default` the server's."""
    return Column(name, type_, nullable=False, server_default=default, doc=doc)


def shop_column() -> Column[str]:
    return Column("shop", Text, ForeignKey("shops.key", ondelete="CASCADE"), nullable=False)
