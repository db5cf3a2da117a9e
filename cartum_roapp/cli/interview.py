"""`shop add` without a file: asks for all that FILE.yaml would hold, until nothing is wrong with it. The questions and
the checks are those of the forms in Prefect's UI."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from blocks.examine import examine_shop
from blocks.store import list_accounts
from cartum_roapp.cli.output import bad_input, say
from cartum_roapp.cli.secrets import SHOP_PASSWORD, remember
from cartum_roapp.config import ShopConfig
from cartum_roapp.connection.access import Doors
from cartum_roapp.connection.checklist import checklist, status_rows
from cartum_roapp.connection.configs import shop_config
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.problems import Problem, Problems
from cartum_roapp.connection.questions import (
    Question,
    asked_as,
    habit_questions,
    read_answers,
    settings_questions,
    status_questions,
    typed_access_questions,
)
from cartum_roapp.connection.rules import SHOP_FIELDS
from cartum_roapp.connection.shop_file import check_values

Ask = Callable[[Question, Problem | None], Awaitable[object]]

SAVE_AND_IMPORT, SAVE, CHANGE = "Save and import", "Save without importing", "Change something"


class Interview:
    """One shop while a person is asked for it. `imports`: an import is offered as well."""

    def __init__(self, slug: str, ask: Ask, doors: Doors, *, imports: bool) -> None:
        self._slug = slug
        self._ask = ask
        self._doors = doors
        self._imports = imports
        self._accounts: list[str] = []
        self._values: dict[str, object] = {"status_direction": "to_roapp"}
        self._good: dict[str, object] = {}
        self._password = os.environ.get(SHOP_PASSWORD.variable)
        self._answered: set[str] = {"password"} if self._password else set()
        self._examination = Examination([])

    async def held(self) -> tuple[ShopConfig, str, bool]:
        """The shop, its account's company, and whether to import it now. Nothing is saved. Raises KeyboardInterrupt
        for Ctrl-C, CommandEnd where no account is there yet."""
        self._accounts = sorted(await list_accounts())
        if not self._accounts:
            fix = "add one first: `cartum-roapp account add NAME`"
            raise bad_input([Problem("account", "no account has been added yet.", fix)])
        while True:
            while questions := self._open():
                for question, problem in questions:
                    self._take(question, await self._ask(question, problem))
                await self._look()
            config = shop_config(self._good, slug=self._slug, password=self._password or "")
            self._say_what_was_found(config)
            offered = (SAVE_AND_IMPORT, SAVE, CHANGE) if self._imports and config.enabled else (SAVE, CHANGE)
            decision = await self._ask(Question("", "What now?", "", "one", offered, offered[0]), None)
            if decision != CHANGE:
                company = self._examination.account.fingerprint if self._examination.account else ""
                return config, company, decision == SAVE_AND_IMPORT
            await self._reopen()

    def _stages(self) -> list[list[Question]]:
        """The questions in their order: who gets in, what the lists of both sides offer, each status."""
        stages = [[*typed_access_questions(self._values, self._accounts), *habit_questions(self._values)]]
        shop, account = self._examination.shop, self._examination.account
        if shop is not None and account is not None:
            stages += [settings_questions(self._values, shop, account), status_questions(self._values, shop, account)]
        return stages

    def _open(self) -> list[tuple[Question, Problem | None]]:
        """What is to be asked now: of the first stage with something that is not answered, or was refused."""
        for questions in self._stages():
            refused = {asked_as(problem, questions): problem for problem in self._examination.problems}
            still = [one for one in questions if one.key not in self._answered or one.key in refused]
            if still:
                return [(question, refused.get(question.key)) for question in still]
        if self._examination.problems:
            raise bad_input(self._examination.problems)
        return []

    def _take(self, question: Question, answer: object) -> None:
        self._answered.add(question.key)
        if question.key == "password":
            self._password = str(answer)
            remember(self._password)
            return
        if question.kind == "number" and str(answer).strip().isdecimal():
            answer = int(str(answer))
        for key, value in read_answers({question.key: answer}).items():
            if isinstance(value, dict):
                kept = self._values.get(key)
                value = {**(kept if isinstance(kept, dict) else {}), **value}
            self._values[key] = value

    async def _look(self) -> None:
        """Finds out all that is wrong by now; what is still to be asked is not missing yet."""
        given = {key: value for key, value in self._values.items() if value is not None}
        checked = check_values(given, {key: rule for key, rule in SHOP_FIELDS.items() if key in given})
        self._good = checked.good
        self._examination = await examine_shop(
            self._slug, self._good, before=None, password=self._password, doors=self._doors,
            found=Problems(checked.problems),
        )  # fmt: skip

    async def _reopen(self) -> None:
        questions = {question.title: question for stage in self._stages() for question in stage}
        titles = tuple(questions)
        chosen = await self._ask(Question("", "What is to be changed?", "", "one", titles, titles[0]), None)
        self._answered.discard(questions[str(chosen)].key)

    def _say_what_was_found(self, config: ShopConfig) -> None:
        for line in checklist(config, self._examination):
            say(str(line))
        for row in status_rows(config.statuses, self._examination, config.language):
            say(f"{row['title']} ({row['id']}) → {row['roapp_status']} ({row['roapp_status_id']})")
