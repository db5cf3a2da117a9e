"""Passwords, keys, tokens and buyers' data appear nowhere but where they belong (P6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from shell import Shell

from cartum_roapp import service
from cartum_roapp.home import Home
from cartum_roapp.settings import Settings
from sandbox import Sandbox

# The ledger's own customer columns (ledger/tables.py): the only places for a buyer's data.
CUSTOMERS_OWN = {
    "orders": {"customer", "buyer_name", "buyer_phone", "buyer_phone_raw", "buyer_email", "delivery_address",
               "delivery_city", "comment", "manager_comment"},
    "customers": {"identity", "name", "phone", "email"},
    "contact_matches": {"identity", "phone", "email"},
    "intents": {"identity"},
    "held": {"payload"},
}  # fmt: skip


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(orders=12, seed=3, rate_limit=0) as box:
        yield box


def test_a_run_with_faults_leaves_no_secret_behind(tmp_path: Path, box: Sandbox) -> None:
    home = tmp_path / "home"
    shell = Shell(home, box)
    shop, roapp = box.shops[0], box.roapp
    number = next(iter(shop.qualifying()))
    shop.edit(number, total_sum="not a sum")  # held, with the row as payload
    shell.run("account", "add", "main", "--base-url", roapp.base_url)
    roapp.faults.fail("error_after", method="POST", path="^/orders$", times=1)
    roapp.faults.fail("drop", method="POST", path="^/contacts/people$", times=1)
    roapp.faults.fail("error", method="POST", path="/items$", times=1, status=422)
    shell.run("shop", "add", "secret-shop", "--from", str(shell.box.shop_file(tmp_path, "main")))
    shop.revoke_tokens()
    shell.run("sync", "secret-shop")
    shop.change_password("another-password")
    process = shell.start("sync", "secret-shop")
    output, said = process.communicate(timeout=120)
    assert process.returncode == 2, output
    try:
        told = {"what commands print": shell.said + output + said}
        told |= {f"log {path.name}": path.read_text(errors="replace") for path in (home / "logs").iterdir()}
        told |= _databases(home)
    finally:
        shell.run("down")

    secrets = {shop.password, "another-password", shell.box.shop["password"], roapp.api_key}
    secrets |= {call.body.get("token") for call in shop.calls if isinstance(call.body, dict) and call.body.get("token")}
    buyers = [shop.buyers[one] for one in shop.qualifying()]
    personal = {buyer.email for buyer in buyers if buyer.email} | {buyer.phone[-9:] for buyer in buyers if buyer.phone}
    assert len(secrets) > 4, "no token was seen: the test would prove nothing about them"
    assert len(told) > 20 and len(personal) > 10
    assert "secret-shop" in told["what commands print"]
    found = [f"a secret in {where}" for where, text in told.items() for secret in secrets if secret in text]
    found += [f"a buyer in {where}" for where, text in told.items() for one in personal if one in _plain(text)]
    assert found == []


def _plain(text: str) -> str:
    """Phones lose what stands between their digits, so that every spelling is found."""
    return re.sub(r"(?<=\d)[\s()\-.]+(?=\d)", "", text)


def _databases(home: Path) -> dict[str, str]:
    """Every table of both databases as text, but the ledger's own customer columns."""
    config = Settings(home=home, database_url=None)
    port, password = service.state(config).database, Home(home).superuser_password()
    found: dict[str, str] = {}
    for name in ("cartum_roapp", "prefect"):
        connection = psycopg2.connect(f"postgresql://postgres:{password}@127.0.0.1:{port}/{name}")
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns "
                "WHERE table_schema = 'public' GROUP BY table_name"
            )
            for table, columns in cursor.fetchall():
                own = CUSTOMERS_OWN.get(table, set()) if name == "cartum_roapp" else set()
                found[f"{name}.{table}"] = _rows(cursor, table, [column for column in columns if column not in own])
        connection.close()
    return found


def _rows(cursor: Any, table: str, columns: list[str]) -> str:
    listed = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    cursor.execute(sql.SQL("SELECT {} FROM {}").format(listed, sql.Identifier(table)))
    return "\n".join(str(row) for row in cursor.fetchall())
