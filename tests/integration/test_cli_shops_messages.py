"""What the two systems say about a shop's settings, and the exact line that a person reads: over real HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.limiter import LocalLimiter
from cartum_roapp.shops import AccountConfig, shop_key
from cartum_roapp.shops.access import Clients, greet_account
from cartum_roapp.shops.configs import shop_config
from cartum_roapp.shops.examine import Examination, already_connected, examine, no_account, other_account
from cartum_roapp.shops.problems import Problem
from cartum_roapp.shops.shop_file import parse_shop_file
from cartum_roapp.shops.written import template
from sandbox import Sandbox

LOCATIONS = '234001 "Магазин на Хрещатику", 234002 "Склад"'
ORDER_TYPES = '358001 "Інтернет-замовлення", 358002 "Ремонт"'
STAFF = '336001 "Олег Шевченко, Менеджер", 336002 "Ганна Коваленко, Менеджер", 336003 "Тарас Бондаренко, Комірник"'
SHOP_STATUSES = (
    '1 "Нове", 2 "В обробці", 3 "Доставлене", 4 "Не доставлене", 6 "Надіслане", 7 "Очікує оплати", 8 "Комплектується"'
)
RO_STATUSES = (
    '5706131 "Новий", 5706134 "Підтверджено", 5706137 "Комплектується", 5706140 "Очікує оплати", '
    '5706143 "Очікує товар", 5706146 "Готово до відправки", 5706149 "Відправлено", 5706152 "Виконано", '
    '5706155 "Скасовано", 5706158 "Повернення"'
)
PAIRS = {1: 5706131, 2: 5706134, 3: 5706152, 4: 5706155, 6: 5706149, 7: 5706140, 8: 5706137}
ADMINS = "enter the user name and the password that stand in the shop's Settings > Admins"
CLIENTS = Clients(timeout=5.0, limiter=lambda name: LocalLimiter(0.0))


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(orders=2, rate_limit=0) as running:
        yield running


@pytest.fixture
def calm(box: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, with whatever this test switches put back."""
    kept = box.shops[0].faults.as_dict(), box.roapp.faults.as_dict(), dict(box.roapp.company)
    yield box
    box.shops[0].faults.switch(**kept[0])
    box.roapp.faults.switch(**kept[1])
    box.roapp.company.update(kept[2])


def account_of(box: Sandbox, **changed: Any) -> AccountConfig:
    values = {"name": "main", "base_url": box.roapp.base_url, "api_key": SecretStr(box.roapp.api_key)}
    return AccountConfig(**{**values, **changed})


def good_values(box: Sandbox) -> dict[str, object]:
    shop = box.shops[0]
    return {
        "name": shop.name, "platform": "cartum", "url": shop.url, "login": shop.login, "timezone": "Europe/Kyiv",
        "account": "main", "location_id": 234001, "order_type_id": 358001, "language": "ua",
        "identify_products_by": "sku", "managers": "all", "statuses": PAIRS, "missing_products": "create",
        "status_direction": "to_roapp",
    }  # fmt: skip


def asked(
    box: Sandbox, *, password: str | None = None, account: AccountConfig | None = None, **changed: Any
) -> Examination:
    values = {key: value for key, value in {**good_values(box), **changed}.items() if value is not None}
    secret = SecretStr(password or box.shops[0].password)
    return asyncio.run(examine(values, password=secret, account=account or account_of(box), clients=CLIENTS))


def lines(problems: list[Problem]) -> list[str]:
    """As a person reads them; ports differ from run to run."""
    return [re.sub(r":\d{4,5}\b(?!:)", ":PORT", str(problem)) for problem in problems]


def test_good_values_have_no_problem(box: Sandbox) -> None:
    found = asked(box)
    assert found.problems == []
    assert found.warnings == []


