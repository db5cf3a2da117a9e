"""`shop add` without a file: the dialogue of `connection.dialogue` on a terminal, question by question."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from pydantic import SecretStr

from blocks.examine import examine_shop, taken
from blocks.store import find_shop, list_accounts
from cartum_roapp.cli.output import bad_input, say
from cartum_roapp.cli.progress import ASKING, waiting
from cartum_roapp.cli.secrets import SHOP_PASSWORD, remember
from cartum_roapp.cli.settings_table import setting_cell, settings_document
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.config.refused import Refused
from cartum_roapp.config.shop import LOGIN_FIELDS, PASSWORD
from cartum_roapp.connection.access import Clients
from cartum_roapp.connection.checklist import checklist, status_rows
from cartum_roapp.connection.dialogue import ACCESS, SETTINGS, STATUSES, Dialogue, Form
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.questions import (
    CHANGE,
    DECISION,
    UNDECIDED,
    Question,
    asked_as,
    status_of,
    typed_login_questions,
)

Ask = Callable[[Question, Problem | None], Awaitable[object]]


class Interview:
    """Asks a person for one shop. `imports`: whether an import is offered at the end."""

    def __init__(self, slug: str, ask: Ask, clients: Clients, *, imports: bool) -> None:
        self._ask = ask
        self._clients = clients
        self._accounts: list[str] = []
        self._answers: dict[str, object] = {}
        self._shop = Dialogue(slug, {}, self._login_questions, imports=imports)
        with suppress(Refused):
            self._shop.password = PASSWORD.checked(os.environ.get(SHOP_PASSWORD.variable))
            self._answers["password"] = ""

    async def shop(self) -> Dialogue:
        """Returns the dialogue when the person has decided to save the shop; saves nothing itself. Raises
        KeyboardInterrupt for Ctrl-C, CommandEnd for a problem that no answer can remove."""
        await self._begin()
        while form := self._shop.current_form():
            if form.name == DECISION:
                await self._decide(form.questions[0])
            else:
                await self._answer(form)
        return self._shop

    async def _begin(self) -> None:
        if await find_shop(self._shop.slug):
            raise bad_input([taken(self._shop.slug)])
        self._accounts = sorted(await list_accounts())
        if not self._accounts:
            fix = "add one first: `cartum-roapp account add NAME`"
            raise bad_input([Problem("account", "no account has been added yet.", fix)])

    async def _answer(self, form: Form) -> None:
        """Asks the form's open questions: those without an answer, and those whose answer was refused."""
        questions = self._questions(form.name)
        refused = self._refused(form, questions)
        undecided = {one.key for one in questions if self._answers.get(one.key) == UNDECIDED}
        # If the password is refused, the login or the address may be wrong.
        access = LOGIN_FIELDS if any(problem.field == "password" for problem in refused.values()) else ()
        again = {*refused, *undecided, *access}
        still = [one for one in questions if one.key not in self._answers or one.key in again]
        if form.problems and not still:
            raise bad_input(form.problems)
        for question in still:
            await self._take(question, refused.get(question.key))
        self._shop.add_answers(form.name, {one.key: self._answers[one.key] for one in questions})
        await self._validate()

    async def _decide(self, question: Question) -> None:
        """Asks the last question: what to do with the shop. To change something, the person picks any question and
        answers it again."""
        self._print_findings()
        decision = await self._ask(question, None)
        if decision != CHANGE:
            self._shop.add_answers(DECISION, {DECISION: decision})
            return
        forms = {one.title: (one, form) for form in (ACCESS, SETTINGS, STATUSES) for one in self._questions(form)}
        titles = tuple(forms)
        title = await self._ask(Question("", "What is to be changed?", "", "one", titles, titles[0]), None)
        changed, form = forms[str(title)]
        await self._take(changed, None)
        self._shop.add_answers(form, {one.key: self._answers[one.key] for one in self._questions(form)})
        await self._validate()

    def _questions(self, form: str) -> list[Question]:
        """Returns the questions of a form, except the slug, which is in the command, and except lists to choose from
        that are empty."""
        asked = self._shop.questions(form)
        return [one for one in asked if one.key != "slug" and (one.choices or one.kind != "many")]

    def _login_questions(self) -> list[Question]:
        return typed_login_questions(self._shop.values, self._accounts)

    def _refused(self, form: Form, questions: list[Question]) -> Mapping[str, Problem]:
        """Returns why answers were refused, by the first question that the problem may concern."""
        refused: dict[str, Problem] = {}
        undecided = [one.key for one in questions if self._answers.get(one.key) == UNDECIDED]
        for problem in form.problems:
            key = asked_as(problem, questions)
            if status_of(key) is not None and undecided:
                key = undecided[0]
            if key in self._answers:
                refused["url" if key == "password" else key] = problem
        return refused

    async def _take(self, question: Question, problem: Problem | None) -> None:
        answer = self._answers[question.key] = await self._ask(question, problem)
        if question.key == "password":
            self._shop.password = SecretStr(str(answer))
            remember(str(answer))

    async def _validate(self) -> None:
        """Checks everything that was answered so far."""
        with waiting(ASKING):
            self._accounts = sorted(await list_accounts())
            found = [taken(self._shop.slug)] if await find_shop(self._shop.slug) else []
            await self._shop.validate(self._examine, found)

    async def _examine(self, good: Mapping[str, object], found: Problems) -> Examination:
        shop = self._shop
        return await examine_shop(
            shop.slug, good, before=None, password=shop.password, clients=self._clients, found=found
        )

    def _print_findings(self) -> None:
        config, examination = self._shop.config(), self._shop.examination
        settings = {
            key: value for key, value in settings_document(config).items() if key != "statuses" and value is not None
        }
        for key, value in settings.items():
            say(f"{key}: {setting_cell(value)}")
        for row in status_rows(config.statuses, examination, config.language):
            say(f"{row['title']} ({row['id']}) → {row['roapp_status']} ({row['roapp_status_id']})")
        for line in checklist(config, examination):
            say(str(line))
