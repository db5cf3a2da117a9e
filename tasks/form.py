"""A form that a flow run shows in Prefect's UI while it waits, and the answers that it got (docs/adr/0007).

A run that asks is suspended: it holds no slot of the worker and outlives it. With the answer it begins again from the
top and reads what was answered so far, so each form is asked once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput
from prefect.input.actions import acreate_flow_run_input
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import ConfigDict, Field, WithJsonSchema

from cartum_roapp.connection.problems import Problem
from cartum_roapp.connection.questions import Kind, Question, asked_as

#: How long a form waits for its answer before the run fails.
PATIENCE_DAYS = 7
_MOST = 200

#: A block that is chosen, or added, in a form: {"$ref": {"block_document_id": …}}. The UI's two kinds of forms look for
#: its type under two names.
_BLOCKS: dict[Kind, str] = {"login": "cartum-login", "account": "ro-app-account"}
LoginRef = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "block_type_slug": "cartum-login"})]
AccountRef = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "block_type_slug": "ro-app-account"})]


def asked(title: str, description: str, **limits: Any) -> Any:
    """How a flow's parameter looks in its run form. Prefect drops the title and description of an annotation's field,
    but not its `json_schema_extra`."""
    return Field(json_schema_extra={"title": title, "description": description}, **limits)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was typed into a form. A text or choice that was emptied is None."""

    form: str
    fields: dict[str, Any]


async def answered() -> list[Answer]:
    """What this run was answered so far, in order; also after a failed run was retried. [] outside of a run."""
    id = flow_run.get_id()
    if id is None:
        return []
    async with get_client() as client:
        run = await client.read_flow_run(UUID(id))
        inputs = await client.filter_flow_run_input(run.id, key_prefix="suspended-", limit=_MOST, exclude_keys=set())
    stored = {one.key.removeprefix("suspended-"): one.decoded_value for one in inputs}
    passed = run.empirical_policy.pause_keys or set()
    keys = sorted(key.removesuffix("-schema") for key in stored if key.endswith("-schema"))
    return [
        Answer(key.partition("-")[2], _answer(stored[f"{key}-schema"], stored.get(f"{key}-response")))
        for key in keys
        # Without an answer a form was resumed as it was shown, or its time ran out and the run was retried.
        if f"{key}-response" in stored or key in passed
    ]


async def ask(
    form: str, title: str, text: str, questions: Sequence[Question], *, number: int, problems: Sequence[Problem] = ()
) -> None:
    """Suspends this run with the form, whose `number` counts the forms of the run from 1. Does not return: the run
    begins again with the answer. `problems` are why an earlier answer was refused; each is shown with its question."""
    log = get_run_logger()
    for problem in problems:
        log.warning("%s", problem)
    log.info("%s: press Resume at the top of this page.", title)
    _waits_calmly()
    schema = _schema(title, questions, problems)
    description = "\n\n".join(part for part in (f"### {title}", text, _listed(problems)) if part)
    shown = type("Form", (_Form,), {"shown_schema": schema, "shown_text": description})
    timeout = PATIENCE_DAYS * 24 * 3600
    await asuspend_flow_run(wait_for_input=shown, timeout=timeout, key=f"{number:03}-{form}")


def block_id(reference: object) -> str:
    """The id in a reference to a block; "" for none."""
    inner = reference.get("$ref") if isinstance(reference, Mapping) else None
    return str((inner.get("block_document_id") if isinstance(inner, Mapping) else inner) or "")


class _Form(RunInput):
    """Shows a schema made at run time. The answer is read by `answered`, never as this model: lists may have changed
    since the form was shown, and what was typed is not to be lost for it."""

    model_config = ConfigDict(extra="allow")
    shown_schema: ClassVar[dict[str, Any]] = {}
    shown_text: ClassVar[str] = ""

    @classmethod
    async def asave(cls, keyset: Any, flow_run_id: UUID | None = None) -> None:
        await acreate_flow_run_input(key=keyset["schema"], value=cls.shown_schema, flow_run_id=flow_run_id)
        await acreate_flow_run_input(key=keyset["description"], value=cls.shown_text, flow_run_id=flow_run_id)


def _answer(schema: dict[str, Any], response: dict[str, Any] | None) -> dict[str, Any]:
    properties = schema["properties"]
    if not response:
        return {name: shown.get("default") for name, shown in properties.items()}
    # What a person empties, the UI leaves out. A switch and a required field can't be emptied.
    kept = {name for name, one in properties.items() if one["type"] == "boolean" or name in schema["required"]}
    return {name: response.get(name, one.get("default") if name in kept else None) for name, one in properties.items()}


def _schema(title: str, questions: Sequence[Question], problems: Sequence[Problem]) -> dict[str, Any]:
    refused: dict[str, list[Problem]] = {}
    for problem in problems:
        refused.setdefault(asked_as(problem, questions), []).append(problem)
    properties = {}
    for question in questions:
        # The UI folds the text above a long form away, so a problem stands with its question as well.
        lines = [*map(_line, refused.get(question.key, ())), question.description]
        properties[question.key] = {**_property(question), "description": "\n\n".join(filter(None, lines))}
    required = [question.key for question in questions if question.required]
    return {"title": title, "type": "object", "properties": properties, "required": required}


def _property(question: Question) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": question.title}
    if question.default is not None:
        shown["default"] = question.default
    if slug := _BLOCKS.get(question.kind):
        if question.default is not None:
            shown["default"] = {"$ref": {"block_document_id": question.default}}
        return {**shown, "type": "object", "block_type_slug": slug, "blockTypeSlug": slug}
    if question.kind == "many":
        return {**shown, "type": "array", "items": {"type": "string", "enum": list(question.choices)}}
    if question.kind == "one":
        return {**shown, "type": "string", "enum": list(question.choices)}
    if question.kind == "number":
        lowest, highest = question.bounds or (None, None)
        return {**shown, "type": "integer", "minimum": lowest, "maximum": highest}
    return {**shown, "type": "boolean" if question.kind == "switch" else "string"}


def _listed(problems: Sequence[Problem]) -> str:
    return "\n".join(f"* {_line(problem)}" for problem in problems)


def _line(problem: Problem) -> str:
    return f"**{problem.field}**: {problem.message} **Fix:** {problem.fix}"


class _Calm(logging.Filter):
    """Prefect logs as an error that a run is suspended; for the person who reads it, it is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith("Finished in state Suspended"):
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


_CALM = _Calm()


def _waits_calmly() -> None:
    logging.getLogger("prefect.flow_runs").addFilter(_CALM)