LISTS = [
    ({"location_id": 5}, f"location_id: RO App has no location 5. Fix: write one of {LOCATIONS}"),
    (
        {"location_id": 234003},
        f'location_id: the location 234003 "Старий офіс" is archived. Fix: write one of {LOCATIONS}',
    ),
    ({"order_type_id": 9}, f"order_type_id: RO App has no order type 9. Fix: write one of {ORDER_TYPES}"),
    ({"language": "uk"}, 'language: the shop has no language "uk". Fix: write ua, the shop\'s code for Ukrainian'),
    ({"language": "de"}, 'language: the shop has no language "de". Fix: write one of en, ru, ua'),
    ({"managers": (1, 336001)}, f"managers: RO App has no employee 1. Fix: write one of {STAFF}"),
    (
        {"managers": (336001, 336004)},
        f'managers: the employee 336004 "Павло Ткаченко, Менеджер" is not active. Fix: write one of {STAFF}',
    ),
    (
        {"statuses": {key: PAIRS[key] for key in (1, 2, 3, 4, 6)}},
        'statuses: 2 statuses of the shop are not matched: 7 "Очікує оплати", 8 "Комплектується". '
        "Fix: match 7, 8 with statuses of RO App",
    ),
    (
        {"statuses": {key: PAIRS[key] for key in (1, 2, 3, 4, 6, 7)}},
        'statuses: a status of the shop is not matched: 8 "Комплектується". Fix: match 8 with a status of RO App',
    ),
    (
        {"statuses": {**PAIRS, 99: 5706131}},
        f"statuses: the shop has no status 99. Fix: the shop's statuses are {SHOP_STATUSES}",
    ),
    (
        {"statuses": {**PAIRS, 1: 7}},
        f"statuses: RO App has no status 7 for the shop's status 1. Fix: write one of {RO_STATUSES}",
    ),
    (
        {"statuses": {**PAIRS, 1: 7, 99: 8}},
        "statuses: RO App has no status 7 for the shop's status 1, no status 8 for the shop's status 99; "
        "the shop has no status 99. "
        f"Fix: write one of {RO_STATUSES}; the shop's statuses are {SHOP_STATUSES}",
    ),
    (
        {"final_statuses": (3, 5)},
        f"final_statuses: the shop has no status 5. Fix: the shop's statuses are {SHOP_STATUSES}",
    ),
    (
        {"order_number_field": "f12"},
        "order_number_field: RO App has no order field f12. "
        'Fix: write one of f1548545 "Номер у магазині", f1548546 "Джерело"',
    ),
    (
        {"login": "nobody"},
        f"password: the shop refuses login and password: User with such username/password not found. Fix: {ADMINS}",
    ),
    (
        {"url": "http://127.0.0.1:9"},
        "url: 127.0.0.1 can't be reached: the connection was refused. "
        "Fix: check the address; try again when the shop is up",
    ),
    (
        {"url": "https://no-such-shop.invalid"},
        "url: no-such-shop.invalid can't be reached: the host name is not known. "
        "Fix: check the spelling of the host name",
    ),
]


@pytest.mark.parametrize(("changed", "line"), LISTS)
def test_a_value_that_does_not_exist_gives_its_message(box: Sandbox, changed: dict[str, Any], line: str) -> None:
    assert lines(asked(box, **changed).problems) == [line]


def test_a_wrong_password_is_told_from_a_tariff_without_api(calm: Sandbox) -> None:
    refused = "the shop refuses login and password: User with such username/password not found"
    wrong = lines(asked(calm, password="wrong-password").problems)
    calm.shops[0].faults.switch(no_api="404")
    missing = lines(asked(calm).problems)
    calm.shops[0].faults.switch(no_api="html")
    page = lines(asked(calm).problems)
    assert wrong == [f"password: {refused}. Fix: {ADMINS}"]
    assert missing == [
        "url: 127.0.0.1 has no API at /api/auth/ (HTTP 404); the login was not looked at. "
        "Fix: check the address, and that the shop's tariff includes the API (Pro)"
    ]
    assert page[0].startswith("url: 127.0.0.1 has no API at /api/auth/ (HTTP 200)")


def test_a_login_without_rights_is_told_from_a_wrong_one(calm: Sandbox) -> None:
    calm.shops[0].faults.switch(no_rights=True)
    (line,) = lines(asked(calm).problems)
    assert line.startswith("login: the shop lets this login not read orders/get_available_statuses")
    assert line.endswith("Fix: give the account the role Owner in the shop's Settings > Admins")


def test_broken_tls_has_its_own_message(box: Sandbox) -> None:
    (line,) = lines(asked(box, url=box.shops[0].url.replace("http://", "https://")).problems)
    assert line == (
        "url: 127.0.0.1 can't be reached: the TLS connection failed (certificate or protocol). "
        "Fix: let the shop's certificate be renewed; it is always verified"
    )


