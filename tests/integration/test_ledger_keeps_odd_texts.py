"""Whatever a buyer types arrives in the ledger as it was typed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select

from cartum_roapp.ledger import arriving, orders, shops, tables
from cartum_roapp.ledger import database as ledger
from cartum_roapp.orders.frames import LINES, ORDERS, PRODUCTS, Frames, typed_frame

ODD = ["", "\\N", "\\.", '"', "a,b", "a\nb", "a\rb", "a\r\nb", "o'k", " lead", "NULL", "\\", "ї😀", ";\t", '""']


def test_odd_texts_and_exact_money_survive_the_way_into_the_ledger(database: str) -> None:
    engine = ledger.connect(database)
    ledger.migrate(engine)
    shops.register(engine, key="abcdef", slug="s", account="a")
    rows = [
        (str(n), 1, datetime(2026, 1, 1, 0, 0, n, 123456, tzinfo=UTC), "order:1", odd, odd, odd, odd, odd, odd, odd,
         None if n % 2 else Decimal("1E+3"), odd, odd, Decimal("0.5"), bool(n % 2), False, odd, odd, odd,
         Decimal("-0.1234"), Decimal("199.5"), "UAH", odd, odd, odd, odd, odd, f"h{n}", f"r{n}")
        for n, odd in enumerate(ODD)
    ]  # fmt: skip
    lines = [(str(n), f"name:{odd}", Decimal("199.50"), Decimal(2), odd) for n, odd in enumerate(ODD)]
    frames = Frames(
        typed_frame(ORDERS, rows),
        typed_frame(LINES, lines),
        typed_frame(PRODUCTS, [(f"name:{odd}", "", odd, odd, odd, Decimal(1), None) for odd in ODD]),
    )
    with engine.begin() as connection:
        stored = arriving.store(connection, frames, orders.Queue("abcdef", "a", 2, 1), final_statuses=[3])
    assert len(stored.new) == len(ODD)
    with engine.connect() as connection:
        for columns, kept, sent in ((ORDERS, tables.orders, rows), (LINES, tables.order_lines, lines)):
            found = {row.number: row for row in connection.execute(select(kept))}
            for row in sent:
                assert [getattr(found[row[0]], name) for name in columns] == list(row)
        texts = {row.product: row.description for row in connection.execute(select(tables.products))}
    assert texts == {f"name:{odd}": odd for odd in ODD}
    engine.dispose()
