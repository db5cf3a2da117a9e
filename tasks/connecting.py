"""The forms that connect and edit a shop, and the artifact at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run

from cartum_roapp.config import ShopConfig
from cartum_roapp.config.shop import PASSWORD, SHOP_FIELDS
from cartum_roapp.connection.checklist import checklist, status_rows
from cartum_roapp.connection.choices import ChoiceList, both_sides
from cartum_roapp.connection.dialogue import Dialogue
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.fleet import differences
from cartum_roapp.connection.questions import DECISION
from cartum_roapp.markdown import escaped, markdown_table
from tasks.form import ask

#: What each setting is chosen from.
_LISTS = {key: field.setting.list_name for key, field in SHOP_FIELDS.items()}


async def ask_current_form(shop: Dialogue) -> None:
    """Shows the current form, if there is one. The run is then suspended and begins again with the answer."""
    if form := shop.current_form():
        text = _summary(shop) if form.name == DECISION else form.text
        await ask(replace(form, text=text))


async def report_connected(config: ShopConfig, import_id: object) -> dict[str, Any]:
    """Writes an artifact that names the connected shop, with a link to its import. Returns the run's result."""
    started = f"[Its import is running](/v2/runs/flow-run/{import_id})." if import_id else "Nothing is imported yet."
    text = f"**{escaped(config.name)}** is connected as `{config.slug}`. {started}"
    await _write_artifact(config, text, "connected")
    return {"shop": config.slug, "saved": True, "import": str(import_id) if import_id else None}


async def report_changed(config: ShopConfig) -> dict[str, Any]:
    """Writes an artifact that says that the next run uses the new settings. Returns the run's result."""
    await _write_artifact(config, f"**{escaped(config.name)}** is saved; the next run uses the new settings.", "edited")
    return {"shop": config.slug, "saved": True}


async def _write_artifact(config: ShopConfig, text: str, what: str) -> None:
    if flow_run.get_id():
        await acreate_markdown_artifact(
            key=f"{config.slug}-settings", markdown=text, description=f"{escaped(config.name)}: {what}"
        )


def _summary(shop: Dialogue) -> str:
    """Returns in Markdown what an edit changes, what the check of both systems found, and all that will be saved. Uses
    lists, as the page wraps their lines and would cut off a table."""
    config = shop.config()
    checks = checklist(config, shop.examination)
    to_do = [(check.field, f"{escaped(check.message)} **Fix:** {escaped(check.fix)}") for check in checks if check.fix]
    found = [(check.field, escaped(check.message)) for check in checks if not check.fix]
    settings = config.model_dump(mode="json", exclude={"password", "key", "statuses"}, exclude_none=True)
    statuses = [
        (f"{row['title']} ({row['id']})", f"{row['roapp_status']} ({row['roapp_status_id']})")
        for row in status_rows(config.statuses, shop.examination, config.language)
    ]
    parts = [
        _changes(shop.edited_shop, config, shop.examination),
        _listed("Look at this first", to_do),
        _listed("What was checked", found),
        _listed("Settings", [(key, escaped(value)) for key, value in settings.items()]),
        markdown_table(("status of the shop", "status in RO App"), statuses),
    ]
    return "\n\n".join(filter(None, parts))


def _changes(before: ShopConfig | None, config: ShopConfig, found: Examination) -> str:
    if before is None:
        return ""
    lists = both_sides(found.shop_lists, found.account_lists, config.language)
    rows = []
    for change in differences(before, config):
        title, list_name = change.field, _LISTS.get(change.field)
        if title.startswith("statuses."):
            status = int(title.removeprefix("statuses."))
            title, list_name = f"status {_shown(status, lists.get('shop_statuses'))}", "statuses"
        listed = lists.get(list_name) if list_name else None
        if title == PASSWORD.key:
            rows.append((title, "a new one"))
            continue
        rows.append((escaped(title), escaped(f"{_shown(change.before, listed)} → {_shown(change.after, listed)}")))
    return _listed("What changes", rows) or "Nothing is changed."


def _shown(value: object, listed: ChoiceList | None) -> str:
    """Returns a value of a setting, by its name where the systems list it."""
    if isinstance(value, list):
        return ", ".join(_shown(one, listed) for one in value) or "none"
    choice = listed.find(value) if listed else None
    return choice.label if choice else "not set" if value is None else str(value)


def _listed(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """Returns a list in Markdown with its title; "" if it is empty. The second item of a row is Markdown of one
    line."""
    lines = [f"- **{name}**: {value}" for name, value in rows]
    return "\n".join([f"#### {title}", "", *lines]) if lines else ""
