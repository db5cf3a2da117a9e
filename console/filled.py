"""A shop as a person fills it in on the page of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cartum_roapp.shops.checklist import Check, checklist
from cartum_roapp.shops.draft import Draft
from cartum_roapp.shops.form import Flat
from cartum_roapp.shops.problems import Problem
from cartum_roapp.shops.shop import SHOP_FIELDS


@dataclass
class Filled(Draft):
    """`shown`: the settings as the form showed them; `typed`: as it is to show them."""

    shown: Flat = field(default_factory=dict)
    typed: Flat = field(default_factory=dict)
    step: str = "settings"
    action: str = ""

    @property
    def checks(self) -> list[Check]:
        """What both systems were asked; [] where they were not, or something is wrong."""
        config = self.config
        return [] if config is None or self.found.shop_lists is None else checklist(config, self.found)

    @property
    def to_do(self) -> list[Problem | Check]:
        """What a person should look at, though it stops nothing."""
        checks = self.checks
        return [one for one in checks if one.fix and one.state != "problem"] if checks else [*self.found.warnings]


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
