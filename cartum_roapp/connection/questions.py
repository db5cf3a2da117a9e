"""What a form asks of a person who connects or edits a shop, with the choices that the two systems offer.

The keys are those of FILE.yaml, except `status_<id>`: one for each status of the shop. A choice reads "name (id)",
and so does its answer: `read_answers` needs no list to tell what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from cartum_roapp.config.problems import Problem
from cartum_roapp.config.setting import Field
from cartum_roapp.config.shop import LOGIN_FIELDS, PASSWORD, SHOP_FIELDS, SLUG
from cartum_roapp.connection.choices import Choice, ChoiceList, both_sides, shop_choices
from cartum_roapp.connection.lists import AccountLists, ShopLists
from cartum_roapp.connection.proposals import propose, propose_settings

#: What a drop-down shows where nothing suggests itself, and where an optional value is left out.
UNDECIDED, NONE = "— choose —", "— none —"

#: What to do with a shop once everything is right.
SAVE, SAVE_AND_IMPORT, SAVE_ONLY, CHANGE = "Save", "Save and import", "Save without importing", "Change something"
DECISION = "decision"

#: What is asked before the lists are open, and what with them.
ACCESS_FIELDS = ("name", "platform", "account", *LOGIN_FIELDS)
STATUS_FIELDS = ("statuses", "final_statuses")
SETTINGS_FIELDS = tuple(key for key in SHOP_FIELDS if key not in (*ACCESS_FIELDS, *STATUS_FIELDS))

Kind = Literal["text", "secret", "number", "switch", "one", "many", "ordered", "block"]


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a form. `choices` are those of the kinds `one`, `many`, and `ordered`, where the order of the answer
    counts; `default` is what is chosen when it opens, in the form of an answer; `block` asks for a saved block of
    Prefect, its default is the block's id. `links`: in Markdown, what leads to it, for the text above the questions."""

    key: str
    title: str
    description: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    default: object = None
    required: bool = True
    bounds: tuple[int, int] | None = None
    links: str = ""


def slug_question(slug: str) -> Question:
    return _question(SLUG, {"slug": slug})


def access_questions(values: Mapping[str, object]) -> list[Question]:
    """Returns the questions who the shop is. Each front end asks in its own way for the login and the account."""
    return [_question(SHOP_FIELDS[key], values) for key in ("name", "platform")]


def typed_login_questions(values: Mapping[str, object], accounts: Sequence[str]) -> list[Question]:
    """Returns the questions for the login and the account, where a person types them."""
    account = ChoiceList("", "account", [Choice(name) for name in accounts])
    return [
        _question(SHOP_FIELDS["url"], values),
        _question(SHOP_FIELDS["login"], values),
        replace(_question(PASSWORD, {}), kind="secret", description="Each character is shown as a star."),
        _question(SHOP_FIELDS["account"], {"account": accounts[0], **values}, account),
    ]


def settings_questions(values: Mapping[str, object], shop: ShopLists, account: AccountLists) -> list[Question]:
    """Returns the questions for a shop's settings, with the lists of both systems."""
    lists, given = both_sides(shop, account), {**propose_settings(shop, account), **values}
    fields = [SHOP_FIELDS[key] for key in SETTINGS_FIELDS]
    return [
        _question(field, given, lists[field.setting.list_name] if field.setting.list_name else None) for field in fields
    ]


def status_questions(values: Mapping[str, object], shop: ShopLists, account: AccountLists) -> list[Question]:
    """Returns a drop-down for each status of the shop, with what was chosen before, otherwise with what it most likely
    means; for one that the shop lists no more only where it was matched."""
    targets = ChoiceList("RO App", "status", [Choice(row.id, row.name) for row in account.statuses])
    given = cast(Mapping[int, int], values.get("statuses") or {})
    likely = propose(shop.statuses, account.statuses)
    theirs = shop_choices(shop, cast("str | None", values.get("language")))["shop_statuses"]
    successful = {status.id for status in shop.statuses if status.is_successful}
    asked = []
    for status in theirs.choices:
        id = cast(int, status.value)
        if status.unlisted and id not in given:
            continue
        means = "Delivered orders have it." if id in successful else ""
        asked.append(_one(Question(f"status_{id}", status.label, means), targets, given.get(id, likely.get(id))))
    return [*asked, _question(SHOP_FIELDS["final_statuses"], values, theirs)]


