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
    """The answers of a person, and which form comes next. A front end repeats `add_answers`, `validate` and
    `current_form` until there is no form; then `config` is the shop to save.

    The front end sets `values["url"]`, `values["login"]`, `values["account"]` and `password` before `validate`. The
    first three may also come through `add_answers`, if `login_questions` ask for them by these keys.

    slug             the shop's short name as typed
    values           the values of FILE.yaml as typed
    login_questions  returns the front end's own questions: login and account
    edited_shop      the shop before an edit; None: a new shop
    imports          whether a new shop may be imported at the end; an edit never offers that
    password         the shop's password; None: still missing
    answered_forms   forms that are shown again only if they have a problem
    revising         the person has seen all settings before, so the settings and the access are one form
    decision         the answer to the last form, None if it was not given
    good             the values that pass their rules, in their stored form
    examination      what the last `validate` found
    """

    slug: str
    values: dict[str, object]
    login_questions: Callable[[], list[Question]]
    edited_shop: ShopConfig | None = None
    imports: bool = True
    password: SecretStr | None = None
    answered_forms: set[str] = field(default_factory=set)
    revising: bool = False
    decision: str | None = None
    good: dict[str, object] = field(default_factory=dict)
    examination: Examination = field(default_factory=lambda: Examination([]))

    def add_answers(self, form: str, answers: Mapping[str, object]) -> None:
        """Adds the answers to a form, by key of the question. Validates nothing."""
        self.decision = None
        if form == DECISION:
            self.decision = cast("str | None", answers.get(DECISION))
            if self.decision == CHANGE:
                self.answered_forms, self.revising = {ACCESS}, True
            return
        self.answered_forms.add(form)
        self.slug = str(answers.get("slug", self.slug) or "").strip()
        read = {**self.values, **read_answers(answers)}
        if pairs := cast("Mapping[int, int]", read.get("statuses") or {}):
            # A shop may have statuses that it does not list: nobody is asked for them, so their pairs stay.
            before = cast("Mapping[int, int]", self.values.get("statuses") or {})
            unasked = {status: target for status, target in before.items() if f"status_{status}" not in answers}
            read["statuses"] = {**unasked, **pairs}
        self.values = {key: value for key, value in read.items() if value is not None}

    async def validate(
        self, examine: Callable[[Mapping[str, object], Problems], Awaitable[Examination]], found: Iterable[Problem] = ()
    ) -> None:
        """Examines all that was answered so far; what is still to be asked does not count as missing. `found` are the
        problems that the front end knows of; `examine` checks values that pass their rules against both systems. Sets
        `good` and `examination`."""
        problems = Problems(found)
        unknown = LOGIN_FIELDS if "login" in problems else ()
        asked = {
            key: one
            for key, one in SHOP_FIELDS.items()
            if key not in unknown and (key in self.values or form_of(key) in self.answered_forms)
        }
        typed = check({key: self.values.get(key) for key in asked}, asked)
        problems.extend(problem for problem in typed.problems if problem.field not in problems)
        self.good = typed.good
        self.examination = await examine(self.good, problems)
        if self._drop_unknown_statuses():
            await self.validate(examine, found)
        elif STATUSES not in self.answered_forms and not self.edited_shop:
            kept = [problem for problem in self.examination.problems if problem.field != "statuses"]
            self.examination = replace(self.examination, problems=kept)

    def current_form(self) -> Form | None:
        """Returns the form that is to be answered now; None once the person has decided to save the shop. To be called
        after `validate`."""
        for name in (ACCESS, SETTINGS, STATUSES):
            problems = [one for one in self.examination.problems if form_of(one.field) == name]
            if problems or name not in self.answered_forms:
                return self._form(name, problems)
        question = decision_question(imports=self.imports and self.edited_shop is None and self.config().enabled)
        if self.decision in question.choices and self.decision != CHANGE:
            return None
        return Form(DECISION, "Everything is checked", "", [question])

    def questions(self, name: str) -> list[Question]:
        """Returns all questions of a form; none while the lists that it needs are not there."""
        if name == ACCESS:
            named = [slug_question(self.slug)] if self.edited_shop is None else []
            return [*named, *access_questions(self.values), *self.login_questions()]
        shop, account = self.examination.shop_lists, self.examination.account_lists
        if shop is None or account is None:
            return []
        ask = settings_questions if name == SETTINGS else status_questions
        return ask(self.values, shop, account)

    def config(self) -> ShopConfig:
        """Returns the shop. To be called only when access, settings and statuses have no problem."""
        assert self.password is not None, "the password is missing: the access form is still open"
        key = self.edited_shop.key if self.edited_shop else ""
        return shop_config(self.good, slug=self.slug, password=self.password, key=key)

    @property
    def company_fingerprint(self) -> str:
        """Returns the fingerprint of the account's company; "" if the account could not be asked."""
        return self.examination.account_lists.fingerprint if self.examination.account_lists else ""

    def _form(self, name: str, problems: Sequence[Problem]) -> Form:
        questions = self.questions(name)
        asked = {question.key for question in questions}
        whole = self.revising or any(problem.field not in asked for problem in problems)
        if name == SETTINGS and whole:
            questions = [*self.questions(ACCESS), *questions]
        return Form(name, *_TITLES[name], questions, problems)

    def _drop_unknown_statuses(self) -> bool:
        """Drops the pairs of statuses that the shop does not have any more, as nobody is asked for them. Returns
        whether there were any."""
        pairs = self.values.get("statuses")
        if self.examination.shop_lists is None or not isinstance(pairs, dict):
            return False
        theirs = shop_choices(self.examination.shop_lists)["shop_statuses"]
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
