"""A form that a flow run shows in Prefect's UI while it waits, and the answers that it got (docs/adr/0007).

A run that asks is suspended: it takes no slot of the worker and outlives it. With the answer it begins again from the
top and reads all answers so far, so each form is asked once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NoReturn
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.flow_runs import asuspend_flow_run
from prefect.input import RunInput
from prefect.input.actions import acreate_flow_run_input
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import ConfigDict, Field, WithJsonSchema

from cartum_roapp.config.problems import Problem
from cartum_roapp.config.shop import SHOP_FIELDS
from cartum_roapp.connection.dialogue import Form
from cartum_roapp.connection.questions import Question, asked_as
from cartum_roapp.markdown import escaped
from tasks.ending import log_as_info

#: A form waits this many days for its answer, then the run fails.
ANSWER_DAYS = 7
#: What is written before a problem beside its question.
REFUSED = "Not accepted: "
#: Prefect's older UI takes these texts for Markdown: foreign ones can't put a link or HTML into it.
_NO_MARKS = str.maketrans("[]<>", "()‹›")
_MOST = 200

#: The block types of a form's block questions; an answer is {"$ref": {"block_document_id": …}}. The UI's two kinds of
#: forms look for the type under two names.
_BLOCKS = {"login": "cartum-login", "account": "ro-app-account"}
#: What a login is, beside the question for it.
SHOP_LOGIN = "The shop's address with an admin's user name and password. A separate user with the role manager is best."
LoginRef = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "block_type_slug": "cartum-login"})]
AccountRef = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "block_type_slug": "ro-app-account"})]


def parameter(title: str, description: str, **limits: Any) -> Any:
    """Returns the field of a flow's parameter, with title and description for its run form. They are in
    `json_schema_extra`, as Prefect ignores those of the field itself."""
    return Field(json_schema_extra={"title": title, "description": description}, **limits)


SHOP = parameter("Shop", "The shop's short name.")


def setting_parameter(key: str, **limits: Any) -> Any:
    """As `parameter`, for a parameter that is a setting of a shop."""
    declared = SHOP_FIELDS[key].setting
    return parameter(declared.title, declared.help, **limits)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a form. A text or choice that was emptied is None."""

    form: str
    fields: dict[str, Any]


async def answered() -> list[Answer]:
    """Returns the answers that this run got so far, in their order; a retry of a failed run keeps them. [] outside a
    run."""
    if flow_run.get_id() is None:
        return []
    _, stored = await _run_and_inputs()
    keys = sorted(key.removesuffix("-response") for key in stored if key.endswith("-response"))
    return [
        Answer(key.partition("-")[2], _answer(stored[f"{key}-schema"], stored[f"{key}-response"]))
        for key in keys
        if f"{key}-schema" in stored
    ]


async def ask(form: Form) -> NoReturn:
    """Suspends this run and shows the form, each problem with its question. The run begins again with the answer, or
    asks again if it is resumed without one. Raises Prefect's Pause."""
    run, stored = await _run_and_inputs()
    # With a key that was used before, Prefect would skip the form, or overwrite its answer.
    used = {*(run.empirical_policy.pause_keys or ()), *(key for key in stored if key.endswith("-response"))}
    number = max((int(key.partition("-")[0]) for key in used), default=0) + 1
    log = get_run_logger()
    for problem in form.problems:
        log.warning("%s", problem)
    log.info(
        "%s: open the menu ⋮ at the top right of this page, and press Resume. If no form opens, load the page again.",
        form.title,
    )
    log_as_info("Suspended")
    links = "\n".join(f"* {question.links}" for question in form.questions if question.links)
    parts = (f"### {form.title}", form.text, _listed(form.problems), links)
    description = "\n\n".join(filter(None, parts))
    shown = type("Form", (_Input,), {"shown_schema": _schema(form), "shown_text": description})
    timeout = ANSWER_DAYS * 24 * 3600
    await asuspend_flow_run(wait_for_input=shown, timeout=timeout, key=f"{number:03}-{form.name}")
    raise RuntimeError(f"the form {number} was passed over")


def block_id(reference: object) -> str:
    """Returns the id in a reference to a block; "" if there is none."""
    inner = reference.get("$ref") if isinstance(reference, Mapping) else None
    return str((inner.get("block_document_id") if isinstance(inner, Mapping) else inner) or "")


class _Input(RunInput):
    """Shows a schema that is made at run time. `answered` reads the answer and never validates it as this model: lists
    may have changed since the form was shown, and the answer must not be lost for that."""

    model_config = ConfigDict(extra="allow")
    shown_schema: ClassVar[dict[str, Any]] = {}
    shown_text: ClassVar[str] = ""

    @classmethod
    async def asave(cls, keyset: Any, flow_run_id: UUID | None = None) -> None:
        await acreate_flow_run_input(key=keyset["schema"], value=cls.shown_schema, flow_run_id=flow_run_id)
        await acreate_flow_run_input(key=keyset["description"], value=cls.shown_text, flow_run_id=flow_run_id)


async def _run_and_inputs() -> tuple[FlowRun, dict[str, Any]]:
    """Returns this run, and the schemas and answers of its forms by key, like 001-access-schema and
    001-access-response."""
    async with get_client() as client:
        run = await client.read_flow_run(UUID(str(flow_run.get_id())))
        inputs = await client.filter_flow_run_input(run.id, key_prefix="suspended-", limit=_MOST, exclude_keys=set())
    return run, {one.key.removeprefix("suspended-"): one.decoded_value for one in inputs}


def _answer(schema: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    properties = schema["properties"]
    # The UI leaves out fields that a person emptied. A switch and a required field can't be emptied.
    kept = {name for name, one in properties.items() if one["type"] == "boolean" or name in schema["required"]}
    return {name: response.get(name, one.get("default") if name in kept else None) for name, one in properties.items()}


def _schema(form: Form) -> dict[str, Any]:
    refused: dict[str, list[Problem]] = {}
    for problem in form.problems:
        refused.setdefault(asked_as(problem, form.questions), []).append(problem)
    properties = {}
    for question in form.questions:
        # A long form is scrolled away from the text above it, so a problem is shown with its question as well. There
        # the UI shows no Markdown.
        lines = [*map(_plain_line, refused.get(question.key, ())), question.description]
        properties[question.key] = {**_property(question), "description": "\n\n".join(filter(None, lines))}
    required = [question.key for question in form.questions if question.required]
    return {"title": form.title, "type": "object", "properties": properties, "required": required}


def _property(question: Question) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": question.title}
    if question.default is not None:
        shown["default"] = question.default
    if question.kind == "block":
        slug = _BLOCKS[question.key]
        if question.default is not None:
            shown["default"] = {"$ref": {"block_document_id": question.default}}
        return {**shown, "type": "object", "block_type_slug": slug, "blockTypeSlug": slug}
    if question.kind in ("many", "ordered"):
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
    return f"**{escaped(problem.field)}**: {escaped(problem.message)} **Fix:** {escaped(problem.fix)}"


def _plain_line(problem: Problem) -> str:
    return f"{REFUSED}{problem}".translate(_NO_MARKS).rstrip(".") + "."
