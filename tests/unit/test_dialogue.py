"""The forms by which a shop is connected or edited, one after the other, without a front end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from cartum_roapp.apis.cartum import DEFAULT_STATUSES, ShopStatus
from cartum_roapp.apis.roapp import Employee, Location, OrderType, RoStatus
from cartum_roapp.config.problems import Problems
from cartum_roapp.connection.dialogue import ACCESS, SETTINGS, STATUSES, Dialogue, Form
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.lists import AccountLists, ShopLists
from cartum_roapp.connection.matching import match_choices, match_statuses
from cartum_roapp.connection.questions import CHANGE, DECISION, SAVE_AND_IMPORT, UNDECIDED, Question

ACCOUNT = AccountLists(
    company={"timezone": "Europe/Kyiv", "currency": "UAH"},
    locations=[Location(id=2, name="Склад"), Location(id=3, name="Магазин")],
    order_types=[OrderType(id=5, name="Інтернет")],
    employees=[Employee(id=7, name="Олег")],
    statuses=[RoStatus(id=11, name="Новий"), RoStatus(id=12, name="Виконано")],
    custom_fields=[],
)
ACCESS_ANSWERS = {
    "slug": "verba", "name": "Верба", "platform": "cartum", "url": "https://verba.example.com", "login": "api",
    "account": "main",
}  # fmt: skip


class Systems:
    """Both systems as they answer now; `good`: the values that were examined last."""

    def __init__(self, *statuses: ShopStatus) -> None:
        self.statuses = statuses
        self.good: Mapping[str, object] = {}
        self.in_use: frozenset[int] = frozenset()

    async def examine(self, good: Mapping[str, object], found: Problems) -> Examination:
        self.good = good
        shop = ShopLists(self.statuses, ("ua",), ("UAH",), in_use=self.in_use)
        match_choices(good, shop, ACCOUNT, found)
        match_statuses(good, shop, ACCOUNT, found)
        return Examination(list(found), [], shop, ACCOUNT)


class Person:
    def __init__(self, systems: Systems, **values: Any) -> None:
        self.systems = systems
        self.shop = Dialogue("", dict(values), self._login_questions, password=SecretStr("geheim"))

    def _login_questions(self) -> list[Question]:
        return [Question(key, key, "", default=ACCESS_ANSWERS[key]) for key in ("url", "login", "account")]

    def answers(self, form: Form, **changed: Any) -> Form | None:
        """Takes what the form offers, except `changed`; the form that follows."""
        offered = {question.key: question.default for question in form.questions}
        self.shop.add_answers(form.name, {**offered, **changed})
        asyncio.run(self.shop.validate(self.systems.examine))
        return self.shop.current_form()

    def begins(self) -> Form:
        form = self.shop.current_form()
        assert form is not None and form.name == ACCESS
        return form


def shown(form: Form | None, name: str) -> Form:
    assert form is not None and form.name == name
    return form


@pytest.fixture
def person() -> Person:
    return Person(Systems(ShopStatus(1, {"ua": "Нове"}), ShopStatus(9, {"ua": "Хтозна"})))


def test_form_after_form_until_the_shop_can_be_saved(person: Person) -> None:
    settings = shown(person.answers(person.begins(), **ACCESS_ANSWERS), SETTINGS)
    statuses = shown(person.answers(settings, location_id="Магазин (3)"), STATUSES)
    again = shown(person.answers(statuses), STATUSES)
    assert [str(one) for one in again.problems] == [
        'statuses: a status of the shop is not matched: 9 "Хтозна". Fix: match 9 with a status of RO App'
    ]
    decision = shown(person.answers(again, status_9="Виконано (12)"), DECISION)
    assert person.answers(decision, decision=SAVE_AND_IMPORT) is None
    config = person.shop.config()
    assert (config.slug, config.location_id, config.statuses) == ("verba", 3, {1: 11, 9: 12})
    assert config.password.get_secret_value() == "geheim"


def test_an_edit_keeps_the_match_of_a_status_that_only_orders_have(person: Person) -> None:
    person.systems.in_use = frozenset({77})
    person.shop.values |= {"statuses": {1: 11, 9: 12, 77: 12, 78: 12}, "final_statuses": [9, 77]}
    settings = shown(person.answers(person.begins(), **ACCESS_ANSWERS), SETTINGS)
    statuses = shown(person.answers(settings), STATUSES)
    assert {"status_1", "status_9", "status_77"} == {one.key for one in statuses.questions if "status_" in one.key}
    shown(person.answers(statuses), DECISION)
    config = person.shop.config()
    assert (config.statuses, config.final_statuses) == ({1: 11, 9: 12, 77: 12}, (9, 77))


def test_what_was_not_chosen_is_refused_and_what_was_not_asked_yet_is_not(person: Person) -> None:
    form = shown(person.answers(person.begins(), **{**ACCESS_ANSWERS, "name": " "}), ACCESS)
    assert [problem.field for problem in form.problems] == ["name"]
    settings = shown(person.answers(form, **ACCESS_ANSWERS), SETTINGS)
    assert settings.problems == []
    again = shown(person.answers(settings, location_id=UNDECIDED, timezone=""), SETTINGS)
    assert [(one.field, one.message) for one in again.problems] == [
        ("timezone", "is empty."),
        ("location_id", "is empty."),
    ]


def test_who_changes_something_meets_all_settings_in_one_form(person: Person) -> None:
    settings = shown(person.answers(person.begins(), **ACCESS_ANSWERS), SETTINGS)
    statuses = shown(person.answers(settings), STATUSES)
    decision = shown(person.answers(statuses, status_9="Виконано (12)"), DECISION)
    whole = shown(person.answers(decision, decision=CHANGE), SETTINGS)
    assert {"slug", "name", "url", "location_id", "status_direction"} <= {question.key for question in whole.questions}
    statuses = shown(person.answers(whole, name="Верба й калина", status_direction="both"), STATUSES)
    assert person.answers(shown(person.answers(statuses), DECISION), decision=SAVE_AND_IMPORT) is None
    assert (person.shop.config().name, person.shop.config().status_direction) == ("Верба й калина", "both")


def test_a_status_that_the_shop_has_no_more_is_forgotten(person: Person) -> None:
    settings = shown(person.answers(person.begins(), **ACCESS_ANSWERS), SETTINGS)
    statuses = shown(person.answers(settings), STATUSES)
    person.systems.statuses = person.systems.statuses[:1]
    decision = shown(person.answers(statuses, status_9="Виконано (12)"), DECISION)
    assert person.answers(decision, decision=SAVE_AND_IMPORT) is None
    assert person.shop.config().statuses == {1: 11}


def test_a_pair_stays_whose_status_an_old_shop_does_not_list() -> None:
    """A shop before version 4.0 lists none of its statuses (cartum §3): nobody can be asked for those of its own."""
    person = Person(Systems(*DEFAULT_STATUSES), statuses={77: 12})
    settings = shown(person.answers(person.begins(), **ACCESS_ANSWERS), SETTINGS)
    statuses = shown(person.answers(settings), STATUSES)
    chosen = {f"status_{status.id}": "Новий (11)" for status in DEFAULT_STATUSES}
    shown(person.answers(statuses, **chosen), DECISION)
    assert person.shop.config().statuses == {77: 12, **{status.id: 11 for status in DEFAULT_STATUSES}}
