"""`shop add` without a file: asks for what FILE.yaml would hold, until nothing is wrong with it. The questions and the
checks are those of the forms in Prefect's UI."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from blocks.examine import examine_shop, taken
from blocks.store import find_shop, list_accounts
from cartum_roapp.cli.output import bad_input, say
from cartum_roapp.cli.secrets import SHOP_PASSWORD, remember
from cartum_roapp.cli.settings_table import plain, shown
from cartum_roapp.config import ShopConfig
from cartum_roapp.connection.access import Doors
from cartum_roapp.connection.checklist import checklist, status_rows
from cartum_roapp.connection.configs import shop_config
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.problems import Problem, Problems
from cartum_roapp.connection.questions import (
    CHANGE,
    OF_LOGIN,
    SAVE_AND_IMPORT,
    STATUS,
    UNDECIDED,
    Question,
    asked_as,
    decision_question,
    habit_questions,
    read_answers,
    settings_questions,
    status_questions,
    typed_access_questions,
)
from cartum_roapp.connection.refused import Refused
from cartum_roapp.connection.rules import PASSWORD, SHOP_FIELDS, checked
from cartum_roapp.connection.shop_file import check_values

Ask = Callable[[Question, Problem | None], Awaitable[object]]


class Interview:
    """One shop while a person is asked for it. `imports`: whether an import is offered at the end."""

    def __init__(self, slug: str, ask: Ask, doors: Doors, *, imports: bool) -> None:
        self._slug = slug
        self._ask = ask
        self._doors = doors
        self._imports = imports
        self._accounts: list[str] = []
        self._answers: dict[str, object] = {}
        with suppress(Refused):
            self._answers["password"] = checked(PASSWORD, os.environ.get(SHOP_PASSWORD.variable))
        self._good: dict[str, object] = {}
        self._examination = Examination([])

    async def shop(self) -> tuple[ShopConfig, str, bool]:
        """The shop, its account's company, and whether to import it now. Nothing is saved. Raises KeyboardInterrupt
        for Ctrl-C, CommandEnd for what no answer can mend."""
        await self._begin()
        while True:
            while questions := self._open():
                for question, problem in questions:
                    await self._take(question, problem)
                await self._look()
            config = shop_config(self._good, slug=self._slug, password=str(self._answers["password"]))
            self._say_what_was_found(config)
            decision = await self._ask(decision_question(imports=self._imports and config.enabled), None)
            if decision != CHANGE:
                company = self._examination.account.fingerprint if self._examination.account else ""
                return config, company, decision == SAVE_AND_IMPORT
            questions_by_title = {question.title: question for stage in self._stages() for question in stage}
            titles = tuple(questions_by_title)
            title = await self._ask(Question("", "What is to be changed?", "", "one", titles, titles[0]), None)
            await self._take(questions_by_title[str(title)], None)
            await self._look()

    async def _begin(self) -> None:
        if await find_shop(self._slug):
            raise bad_input([taken(self._slug)])
        self._accounts = sorted(await list_accounts())
        if not self._accounts:
            fix = "add one first: `cartum-roapp account add NAME`"
            raise bad_input([Problem("account", "no account has been added yet.", fix)])

    def _values(self) -> dict[str, object]:
        """As FILE.yaml would have them. What may be left out is absent then; what must be chosen and was not, None."""
        typed = read_answers({key: answer for key, answer in self._answers.items() if key != "password"})
        wanted = {key for key, rule in SHOP_FIELDS.items() if rule.required}
        chosen = {key: value for key, value in typed.items() if value is not None or key in wanted}
        return {"status_direction": "to_roapp", "managers": "all", **chosen}

    def _stages(self) -> list[list[Question]]:
        """The questions in their order: who gets in, what the shop is to do, each status. After each stage both sides
        are asked whether it holds. Where nothing is there to choose any number of, nothing is asked."""
        values = {key: value for key, value in self._values().items() if value is not None}
        stages = [typed_access_questions(values, self._accounts)]
        shop, account = self._examination.shop, self._examination.account
        if shop is not None and account is not None:
            stages.append([*habit_questions(values), *settings_questions(values, shop, account)])
            stages.append(status_questions(values, shop, account))
        return [[one for one in stage if one.choices or one.kind != "many"] for stage in stages]

    def _open(self) -> list[tuple[Question, Problem | None]]:
        """What is to be asked now: of the first stage with something that is not answered, or was refused."""
        for questions in self._stages():
            told = self._told(questions)
            undecided = {one.key for one in questions if self._answers.get(one.key) == UNDECIDED}
            # A refused password may be a wrong login, or another shop's.
            access = OF_LOGIN if any(problem.field == "password" for problem in told.values()) else ()
            again = {*told, *undecided, *access}
            still = [one for one in questions if one.key not in self._answers or one.key in again]
            if still:
                return [(one, told.get(one.key)) for one in still]
        if self._examination.problems:
            raise bad_input(self._examination.problems)
        return []

    def _told(self, questions: list[Question]) -> dict[str, Problem]:
        """Why answers to these questions were refused, each with the first of the questions that it may be about. What
        was not asked yet is not wrong yet."""
        told: dict[str, Problem] = {}
        undecided = [one.key for one in questions if self._answers.get(one.key) == UNDECIDED]
        for problem in self._examination.problems:
            key = asked_as(problem, questions)
            if key.startswith(STATUS) and undecided:
                key = undecided[0]
            if key in self._answers:
                told["url" if key == "password" else key] = problem
        return told

    async def _take(self, question: Question, problem: Problem | None) -> None:
        answer = self._answers[question.key] = await self._ask(question, problem)
        if question.key == "password":
            remember(str(answer))

    async def _look(self) -> None:
        """Finds out all that is wrong by now; what is still to be asked is not missing yet."""
        say("Asking both systems …")
        self._accounts = sorted(await list_accounts())
        values = self._values()
        typed = check_values(values, {key: rule for key, rule in SHOP_FIELDS.items() if key in values})
        self._good = typed.good
        found = Problems([taken(self._slug)] if await find_shop(self._slug) else [])
        found.extend(typed.problems)
        password = self._answers.get("password")
        self._examination = await examine_shop(
            self._slug, typed.good, before=None, password=None if password is None else str(password),
            doors=self._doors, found=found,
        )  # fmt: skip
        if self._forgets_statuses():
            await self._look()

    def _forgets_statuses(self) -> bool:
        """Answers for statuses that the shop has no more."""
        if self._examination.shop is None:
            return False
        there = {f"{STATUS}{status.id}" for status in self._examination.shop.statuses}
        gone = [key for key in self._answers if key.startswith(STATUS) and key not in there]
        for key in gone:
            del self._answers[key]
        return bool(gone)

    def _say_what_was_found(self, config: ShopConfig) -> None:
        settings = {key: value for key, value in shown(config).items() if key != "statuses" and value is not None}
        for key, value in settings.items():
            say(f"{key}: {plain(value)}")
        for row in status_rows(config.statuses, self._examination, config.language):
            say(f"{row['title']} ({row['id']}) → {row['roapp_status']} ({row['roapp_status_id']})")
        for line in checklist(config, self._examination):
            say(str(line))
