"""Passwords, keys, tokens and buyers' data appear nowhere but where they belong (design §2, P6)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest
from homes import superuser_url
from installation import Ended, Installation
from psycopg2 import sql
from sqlalchemy import text

from sandbox import Sandbox
from sandbox.people import spellings

# The ledger's own customer columns (ledger/tables.py): the only places for a buyer's data, each with its reason.
CUSTOMERS_OWN = {
    "orders": {
        "customer": "by what the buyer is known", "buyer_name": "sent to RO App", "buyer_phone": "sent to RO App",
        "buyer_phone_raw": "sent where it can't be read", "buyer_phones": "sent to RO App",
        "phone_remark": "sent to RO App", "company": "sent to RO App", "company_number": "sent to RO App",
        "company_tax": "sent to RO App", "buyer_email": "sent to RO App",
        "delivery_address": "sent to RO App", "delivery_city": "sent to RO App", "comment": "sent to RO App",
        "manager_comment": "sent to RO App",
    },
    "links": {"key": "which contact is this buyer"},
    "creations": {"names": "which buyer a contact is being made for"},
    "held": {"payload": "the row, for the person who mends it"},
}  # fmt: skip

pytestmark = pytest.mark.long  # a whole life with every fault

SLUG = "shop-1"
FIELD = "ad_campaign_id"
OTHER_PASSWORD, OTHER_KEY = "another-password+Ж/1", "3a7bd3e2360a3d29eea436fcfb7e44c735d117c4"
ODD_PHONE, ODD_MAIL, ODD_NAME = "+380 (67) 123-45-09 доб. 7", "solomiya.prytula@example.com", "Соломія Притула-Гетьман"


@dataclass
class Story:
    """A shop's life with every fault, and all that was said and stored meanwhile, by place."""

    life: Installation
    said: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    binary: dict[str, bytes] = field(default_factory=dict)

    def run(self, *arguments: str, ends: int = 0, **environment: str) -> Ended:
        ended = self.life.command(*arguments, **environment)
        self.said += [json.dumps(ended.document, ensure_ascii=False), ended.said]
        assert ended.code == ends, f"{arguments}: {ended.said}"
        return ended

    def worker(self, name: str, ends: str, **parameters: Any) -> None:
        (run,) = self.life.ended(self.life.start(name, **parameters))
        assert run["state_type"] == ends, run["state"]["message"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Sandbox(orders=8, delivered=1, older=1, seed=3, rate_limit=0, echo=True) as box:
        life = Installation(tmp_path_factory.mktemp("secrets") / "home", box)
        # What is logged is the same in both formats, and this is all of it.
        life.shell.environment |= {"CARTUM_ROAPP_LOG_FORMAT": "json", "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO"}
        life.shell.environment["CARTUM_ROAPP_RETRIES"] = "4"  # a call that fails is not tried for half a minute
        story = Story(life)
        try:
            imported(story)
            disturbed(story)
            refused(story)
            misconfigured(story)
            looked_at(story)
            collect(story)
            yield story
        finally:
            life.close()


def imported(story: Story) -> None:
    """Connected and imported with an unclear order and contact, a refused line and a row that can't be read."""
    life, shop, faults = story.life, story.life.box.shops[0], story.life.box.roapp.faults
    shop.edit(next(iter(shop.qualifying())), total_sum="not a sum")
    faults.fail("error_after", method="POST", path="^/orders$")
    faults.fail("drop", method="POST", path="^/contacts/people$")
    faults.fail("error", method="POST", path="/items$", status=422)
    story.run("up")
    story.run("account", "add", "main", "--base-url", life.box.roapp.base_url)
    password = {"CARTUM_ROAPP_SHOP_PASSWORD": shop.password}
    story.run("shop", "apply", str(life.file(0)), "--wait", **password)


def disturbed(story: Story) -> None:
    """Answers that can't be read, that never come, and a database that refuses a row."""
    life, shop, faults = story.life, story.life.box.shops[0], story.life.box.roapp.faults
    odd = {"delivery_phone": ODD_PHONE, "delivery_email": ODD_MAIL, "delivery_name": ODD_NAME}
    shop.place_order(**odd)
    faults.fail("html_after", method="POST", path="^/orders$")
    faults.fail("half_after", method="POST", path="^/contacts/people$")
    faults.fail("hang_after", method="POST", path="/items$", seconds=5)
    shop.faults.fail("html", path="orders/get")
    shop.faults.fail("half", path="orders/get")
    shop.revoke_tokens()
    story.run("sync", SLUG)
    shop.faults.fail("html", times=100, path="orders/get")
    story.run("sync", SLUG, ends=1)
    shop.faults.calm()

    number = shop.place_order(**odd)
    with life.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders ADD CONSTRAINT nobody CHECK (buyer_name = '') NOT VALID"))
    story.run("sync", SLUG, ends=1)
    story.worker(f"incremental-sync/{SLUG}", "FAILED")
    with life.engine.begin() as connection:
        connection.execute(text("ALTER TABLE orders DROP CONSTRAINT nobody"))
    story.worker("backfill/backfill", "COMPLETED", shops=[SLUG], numbers=[number, *shop.orders], dry_run=False)


def refused(story: Story) -> None:
    """RO App refuses an order and a status, and repeats whose they are in its answer."""
    shop, faults = story.life.box.shops[0], story.life.box.roapp.faults
    faults.required_order_fields = (FIELD,)
    faults.refused_statuses = tuple(story.life.box.roapp.statuses)
    _, *others = shop.qualifying()
    number = shop.place_order(delivery_phone=ODD_PHONE, delivery_name=ODD_NAME)
    shop.set_status(next(one for one in others if shop.orders[one]["stat_status"] != 6), 6)
    story.run("sync", SLUG)
    faults.error_shape = "text"
    found = story.run("held", "replay", SLUG, "--all").document
    assert {one["entity"] for one in found["records"]} >= {"order", "row", "status"}
    story.worker("replay-held/replay-held", "COMPLETED", shop=SLUG, ids=[number], dry_run=False)
    story.run("held", "list")
    story.run("held", "show", SLUG, number)
    story.run("held", "show", SLUG, "--entity", "row", next(one["id"] for one in found["records"]
                                                             if one["entity"] == "row"))  # fmt: skip
    faults.switch(refused_statuses=(), error_shape="errors")
    for _ in range(3):
        shop.place_order(delivery_phone=ODD_PHONE, delivery_name=ODD_NAME)
    assert FIELD in story.run("sync", SLUG, ends=1).said, "three orders refused for one field"
    faults.required_order_fields = ()


def misconfigured(story: Story) -> None:
    """A key and a password that are no longer those."""
    roapp, shop = story.life.box.roapp, story.life.box.shops[0]
    key, password = roapp.api_key, shop.password
    roapp.change_key(OTHER_KEY)
    shop.place_order()
    story.run("sync", SLUG, ends=1)
    story.worker(f"incremental-sync/{SLUG}", "FAILED")
    roapp.change_key(key)
    shop.change_password(OTHER_PASSWORD)
    story.run("sync", SLUG, ends=1)
    story.worker(f"incremental-sync/{SLUG}", "FAILED")
    wrong = {"CARTUM_ROAPP_SHOP_PASSWORD": "a-wrong-password-9"}
    story.run("shop", "apply", str(story.life.file(0)), ends=2, **wrong)
    shop.change_password(password)
    story.run("sync", SLUG)


def looked_at(story: Story) -> None:
    for arguments in (("status",), ("shop", "show", SLUG), ("shop", "check", SLUG), ("account", "show", "main")):
        story.run(*arguments)


def collect(story: Story) -> None:
    """All that was printed, every file below the home, every column of both databases, and the metrics."""
    home = story.life.home
    story.places["what commands print"] = "\n".join(story.said)
    story.places["metrics"] = story.life.metrics().raise_for_status().text
    databases(story)
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        if path.is_file() and not name.startswith("keys/"):
            content = path.read_bytes()
            if name.startswith("postgres/data/"):  # the tables themselves, where buyers' data has its place
                story.binary[name] = content
            else:
                story.places[name] = content.decode(errors="replace")


def databases(story: Story) -> None:
    for name in ("cartum_roapp", "prefect"):
        url = superuser_url(story.life.config, name)
        connection = psycopg2.connect(url.replace("+psycopg2", ""))
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_schema, table_name, column_name FROM information_schema.columns "
                "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, ordinal_position"
            )
            for schema, table, column in cursor.fetchall():
                cell = sql.SQL("SELECT {} FROM {}").format(sql.Identifier(column), sql.Identifier(schema, table))
                cursor.execute(cell)
                found = "\n".join(plain(value) for (value,) in cursor.fetchall())
                own = name == "cartum_roapp" and column in CUSTOMERS_OWN.get(table, ())
                (story.own if own else story.places)[f"{name}.{table}.{column}"] = found
        connection.close()


