"""What a form asks, and how its answers are read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cartum_roapp.apis.cartum import DEFAULT_STATUSES, ShopStatus
from cartum_roapp.apis.roapp import CustomField, Employee, Location, OrderType, RoService, RoStatus
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.config.shop import SHOP_FIELDS
from cartum_roapp.connection.lists import AccountLists, ShopLists
from cartum_roapp.connection.matching import match_choices, match_statuses
from cartum_roapp.connection.questions import (
    NONE,
    UNDECIDED,
    Question,
    access_questions,
    asked_as,
    read_answers,
    settings_questions,
    slug_question,
    status_of,
    status_questions,
    typed_login_questions,
)

SHOP = ShopLists(
    [
        ShopStatus(1, {"ua": "Нове", "ru": "Новый"}),
        ShopStatus(3, {"ua": "Доставлене"}, True),
        ShopStatus(9, {"ua": "Хтозна"}),
    ],
    ("en", "ru", "ua"),
    ("UAH",),
)
ACCOUNT = AccountLists(
    company={"timezone": "Europe/Kyiv", "currency": "UAH"},
    locations=[
        Location(id=1, name="Старий", is_archived=True),
        Location(id=2, name="Склад (2)", timezone="Europe/Warsaw"),
        Location(id=3, name="Магазин"),
    ],
    order_types=[OrderType(id=5, name="Інтернет")],
    employees=[
        Employee(id=7, name="Олег", position=" старший менеджер (зміна 2)"),
        Employee(id=8, name="Ганна", is_active=False),
        Employee(id=9, name="Тарас"),
    ],
    statuses=[RoStatus(id=11, name="Новий"), RoStatus(id=12, name="Виконано")],
    custom_fields=[CustomField(id=4, name="Номер")],
)


def by_key(questions: list[Question]) -> dict[str, Question]:
    return {question.key: question for question in questions}


def test_all_that_a_file_holds_is_asked_for() -> None:
    asked = [
        slug_question("x"),
        *access_questions({}),
        *typed_login_questions({}, ["main"]),
        *settings_questions({}, SHOP, ACCOUNT),
        *status_questions({}, SHOP, ACCOUNT),
    ]
    keys = {"statuses" if status_of(key) else key for key in by_key(asked)}
    assert keys == {*SHOP_FIELDS, "slug", "password"}


def test_a_new_shop_is_offered_what_is_most_likely() -> None:
    asked = by_key(settings_questions({}, SHOP, ACCOUNT))
    assert asked["location_id"].choices == ("Склад (2) (2)", "Магазин (3)")
    assert asked["location_id"].default == "Склад (2) (2)"
    assert asked["managers"].choices == ("Олег, старший менеджер (зміна 2) (7)", "Тарас (9)")
    assert (asked["managers"].default, asked["language"].default) == ([], "ua")
    assert (asked["timezone"].default, asked["order_number_field"].default) == ("Europe/Warsaw", NONE)
    statuses = by_key(status_questions({}, SHOP, ACCOUNT))
    assert (statuses["status_1"].default, statuses["status_3"].default) == ("Новий (11)", "Виконано (12)")
    assert (statuses["status_9"].default, statuses["status_9"].choices[0]) == (UNDECIDED, UNDECIDED)
    assert UNDECIDED not in statuses["status_1"].choices


def test_the_question_for_managers_says_whom_all_means_and_the_login_who_it_should_be() -> None:
    managers = by_key(settings_questions({}, SHOP, ACCOUNT))["managers"]
    assert "all (nobody chosen)" in managers.description and "courier" in managers.description
    login = by_key(typed_login_questions({}, ["main"]))["login"]
    assert "A separate user with the role manager is best." in login.description


def test_every_optional_setting_that_is_chosen_from_a_list_is_a_drop_down_with_none_of_them_first() -> None:
    asked = by_key(settings_questions({}, SHOP, replace(ACCOUNT, services=[RoService(id=6, name="Доставка")])))
    assert asked["order_number_field"].choices == (NONE, "Номер (f4)")
    assert asked["delivery_service_id"].choices == (NONE, "Доставка (6)")
    assert asked["deleted_status_id"].choices == (NONE, "Новий (11)", "Виконано (12)")
    assert asked["status_direction"].choices == ("to_roapp", "both")
    assert {asked[key].kind for key in ("status_direction", "delivery_service_id", "deleted_status_id")} == {"one"}


def test_what_was_chosen_before_is_shown_and_what_is_gone_is_open() -> None:
    values = {
        "location_id": 3,
        "managers": (9, 8),
        "order_number_field": "f4",
        "language": "ro",
        "statuses": {1: 12, 3: 99},
    }
    asked = by_key(settings_questions(values, SHOP, ACCOUNT))
    assert asked["location_id"].default == "Магазин (3)"
    assert asked["managers"].default == ["Тарас (9)"]
    assert asked["order_number_field"].default == "Номер (f4)"
    assert asked["language"].default == UNDECIDED
    statuses = by_key(status_questions({**values, "final_statuses": (3,)}, SHOP, ACCOUNT))
    assert statuses["status_1"].default == "Виконано (12)"
    assert statuses["status_3"].default == UNDECIDED
    assert statuses["final_statuses"].default == ["Доставлене (3)"]
    archived = by_key(settings_questions({"location_id": 1}, SHOP, ACCOUNT))
    assert archived["location_id"].default == UNDECIDED


@pytest.mark.parametrize(
    ("answers", "values"),
    [
        ({"location_id": "Склад (2) (17)"}, {"location_id": 17}),
        ({"location_id": UNDECIDED}, {"location_id": None}),
        ({"order_number_field": "Номер (f4)"}, {"order_number_field": "f4"}),
        ({"order_number_field": NONE}, {"order_number_field": None}),
        ({"name": "Мій магазин (2)", "phone_region": ""}, {"name": "Мій магазин (2)", "phone_region": None}),
        ({"language": UNDECIDED, "enabled": False}, {"language": None, "enabled": False}),
        ({"managers": ["Олег, старший менеджер (зміна 2) (7)", "Тарас (9)"]}, {"managers": [7, 9]}),
        ({"managers": []}, {"managers": "all"}),
        ({"final_statuses": None}, {"final_statuses": None}),
        ({"status_1": "Новий (11)", "status_9": UNDECIDED}, {"statuses": {1: 11}}),
        ({"password": "secret", "slug": "x"}, {}),
    ],
)
def test_an_answer_is_a_value_of_the_file(answers: dict[str, object], values: dict[str, object]) -> None:
    assert read_answers(answers) == values


@pytest.mark.parametrize(
    ("field", "key"),
    [("password", "login"), ("url", "login"), ("location_id", "location_id"), ("statuses", "status_9"), ("slug", "")],
)
def test_a_problem_stands_with_the_question_that_can_mend_it(field: str, key: str) -> None:
    login = Question("login", "Shop login", "", "block")
    asked = [*access_questions({}), login, *settings_questions({}, SHOP, ACCOUNT), *status_questions({}, SHOP, ACCOUNT)]
    assert asked_as(Problem(field, "is wrong.", "mend it"), asked) == key


@pytest.mark.parametrize("told", [True, False])
def test_only_a_shop_that_tells_its_statuses_has_no_others(told: bool) -> None:
    statuses = SHOP.statuses if told else DEFAULT_STATUSES
    problems = Problems()
    pairs = {**{status.id: 11 for status in statuses}, 77: 11}
    values = {"language": "ua", "statuses": pairs, "final_statuses": (77,)}
    match_statuses(values, replace(SHOP, statuses=list(statuses)), None, problems)
    match_choices(values, replace(SHOP, statuses=list(statuses)), None, problems)
    assert [field in problems for field in ("statuses", "final_statuses")] == [told, told]