ACCOUNTS = [
    (
        {"api_key": SecretStr("wrong")},
        '"main": RO App refuses the API key for GET /company (HTTP 401): Unauthorized. '
        "Fix: check the key in RO App's Settings > API, the rights of its employee, and the subscription",
    ),
    (
        {"base_url": "http://127.0.0.1:9/v2"},
        '"main": 127.0.0.1 can\'t be reached: the connection was refused. '
        "Fix: check the account's address; try again later",
    ),
    (
        {"fingerprint": "2020-01-01T00:00:00Z"},
        '"main": its API key belongs to another company now. '
        "Fix: give a key of the company that main was connected to, or add the other company under another name",
    ),
]


@pytest.mark.parametrize(("changed", "line"), ACCOUNTS)
def test_an_account_that_can_not_be_used_gives_its_message(box: Sandbox, changed: dict[str, Any], line: str) -> None:
    assert lines(asked(box, account=account_of(box, **changed)).problems) == [f"account: {line}"]


def test_an_address_without_its_version_is_not_the_api(box: Sandbox) -> None:
    account = account_of(box, base_url=box.roapp.base_url.removesuffix("/v2"))
    company, problem = asyncio.run(greet_account(CLIENTS, account))
    assert company is None
    assert str(problem) == (
        "base_url: GET /company: not available on this account (HTTP 404). "
        "Fix: check the API's address and its version, and what the account's plan includes"
    )


def test_a_web_page_is_not_the_api(calm: Sandbox) -> None:
    calm.roapp.faults.fail("html", times=9)
    company, problem = asyncio.run(greet_account(CLIENTS, account_of(calm)))
    assert company is None
    assert str(problem) == (
        "base_url: GET /company: an answer that can't be read (HTTP 200). Fix: check the address; try again later"
    )


def test_json_that_is_no_company_is_not_the_api(calm: Sandbox) -> None:
    calm.roapp.company.clear()
    calm.roapp.company["hello"] = "world"
    company, problem = asyncio.run(greet_account(CLIENTS, account_of(calm)))
    assert company is None
    assert str(problem) == (
        "base_url: the address answers, but not as RO App's API. "
        "Fix: write the address of RO App's API with its version, like https://api.roapp.io/v2"
    )


def test_different_currencies_are_refused(calm: Sandbox) -> None:
    calm.roapp.company["currency"] = "EUR"
    assert lines(asked(calm).problems) == [
        "account: RO App counts in EUR, the shop in UAH, USD; nothing is converted. "
        "Fix: name an account of the shop's currency, or change the currency on one side"
    ]
    calm.roapp.company["currency"] = ""
    assert asked(calm).problems == []


def test_lists_that_an_account_does_not_show_are_passed_over(calm: Sandbox) -> None:
    calm.roapp.faults.switch(custom_fields=False)
    assert asked(calm, order_number_field="f12").problems == []


def test_currencies_that_can_not_be_read_are_passed_over(calm: Sandbox) -> None:
    calm.shops[0].faults.switch(refused_functions=("currency/export",), refusal="Внутрішня помилка")
    assert asked(calm).problems == []


def test_an_old_shop_has_the_five_default_statuses(calm: Sandbox) -> None:
    calm.shops[0].faults.switch(undefined_functions=("orders/get_available_statuses", "currency/export"))
    five = {key: PAIRS[key] for key in (1, 2, 3, 4, 6)}
    assert asked(calm, statuses=five).problems == []


