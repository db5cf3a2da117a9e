"""The shop's key, and stored settings that are checked again before use."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cartum_roapp.apis.cartum import DEFAULT_STATUSES, ShopStatus
from cartum_roapp.apis.roapp import RoStatus
from cartum_roapp.errors import BadConfig
from cartum_roapp.shops import ShopConfig, shop_key
from cartum_roapp.shops.configs import account_config, shop_config, stored_account, stored_shop
from cartum_roapp.shops.proposals import meaning_of, propose

STORED: dict[str, Any] = {
    "name": "Мавка", "platform": "cartum", "url": "https://shop.example.com", "login": "api", "password": "пароль",
    "timezone": "Europe/Kyiv", "account": "main", "location_id": 1, "order_type_id": 2, "language": "ua",
    "identify_products_by": "sku", "managers": "all", "statuses": {"1": 11}, "missing_products": "create",
    "status_direction": "to_roapp", "key": "qwerty",
}  # fmt: skip


def test_a_shop_keeps_the_key_that_its_orders_carry() -> None:
    # These letters stand in RO App's orders: a change would deliver every order once more.
    assert shop_key("https://shop.example.com") == "grgsep"
    assert shop_key("http://127.0.0.1:8080") == "ulriqv"


def test_spellings_of_one_address_have_one_key() -> None:
    keys = {
        shop_key(url)
        for url in ("https://shop.example.com", "https://www.shop.example.com", "https://shop.example.com:443", "http://shop.example.com:80")
    }  # fmt: skip
    assert len(keys) == 1
    assert shop_key("https://shop.example.com:8443") not in keys


@given(st.from_regex(r"[a-z]{1,20}\.[a-z]{2,5}", fullmatch=True))
def test_a_key_is_six_letters(host: str) -> None:
    assert re.fullmatch(r"[a-z]{6}", shop_key(f"https://{host}"))


def test_a_stored_shop_comes_back_as_it_was() -> None:
    config = stored_shop(STORED, slug="mavka")
    assert (config.slug, config.key, config.statuses, config.window_days) == ("mavka", "qwerty", {1: 11}, 60)
    assert config.password.get_secret_value() == "пароль"
    values = {key: value for key, value in STORED.items() if key not in ("key", "password")}
    values["statuses"] = {1: 11}
    assert shop_config(values, slug="mavka", password=SecretStr("пароль"), key="qwerty") == config


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"url": "http://shop.example.com"}, "url: is http on a public address"),
        ({"window_days": 900}, "window_days: is 900, out of range. Fix: write a number from 1 to 365"),
        ({"managers": [1, "x"]}, 'managers: holds "x"'),
        ({"password": None}, "password: is empty. Fix: give it at the prompt"),
        ({"password": SecretStr(" ")}, "password: is empty"),
        ({"key": "Qwerty"}, "key: is not six letters a–z"),
        ({"statuses": None, "name": "x" * 65}, "statuses: is empty"),
    ],
)
def test_a_bad_stored_value_names_field_problem_and_fix(changed: dict[str, object], message: str) -> None:
    with pytest.raises(BadConfig) as bad:
        stored_shop({**STORED, **changed}, slug="mavka")
    assert message in str(bad.value)
    assert bad.value.shop == "mavka"
    assert bad.value.field in changed
    assert "пароль" not in str(bad.value)


@pytest.mark.parametrize("slug", ["a", "my-shop-2", "x" * 48])
def test_good_slugs(slug: str) -> None:
    assert stored_shop(STORED, slug=slug).slug == slug


@pytest.mark.parametrize("slug", ["", "-a", "a-", "My", "a_b", "магазин", "x" * 49, "a b", "a/b"])
def test_bad_slugs(slug: str) -> None:
    with pytest.raises(BadConfig, match="slug"):
        stored_shop(STORED, slug=slug)


def test_the_password_is_not_shown_by_the_config() -> None:
    config = ShopConfig.model_validate({**STORED, "slug": "mavka"})
    assert "пароль" not in f"{config} {config!r} {config.model_dump_json()}"


def test_a_stored_account_is_checked_again() -> None:
    good = {"base_url": "https://api.roapp.io/v2/", "api_key": "abc123", "fingerprint": "2026-01-01"}
    config = stored_account(good, name="main")
    assert (config.base_url, config.fingerprint) == ("https://api.roapp.io/v2", "2026-01-01")
    with pytest.raises(BadConfig, match="has no API version"):
        stored_account({**good, "base_url": "https://api.roapp.io"}, name="main")
    _, problems = account_config("Main", "ftp://x", "два слова")
    assert [problem.field for problem in problems] == ["name", "base_url", "api_key"]


RO_STATUSES = [
    RoStatus(id=number, name=name)
    for number, name in enumerate(("Новый", "В работе", "Готов", "Доставка", "Закрыт", "Отказ", "Packed"), start=101)
]


def test_default_statuses_get_likely_partners() -> None:
    assert propose(DEFAULT_STATUSES, RO_STATUSES) == {1: 101, 2: 102, 3: 105, 4: 106, 6: 104}


def test_a_status_of_the_same_name_wins_and_an_unknown_one_is_left_to_the_person() -> None:
    own = [ShopStatus(7, {"en": "packed"}), ShopStatus(8, {"ua": "Щось своє"})]
    assert propose(own, RO_STATUSES) == {7: 107, 8: None}


@pytest.mark.parametrize(
    ("title", "meaning"),
    [
        ("Не доставлен", "canceled"), ("Not delivered", "canceled"), ("Доставлен", "delivered"),
        ("Delivering", "shipping"),
        ("Доставляется", "shipping"), ("Livrat", "delivered"), ("În procesul de livrare", "shipping"), ("Nou", "new"),
        ("Готово до відправки", "ready"), ("Надіслане", "shipping"), ("Повернення", "returned"), ("Щось своє", None),
    ],
)  # fmt: skip
def test_what_a_title_means(title: str, meaning: str | None) -> None:
    assert meaning_of(title) == meaning
