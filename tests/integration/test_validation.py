"""docs/validation.md: everything that can be wrong with each field of a shop."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from installation import Installation, Row, disconnect

from cartum_roapp.shops.shop import LOGIN_FIELDS, SHOP_FIELDS

pytestmark = pytest.mark.long

PAGE = Path(__file__).parent.parent.parent / "docs" / "validation.md"
INDEX, SLUG = 8, "verba"
OTHER_INDEX, OTHER = 9, "shop-10"
ITS_ADDRESS = f"the address of {OTHER}"
#: What is tried together: a wrong address hides a wrong password, wrong access the lists behind it.
ACCESS = ("slug", "name", "platform", "url", "login", "account")
SETTINGS = tuple(field for field in SHOP_FIELDS if field not in (*ACCESS, *LOGIN_FIELDS))
TOGETHER = (ACCESS, ("password",), SETTINGS)


@dataclass(frozen=True)
class Case:
    """`said` is the message with its fix."""

    field: str
    value: Any
    said: str


def cases() -> Iterator[Case]:
    for section in PAGE.read_text().split("\n## ")[1:]:
        field, *lines = section.strip().splitlines()
        for line in lines[3:]:
            _, example, message, fix = (cell.strip() for cell in line.strip("|").split(" | "))
            yield Case(field, value(example.strip("`")), f"{message} Fix: {fix}")


def value(example: str) -> Any:
    repeated = re.fullmatch(r"(.*)(.) × (\d+)", example)
    return repeated[1] + repeated[2] * int(repeated[3]) if repeated else yaml.safe_load(example)


CASES = list(cases())


def rounds(fields: Sequence[str], cases: Sequence[Case]) -> Iterator[list[Case]]:
    """One wrong value of each field at a time, until there are none left."""
    for n in count():
        each = [[case for case in cases if case.field == field] for field in fields]
        turn = [of[n] for of in each if n < len(of)]
        if not turn:
            return
        yield turn


@pytest.fixture
def other(installation: Installation) -> Iterator[None]:
    """`shop-10` is connected."""
    installation.connect(OTHER_INDEX)
    yield
    disconnect(installation.config, OTHER)


def access(installation: Installation, values: Row) -> Row:
    """What opens the shop, but for what is wrong in `values`."""
    connected = values.get("url") == ITS_ADDRESS
    shop = installation.box.shops[OTHER_INDEX if connected else INDEX]
    right = {"url": shop.url, "login": shop.login, "password": shop.password}
    return {**right, **{key: values[key] for key in LOGIN_FIELDS if key in values and values[key] != ITS_ADDRESS}}


def test_every_field_is_on_the_page() -> None:
    assert {case.field for case in CASES} == {*SHOP_FIELDS, "slug", "password"}


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("fields", TOGETHER)
def test_the_command_line_says_what_is_wrong(installation: Installation, fields: Sequence[str]) -> None:
    for turn in rounds(fields, CASES):
        values = {case.field: case.value for case in turn}
        values |= access(installation, values)
        slug, password = values.pop("slug", SLUG), values.pop("password")
        file = installation.file(INDEX, slug, **values)
        ended = installation.command("shop", "apply", str(file), "--password-stdin", typed=password)
        assert ended.code == 2, ended.said
        said = {one["field"]: f"{one['message']} Fix: {one['fix']}" for one in ended.document["error"]["fields"]}
        assert said == {f"{file}: {case.field}": _of_a_file(case) for case in turn}


def _of_a_file(case: Case) -> str:
    return case.said.replace("Fix: ", "Fix: rename the file: ") if case.field == "slug" else case.said
