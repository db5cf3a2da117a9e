"""The forms of connecting and editing a shop. Each is shown only while something is open in it, and then ends this go
of the run: it comes back with the answer (see `tasks.form`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run

from cartum_roapp.config import ShopConfig
from cartum_roapp.connection.checklist import checklist, status_rows
from cartum_roapp.connection.lists import AccountLists, ShopLists
from cartum_roapp.connection.questions import (
    CHANGE,
    DECISION,
    Question,
    access_questions,
    decision_question,
    habit_questions,
    settings_questions,
    status_questions,
)
from cartum_roapp.markdown import escaped, table
from tasks.draft import ACCESS, SETTINGS, STATUSES, Draft
from tasks.form import ask


async def ask_access(draft: Draft) -> None:
    """Until both systems let us in."""
    if problems := draft.problems(ACCESS):
        await ask(ACCESS, "The shop and how to get in", "", _access(draft), problems)


async def ask_settings(draft: Draft) -> None:
    """What is chosen from the lists of both systems."""
    if SETTINGS in draft.settled and not draft.problems(SETTINGS):
        return
    shop, account = _lists(draft)
    problems = draft.problems(SETTINGS)
    questions = settings_questions(draft.values, shop, account)
    asked = {question.key for question in questions}
    if draft.revising or any(problem.field not in asked for problem in problems):
        questions = [*_access(draft), *questions[:-3], *habit_questions(draft.values), *questions[-3:]]
    await ask(SETTINGS, "Where the orders go", "", questions, problems)


async def ask_statuses(draft: Draft) -> None:
    """A status of RO App for each one that the shop really has."""
    problems = draft.problems(STATUSES)
    if STATUSES in draft.settled and not problems:
        return
    shop, account = _lists(draft)
    text = "What each status of the shop becomes in RO App. All of them must be matched."
    await ask(STATUSES, "Statuses", text, status_questions(draft.values, shop, account), problems)


async def ask_to_save(draft: Draft) -> None:
    """The last word of the person: all that was chosen, and what is to happen with it."""
    question = decision_question(imports=draft.before is None and draft.config().enabled)
    if draft.decision in question.choices and draft.decision != CHANGE:
        return
    await ask(DECISION, "Everything is checked", _summary(draft), [question])


async def tell_connected(config: ShopConfig, import_id: object) -> dict[str, Any]:
    """Says in an artifact what was connected, with the way to its import."""
    started = f"[Its import is running](/runs/flow-run/{import_id})." if import_id else "Nothing is imported yet."
    text = f"**{escaped(config.name)}** is connected as `{config.slug}`. {started}"
    await _tell(config, text, "connected")
    return {"shop": config.slug, "saved": True, "import": str(import_id) if import_id else None}


async def tell_changed(config: ShopConfig) -> dict[str, Any]:
    """Says in an artifact that the next run uses the new settings."""
    await _tell(config, f"**{escaped(config.name)}** is saved; the next run uses the new settings.", "edited")
    return {"shop": config.slug, "saved": True}


async def _tell(config: ShopConfig, text: str, what: str) -> None:
    if flow_run.get_id():
        await acreate_markdown_artifact(
            key=f"{config.slug}-settings", markdown=text, description=f"{escaped(config.name)}: {what}"
        )


def _access(draft: Draft) -> list[Question]:
    return access_questions(
        draft.values,
        slug=None if draft.before else draft.slug,
        login=draft.login_id or None,
        account=draft.account_id or None,
        keeps_login=draft.before is not None,
        correct_login=_correct(draft.login.name, draft.login.id) if draft.login else "",
        correct_account=_correct(str(draft.values["account"]), draft.account_id) if draft.values["account"] else "",
    )


def _correct(block: str, id: str) -> str:
    return f"[Correct {escaped(block)}](/blocks/block/{id}/edit) and submit, or choose another."


def _lists(draft: Draft) -> tuple[ShopLists, AccountLists]:
    shop, account = draft.examination.shop, draft.examination.account
    assert shop is not None and account is not None, "both were asked where nothing is wrong with the access"
    return shop, account


def _summary(draft: Draft) -> str:
    """What an edit changes, what was found on both sides with what is to be done first, and all that will be saved.
    Lists, as the page folds their lines; a table it would cut off."""
    config = draft.config()
    checks = checklist(config, draft.examination)
    to_do = [(check.field, f"{escaped(check.message)} **Fix:** {escaped(check.fix)}") for check in checks if check.fix]
    found = [(check.field, escaped(check.message)) for check in checks if not check.fix]
    settings = config.model_dump(mode="json", exclude={"password", "key", "statuses"}, exclude_none=True)
    statuses = [
        (f"{row['title']} ({row['id']})", f"{row['roapp_status']} ({row['roapp_status_id']})")
        for row in status_rows(config.statuses, draft.examination, config.language)
    ]
    parts = [
        _changes(draft, config),
        _listed("Look at this first", to_do),
        _listed("What was checked", found),
        _listed("Settings", [(key, escaped(value)) for key, value in settings.items()]),
        table(("status of the shop", "status in RO App"), statuses),
    ]
    return "\n\n".join(filter(None, parts))


def _changes(draft: Draft, config: ShopConfig) -> str:
    if draft.before is None:
        return ""
    old, new = draft.before.model_dump(exclude={"password"}), config.model_dump(exclude={"password"})
    rows = [(key, escaped(f"{old[key]} → {new[key]}")) for key in new if old[key] != new[key]]
    if draft.before.password != config.password:
        rows.append(("password", "a new one"))
    return _listed("What changes", rows) or "Nothing is changed."


def _listed(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """A list in Markdown with its title; "" for none. The second of a row is Markdown of one line."""
    lines = [f"- **{name}**: {value}" for name, value in rows]
    return "\n".join([f"#### {title}", "", *lines]) if lines else ""
