"""How a field is declared, and what follows from its declaration: its check, its place in a JSON schema."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, SecretStr, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, PydanticUndefined, core_schema

from cartum_roapp.shops import rules
from cartum_roapp.shops.problems import Problem, Problems
from cartum_roapp.shops.refused import Refused

#: A list of the two systems that a value is chosen from (choices).
ListName = Literal[
    "locations", "order_types", "employees", "order_fields", "services", "categories", "statuses", "languages",
    "shop_statuses",
]  # fmt: skip
Rule = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Setting:
    """One field, as an annotation of its type.

    title        its name for people
    description  what it is, in whole sentences
    fix          what to write, for a refusal without a fix of its own; "": follows from the type
    empty        what an empty value means, without a full stop; "": nothing is said about that
    rule         takes a value as read (YAML, JSON, Python) and returns it in its stored form, or raises Refused; None:
                 follows from the type, which is a Literal, a bool or a number then
    bounds       the lowest and the highest number, both inclusive; None: any id, from 1
    list_name    the list of the two systems that the value is chosen from; None: it is not chosen from such a list
    suggestion   what a form and a new FILE.yaml propose if the field has no default; None: nothing
    optional     the field may be left out of FILE.yaml
    """

    title: str
    description: str
    fix: str = ""
    empty: str = ""
    rule: Rule | None = None
    bounds: tuple[int, int] | None = None
    list_name: ListName | None = None
    suggestion: object = None
    optional: bool = False

    @property
    def help(self) -> str:
        """Returns the description, with what an empty value means."""
        return f"{self.description} Empty: {self.empty}." if self.empty else self.description

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_Check(self, source), handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "title": self.title, "description": self.help}


@dataclass(frozen=True)
class Field:
    """A declared field of a model: its key, its type as annotated, and its declaration. `default` is the value if it is
    left out, None if it has no default."""

    key: str
    type: Any
    setting: Setting
    default: object

    @property
    def literals(self) -> tuple[str, ...]:
        """Returns the words of a Literal, or of a tuple of one, in their order; () for any other type."""
        type_ = _without_none(self.type)
        return _literals(type_) or _words(type_)

    @property
    def help_with_words(self) -> str:
        """Returns `help` with the words to choose from, if there are any."""
        which = "Any of" if self.is_list else "One of"
        return f"{self.setting.help} {which} {', '.join(self.literals)}." if self.literals else self.setting.help

    @property
    def nullable(self) -> bool:
        """Returns whether None is a value of its type."""
        return types.NoneType in get_args(self.type)

    @property
    def is_list(self) -> bool:
        """Returns whether any number of values may be chosen."""
        return any(get_origin(one) is tuple for one in (self.type, *get_args(self.type)))

    @property
    def plain_type(self) -> Any:
        """Returns its type without None."""
        return _without_none(self.type)

    @property
    def fix(self) -> str:
        """Returns what to write."""
        return _fix(self.setting, self.type)

    def checked(self, value: object) -> Any:
        """Returns the value in its stored form. Raises Refused if it breaks its rule."""
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise _refused(error) from None

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        annotated: Any = Annotated[self.type, self.setting]
        return TypeAdapter(annotated)


@dataclass(frozen=True, slots=True)
class Values:
    """What a person filled in. `good` holds the values that pass their rule, in stored form; an optional key
    that is left out is absent. `problems` has a line for each of the others."""

    good: dict[str, object]
    problems: list[Problem]


def fields_of(model: type[BaseModel]) -> dict[str, Field]:
    """Returns the fields of a model that are declared as settings, by key, in their order."""
    found = {}
    for key, info in model.model_fields.items():
        for setting in info.metadata:
            if isinstance(setting, Setting):
                default = None if info.default is PydanticUndefined else info.default
                found[key] = Field(key, info.annotation, setting, default)
    return found


def check(values: Mapping[str, object], fields: Mapping[str, Field]) -> Values:
    """Checks each field. Returns the good values and one problem per bad or missing field. Ignores unknown keys. Never
    raises. An optional field may be missing."""
    good: dict[str, object] = {}
    problems = Problems()
    for key, field in fields.items():
        if key not in values and not field.setting.optional:
            problems.add(key, "is missing.", field.fix)
        if key not in values or (values[key] is None and field.setting.optional):
            continue
        try:
            good[key] = field.checked(values[key])
        except Refused as refused:
            problems.add(key, refused.reason, refused.fix)
    return Values(good, problems.sorted(fields))


def without_empty(values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Returns the values except the optional ones that are empty: a form of Prefect's UI can't leave them out."""
    return {
        key: value
        for key, value in values.items()
        if not (value in (None, "") and key in fields and fields[key].setting.optional)
    }


class _Check:
    """Runs before the type's own validation: the empty value, then the rule."""

    def __init__(self, setting: Setting, source: Any) -> None:
        self._nullable = types.NoneType in get_args(source)
        self._rule = setting.rule or _rule(setting, _without_none(source))
        self._fix = _fix(setting, source)

    def __call__(self, value: Any) -> object:
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is None and self._nullable:
            return None
        if value is None or (isinstance(value, str) and not value.strip()):
            raise Refused("is empty.", self._fix)
        try:
            return self._rule(value)
        except Refused as refused:
            raise Refused(refused.reason, refused.fix or self._fix) from None


def _refused(error: ValidationError) -> Refused:
    """Returns the first of pydantic's errors. Its own kinds of errors only occur for values that passed a rule."""
    first = error.errors(include_input=False, include_url=False)[0]
    context = first.get("ctx", {})
    return Refused(str(context.get("reason", first["msg"])), str(context.get("fix", "")))


def _rule(setting: Setting, type_: Any) -> Rule:
    if words := _literals(type_):
        return rules.one_of(words)
    if words := _words(type_):
        return rules.some_of(words)
    if type_ is bool:
        return rules.boolean
    if type_ is int:
        return rules.number(*setting.bounds) if setting.bounds else rules.whole_number
    raise TypeError(f"{setting.title} has no rule")


def _fix(setting: Setting, source: Any) -> str:
    type_ = _without_none(source)
    if setting.fix:
        return setting.fix
    if words := _literals(type_):
        return f"write {_listed(words)}"
    if words := _words(type_):
        return f"write {_listed(words)}, or several of them as a list in their order, like [{', '.join(words[:2])}]"
    if type_ is bool:
        return "write true or false"
    lowest, highest = setting.bounds or (1, rules.BIGGEST_ID)
    return f"write a number from {lowest} to {highest}"


def _literals(type_: Any) -> tuple[str, ...]:
    return get_args(type_) if get_origin(type_) is Literal else ()


def _words(type_: Any) -> tuple[str, ...]:
    """Returns the words that a tuple of any length may hold."""
    return _literals(get_args(type_)[0]) if get_origin(type_) is tuple else ()


def _without_none(type_: Any) -> Any:
    if get_origin(type_) not in (Union, types.UnionType):
        return type_
    kept = [one for one in get_args(type_) if one is not types.NoneType]
    return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
