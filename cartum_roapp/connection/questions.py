"""What a form asks of a person who connects or edits a shop, with the choices that the two systems offer.

The keys are those of FILE.yaml, but for `status_<id>`: one for each status of the shop. A choice reads "name (id)",
and so does its answer: `read_answers` needs no list to tell what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from cartum_roapp.connection.lists import AccountLists, ShopLists, title_of
from cartum_roapp.connection.matching import Named
from cartum_roapp.connection.problems import Problem
from cartum_roapp.connection.proposals import propose, propose_settings
from cartum_roapp.connection.rules import LONGEST_RETENTION, LONGEST_WINDOW, SHOP_FIELDS, SHORTEST_RETENTION
from cartum_roapp.control import shown

#: What a drop-down shows where nothing suggests itself, and where an optional value is left out.
UNDECIDED, NONE = "— choose —", "— none —"

#: What to do with a shop once everything is right.
SAVE, SAVE_AND_IMPORT, SAVE_ONLY, CHANGE = "Save", "Save and import", "Save without importing", "Change something"
DECISION = "decision"

#: The keys that a form doesn't ask for: they are the fields of a login, asked for as `login`.
OF_LOGIN = ("url", "login", "password")
STATUS = "status_"
#: The keys whose answers are choices with an id; those with any number of them, and what none of them means.
CHOICES = ("location_id", "order_type_id", "order_number_field")
LISTS = {"managers": "all", "final_statuses": None}

Kind = Literal["text", "secret", "number", "switch", "one", "many", "login", "account"]


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a form. `choices` are those of the kinds `one` and `many`; `default` is what is chosen when it
    opens, in the form of an answer; `login` and `account` ask for a saved block, their default is its id."""

    key: str
    title: str
    description: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    default: object = None
    required: bool = True
    bounds: tuple[int, int] | None = None


def access_questions(
    values: Mapping[str, object],
    *,
    slug: str | None,
    login: str | None,
    account: str | None,
    keeps_login: bool,
    correct_login: str = "",
    correct_account: str = "",
) -> list[Question]:
    """Who the shop is, and how to get in. `slug` is None for a shop that has one; `login`, `account`: ids of blocks;
    with `keeps_login` the shop has a login, which stays where none is chosen; `correct_…` says where to correct one."""
    kept = "Leave it empty to keep the one it has." if keeps_login else ""
    login_text = " ".join(
        filter(None, ("The shop's address with an admin's user name and password.", kept, correct_login))
    )
    account_text = " ".join(filter(None, ("The company that gets the orders.", correct_account)))
    naming = Question("slug", "Short name", "Names the shop's runs and commands, like my-shop.", default=slug)
    return [
        *([] if slug is None else [naming]),
        *_naming(values),
        Question("login", "Shop login", login_text, "login", default=login, required=not keeps_login),
        Question("account", "RO App account", account_text, "account", default=account),
    ]  # fmt: skip


def typed_access_questions(values: Mapping[str, object], accounts: Sequence[str]) -> list[Question]:
    """The same where nothing is saved as a block before: a person types what opens the shop."""
    return [
        *_naming(values),
        Question("url", "Shop's address", "Like https://shop.example.com.", default=values.get("url")),
        Question("login", "Login", "The user name from Settings > Admins, not an e-mail address.",
                 default=values.get("login")),
        Question("password", "Password", "Each character is shown as a star.", "secret"),
        _word("account", "RO App account", "The company that gets the orders.", accounts, values),
    ]  # fmt: skip


def _naming(values: Mapping[str, object]) -> list[Question]:
    return [
        Question("name", "Shop name", "How people call the shop, in any script.", default=values.get("name")),
        _word("platform", "Platform", "The same API under two names.", ("cartum", "horoshop"), values),
    ]


def habit_questions(values: Mapping[str, object]) -> list[Question]:
    """What holds whatever the two systems offer."""
    return [
        _word("identify_products_by", "Identify products by",
              "Which field of RO App's products tells that two are the same; code and sku hold the shop's article.",
              ("sku", "code", "barcode", "name"), values),
        _word("missing_products", "Missing products",
              "A product that RO App doesn't have: create it, or hold the order until it is there.",
              ("create", "hold"), values),
        Question("enabled", "Integration on", "Off: nothing is read from the shop or sent to RO App.", "switch",
                 default=values.get("enabled", True), required=False),
    ]  # fmt: skip


def settings_questions(values: Mapping[str, object], shop: ShopLists, account: AccountLists) -> list[Question]:
    """What is chosen from the lists of both systems."""
    given = {**propose_settings(shop, account), **values}
    active = [row for row in account.employees if row.is_active]
    chosen = values.get("managers", "all")
    ids = {row.id for row in active} & set(() if chosen == "all" else cast(Sequence[int], chosen))
    open_locations = [row for row in account.locations if not row.is_archived]
    return [
        _row("location_id", "Location", "Where in RO App the orders go.", open_locations, given),
        _row("order_type_id", "Order type", "As what they are made.", account.order_types, given),
        Question("managers", "Managers", "Who gets new orders. Nobody chosen: all active employees.", "many",
                 tuple(map(_label, active)), [_label(row) for row in active if row.id in ids], required=False),
        _language(shop, given),
        Question("timezone", "Time zone", "The shop's own zone, like Europe/Kyiv: its API names none.",
                 default=given.get("timezone")),
        _order_field(account, values),
        Question("window_days", "Trailing window, days", "How far back open orders are read again at each sync.",
                 "number", default=values.get("window_days", 60), bounds=(1, LONGEST_WINDOW)),
        Question("retention_days", "Keep buyers' data, days",
                 "After so many days the buyer of a final order is removed from the ledger. Empty: never.",
                 "number", default=values.get("retention_days"), required=False,
                 bounds=(SHORTEST_RETENTION, LONGEST_RETENTION)),
        Question("phone_region", "Country of phone numbers",
                 "Two letters, like UA, for numbers without a country code. Empty: the country of the time zone.",
                 default=values.get("phone_region"), required=False),
    ]  # fmt: skip


