"""A status of a shop that a person matches with one of RO App, as the two systems list them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.choices import Choice, ChoiceList, both_sides
from cartum_roapp.shops.examine import Examination
from cartum_roapp.shops.problems import Problems, bad_config
from cartum_roapp.shops.refused import shortened
from cartum_roapp.shops.shop import LOGIN_FIELDS, PASSWORD

_ACCESS = {*LOGIN_FIELDS, PASSWORD.key, "account"}


@dataclass(frozen=True)
class StatusMatch:
    """`shop` is the shop as it was when both systems were asked; `company` is the fingerprint of its account's
    company."""

    shop: ShopConfig
    company: str
    status: Choice
    roapp_status: Choice

    def added_to(self, statuses: Mapping[int, int]) -> dict[int, int]:
        """Returns the pairs with this one."""
        return {**statuses, int(self.status.value): int(self.roapp_status.value)}


def matched(shop: ShopConfig, status: str, roapp_status: str, found: Examination) -> StatusMatch:
    """Returns the pair of two ids. Raises BadConfig if a system refuses access, is another one than it was, or does not
    have the status. What else is wrong with the shop's settings does not hinder it, nor do other statuses that are not
    matched yet."""
    hindering = [one for one in found.problems if one.field in _ACCESS]
    if hindering or found.shop_lists is None or found.account_lists is None:
        raise bad_config(hindering or found.problems, shop=shop.slug)
    lists, problems = both_sides(found.shop_lists, found.account_lists, shop.language), Problems()
    ours = _find("status", status, lists["shop_statuses"], problems)
    theirs = _find("roapp_status", roapp_status, lists["statuses"], problems)
    if ours is None or theirs is None:
        raise bad_config(problems, shop=shop.slug)
    return StatusMatch(shop, found.account_lists.fingerprint, ours, theirs)


def _find(field: str, id: str, listed: ChoiceList, problems: Problems) -> Choice | None:
    """Returns the status; None with a problem if there is none."""
    value = int(id) if id.isascii() and id.isdecimal() else 0
    found = listed.find(value)
    if found is None and value and not listed.complete:  # a shop may have statuses that it does not list (cartum §3)
        found = Choice(value)
    if found is None:
        problems.add(field, f'{listed.owner} has no status "{shortened(id)}".', listed.fix)
    return found
