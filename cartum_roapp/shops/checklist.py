"""An examination as a list for people: one line for each thing that was checked, good ones included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cartum_roapp.errors import with_fix
from cartum_roapp.orders.zones import zone_of
from cartum_roapp.shops import ShopConfig
from cartum_roapp.shops.choices import OF_SHOP, ChoiceList, both_sides
from cartum_roapp.shops.examine import Examination
from cartum_roapp.shops.lists import AccountLists, ShopLists
from cartum_roapp.shops.problems import Problem
from cartum_roapp.shops.shop import SHOP_FIELDS

State = Literal["ok", "warning", "problem", "unknown"]
Expected = tuple[str, str, "str | Check | None"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `unknown`: the system could not be asked, or does not show it. `fix` is None if there is nothing to
    do."""

    field: str
    state: State
    message: str
    fix: str | None = None

    def __str__(self) -> str:
        return with_fix(f"{self.state:8}{self.field}: {self.message}", self.fix)

    def as_dict(self) -> dict[str, object]:
        return {"field": self.field, "state": self.state, "message": self.message, "fix": self.fix}


def checklist(shop: ShopConfig, examination: Examination, product_writes: str = "unknown") -> list[Check]:
    """Returns what was checked for this shop, in the order of its fields, and what only a person can check.

    `product_writes`: what became of the products that were created so far in this account: unknown, works, refused.
    """
    problems = {problem.field: problem for problem in examination.problems}
    lines = [Check("settings", "ok", "every value has a valid format.")]
    for field, side, good in _expected(shop, examination):
        problem = problems.pop(field, None)
        if problem is not None:
            lines.append(Check(field, "problem", problem.message, problem.fix))
        elif isinstance(good, Check):
            lines.append(good)
        elif good is None:
            lines.append(Check(field, "unknown", f"not checked: the {side} could not be asked."))
        else:
            lines.append(Check(field, "ok", good))
    lines += [_line(problem, "problem") for problem in problems.values()]
    lines += [_line(warning, "warning") for warning in examination.warnings]
    return [*lines, *_product_writes(shop, product_writes), _TWICE]


_TWICE = Check(
    "roapp_integration",
    "unknown",
    "RO App's API doesn't show whether its own integration (E-commerce Connect) is still on for this shop. It would "
    "create every order a second time.",
    "check in RO App that it is switched off",
)


def _product_writes(shop: ShopConfig, known: str) -> list[Check]:
    if shop.missing_products == "hold":
        return [Check("missing_products", "ok", "none are created; orders with a product that RO App lacks are held.")]
    if known == "works":
        return [Check("missing_products", "ok", "RO App accepts products created through its API.")]
    if known == "refused":
        fix = "create them in RO App by hand; the waiting orders then continue automatically"
        return [Check("missing_products", "warning", "RO App refused to create a product through its API.", fix)]
    return [Check("missing_products", "unknown", "only the first new product will show whether RO App accepts them.")]


def _line(problem: Problem, state: State) -> Check:
    return Check(problem.field, state, problem.message, problem.fix)


def _expected(shop: ShopConfig, examination: Examination) -> list[Expected]:
    """Returns (field, system that is asked, what to say if it is right) for each check. The last is a whole line if it
    can't be checked, None if the system could not be asked."""
    theirs, ours = examination.shop_lists, examination.account_lists
    wrong = {problem.field for problem in examination.problems}
    # Who refuses login or password has been reached.
    reached = theirs is not None or ("url" not in wrong and not wrong.isdisjoint({"login", "password"}))
    lines: list[Expected] = [
        ("url", "shop", f"{shop.url} answers." if reached else None),
        ("tls", "shop", _tls(shop.url) if reached else None),
        ("tariff", "shop", "the shop's API is there." if reached else None),
        ("login", "shop", None if theirs is None else f'"{shop.login}" can read orders and statuses.'),
        ("password", "shop", None if theirs is None else "the shop accepts it."),
    ]
    if ours is None:
        lines.append(("account", "account", None))
    else:
        company, currency = ours.company.get("name") or "the company", ours.currency or "an unknown currency"
        lines.append(("account", "account", f'"{shop.account}" is {company}, which counts in {currency}.'))
    lines += _chosen(shop, theirs, ours)
    if "account" not in wrong:  # it names other currencies as well
        lines.append(("currency", _asked(theirs, ours), _currency(theirs, ours)))
    lines.append(("timezone", "shop", None if theirs is None else _clock(shop, theirs)))
    matched = f"all {len(shop.statuses)} statuses of the shop are matched."
    lines.append(("statuses", _asked(theirs, ours), None if theirs is None or ours is None else matched))
    return lines


def _tls(url: str) -> str:
    return "the certificate is valid." if url.startswith("https:") else "no TLS, only on this machine or network."


def _currency(theirs: ShopLists | None, ours: AccountLists | None) -> str | Check | None:
    if theirs is None or ours is None:
        return None
    silent = [side for side, currency in (("the shop", theirs.currencies), ("RO App", ours.currency)) if not currency]
    if silent:
        fix = "compare the currencies yourself: both sides must have the same one, as nothing is converted"
        verb = "don't show their" if len(silent) == 2 else "doesn't show its"
        return Check("currency", "unknown", f"{' and '.join(silent)} {verb} currency.", fix)
    return f"{ours.currency} on both sides."


def _clock(shop: ShopConfig, theirs: ShopLists) -> str | Check:
    here = f"it is {datetime.now(zone_of(shop.timezone)):%Y-%m-%d %H:%M} in {shop.timezone}"
    if theirs.newest_order is None:
        fix = "compare it with the clock in the shop's admin, or place an order there and check again"
        return Check("timezone", "unknown", f"{here}; the shop had no order in the last days to compare with.", fix)
    return f"{here}; the shop's newest order is from {theirs.newest_order:%Y-%m-%d %H:%M} by its own clock."


def _chosen(shop: ShopConfig, theirs: ShopLists | None, ours: AccountLists | None) -> list[Expected]:
    """Returns the checks of all settings that are chosen from a list."""
    lists, lines = both_sides(theirs, ours, shop.language), list[Expected]()
    for key, field in SHOP_FIELDS.items():
        name, value = field.setting.list_name, getattr(shop, key)
        if name is None:
            continue
        side, found = "shop" if name in OF_SHOP else "account", lists.get(name)
        if value is None:
            lines.append((key, side, Check(key, "ok", f"unset: {field.setting.empty}.")))
        elif found is None:
            lines.append((key, side, None))
        elif not found.complete:
            said = f"the {side} was asked, but doesn't show its {found.plural}."
            values = value if isinstance(value, tuple) else (value,)
            fix = f"check in {found.owner} whether it has the {found.named(values)}"
            lines.append((key, side, Check(key, "unknown", said, fix)))
        else:
            lines.append((key, side, _found(found, value)))
    return lines


def _found(found: ChoiceList, value: object) -> str:
    if isinstance(value, tuple):
        return f"{found.owner} has all of them."
    choice = found.find(value)
    if choice is None:  # a word for all of them
        return f"all that can be chosen in {found.owner}: {len(found.free)}."
    named = f'{value} is the {found.noun} "{choice.name}".'
    return named if choice.name else f'{found.owner} has the {found.noun} "{value}".'


def _asked(theirs: object, ours: object) -> str:
    return "shop" if theirs is None else "account" if ours is None else "shop or the account"


def as_error_fields(checks: Sequence[Check]) -> list[Problem]:
    """Returns the lines with a problem, as the fields of an error."""
    return [Problem(check.field, check.message, check.fix or "") for check in checks if check.state == "problem"]
