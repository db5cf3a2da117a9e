"""A shop while a person connects or edits it in Prefect's UI: the dialogue of `connection.dialogue` with all answers
that this run got so far. Login and account are blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from blocks import store
from blocks.examine import examine_shop, taken
from cartum_roapp.config import ShopConfig
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.config.refused import Refused
from cartum_roapp.config.setting import Field
from cartum_roapp.config.shop import PASSWORD, SLUG
from cartum_roapp.connection.access import Clients
from cartum_roapp.connection.dialogue import ACCESS, Dialogue
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.questions import Question
from cartum_roapp.markdown import escaped
from tasks.form import SHOP_LOGIN, Answer, answered, block_id

_CORRECTED = "Correct it by the link at the top and submit, or choose another."


@dataclass
class Blocks:
    """The chosen blocks by id, "" for none; the account's name; the login as it is stored."""

    login_id: str
    account_id: str
    account: str = ""
    login: store.Login | None = None

    async def load(self) -> None:
        self.account = await store.account_name(self.account_id) or ""
        self.login = await store.load_login(self.login_id)

    def choose(self, answer: Answer) -> None:
        if "login" in answer.fields:
            self.login_id = block_id(answer.fields["login"])
        if "account" in answer.fields:
            self.account_id = block_id(answer.fields["account"])

    def questions(self, *, keeps_login: bool) -> list[Question]:
        """Returns the questions for login and account. `keeps_login`: the shop has a login, which stays if none is
        chosen."""
        kept = "Leave it empty to keep the one it has." if keeps_login else ""
        login = _text(SHOP_LOGIN, kept, _CORRECTED if self.login else "")
        account = _text("The company that gets the orders.", _CORRECTED if self.account else "")
        return [
            Question(
                "login", "Shop login", login, "block", default=self.login_id or None, required=not keeps_login,
                links=_link(self.login.name, self.login.id) if self.login else "",
            ),
            Question(
                "account", "RO App account", account, "block", default=self.account_id or None,
                links=_link(self.account, self.account_id) if self.account else "",
            ),
        ]  # fmt: skip


class Draft:
    """A shop that is connected or edited; `before` is the shop before an edit."""

    def __init__(
        self,
        slug: str,
        values: Mapping[str, object],
        blocks: Blocks,
        clients: Clients,
        before: ShopConfig | None = None,
    ) -> None:
        self.blocks = blocks
        self.clients = clients
        ask = partial(blocks.questions, keeps_login=before is not None)
        self.shop = Dialogue(
            slug.strip(), dict(values), ask, before, answered_forms={ACCESS}, revising=before is not None
        )

    def add_answer(self, answer: Answer) -> None:
        """Adds an answer."""
        self.blocks.choose(answer)
        of_blocks = {"login", "account"}
        self.shop.add_answers(answer.form, {key: value for key, value in answer.fields.items() if key not in of_blocks})

    async def validate(self) -> None:
        """Checks everything that was answered so far."""
        shop, found = self.shop, Problems()
        await self.blocks.load()
        if not self.blocks.account:
            found.add("account", "no account is chosen.", "choose one, or add one")
        shop.values["account"] = self.blocks.account
        self._open_shop(found)
        await shop.validate(self._examine, found)

    def _open_shop(self, found: Problems) -> None:
        """Sets the login: the chosen one, or the one of the shop that is edited."""
        shop, before, login = self.shop, self.shop.edited_shop, self.blocks.login
        if before is not None and not self.blocks.login_id:
            shop.values |= {"url": before.url, "login": before.login}
            shop.password = before.password
        elif login is None:
            found.add("login", "no login is chosen.", "choose one, or add one")
        else:
            shop.values |= {"url": login.url, "login": login.login}
            shop.password = _checked(found, PASSWORD, login.password, f'fill it in in the block "{login.name}"')

    async def _name(self, found: Problems) -> None:
        shop = self.shop
        if shop.edited_shop is not None or _checked(found, SLUG, shop.slug) is None:
            return
        stored = await store.find_shop(shop.slug)
        # The shop is this run's own if the run was killed while it saved.
        mine = shop.decision is not None and not found and stored == shop.config()
        if stored is not None and not mine:
            found.extend([taken(shop.slug)])

    async def _examine(self, good: Mapping[str, object], found: Problems) -> Examination:
        shop = self.shop
        await self._name(found)
        return await examine_shop(
            shop.slug, good, before=shop.edited_shop, password=shop.password, clients=self.clients, found=found
        )


async def new_draft(
    slug: str, values: Mapping[str, object], *, login: object, account: object, clients: Clients
) -> Draft:
    """Returns the draft of a new shop with all answers so far, checked."""
    return await _with_answers(Draft(slug, values, Blocks(block_id(login), block_id(account)), clients))


async def draft_of(before: ShopConfig, clients: Clients) -> Draft:
    """Returns the draft of an edited shop with all answers so far, checked."""
    values = before.model_dump(exclude={"slug", "key", "password"}, exclude_none=True)
    account = await store.account_id(before.account) or ""
    return await _with_answers(Draft(before.slug, values, Blocks("", account), clients, before))


async def _with_answers(draft: Draft) -> Draft:
    for answer in await answered():
        draft.add_answer(answer)
    await draft.validate()
    return draft


def _checked(found: Problems, field: Field, value: object, fix: str = "") -> Any:
    """Returns the value in its stored form. If it breaks its rule, adds the problem and returns None."""
    try:
        return field.checked(value)
    except Refused as refused:
        found.extend([Problem(field.key, refused.reason, fix if fix and refused.fix == field.fix else refused.fix)])
        return None


def _link(block: str, id: str) -> str:
    return f"[Correct {escaped(block)}](/v2/blocks/block/{id}/edit)"


def _text(*parts: str) -> str:
    return " ".join(filter(None, parts))
