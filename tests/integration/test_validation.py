"""docs/validation.md: everything that can be wrong with each field of a shop, on the command line and in a form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from forms import Forms, Shown
from installation import Installation, Row, disconnect

from cartum_roapp.config.shop import LOGIN_FIELDS, SHOP_FIELDS

pytestmark = [pytest.mark.long, pytest.mark.drawn(2)]

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
    """`said` is the message with its fix, on the command line and in a form; `in_form` is None where no form can be
    filled in so."""

    field: str
    value: Any
    said: str
    in_form: str | None


def cases() -> Iterator[Case]:
    for section in PAGE.read_text().split("\n## ")[1:]:
        field, *lines = section.strip().splitlines()
        for line in lines[3:]:
            _, example, message, fix, form = (cell.strip() for cell in line.strip("|").split(" | "))
            said = f"{message} Fix: {fix}"
            other = form.removeprefix("the same, but: ") if form != "the same" else fix
            in_form = None if form.startswith("no: ") else f"{message} Fix: {other}"
            yield Case(field, value(example.strip("`")), said, in_form)


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
def forms(installation: Installation) -> Iterator[Forms]:
    """`shop-10` is connected."""
    installation.connect(OTHER_INDEX)
    forms = Forms(installation)
    yield forms
    forms.forget()
    disconnect(installation.config, OTHER)


def access(installation: Installation, values: Row) -> Row:
    """What opens the shop, but for what is wrong in `values`."""
    connected = values.get("url") == ITS_ADDRESS
    shop = installation.box.shops[OTHER_INDEX if connected else INDEX]
    right = {"url": shop.url, "login": shop.login, "password": shop.password}
    return {**right, **{key: values[key] for key in LOGIN_FIELDS if key in values and values[key] != ITS_ADDRESS}}


def test_every_field_is_on_the_page() -> None:
    assert {case.field for case in CASES} == {*SHOP_FIELDS, "slug", "password"}


@pytest.mark.parametrize("fields", TOGETHER)
def test_the_command_line_says_what_is_wrong(forms: Forms, fields: Sequence[str]) -> None:
    for turn in rounds(fields, CASES):
        values = {case.field: case.value for case in turn}
        values |= access(forms.installation, values)
        slug, password = values.pop("slug", SLUG), values.pop("password")
        file = forms.installation.file(INDEX)
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}, ensure_ascii=False))
        command = ("shop", "add", slug, "--from", str(file), "--password-stdin")
        ended = forms.installation.command(*command, typed=password)
        assert ended.code == 2, ended.said
        said = {one["field"]: f"{one['message']} Fix: {one['fix']}" for one in ended.document["error"]["fields"]}
        assert said == {case.field: case.said for case in turn}


def test_a_form_says_the_same(forms: Forms) -> None:
    installation = forms.installation
    asked = [case for case in CASES if case.in_form is not None]
    login = forms.block("cartum-login", "verba-login", **access(installation, {}))
    account = forms.reference("ro-app-account", "main")
    form, run = None, ""
    for turn in [*rounds(ACCESS, asked), *rounds(["password"], asked)]:
        values = {case.field: case.value for case in turn}
        forms.correct(login, **access(installation, values))
        typed = {"slug": values.get("slug", SLUG), "name": values.get("name", "Верба")}
        if form is None:
            run = installation.start("connect-shop/connect-shop", **typed, login=login, account=account)
            form = forms.shown(run)
        else:
            form = forms.next(run, form, **typed)
        assert said_in(form) == {case.field: case.in_form for case in turn}

    assert form is not None
    forms.correct(login, **access(installation, {}))
    form = forms.next(run, form)
    right = {"timezone": "Europe/Kyiv", "phone_region": "UA", "identify_products_by": ["sku"]}
    for turn in rounds(SETTINGS, asked):
        form = forms.next(run, form, **{**right, **{case.field: case.value for case in turn}})
        assert said_in(form) == {case.field: case.in_form for case in turn}


def said_in(form: Shown) -> dict[str, str]:
    """What stands above the form, by field, as people read it: addresses are code there, and marks are escaped."""
    text = re.sub(r"`(\w+://[^`]*)`", r"\1", re.sub(r"\\([\[\]<*_|~])", r"\1", form.text))
    found = re.findall(r"^\* \*\*([a-z_]+)\*\*: (.*) \*\*Fix:\*\* (.*)$", text, re.MULTILINE)
    return {field: f"{message} Fix: {fix}" for field, message, fix in found}
