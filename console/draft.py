"""A shop as a person fills it in on the page of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from cartum_roapp.config import ShopConfig
from cartum_roapp.config.problems import Problem, Problems
from cartum_roapp.config.setting import Values
from cartum_roapp.config.shop import SHOP_FIELDS
from cartum_roapp.connection.checklist import Check, checklist
from cartum_roapp.connection.configs import shop_config
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.form import Flat


@dataclass
class Draft:
    """`before`: the shop as it is stored, None for a new one or one that can't be used as it is stored; `key`: that of
    a stored one; `shown`: its settings as the form showed them; `values`: as it is to be."""

    before: ShopConfig | None
    slug: str = ""
    shown: Flat = field(default_factory=dict)
    values: Flat = field(default_factory=dict)
    key: str = ""
    password: SecretStr | None = None
    problems: Problems = field(default_factory=Problems)
    found: Examination = field(default_factory=lambda: Examination([]))
    step: str = "settings"
    action: str = ""
    config: ShopConfig | None = None

    @property
    def stored(self) -> Flat | None:
        return None if self.before is None else self.shown

    def made(self, values: Values) -> ShopConfig | None:
        """Returns the shop as it would be saved; None while something is missing or wrong."""
        complete = set(values.good) | {key for key, one in SHOP_FIELDS.items() if one.setting.optional}
        if self.password is None or not self.slug or values.problems or not SHOP_FIELDS.keys() <= complete:
            return None
        return shop_config(values.good, slug=self.slug, password=self.password, key=self.key)

    @property
    def to_do(self) -> list[Problem | Check]:
        """What a person should look at, though it stops nothing."""
        if self.config is None or self.found.shop_lists is None:
            return list(self.found.warnings)
        return [one for one in checklist(self.config, self.found) if one.fix and one.state != "problem"]

    @property
    def checked(self) -> list[Check]:
        """What both systems have, as it should be."""
        if self.config is None or self.found.shop_lists is None:
            return []
        return [one for one in checklist(self.config, self.found) if not one.fix]


def readable(stored: Mapping[str, Any]) -> Flat:
    """Returns of a shop that can't be used as it is stored what a form can show."""
    found: Flat = {}
    for key in SHOP_FIELDS:
        value = stored.get(key)
        if key == "statuses":
            pairs = value.items() if isinstance(value, Mapping) else ()
            found |= {f"statuses.{ours}": theirs for ours, theirs in pairs if _is_id(ours) and _is_plain(theirs)}
        elif _is_plain(value) or (isinstance(value, list) and all(map(_is_plain, value))):
            found[key] = value
    return found


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int)


def _is_id(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isdecimal()