def decision_question(*, imports: bool) -> Question:
    """Returns the last question. `imports`: whether an import is offered with it."""
    choices = (SAVE_AND_IMPORT, SAVE_ONLY, CHANGE) if imports else (SAVE, CHANGE)
    return Question(DECISION, "What now?", "", "one", choices, choices[0])


def read_answers(answers: Mapping[str, object]) -> dict[str, object]:
    """Returns the answers as values of FILE.yaml. What was not chosen is None; what was emptied is "", or None if it is
    optional. Keys that are no field are left out."""
    values: dict[str, object] = {}
    statuses: dict[int, object] = {}
    for key, answer in answers.items():
        status = status_of(key)
        if status is not None:
            if (target := _value(answer)) is not None:
                statuses[status] = target
        elif key in SHOP_FIELDS:
            values[key] = _read(SHOP_FIELDS[key], answer)
    return {**values, "statuses": statuses} if statuses else values


def status_of(key: str) -> int | None:
    """Returns the id of the shop's status that a question asks for; None for other questions."""
    found = re.fullmatch(r"status_([0-9]+)", key)
    return int(found[1]) if found else None


def asked_as(problem: Problem, questions: Sequence[Question]) -> str:
    """Returns the key of the question that a problem belongs to; "" if none of them can mend it."""
    keys = [question.key for question in questions]
    if problem.field == "statuses":
        statuses = [one for one in questions if status_of(one.key) is not None]
        return next((one.key for one in statuses if one.default == UNDECIDED), statuses[0].key if statuses else "")
    field = "login" if problem.field in LOGIN_FIELDS and problem.field not in keys else problem.field
    return field if field in keys else ""


def _read(field: Field, answer: object) -> object:
    if isinstance(answer, list):
        may_be_empty = field.nullable or field.default is not None
        return [_value(one) for one in answer] or (field.default if may_be_empty else [])
    if field.setting.list_name:
        return field.default if answer is None else _value(answer)
    given = answer.strip() if isinstance(answer, str) else answer
    if given in (None, ""):
        return None if field.setting.optional else ""
    return None if given == UNDECIDED else given


def _value(answer: object) -> object:
    """ "Київ (12)" → 12, "Number (f3)" → "f3", "ua" → "ua"; nothing chosen → None."""
    found = re.search(r"\((f?)([0-9]+)\)$", str(answer))
    if found is None:
        return None if answer in (UNDECIDED, NONE, None) else answer
    return f"f{found[2]}" if found[1] else int(found[2])


def _question(field: Field, values: Mapping[str, object], listed: ChoiceList | None = None) -> Question:
    """Returns the question for a declared field, with the choices of the list that its value is chosen from."""
    setting = field.setting
    value = values.get(field.key, setting.suggestion if field.default is None else field.default)
    asked = Question(field.key, setting.title, setting.help, default=value, required=not field.nullable)
    if listed is not None and (listed.choices or listed.complete):
        if field.is_list:
            chosen = [choice.label for choice in listed.free if choice.value in _several(value)]
            labels = tuple(choice.label for choice in listed.free)
            return replace(asked, kind="many", choices=labels, default=chosen, required=False)
        return _one(asked, listed, value, optional=field.nullable)
    if field.literals and field.is_list:
        return replace(asked, kind="ordered", choices=field.literals, default=list(_several(value)))
    if field.literals:
        return _one(asked, ChoiceList("", "", [Choice(word) for word in field.literals]), value)
    if field.plain_type is bool:
        return replace(asked, kind="switch", required=False)
    return replace(asked, kind="number", bounds=setting.bounds) if field.plain_type is int else asked


def _one(asked: Question, listed: ChoiceList, value: object, *, optional: bool = False) -> Question:
    """Returns a drop-down. If what was chosen before can't be chosen any more, nothing is chosen."""
    labels = (*((NONE,) if optional else ()), *(choice.label for choice in listed.free))
    found = next((choice.label for choice in listed.free if choice.value == value), NONE if optional else UNDECIDED)
    return replace(
        asked, kind="one", choices=labels if found in labels else (found, *labels), default=found, required=True
    )


def _several(value: object) -> Sequence[object]:
    return value if isinstance(value, tuple | list) else ()
