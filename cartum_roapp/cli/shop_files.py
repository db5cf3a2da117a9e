"""`cartum-roapp shop apply | export`: many shops from files, and back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cartum_roapp.cli.arguments import PasswordStdin, example, known_slugs, missing
from cartum_roapp.cli.following import follow, require_up
from cartum_roapp.cli.outcomes import run_parts
from cartum_roapp.cli.output import (
    BAD_INPUT,
    CommandEnd,
    Json,
    bad_input,
    print_failure,
    say,
    show,
    terminal_table,
)
from cartum_roapp.cli.progress import ASKING, waiting
from cartum_roapp.cli.shops import setting_cell
from cartum_roapp.draft import write_atomically

if TYPE_CHECKING:
    from cartum_roapp.cli.backend import Backend
    from cartum_roapp.shops.draft import Draft

app = typer.Typer()


@app.command("apply", epilog=example("shop apply my-shop.yaml"))
def apply(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files SLUG.yaml, or folders of such files.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print what differs; save nothing.")
    ] = False,
    prune: Annotated[
        list[str] | None, typer.Option("--prune", metavar="SLUG", help="Disconnect this shop; may be repeated.")
    ] = None,
    imports: Annotated[bool, typer.Option("--import/--no-import", help="Import the orders of new shops.")] = True,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the imports to their end.")] = False,
    password_stdin: PasswordStdin = False,
    json: Json = False,
) -> None:
    """Connect new shops from files, change those that differ, leave the others alone.

    `shop discover --write SLUG.yaml` writes such a file. The password of a new shop is asked for; of many shops each
    file names the variable that holds it: `password_from: NAME`. All files are checked before the first one is
    applied. A file with problems is left out and its problems are printed. The others are applied, and the command
    ends with 2. The import of a new shop starts in the background. Only shops named with --prune are deleted.
    """
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.shops import draft
    from cartum_roapp.shops.problems import Problem

    found, problems = draft.files_of(paths)
    if password_stdin and len(found) > 1:
        fix = "name one file, or let each name a variable (`password_from: NAME`)"
        problems.append(Problem("--password-stdin", f"is one password for {len(found)} files.", fix))
    if problems:
        raise bad_input(problems, saved="Nothing was applied.")
    wait = wait and imports and not dry_run
    if wait:
        require_up()
    files = [draft.read(path, os.environ) for path in found]
    if all(one.unreadable for one in files):
        raise _refused(files)
    with serving() as backend:
        asyncio.run(_examine(files, backend, password_stdin))
        gone = _prunable(files, prune or [])
        good = [one for one in files if not one.problems]
        document = _document(files, gone, dry_run=dry_run)
        for line in _diff(good, gone):
            say(line)
        if not dry_run and (gone or any(one.changes for one in good)):
            document["imports"] = asyncio.run(_save(good, gone, imports=imports))
        if wait:
            _follow(document)
    if len(good) == len(files):
        show(document, lambda: _summary(document))
        return
    end = _refused(files, dry_run=dry_run)
    show({**document, **end.as_dict()}, lambda: _summary(document) if good or gone else [])
    print_failure(end)
    raise typer.Exit(end.code)


@app.command("export", epilog=example("shop export my-shop"))
def export(
    slugs: Annotated[
        list[str] | None, typer.Argument(metavar="SLUG", help="These shops.", autocompletion=known_slugs)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All shops.")] = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Write SLUG.yaml there instead of printing it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    json: Json = False,
) -> None:
    """Print shops' settings as files for `shop apply`, without passwords; with --to, write them."""
    from cartum_roapp.cli.backend import serving
    from cartum_roapp.errors import BadConfig
    from cartum_roapp.shops.written import exported

    if bool(slugs) == all_:
        raise CommandEnd(BAD_INPUT, "Which shops?", fix="name their slugs, or give --all")
    with serving():
        from blocks.store import list_shops

        shops = asyncio.run(list_shops(None if all_ else slugs))
    texts = {}
    for slug in shops if all_ else slugs or []:
        if slug not in shops:
            raise missing(slug)
        if isinstance(shop := shops[slug], BadConfig):
            raise shop
        texts[slug] = exported(shop)
    if to is not None:
        _write(to, texts, force=force)
    document = {"shops": texts, "folder": None if to is None else str(to)}
    show(document, lambda: list(texts.values()) if to is None else f"{len(texts)} files are written to {to}.")


async def _examine(files: Sequence[Draft], backend: Backend, password_stdin: bool) -> None:
    """Compares the files with what is stored. Says that both systems are asked only where they are."""
    from blocks.examine import examine_drafts
    from blocks.store import list_shops
    from cartum_roapp.shops.draft import refuse_twins

    stored = await list_shops()
    refuse_twins(files)
    for one in files:
        named = one.password
        one.compare(stored.get(one.slug))
        if named is None or password_stdin:
            _take_password(one, password_stdin, alone=len(files) == 1)
    if differ := [one for one in files if one.changes or (one.problems and not one.unreadable)]:
        with waiting(ASKING):
            await examine_drafts(differ, backend.clients())


