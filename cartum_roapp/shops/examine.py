"""All checks in order, everything wrong at once: rules, then access, then lists.

A stage goes as far as the values allow: a bad location does not hide a wrong password, an unknown time zone not
an unmatched status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import SecretStr

from cartum_roapp.shops import AccountConfig, ShopConfig, shop_key
from cartum_roapp.shops.access import Clients, enter_account, enter_shop
from cartum_roapp.shops.lists import AccountLists, ShopLists
from cartum_roapp.shops.matching import match_choices, match_clock, match_currency, match_statuses, other_clock
from cartum_roapp.shops.problems import Problem, Problems
from cartum_roapp.shops.shop import SHOP_FIELDS

#: What `enter_account` returns.
Entered = tuple[AccountLists | None, Problem | None]
ORDER = ("file", "slug", "name", "platform", "url", "login", "password", *list(SHOP_FIELDS)[4:])


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found. `problems` is empty if the shop can be saved; `warnings` do not prevent that. `shop_lists` and
    `account_lists` are None if that system could not be asked."""

    problems: list[Problem]
    warnings: list[Problem] = field(default_factory=list)
    shop_lists: ShopLists | None = None
    account_lists: AccountLists | None = None

    def also(self, more: Iterable[Problem]) -> Examination:
        """Returns the same with more problems, in the order of the fields."""
        problems = Problems(self.problems)
        problems.extend(more)
        return replace(self, problems=problems.sorted(ORDER))

    def tolerating(self, fields: Collection[str]) -> Examination:
        """Returns the same with what is wrong with these fields as warnings, if both systems could be asked."""
        if self.shop_lists is None or self.account_lists is None:
            return self
        tolerated = [problem for problem in self.problems if problem.field in fields]
        rest = [problem for problem in self.problems if problem.field not in fields]
        return replace(self, problems=rest, warnings=[*tolerated, *self.warnings])


async def examine(
    values: Mapping[str, object],
    *,
    password: SecretStr | None,
    account: AccountConfig | None,
    clients: Clients,
    found: Iterable[Problem] = (),
    entered: Awaitable[Entered] | None = None,
    in_use: frozenset[int] = frozenset(),
) -> Examination:
    """Checks values that passed their rules against the shop and the account.

    `found` is what is known to be wrong already, among it an `account` that does not exist (then `account` is
    None). `entered`: what `enter_account` returns for this account, which is not asked again. `in_use`: the statuses
    that the shop's known orders have. Reads only; may be called again. Never raises for what a person can correct.
    """
    problems = Problems(found)
    shop, company = await asyncio.gather(_shop(values, password, clients), _account(account, clients, entered))
    for problem in (shop[1], company[1]):
        if problem is not None:
            problems.add(problem.field, problem.message, problem.fix)
    shop_side, account_side = shop[0], company[0]
    if shop_side is not None:
        shop_side = replace(shop_side, in_use=in_use)
    match_choices(values, shop_side, account_side, problems)
    match_statuses(values, shop_side, account_side, problems)
    if shop_side is not None:
        match_clock(values, shop_side, problems)
    if shop_side is not None and account_side is not None:
        match_currency(shop_side, account_side, problems)
    said = warnings(values)
    if account_side is not None and "timezone" not in problems:
        said += other_clock(values, account_side)
    return Examination(problems.sorted(ORDER), said, shop_side, account_side)


def already_connected(keys: Collection[str], slug: str, others: Iterable[ShopConfig]) -> list[Problem]:
    """Returns a problem if the shop is connected under another slug: its orders would go to RO App twice. `keys`: its
    own, and the one of its address, which differs after a move."""
    return [
        Problem(
            "url",
            f'this shop is connected already, as "{other.slug}".',
            f"change that one (`cartum-roapp shop edit {other.slug} --set KEY=VALUE`)",
        )
        for other in others
        if other.slug != slug and not {other.key, shop_key(other.url)}.isdisjoint(keys)
    ]


def same_orders(slug: str, url: str, twins: Iterable[tuple[str, bool]]) -> list[Problem]:
    """Returns a problem for each shop of the account, (slug, whether it is connected), that has this one's newest
    orders: it is the same shop under another address, and all its orders would go to RO App twice."""
    edit = "cartum-roapp shop edit {} --set url={}"
    return [
        Problem(
            "url",
            f'these are the orders of "{other}", which {"is" if connected else "was"} connected under another address.',
            f"move that one here (`{edit.format(other, url)}`)"
            if connected
            else f"connect it under its former address, then move it (`{edit.format(slug, url)}`); to bring all its "
            f"orders a second time, delete its history first (`cartum-roapp shop delete {other} --purge`)",
        )
        for other, connected in twins
    ]


def other_account(slug: str, account: str, bound: Collection[str], *, connected: bool) -> list[Problem]:
    """Returns a problem if the shop's orders belong to another account, one of `bound`: they would be created a second
    time, and what waits for delivery would never be delivered."""
    elsewhere = [name for name in bound if name != account]
    if not elsewhere:
        return []
    delete = f"delete the shop with its history (`cartum-roapp shop delete {slug} --purge`), then add it to {account}"
    first = "" if connected else f"add it to {elsewhere[0]} with --no-import, "
    message = f'the orders of this shop belong to the account "{elsewhere[0]}".'
    return [Problem("account", message, f"write {elsewhere[0]}; to start over in {account}: {first}{delete}")]


def no_account(name: object, known: Iterable[str]) -> Problem:
    """Returns the problem of an account that has not been added."""
    names = ", ".join(sorted(known))
    add = f"add it first (`cartum-roapp account add {name}`)"
    return Problem("account", f'there is no account "{name}".', f"write one of {names}, or {add}" if names else add)


def warnings(values: Mapping[str, object]) -> list[Problem]:
    """Returns what may work differently from what a person expects."""
    statuses = values.get("statuses")
    if values.get("status_direction") != "both" or not isinstance(statuses, dict):
        return []
    alike = {theirs: sorted(one for one in statuses if statuses[one] == theirs) for theirs in statuses.values()}
    return [
        Problem(
            "statuses",
            f"{', '.join(map(str, ours))} of the shop are matched with the same status {theirs} of RO App: "
            f"an order that staff set to it there becomes {ours[0]} in the shop.",
            "nothing to do if that is right; else match each with a status of its own",
        )
        for theirs, ours in sorted(alike.items())
        if len(ours) > 1
    ]


async def _shop(
    values: Mapping[str, object], password: SecretStr | None, clients: Clients
) -> tuple[ShopLists | None, Problem | None]:
    url, login = cast(str | None, values.get("url")), cast(str | None, values.get("login"))
    if url is None or login is None or password is None:
        return None, None
    return await enter_shop(clients, url, login, password)


async def _account(account: AccountConfig | None, clients: Clients, entered: Awaitable[Entered] | None) -> Entered:
    if account is None:
        return None, None
    return await (entered or enter_account(clients, account))