def status_questions(values: Mapping[str, object], shop: ShopLists, account: AccountLists) -> list[Question]:
    """A drop-down for each status of the shop, with what was chosen before or else what it most likely means."""
    names: dict[object, str] = {row.id: _label(row) for row in account.statuses}
    given = cast(Mapping[int, int], values.get("statuses") or {})
    language = cast("str | None", values.get("language"))
    likely = propose(shop.statuses, account.statuses)
    titles = {status.id: f"{shown(title_of(status, language))} ({status.id})" for status in shop.statuses}
    asked = []
    for status in shop.statuses:
        means = "Delivered orders have it." if status.is_successful else ""
        target = given.get(status.id, likely[status.id])
        asked.append(_one(f"{STATUS}{status.id}", titles[status.id], means, names, target))
    final = cast(Sequence[int], values.get("final_statuses") or ())
    chosen = [titles[id] for id in final if id in titles]
    description = "No change is expected after them. Nothing chosen: the successful ones and 4."
    last = Question(
        "final_statuses", "Final statuses", description, "many", tuple(titles.values()), chosen, required=False
    )
    return [*asked, last]


def decision_question(*, imports: bool) -> Question:
    """The last one. `imports`: whether an import is offered with it."""
    choices = (SAVE_AND_IMPORT, SAVE_ONLY, CHANGE) if imports else (SAVE, CHANGE)
    return Question(DECISION, "What now?", "", "one", choices, choices[0])


def read_answers(answers: Mapping[str, object]) -> dict[str, object]:
    """The answers as values of FILE.yaml; what was not chosen is None, what was emptied "" or, where it is optional,
    None. Chosen blocks are left out."""
    values: dict[str, object] = {}
    statuses: dict[int, object] = {}
    for key, answer in answers.items():
        if key.startswith(STATUS):
            if (target := _id(answer)) is not None:
                statuses[int(key.removeprefix(STATUS))] = target
        elif key in LISTS:
            ids = [_id(one) for one in cast(list[object], answer or [])]
            values[key] = ids or LISTS[key]
        elif key in CHOICES:
            values[key] = _id(answer)
        elif isinstance(answer, str) or key not in ("login", "account"):
            emptied = "" if key in SHOP_FIELDS and SHOP_FIELDS[key].required else None
            given = answer.strip() if isinstance(answer, str) else answer
            values[key] = None if given == UNDECIDED else emptied if given in (None, "") else given
    return {**values, "statuses": statuses} if statuses else values


def asked_as(problem: Problem, questions: Sequence[Question]) -> str:
    """The key of the question that a problem belongs to; "" when none of them can mend it."""
    keys = [question.key for question in questions]
    if problem.field == "statuses":
        statuses = [one for one in questions if one.key.startswith(STATUS)]
        return next((one.key for one in statuses if one.default == UNDECIDED), statuses[0].key if statuses else "")
    field = "login" if problem.field in OF_LOGIN and problem.field not in keys else problem.field
    return field if field in keys else ""


def _id(answer: object) -> object:
    """ "Київ (12)" → 12, "Number (f3)" → "f3"; nothing chosen → None."""
    found = re.search(r"\((f?)([0-9]+)\)$", str(answer))
    if found is None:
        return None
    return f"f{found[2]}" if found[1] else int(found[2])


def _label(row: Named) -> str:
    return f"{' '.join(shown(row.name).split())} ({row.id})"


def _one(
    key: str, title: str, description: str, choices: Mapping[object, str], chosen: object, otherwise: str = UNDECIDED
) -> Question:
    """A drop-down that shows `otherwise` where what was chosen is not among its choices."""
    labels = tuple(choices.values())
    default = choices.get(chosen, otherwise)
    return Question(key, title, description, "one", labels if default in labels else (default, *labels), default)


def _row(key: str, title: str, description: str, rows: Iterable[Named], values: Mapping[str, object]) -> Question:
    return _one(key, title, description, {row.id: _label(row) for row in rows}, values.get(key))


def _word(key: str, title: str, description: str, words: Sequence[str], values: Mapping[str, object]) -> Question:
    return _one(key, title, description, {word: word for word in words}, values.get(key, words[0]))


def _language(shop: ShopLists, values: Mapping[str, object]) -> Question:
    title, key = "Language of product names", "language"
    if not shop.languages:
        return Question(key, title, "A language code of the shop, like ua.", default=values.get(key))
    return _word(key, title, "A language of the shop.", shop.languages, values)


def _order_field(account: AccountLists, values: Mapping[str, object]) -> Question:
    key, title = "order_number_field", "Field for the shop's order number"
    description = "An order field of RO App; without one the number stands in the manager's notes only."
    labels: dict[object, str] = {None: NONE}
    labels |= {row.key: f"{' '.join(row.name.split())} ({row.key})" for row in account.custom_fields or ()}
    return _one(key, title, description, labels, values.get(key), NONE)