def _take_password(one: Draft, from_stdin: bool, *, alone: bool) -> None:
    """Gives the shop its password, if the variable that its file names is not set: from stdin, the variable of a shop
    that is `alone`, the stored one, or the terminal."""
    from cartum_roapp.cli.secrets import SHOP_PASSWORD, obtain
    from cartum_roapp.shops.draft import VARIABLE
    from cartum_roapp.shops.shop_file import PASSWORD_FROM

    if one.unreadable or PASSWORD_FROM in one.problems:
        return
    secret = replace(SHOP_PASSWORD, prompt=f"Password of the admin of {one.slug}")
    if not alone:
        secret = replace(secret, variable="")
    one.password = obtain(secret, from_stdin=from_stdin, problems=one.problems, otherwise=one.password)
    if one.variable:
        one.problems.offer(secret.field, f"set {one.variable}, the variable that the file names")
    elif not alone:
        one.problems.offer(secret.field, VARIABLE)


def _refused(files: Sequence[Draft], *, dry_run: bool = False) -> CommandEnd:
    """Returns the end of the command with all that is wrong with the files."""
    wrong = [replace(it, field=f"{one.path}: {it.field}") for one in files for it in one.problems]
    good = sum(not one.problems for one in files)
    others = f"The other {'file is' if good == 1 else f'{good} files are'} {'valid' if dry_run else 'applied'}."
    return bad_input(wrong, saved=others if good else "Nothing was applied.")


def _follow(document: dict[str, Any]) -> None:
    """Follows each import, and puts what it did in the place of its id. Ends the command where one fails."""
    from uuid import UUID

    for slug, run in document["imports"].items():
        try:
            document["imports"][slug] = follow(UUID(run), f"{slug}: Importing the orders of two months")
        except CommandEnd as end:
            goes_on = f"`cartum-roapp import {slug}` goes on where it stopped"
            fix = f"{end.fix.rstrip('.')}; then {goes_on}" if end.fix else goes_on
            message = f"{slug} is saved, but its orders are not all imported: {end.message}"
            raise CommandEnd(end.code, message, kind=end.kind, fix=fix, document=document) from end


async def _save(files: Sequence[Draft], gone: Sequence[str], *, imports: bool) -> dict[str, str]:
    """Returns the runs that import the new shops, by slug."""
    from uuid import uuid4

    from deployments import drafts, shops

    differ = [one for one in files if one.changes]
    with waiting("Saving") as shown:
        await drafts.save(differ, lambda done, of: shown.bar("shops", done, of))
        started = await drafts.start_imports(differ, str(uuid4())) if imports else {}
        for slug in gone:  # RO App keeps their orders, the ledger their history
            await shops.disconnect(slug)
    return started


def _prunable(files: Sequence[Draft], slugs: Sequence[str]) -> list[str]:
    """Returns the slugs to disconnect. Ends the command for one that a file has, or that is unknown."""
    from cartum_roapp.shops.problems import Problem
    from deployments import shops

    kept = {one.slug: one.path for one in files}
    connected = asyncio.run(shops.connected()) if slugs else set()
    for slug in slugs:
        if slug in kept:
            problem = Problem("--prune", f"{slug} has a file, {kept[slug]}.", "remove the file, or leave --prune out")
            raise bad_input([problem], saved="Nothing was applied.")
        if slug not in connected:
            raise missing(slug)
    return sorted(set(slugs))


def _document(files: Sequence[Draft], gone: Sequence[str], *, dry_run: bool) -> dict[str, Any]:
    shops = [
        {
            "slug": one.slug,
            "file": str(one.path),
            "action": one.action,
            "changes": [change.as_dict() for change in one.changes],
            "warnings": [warning.as_dict() for warning in one.found.warnings],
        }
        for one in files
    ]
    return {"dry_run": dry_run, "shops": shops, "pruned": list(gone), "imports": {}}


def _diff(files: Sequence[Draft], gone: Sequence[str]) -> list[str]:
    """Returns what differs, field by field."""
    lines = []
    for one in files:
        changes = one.changes
        lines += [f"{one.slug} ({one.path}): {one.action}"] if changes else []
        for change in changes:
            before, after = setting_cell(change.before), setting_cell(change.after)
            if change.field == "password" and one.stored:
                lines.append("  ~ password: changed")
            elif change.before is None:
                lines.append(f"  + {change.field}: {after}")
            elif change.after is None:
                lines.append(f"  - {change.field}: {before}")
            else:
                lines.append(f"  ~ {change.field}: {before} → {after}")
        lines += [f"  Warning: {warning}" for warning in one.found.warnings]
    return lines + [f"{slug}: disconnect" for slug in gone]


def _summary(document: dict[str, Any]) -> list[object]:
    actions = [one["action"] for one in document["shops"]]
    rows = [(name, actions.count(name)) for name in ("add", "change", "nothing", "refused")]
    rows += [("disconnect", len(document["pruned"])), ("imports started", len(document["imports"]))]
    said = "" if "refused" in actions else "All files are applied."
    said = "Nothing was saved: a dry run." if document["dry_run"] else said
    followed = [part for run in document["imports"].values() if isinstance(run, dict) for part in run_parts(run)]
    waits = "The worker imports them while `cartum-roapp up` runs." if document["imports"] and not followed else ""
    return [*followed, terminal_table("Shops", ("", ""), rows), " ".join(filter(None, (said, waits)))]


def _write(folder: Path, texts: dict[str, str], *, force: bool) -> None:
    """Writes the files. Ends the command, with none written, if one is there already or the folder can't be used."""
    files = {folder / f"{slug}.yaml": text for slug, text in texts.items()}
    if there := [str(path) for path in files if path.exists() and not force]:
        raise CommandEnd(BAD_INPUT, f"{there[0]} already exists.", fix="give another folder, or --force to replace it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            write_atomically(path, text)
    except OSError as error:
        what = f"{folder} can't be written ({error.strerror})."
        raise CommandEnd(BAD_INPUT, what, fix="name another folder") from None
