"""The commands of the reference: what `--help` says of each, and its example."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import typer.main

from cartum_roapp.cli.app import app
from docs.layout import anchor, links, prose, table

#: Said once, at the head.
_SLUG = "The shop's name on the command line."
_EVERYWHERE = {"--json", "--help"}

Path = tuple[str, ...]


def sections() -> Iterator[str]:
    """Yields the list of all commands, then one section a command."""
    found = dict(_walk(typer.main.get_command(app)))
    groups = {path[0] for path in found if len(path) > 1}
    several = groupby(found, lambda path: f"{path[0]}: " if path[0] in groups else "")
    yield "\n".join(f"* {group}{links(dict(map(_linked, paths)))}" for group, paths in several)
    for path, command in found.items():
        yield from _section(path, command)


def _walk(command: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    inner = getattr(command, "commands", {})
    if path and (not inner or command.invoke_without_command):
        yield path, command
    for name, one in inner.items():
        yield from _walk(one, (*path, name))


def _linked(path: Path) -> tuple[str, str]:
    """Returns the command as its group lists it, and the anchor of its section."""
    return " ".join(path[1:] or path), anchor(_heading(path))


def _heading(path: Path) -> str:
    return f"cartum-roapp {' '.join(path)}"


def _section(path: Path, command: Any) -> Iterator[str]:
    yield f"### {_heading(path)}"
    yield from (prose(" ".join(part.split())) for part in inspect.cleandoc(command.help).split("\n\n"))
    yield "    " + command.epilog.removeprefix("Example:\n")
    context = command.make_context(path[-1], [], resilient_parsing=True)
    shown = [one for one in command.params if not _EVERYWHERE & {*one.opts}]
    if any(one.help != _SLUG for one in shown):
        yield table(("argument, option", "what it is"), ((_name(one, context), _help(one)) for one in shown))


def _name(parameter: Any, context: Any) -> str:
    if parameter.param_type_name == "argument":
        shown = parameter.metavar + ("…" if parameter.nargs == -1 else "")
        return f"`{shown}`" if parameter.required else f"`[{shown}]`"
    choices = str(parameter.display_type(context)).strip("<>")
    value = parameter.metavar or (choices if "|" in choices else parameter.opts[0].strip("-").upper())
    return ", ".join(f"`{name}`" if parameter.is_flag else f"`{name} {value}`" for name in parameter.opts)


def _help(parameter: Any) -> str:
    lowest, highest = getattr(parameter, "min", None), getattr(parameter, "max", None)
    notes = [
        "Required." if parameter.required and parameter.param_type_name == "option" else "",
        f"From {lowest} to {highest}." if highest is not None else f"At least {lowest}." if lowest is not None else "",
        f"Default: {parameter.default}." if parameter.default not in (None, False, "") else "",
    ]
    return " ".join([parameter.help, *filter(None, notes)])
