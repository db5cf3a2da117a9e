"""`shop add` on a terminal: a person types and chooses; the terminal is a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from forms import Forms, of_a_shop
from installation import Installation, disconnect
from terminal import CTRL_C, DOWN, ENTER, ERASE, SPACE, Terminal, get_in, take_settings, typed

from cartum_roapp.apis.limiter import LocalLimiter
from cartum_roapp.cli.interview import Interview
from cartum_roapp.cli.output import CommandEnd
from cartum_roapp.config import ShopConfig
from cartum_roapp.config.problems import Problem
from cartum_roapp.connection.access import Clients
from cartum_roapp.connection.questions import UNDECIDED, Question

pytestmark = pytest.mark.drawn(4, turn=0)

INDEX, SLUG = 5, "typed"


@pytest.fixture
def forms(installation: Installation) -> Iterator[Forms]:
    yield Forms(installation)
    disconnect(installation.config, SLUG)


@pytest.mark.long
def test_a_shop_is_connected_question_by_question_imported_and_deleted(forms: Forms) -> None:
    """With a wrong password and a status that is not matched on the way."""
    installation, shop = forms.installation, forms.installation.box.shops[INDEX]
    shop.add_status(77, {"ua": "Хтозна"})
    nothing = forms.traces()
    with forms.alerts():
        terminal = Terminal(installation.shell, "shop", "add", SLUG)
        get_in(terminal, shop.url, "nobody", "not-the-password")
        terminal.sees("password: the shop refuses login and password")
        terminal.answers("Website URL:")
        terminal.answers("Login:", ERASE + typed(shop.login))
        terminal.answers("Password:", typed(shop.password))
        take_settings(terminal, location=DOWN + ENTER, managers=SPACE + ENTER)
        for status in shop.statuses:
            terminal.answers(f"({status}):")
        terminal.answers("Final statuses:")
        terminal.sees(
            'statuses: a status of the shop is not matched: 77 "Хтозна". Fix: match 77 with a status of RO App'
        )
        terminal.answers("Хтозна (77):", DOWN + ENTER)
        terminal.sees("identify_products_by: sku")
        terminal.sees('is the location "Склад"')
        terminal.answers("What now?")
        terminal.sees(f"{SLUG}: initial-import")
        assert terminal.ended() == 0
        del shop.statuses[77]

        shown = installation.done("shop", "show", SLUG)
        assert (shown["name"], shown["location_id"], shown["managers"]) == ("Верба", 234002, [336001])
        assert shown["statuses"]["77"] == 5706131
        mine = [one for one in installation.box.roapp.orders_by_marker() if one.startswith(installation.key(INDEX))]
        assert len(mine) == len(shop.qualifying())
        forms.planned(SLUG)
        assert forms.traces() - nothing >= of_a_shop(SLUG)
        installation.done("shop", "delete", SLUG, "--yes")
        assert {one for one in forms.traces() - nothing if SLUG in "".join(one)} == set()
    assert forms.traces() == nothing
    assert installation.value("SELECT deleted_at FROM shops WHERE slug = :slug", slug=SLUG) is not None
    assert shop.password not in terminal.seen and "not-the-password" not in terminal.seen


@pytest.mark.long
def test_what_is_refused_while_it_is_typed_can_be_corrected_at_once(forms: Forms) -> None:
    terminal = Terminal(forms.installation.shell, "shop", "add", SLUG)
    terminal.answers("Shop name:", typed(" "))
    terminal.sees("is empty. Fix: give the shop's name, 1 to 64 characters")
    terminal.answers("", ERASE + typed("Верба"))
    terminal.answers("Platform:")
    terminal.answers("Website URL:", typed("http://shop.example.com"))
    terminal.sees("is http on a public address: passwords would travel in clear.")
    terminal.answers("", CTRL_C)
    terminal.sees("Interrupted.")
    assert terminal.ended() == 130
    assert SLUG not in [shop["slug"] for shop in forms.installation.done("shop", "list")]


@pytest.mark.long
def test_something_is_changed_at_the_end(forms: Forms) -> None:
    shop = forms.installation.box.shops[INDEX]
    terminal = Terminal(forms.installation.shell, "shop", "add", SLUG, "--no-import")
    get_in(terminal, shop.url, shop.login, shop.password)
    take_settings(terminal)
    for question in (*(f"({status}):" for status in shop.statuses), "Final statuses:"):
        terminal.answers(question)
    terminal.answers("What now?", DOWN + ENTER)
    terminal.answers("What is to be changed?")
    terminal.answers("Shop name:", ERASE + typed("Верба й калина"))
    terminal.answers("What now?")
    terminal.sees("Nothing imported")
    assert terminal.ended() == 0
    assert forms.installation.done("shop", "show", SLUG)["name"] == "Верба й калина"


def test_nobody_is_asked_where_there_is_no_terminal(installation: Installation) -> None:
    ended = installation.command("shop", "add", "My Shop")
    assert ended.code == 2
    assert [one["field"] for one in ended.document["error"]["fields"]] == ["slug", "--from"]
    assert "`cartum-roapp shop discover --write FILE.yaml` makes one" in ended.said


class Person:
    """Answers what is offered, but for `says`: the answers to a question, one after the other."""

    def __init__(self, **says: list[Any]) -> None:
        self.says = says
        self.told: list[str] = []
        self.asked: list[str] = []

    async def __call__(self, question: Question, problem: Problem | None) -> object:
        self.asked.append(question.key)
        self.told += [str(problem)] if problem else []
        answer = self.says[question.key].pop(0) if self.says.get(question.key) else question.default
        return answer() if callable(answer) else answer


def outcome_with(forms: Forms, person: Person) -> ShopConfig:
    """What comes out of the interview."""
    shop = forms.installation.box.shops[INDEX]
    person.says |= {"name": ["Верба"], "url": [shop.url], "login": [shop.login], "password": [shop.password]}
    clients = Clients(timeout=5.0, limiter=lambda name: LocalLimiter(0.0))
    with forms.prefect_here():
        return asyncio.run(Interview(SLUG, person, clients, imports=True).shop()).config()


def test_what_was_not_chosen_is_asked_again(forms: Forms) -> None:
    person = Person(location_id=[UNDECIDED], status_3=[UNDECIDED], status_8=[UNDECIDED])
    config = outcome_with(forms, person)
    assert [line.split(":")[0] for line in person.told] == ["location_id", "statuses"]
    assert person.told[0].startswith("location_id: is empty. Fix: write one of 234001")
    assert [person.asked.count(key) for key in ("location_id", "status_3", "status_8", "status_1")] == [2, 2, 2, 1]
    assert config.location_id == 234001 and set(config.statuses) == set(forms.installation.box.shops[INDEX].statuses)


def test_a_status_that_is_gone_meanwhile_is_forgotten(forms: Forms) -> None:
    shop = forms.installation.box.shops[INDEX]
    kept = dict(shop.statuses)
    try:
        person = Person(final_statuses=[lambda: shop.statuses.pop(8) and None])
        assert set(outcome_with(forms, person).statuses) == kept.keys() - {8}
        assert person.told == []
    finally:
        shop.statuses.clear()
        shop.statuses.update(kept)


def test_what_no_answer_can_mend_ends_it(forms: Forms) -> None:
    employees = forms.installation.box.roapp.employees
    kept = {id: dict(row) for id, row in employees.items()}
    try:
        for id in kept:
            forms.installation.box.roapp.dismiss_employee(id)
        with pytest.raises(CommandEnd) as ended:
            outcome_with(forms, Person())
        assert [problem.field for problem in ended.value.fields] == ["managers"]
    finally:
        employees.update(kept)