def test_everything_wrong_is_said_at_once_and_lists_complete_the_fixes(box: Sandbox) -> None:
    typed = parse_shop_file(
        f"url: {box.shops[0].url}\nlogin: {box.shops[0].login}\naccount: main\nname: М\nplatform: cartum\n"
        "timezone: Kyiv\n"
        "language: ''\nidentify_products_by: sku\nmissing_products: create\nstatus_direction: both\n"
        "managers: [7]\nlocation_id: main\norder_number_field: f12\n".encode()
    )
    found = asyncio.run(
        examine(
            typed.good,
            password=SecretStr(box.shops[0].password),
            account=account_of(box, api_key=SecretStr(box.roapp.api_key)),
            clients=CLIENTS,
            found=typed.problems,
        )
    )
    assert lines(found.problems) == [
        'timezone: "Kyiv" is not a time zone. Fix: write Europe/Kyiv',
        f"location_id: must be a whole number, this is text. Fix: write one of {LOCATIONS}",
        f"order_type_id: is missing. Fix: write one of {ORDER_TYPES}",
        "language: is empty. Fix: write one of en, ru, ua",
        f"managers: RO App has no employee 7. Fix: write one of {STAFF}",
        f"statuses: is missing; the shop's statuses are {SHOP_STATUSES}. "
        "Fix: write a line `shop status id: RO App status id` for each status of the shop; match each of them",
        "order_number_field: RO App has no order field f12. "
        'Fix: write one of f1548545 "Номер у магазині", f1548546 "Джерело"',
    ]
    assert lines(found.warnings) == []


def test_a_template_made_of_the_lists_passes_the_checks(box: Sandbox) -> None:
    lists = asked(box)
    assert lists.shop_lists is not None
    assert lists.account_lists is not None
    access = {"name": 'Shop "№1": #', "platform": "horoshop", "url": box.shops[0].url, "login": box.shops[0].login}
    text = template({**access, "account": "24"}, lists.shop_lists, lists.account_lists)
    typed = parse_shop_file(text.encode())
    assert typed.problems == []
    assert typed.good["name"] == 'Shop "№1": #'
    assert typed.good["account"] == "24"
    assert typed.good["statuses"] == PAIRS
    assert asked(box, **{key: value for key, value in typed.good.items() if key != "account"}).problems == []


def test_one_shop_under_two_slugs_is_refused(box: Sandbox) -> None:
    other = shop_config(good_values(box), slug="other", password=SecretStr("secret"))
    key = shop_key(box.shops[0].url)
    (problem,) = already_connected({key}, "mavka", [other])
    assert str(problem) == (
        'url: this shop is connected already, as "other". '
        "Fix: change that one (`cartum-roapp shop edit other --set KEY=VALUE`)"
    )
    assert already_connected({key}, "other", [other]) == []


def test_a_shop_that_moved_is_told_by_its_key_and_by_its_address(box: Sandbox) -> None:
    old, new, key = "https://old.example.com", "https://new.example.com", shop_key("https://old.example.com")
    moved = shop_config({**good_values(box), "url": new}, slug="moved", password=SecretStr("secret"), key=key)
    for url in (old, new):
        assert [problem.field for problem in already_connected({shop_key(url)}, "mavka", [moved])] == ["url"]
    mine = {shop_key("https://mine.example.com"), shop_key(new)}
    assert already_connected(mine, "mavka", [moved]), "an edit that moves a shop to the address of another one"
    assert already_connected({shop_key("https://mine.example.com")}, "mavka", [moved]) == []


def test_a_shop_whose_orders_belong_to_another_account() -> None:
    assert other_account("mavka", "main", [], connected=True) == []
    assert other_account("mavka", "main", ["main"], connected=True) == []
    (problem,) = other_account("mavka", "second", ["main"], connected=True)
    assert str(problem) == (
        'account: the orders of this shop belong to the account "main". Fix: write main; to start over in second: '
        "delete the shop with its history (`cartum-roapp shop delete mavka --purge`), then add it to second"
    )
    (problem,) = other_account("mavka", "second", ["main"], connected=False)
    assert "to start over in second: add it to main with --no-import, delete the shop" in problem.fix


def test_an_account_that_was_not_added() -> None:
    assert str(no_account("mian", ["main", "second"])) == (
        'account: there is no account "mian". '
        "Fix: write one of main, second, or add it first (`cartum-roapp account add mian`)"
    )
    assert str(no_account("main", [])) == (
        'account: there is no account "main". Fix: add it first (`cartum-roapp account add main`)'
    )


def test_no_message_holds_a_secret(calm: Sandbox) -> None:
    password, key = "a-password-to-hide", "a-key-to-hide-0123456789"
    found = asked(calm, password=password, account=account_of(calm, api_key=SecretStr(key)))
    said = " ".join(map(str, found.problems))
    assert len(found.problems) == 2
    assert password not in said
    assert key not in said