def plain(value: object) -> str:
    if isinstance(value, memoryview):
        return value.tobytes().decode("latin-1")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def secrets_of(story: Story) -> set[str]:
    shop, roapp = story.life.box.shops[0], story.life.box.roapp
    tokens = {call.body.get("token") for call in shop.calls if isinstance(call.body, dict)}
    return {shop.password, roapp.api_key, OTHER_PASSWORD, OTHER_KEY, "a-wrong-password-9", *filter(None, tokens)}


def written(secret: str) -> set[str]:
    """A secret in every form that a log or a table could hold it in."""
    forms = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], secret.encode().hex()}
    raw = secret.encode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + raw).decode()
        part = whole[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        forms |= {part, part.replace("+", "-").replace("/", "_")}
    return forms


def buyers(story: Story) -> set[str]:
    """Phones, e-mail addresses and surnames of every order, as the shop sent them and in all usual spellings."""
    found: set[str] = set()
    shop = story.life.box.shops[0]
    for number, row in shop.orders.items():
        buyer = shop.buyers[number]
        phone = str(row.get("delivery_phone") or "")
        found |= {phone, *(spellings(buyer.phone) if buyer.phone else ())} if len(phone) > 6 else set()
        name = unescape(str(row.get("delivery_name") or ""))
        found |= {str(row.get("delivery_email") or ""), *(name.split()[-1:] if name.count(" ") else ())}
    found |= {ODD_PHONE, *spellings("380671234509"), ODD_MAIL, "Притула", "Гетьман"}
    staff = {one["last_name"] for one in story.life.box.roapp.employees.values()}  # shown by `account show`
    kept = {one for one in found - staff if len(one) > 3}
    return kept | {json.dumps(one)[1:-1] for one in kept} | {quote(one) for one in kept}


def digits(story: Story) -> re.Pattern[str]:
    """The same numbers with whatever between their digits."""
    phones = {
        re.sub(r"\D", "", one)[-9:] for one in buyers(story) if sum(map(str.isdigit, one)) >= 9 and "@" not in one
    }
    between = r"[\s().\-]{0,3}"
    numbers = "|".join(between.join(phone) for phone in sorted(phones))
    return re.compile(rf"(?<!\d)(?:\+?38{between})?0?{between}(?:{numbers})(?!\d)")


def test_no_secret_is_anywhere_in_clear(story: Story) -> None:
    forms = {form: secret for secret in secrets_of(story) for form in written(secret)}
    assert len(secrets_of(story)) > 6, "no token was seen: the test would prove nothing about them"
    everywhere = {**story.places, **story.own}
    found = {place for place, said in everywhere.items() for form in forms if form in said}
    found |= {place for place, said in story.binary.items() for form in forms if form.encode() in said}
    assert found == set()


def test_no_buyer_is_anywhere_but_in_the_ledgers_own_columns(story: Story) -> None:
    people, phones = buyers(story), digits(story)
    assert len(people) > 40
    leaks = {(place, one) for place, said in story.places.items() for one in people if one in said}
    leaks |= {(place, match[0]) for place, said in story.places.items() for match in phones.finditer(said)}
    assert leaks == set()


def test_the_search_would_have_found_them(story: Story) -> None:
    """In the columns that are theirs, everybody is found; and the story left traces in all the places."""
    people, phones = buyers(story), digits(story)
    own = {place for place, said in story.own.items() if any(one in said for one in people) or phones.search(said)}
    assert own >= {
        f"cartum_roapp.{table}.{column}"
        for table, column in [("orders", "buyer_phone"), ("orders", "buyer_email"), ("orders", "buyer_name"),
                              ("links", "key"), ("held", "payload")]
    }  # fmt: skip
    for spelling in ("380671234509", "067 123-45-09", "+380 (67) 123 45 09", "tel:0671234509;", '"(067)123-45-09"'):
        assert phones.search(f"id 5 {spelling} 7"), spelling
    tables = {place.split(".")[1] for place in story.places if place.startswith("prefect.")}
    assert tables >= {"log", "artifact", "flow_run", "flow_run_state", "task_run", "block_document", "deployment"}
    for place, trace in {
        "prefect.artifact.data": FIELD, "prefect.log.message": "Unexpected error", "cartum_roapp.held.message": "•••",
        "cartum_roapp.runs.error": "password", "what commands print": SLUG, "logs/errors.log": "CheckViolation",
        "logs/postgres.log": "ready to accept", "prefect.flow_run.parameters": SLUG,
        "prefect.block_document.name": SLUG,
    }.items():  # fmt: skip
        assert trace in story.places[place], place
