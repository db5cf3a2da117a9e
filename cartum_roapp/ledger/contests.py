"""Orders whose status both sides changed between two looks: the shop's was taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from cartum_roapp.ledger import database, journal
from cartum_roapp.ledger.journal import Kind


@dataclass(frozen=True)
class Contest:
    """One of them: what the shop's manager and RO App's staff had set, by name. `at` (UTC) is when RO App got the
    shop's."""

    number: str
    at: datetime
    shop_status: str
    roapp_status: str

    def as_dict(self) -> dict[str, Any]:
        """Returns it for JSON."""
        return {**vars(self), "at": self.at.isoformat(timespec="seconds"), "taken": "shop"}


def note(connection: Connection, shop: str, number: str, shop_status: str, roapp_status: str) -> None:
    """Writes nothing where this is noted already and the two have not agreed since. So it may be called twice."""
    noted = connection.execute(
        text(
            "INSERT INTO status_contests (shop, number, shop_status, roapp_status) "
            "SELECT :shop, :number, :shop_status, :roapp_status FROM order_matches match "
            "WHERE match.shop = :shop AND match.number = :number AND NOT EXISTS ("
            "SELECT FROM status_contests known WHERE (known.shop, known.number) = (match.shop, match.number) "
            "AND (known.shop_status, known.roapp_status) = (:shop_status, :roapp_status) "
            "AND known.at > coalesce(match.agreed_at, '-infinity'))"
        ),
        {"shop": shop, "number": number, "shop_status": shop_status, "roapp_status": roapp_status},
    )
    if noted.rowcount:
        statuses = {"shop_status": shop_status, "roapp_status": roapp_status}
        journal.note(connection, shop, number, Kind.CONTEST, **statuses)


def since(engine: Engine, shop: str, moment: datetime) -> list[Contest]:
    """Returns those since this moment (UTC), the oldest first."""
    return _read(engine, "shop = :shop AND at >= :moment", {"shop": shop, "moment": moment})


def of_order(engine: Engine, shop: str, number: str) -> list[Contest]:
    """Returns those of one order, the oldest first."""
    return _read(engine, "shop = :shop AND number = :number", {"shop": shop, "number": number})


def _read(engine: Engine, which: str, values: dict[str, Any]) -> list[Contest]:
    query = f"SELECT number, at, shop_status, roapp_status FROM status_contests WHERE {which} ORDER BY at, number"
    with database.reading(engine) as connection:
        return [Contest(**row._mapping) for row in connection.execute(text(query), values)]
