"""A shop while a person connects or edits it in Prefect's UI: what was typed so far, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from blocks import store
from blocks.examine import examine_shop, taken
from cartum_roapp.config import ShopConfig
from cartum_roapp.connection.access import Doors
from cartum_roapp.connection.configs import shop_config
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.problems import Problem, Problems
from cartum_roapp.connection.questions import CHANGE, DECISION, OF_LOGIN, read_answers
from cartum_roapp.connection.refused import Refused
from cartum_roapp.connection.rules import PASSWORD, SHOP_FIELDS, SLUG_FIELD, Field, checked
from cartum_roapp.connection.shop_file import check_values
from tasks.form import Answer, answered, block_id

#: The forms, in their order, and the fields that each can mend. A field that none of them names is mended by the first.
ACCESS, SETTINGS, STATUSES = "access", "settings", "statuses"
WHICH = "shop"
_OF_STATUSES = {"statuses", "final_statuses"}
_OF_SETTINGS = set(SHOP_FIELDS) - _OF_STATUSES - {"name", "platform", "account", *OF_LOGIN}


@dataclass
class Draft:
    """`values` are those of FILE.yaml as they were typed, `good` those that pass their rules. `before` is the shop
    that is edited. `settled` names the forms that were answered since the person last wished to change something."""

    slug: str
    values: dict[str, object]
    login_id: str
    account_id: str
    before: ShopConfig | None = None
    settled: set[str] = field(default_factory=set)
    revising: bool = False
    decision: str | None = None
    login: store.Login | None = None
    good: dict[str, object] = field(default_factory=dict)
    examination: Examination = field(default_factory=lambda: Examination([]))

    def take(self, answer: Answer) -> None:
        """One more answer."""
        self.decision = None
        if answer.form == WHICH:
            return
        if answer.form == DECISION:
            self.decision = answer.fields.get("decision")
            if self.decision == CHANGE:
                self.settled = {ACCESS}
                self.revising = True
            return
        self.settled.add(answer.form)
        fields = read_answers(answer.fields)
        self.slug = str(fields.pop("slug", self.slug) or "").strip()
        self.values = {key: value for key, value in {**self.values, **fields}.items() if value is not None}
        if "login" in answer.fields:
            self.login_id = block_id(answer.fields["login"])
        if "account" in answer.fields:
            self.account_id = block_id(answer.fields["account"])

    def problems(self, form: str) -> list[Problem]:
        """Those that this form can mend."""
        return [problem for problem in self.examination.problems if _form_of(problem) == form]

    def config(self) -> ShopConfig:
        """The shop, once every form is settled without a problem."""
        key = self.before.key if self.before else ""
        return shop_config(self.good, slug=self.slug, password=self._password() or "", key=key)

    @property
    def company(self) -> str:
        """The fingerprint of the account's company; "" where nobody could be asked."""
        return self.examination.account.fingerprint if self.examination.account else ""

    def _password(self) -> str | None:
        """As it is stored; None for none that could be one."""
        kept = self.before.password if self.before and not self.login_id else None
        secret = self.login.password if self.login else kept
        try:
            return None if secret is None else str(checked(PASSWORD, secret.get_secret_value()))
        except Refused:
            return None

    async def look(self, doors: Doors) -> None:
        """Finds out all that is wrong with it by now. What is still to be asked is not missing yet."""
        found = Problems()
        await self._blocks(found)
        unknown = OF_LOGIN if "login" in found else ()
        rules = {
            key: rule
            for key, rule in SHOP_FIELDS.items()
            if key not in unknown and (key in self.values or _form_of(key) in self.settled)
        }
        typed = check_values({key: value for key, value in self.values.items() if key in rules}, rules)
        found.extend(problem for problem in typed.problems if problem.field not in found)
        self.good = typed.good
        await self._slug(found)
        self.examination = await examine_shop(
            self.slug, self.good, before=self.before, password=self._password(), doors=doors, found=found
        )
        if STATUSES not in self.settled and not self.before:
            kept = [problem for problem in self.examination.problems if problem.field != "statuses"]
            self.examination = replace(self.examination, problems=kept)

    async def _blocks(self, found: Problems) -> None:
        name = await store.account_name(self.account_id)
        if name is None:
            found.add("account", "no account is chosen.", "choose one, or add one")
        self.values["account"] = name or ""
        if self.before and not self.login_id:
            self.values |= {"url": self.before.url, "login": self.before.login}
            return
        self.login = await store.load_login(self.login_id)
        if self.login is None:
            found.add("login", "no login is chosen.", "choose one, or add one")
            return
        self.values |= {"url": self.login.url, "login": self.login.login}
        in_block = f'fill it in in the block "{self.login.name}"'
        _try(found, "password", replace(PASSWORD, hint=in_block), self.login.password.get_secret_value())

    async def _slug(self, found: Problems) -> None:
        if self.before is not None or not _try(found, "slug", SLUG_FIELD, self.slug):
            return
        stored = await store.find_shop(self.slug)
        # A run that was killed while it saved finds its own shop.
        mine = self.decision is not None and not found and stored == self.config()
        if stored is not None and not mine:
            found.extend([taken(self.slug)])


async def new_draft(slug: str, values: Mapping[str, object], *, login: object, account: object, doors: Doors) -> Draft:
    """A shop that is not connected yet, with all that was answered so far."""
    draft = Draft(slug.strip(), dict(values), block_id(login), block_id(account), settled={ACCESS})
    return await _looked_at(draft, doors)


async def draft_of(before: ShopConfig, doors: Doors) -> Draft:
    """A shop that is edited, with all that was answered so far."""
    values = before.model_dump(exclude={"slug", "key", "password"}, exclude_none=True)
    account = await store.account_id(before.account)
    draft = Draft(before.slug, values, "", account or "", before, settled={ACCESS}, revising=True)
    return await _looked_at(draft, doors)


async def _looked_at(draft: Draft, doors: Doors) -> Draft:
    for answer in await answered():
        draft.take(answer)
    await draft.look(doors)
    return draft


def _try(found: Problems, name: str, rule: Field, value: object) -> bool:
    try:
        checked(rule, value)
    except Refused as refused:
        found.add(name, refused.message, refused.fix)
        return False
    return True


def _form_of(problem: Problem | str) -> str:
    name = problem if isinstance(problem, str) else problem.field
    return STATUSES if name in _OF_STATUSES else SETTINGS if name in _OF_SETTINGS else ACCESS
