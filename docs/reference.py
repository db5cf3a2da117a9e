"""docs/reference.md from what the code declares: `python -m docs.reference` writes it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Column
from sqlalchemy.dialects import postgresql

from blocks import CartumShop, RoAppAccount
from cartum_roapp import errors
from cartum_roapp.cli.secrets import API_KEY, SHOP_PASSWORD
from cartum_roapp.ledger import tables
from cartum_roapp.metrics.collectors import METRICS
from cartum_roapp.settings import PREFIX, Settings
from cartum_roapp.shops.setting import Field, fields_of
from cartum_roapp.shops.shop import SLUG
from docs.layout import anchor, links, prose, table

PAGE = Path(__file__).with_name("reference.md")
COMMAND = "python -m docs.reference"

#: `Settings.home` has another default on each machine.
_HOME = "~/.local/share/cartum-roapp"


#: Of a variable that holds a text: its format in the schema → in words.
_FORMATS = {
    "path": "a directory",
    "password": "`postgresql://user:password@host:5432/database`",
    "uri": "`https://host/path`",
}


def page() -> str:
    """Returns the whole page."""
    parts = [*_head(), *_environment(), *_shop(), *_account(), *_errors(), *_metrics(), *_ledger()]
    return "\n\n".join(parts) + "\n"


def _head() -> Iterator[str]:
    yield "# Reference"
    yield prose(
        f"Everything that can be set or read off, as the code declares it: `{COMMAND}` writes this page, and a test "
        "fails while it is behind. Each command says with `--help` what it does. How things work together stands in "
        "the [guide](guide.md), what to do when something fails in the [runbook](runbook.md)."
    )
    sections = ("Environment", "A shop", "An account", "Errors", "Codes", "Metrics", "Ledger")
    yield links({name: anchor(name) for name in sections})


def _environment() -> Iterator[str]:
    yield "## Environment"
    yield prose(
        "What `up` starts keeps the variables of the shell that `up` was typed in: to change one, `cartum-roapp "
        "down`, then `cartum-roapp up`. An empty variable counts as not set."
    )
    properties = Settings.model_json_schema()["properties"]
    yield table(
        ("variable", "what it is", "values", "default"),
        (
            (f"`{PREFIX}{name.upper()}`", field.description, _values(properties[name]), _default(field.default, name))
            for name, field in Settings.model_fields.items()
        ),
    )
    yield prose(
        f"`{SHOP_PASSWORD.variable}` and `{API_KEY.variable}` hold a shop's password and an account's API key for "
        "the commands that ask for them. With `NO_COLOR` set to anything nothing has escape codes. The variables "
        "of proxies (`HTTPS_PROXY`, `NO_PROXY` …) are heeded. What matters here of Prefect's own stands in the "
        "[runbook](runbook.md)."
    )


def _values(schema: Mapping[str, Any]) -> str:
    """Returns in words what a variable may hold."""
    (found,) = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    if "enum" in found:
        return " or ".join(f"`{word}`" for word in found["enum"])
    if found["type"] == "string":
        return _FORMATS[str({**schema, **found}["format"])]
    lowest = found["minimum"] if "minimum" in found else f"above {found['exclusiveMinimum']}"
    return f"{lowest} to {found['maximum']:,}"


def _default(value: object, name: str) -> str:
    if name == "home":
        return f"`{_HOME}`"
    return "" if value is None else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _shop() -> Iterator[str]:
    yield "## A shop"
    yield prose(
        "The keys of SLUG.yaml (`cartum-roapp shop apply SLUG.yaml`) and of `cartum-roapp shop edit SLUG --set "
        "KEY=VALUE`, and the fields of the block *Cartum shop*, whose name is the slug. What is refused, and in which "
        "words: [validation](validation.md)."
    )
    yield _fields(CartumShop)
    yield prose(
        f"Not in the file are the slug ({_written(SLUG)}), which is the file's name, and `password`. The file may "
        "name the variable that holds the password: `password_from: MY_SHOP_PASSWORD`."
    )
    yield _by_itself(CartumShop)


def _account() -> Iterator[str]:
    yield "## An account"
    yield "The fields of the block *RO App account*, whose name is the one given to `cartum-roapp account add NAME`."
    yield _fields(RoAppAccount)
    yield _by_itself(RoAppAccount)


def _fields(block: type[BaseModel]) -> str:
    return table(
        ("key", "what it is", "what to write", "left out"),
        (
            (
                f"`{key}`",
                f"**{field.setting.title}.** {field.setting.help}",
                _written(field),
                _left_out(field, in_file=block is CartumShop),
            )
            for key, field in fields_of(block).items()
        ),
    )


def _written(field: Field) -> str:
    return re.sub(r"^(write|use|give(?! it)) ", "", field.fix)


def _left_out(field: Field, *, in_file: bool) -> str:
    """Returns what holds then. FILE.yaml has all that is not optional, also where a form proposes a default."""
    if not field.setting.optional and (in_file or field.default is None):
        return "required"
    return "empty" if field.default is None else f"`{str(field.default).lower()}`"


def _by_itself(block: type[BaseModel]) -> str:
    """Names the field that nobody fills in."""
    declared = fields_of(block)
    ((key, info),) = [(key, info) for key, info in block.model_fields.items() if info.title and key not in declared]
    return f"The block has one more field, `{key}`. {info.description}"


def _errors() -> Iterator[str]:
    yield "## Errors"
    yield prose(
        "The kinds of errors, as `kind` in documents of `--json` and as a label of metrics. What becomes of a run "
        "or a record: [design §3.6](design.md#36-errors)."
    )
    kinds = (errors.Retryable, errors.Unclear, errors.BadRecord, errors.BadConfig)
    yield table(("kind", "what it means"), ((f"`{one.kind}`", _first_sentence(one)) for one in kinds))
    yield "### Codes"
    yield prose(
        "Why a record is held (`cartum-roapp held list`, `held replay --code CODE`). The message of each record "
        "has the details. When it is let go by itself: [guide](guide.md#held-records). What `reconcile` calls a "
        "difference: [guide](guide.md#every-night)."
    )
    yield table(("code", "why", "what to do"), ((f"`{code}`", code.meaning, code.remedy) for code in errors.Code))


def _first_sentence(kind: type[Exception]) -> str:
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split()).partition(". ")[0].rstrip(".") + "."


def _metrics() -> Iterator[str]:
    yield "## Metrics"
    yield "How they are switched on, and what their labels hold: [monitoring](monitoring.md)."
    yield table(
        ("metric", "kind", "labels", "what it is"),
        ((f"`{one.name}`", one.kind, ", ".join(f"`{label}`" for label in one.labels), one.help) for one in METRICS),
    )


def _ledger() -> Iterator[str]:
    yield "## Ledger"
    yield prose(
        "The tables of the project's own database, to be read: whoever writes there by hand breaks promises. "
        "Times are UTC. The columns in **bold** name a row, those in *italics* may be null."
    )
    yield prose(
        f"Buyers' data is in `orders` ({', '.join(f'`{name}`' for name in tables.PERSONAL)}), "
        "in `links`, in `creations.names` of contacts and in `held.payload`; a person may have written "
        "some into `held.dismissed_because`. How it is erased: [guide](guide.md#buyers-data)."
    )
    yield links({name: anchor(name) for name in sorted(tables.metadata.tables)})
    for name, one in sorted(tables.metadata.tables.items()):
        yield f"### {name}"
        yield one.info["doc"]
        yield table(("column", "type", "what it is"), (_column(column) for column in one.columns))


def _column(column: Column[Any]) -> tuple[str, str, str]:
    mark = "**" if column.primary_key else "*" if column.nullable else ""
    type_ = column.type.compile(dialect=postgresql.dialect()).lower()  # type: ignore[no-untyped-call]
    meaning = column.doc or tables.EVERYWHERE[column.name]
    return f"{mark}`{column.name}`{mark}", type_.replace("timestamp with time zone", "timestamptz"), meaning


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
