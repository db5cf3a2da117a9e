"""Forms that ask which shop is meant, and for the confirmation to delete it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run

from cartum_roapp.config.problems import Problem
from cartum_roapp.connection.dialogue import Form
from cartum_roapp.connection.questions import Question
from cartum_roapp.errors import BadConfig
from tasks.form import answered, ask
from tasks.tags import TAG, shop_tag, tag_run

_NAME, _WHICH = "confirmed", "shop"


async def ask_shop(typed: str, there: Iterable[str]) -> str:
    """Returns the slug if it is one of these shops, and tags this run with it; otherwise asks for one. Raises BadConfig
    if there are no shops."""
    answers = await answered()
    chosen = [answer.fields.get(_WHICH) for answer in answers if answer.form == _WHICH]
    slug = str(chosen[-1] if chosen else typed).strip()
    known = tuple(sorted(there))
    if slug not in known:
        problem = Problem(_WHICH, f'there is no shop "{slug}".', "choose one of these")
        if not known:
            raise BadConfig(problem.message, field=_WHICH, fix="Connect one first.")
        question = Question(_WHICH, "Shop", "", "one", known, known[0])
        await ask(Form(_WHICH, "Which shop?", "", [question], [problem]))
    await tag_run([TAG, shop_tag(slug)])
    return slug


async def confirm_deletion(slug: str, *, purge: bool) -> None:
    """Asks until the shop's slug is typed."""
    answers = await answered()
    typed = [str(answer.fields.get(_NAME) or "").strip() for answer in answers if answer.form == _NAME]
    if typed and typed[-1] == slug:
        return
    history = "Its history in the ledger goes too." if purge else "Its history stays in the ledger."
    text = f"The deployments, the schedule and the settings of `{slug}` go. RO App keeps its orders. {history}"
    problems = [Problem(_NAME, "this is not the shop's name.", f"type {slug}, or cancel this run")] if typed else []
    question = Question(_NAME, "Type the shop's short name", f"Type {slug} to delete it; cancel the run to keep it.")
    await ask(Form(_NAME, f"Delete {slug}?", text, [question], problems))


async def report_deleted(slug: str, *, purge: bool) -> dict[str, Any]:
    """Writes an artifact that says that the shop is deleted. Returns the run's result."""
    if flow_run.get_id():
        text = f"`{slug}` is deleted; RO App keeps its orders."
        await acreate_markdown_artifact(key=f"{slug}-settings", markdown=text, description=f"{slug}: deleted")
    return {"shop": slug, "deleted": True, "purged": purge}
