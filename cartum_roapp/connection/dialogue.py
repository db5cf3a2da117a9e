"""A shop while a person is asked for it, form by form. The command line asks each question of a form on the terminal,
Prefect's UI shows it whole; what is asked and what is checked is the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import SecretStr

from cartum_roapp.config import ShopConfig
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.config.setting import check
from cartum_roapp.config.shop import LOGIN_FIELDS, SHOP_FIELDS
from cartum_roapp.connection.choices import shop_choices
from cartum_roapp.connection.configs import shop_config
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.questions import (
    CHANGE,
    DECISION,
    SETTINGS_FIELDS,
    STATUS_FIELDS,
    Question,
    access_questions,
    decision_question,
    read_answers,
    settings_questions,
    slug_question,
    status_questions,
)

#: The forms, in their order. A problem that no other form can mend belongs to the first.
ACCESS, SETTINGS, STATUSES = "access", "settings", "statuses"


@dataclass(frozen=True)
class Form:
    """What is asked now. `problems` are why earlier answers were refused."""

    name: str
    title: str
    text: str
    questions: Sequence[Question]
    problems: Sequence[Problem] = ()


@dataclass
class Dialogue:
    """`values` are those of FILE.yaml as they were typed, `good` those that pass their rules. `before` is the shop
    that is edited. `logins` are the front end's own questions: what opens the shop, and the account. `settled` names
    the forms that were answered since the person last wished to change something; `revising`: nothing is new to the
    person, so all settings stand in one form."""

    slug: str
    values: dict[str, object]
    logins: Callable[[], list[Question]]
    before: ShopConfig | None = None
    imports: bool = True
    password: SecretStr | None = None
    settled: set[str] = field(default_factory=set)
    revising: bool = False
    decision: str | None = None
    good: dict[str, object] = field(default_factory=dict)
    examination: Examination = field(default_factory=lambda: Examination([]))

    def take(self, form: str, answers: Mapping[str, object]) -> None:
        """Takes the answers to a form."""
        self.decision = None
        if form == DECISION:
            self.decision = cast("str | None", answers.get(DECISION))
            if self.decision == CHANGE:
                self.settled, self.revising = {ACCESS}, True
            return
        self.settled.add(form)
        self.slug = str(answers.get("slug", self.slug) or "").strip()
        read = {**self.values, **read_answers(answers)}
        if pairs := cast("Mapping[int, int]", read.get("statuses") or {}):
            # A shop may have statuses that it does not list: nobody is asked for them, so their pairs stay.
            before = cast("Mapping[int, int]", self.values.get("statuses") or {})
            unasked = {status: target for status, target in before.items() if f"status_{status}" not in answers}
            read["statuses"] = {**unasked, **pairs}
        self.values = {key: value for key, value in read.items() if value is not None}

    async def look(
        self, examine: Callable[[Mapping[str, object], Problems], Awaitable[Examination]], found: Iterable[Problem] = ()
    ) -> None:
        """Examines all that was answered so far; what is still to be asked does not count as missing. `found` are the
        problems that the front end knows of; `examine` checks values that pass their rules against both systems."""
        problems = Problems(found)
        unknown = LOGIN_FIELDS if "login" in problems else ()
        asked = {
            key: one
            for key, one in SHOP_FIELDS.items()
            if key not in unknown and (key in self.values or form_of(key) in self.settled)
        }
        typed = check({key: self.values.get(key) for key in asked}, asked)
        problems.extend(problem for problem in typed.problems if problem.field not in problems)
        self.good = typed.good
        self.examination = await examine(self.good, problems)
        if self._forgets_statuses():
            await self.look(examine, found)
        elif STATUSES not in self.settled and not self.before:
            kept = [problem for problem in self.examination.problems if problem.field != "statuses"]
            self.examination = replace(self.examination, problems=kept)

    def open(self) -> Form | None:
        """Returns the form that is to be answered now; None once the person has decided to save the shop."""
        for name in (ACCESS, SETTINGS, STATUSES):
            problems = [one for one in self.examination.problems if form_of(one.field) == name]
            if problems or name not in self.settled:
                return self._form(name, problems)
        question = decision_question(imports=self.imports and self.before is None and self.config().enabled)
        if self.decision in question.choices and self.decision != CHANGE:
            return None
        return Form(DECISION, "Everything is checked", "", [question])

    def questions(self, name: str) -> list[Question]:
        """Returns all questions of a form; none while the lists that it needs are not there."""
        if name == ACCESS:
            named = [slug_question(self.slug)] if self.before is None else []
            return [*named, *access_questions(self.values), *self.logins()]
        shop, account = self.examination.shop, self.examination.account
        if shop is None or account is None:
            return []
        ask = settings_questions if name == SETTINGS else status_questions
        return ask(self.values, shop, account)

    def config(self) -> ShopConfig:
        """Returns the shop. To be called once no form is open."""
        assert self.password is not None, "no form is open without it"
        key = self.before.key if self.before else ""
        return shop_config(self.good, slug=self.slug, password=self.password, key=key)

    @property
    def company(self) -> str:
        """The fingerprint of the account's company; "" if the account could not be asked."""
        return self.examination.account.fingerprint if self.examination.account else ""

    def _form(self, name: str, problems: Sequence[Problem]) -> Form:
        questions = self.questions(name)
        asked = {question.key for question in questions}
        whole = self.revising or any(problem.field not in asked for problem in problems)
        if name == SETTINGS and whole:
            questions = [*self.questions(ACCESS), *questions]
        return Form(name, *_TITLES[name], questions, problems)

    def _forgets_statuses(self) -> bool:
        """Drops the pairs of statuses that the shop does not have any more, as nobody is asked for them. Returns
        whether there were any."""
        pairs = self.values.get("statuses")
        if self.examination.shop is None or not isinstance(pairs, dict):
            return False
        theirs = shop_choices(self.examination.shop)["shop_statuses"]
        kept = {status: target for status, target in pairs.items() if theirs.find(status) or not theirs.complete}
        self.values["statuses"] = kept
        return len(kept) < len(pairs)


_TITLES = {
    ACCESS: ("The shop and how to get in", ""),
    SETTINGS: ("Where the orders go", ""),
    STATUSES: ("Statuses", "What each status of the shop becomes in RO App. All of them must be matched."),
}


def form_of(field: str) -> str:
    """Returns the form that can mend a field."""
    return STATUSES if field in STATUS_FIELDS else SETTINGS if field in SETTINGS_FIELDS else ACCESS
