"""An examination as a list for people: one line for each thing that was checked, good ones included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from cartum_roapp.config import ShopConfig
from cartum_roapp.connection.examine import Examination
from cartum_roapp.connection.lists import AccountLists, ShopLists
from cartum_roapp.connection.problems import Problem
from cartum_roapp.errors import with_fix
from cartum_roapp.orders.zones import zone_of

State = Literal["ok", "warning", "problem", "unknown"]
Expected = tuple[str, str, "str | Check | None"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `unknown`: nobody could be asked, or who was asked doesn't tell. `fix` is None where there is nothing
    to do."""

    field: str
    state: State
    message: str
    fix: str | None = None

    def __str__(self) -> str:
        return with_fix(f"{self.state:8}{self.field}: {self.message}", self.fix)

    def as_dict(self) -> dict[str, object]:
        return {"field": self.field, "state": self.state, "message": self.message, "fix": self.fix}


def checklist(shop: ShopConfig, examination: Examination, product_writes: str = "unknown") -> list[Check]:
    """What was checked for this shop, in the order of its fields, and what only a person can know.

    `product_writes`: what became of the products that were created so far in this account: unknown, works, refused.
    """
    problems = {problem.field: problem for problem in examination.problems}
    lines = [Check("settings", "ok", "every value has the form it must have.")]
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
    "RO App's API doesn't tell whether its own integration (E-commerce Connect) is still on for this shop. It would "
    "bring every order a second time.",
    "look in RO App, and switch it off",
)


def _product_writes(shop: ShopConfig, known: str) -> list[Check]:
    if shop.missing_products == "hold":
        return [Check("missing_products", "ok", "none is created: orders with a product that RO App lacks are held.")]
    if known == "works":
        return [Check("missing_products", "ok", "RO App takes products that are created through its API.")]
    if known == "refused":
        fix = "create them in RO App by hand: the orders that wait for them go on by themselves"
        return [Check("missing_products", "warning", "RO App refused to create a product through its API.", fix)]
    return [Check("missing_products", "unknown", "whether RO App takes new products shows with the first one.")]


def _line(problem: Problem, state: State) -> Check:
    return Check(problem.field, state, problem.message, problem.fix)


def _expected(shop: ShopConfig, examination: Examination) -> list[Expected]:
    """(field, who is asked, what to say when it is right: a whole line where it can't be told, None when nobody could
    be asked)"""
    theirs, ours = examination.shop, examination.account
    wrong = {problem.field for problem in examination.problems}
    # Who refuses login or password has been reached.
    reached = theirs is not None or ("url" not in wrong and not wrong.isdisjoint({"login", "password"}))
    lines: list[Expected] = [
        ("url", "shop", f"{shop.url} answers." if reached else None),
        ("tls", "shop", _tls(shop.url) if reached else None),
        ("tariff", "shop", "the shop's API is there." if reached else None),
        ("login", "shop", None if theirs is None else f'"{shop.login}" may read orders and statuses.'),
        ("password", "shop", None if theirs is None else "the shop takes it."),
    ]
    if ours is None:
        fields = ("account", "location_id", "order_type_id", "managers")
        lines += [(field, "account", None) for field in fields]
    else:
        company, currency = ours.company.get("name") or "the company", ours.currency or "an unknown currency"
        location = next((row.name for row in ours.locations if row.id == shop.location_id), "")
        order_type = next((row.name for row in ours.order_types if row.id == shop.order_type_id), "")
        staff = sum(row.is_active for row in ours.employees) if shop.managers == "all" else len(shop.managers)
        lines += [
            ("account", "account", f'"{shop.account}" is {company}, which counts in {currency}.'),
            ("location_id", "account", f'{shop.location_id} is the location "{location}".'),
            ("order_type_id", "account", f'{shop.order_type_id} is the order type "{order_type}".'),
            ("managers", "account", f"{staff} active employee{'' if staff == 1 else 's'} may get orders."),
        ]
    if "account" not in wrong:  # it names other currencies as well
        lines.append(("currency", _asked(theirs, ours), _currency(theirs, ours)))
    lines.append(("timezone", "shop", None if theirs is None else _clock(shop, theirs)))
    matched = f"all {len(shop.statuses)} statuses of the shop are matched."
    lines.append(("language", "shop", None if theirs is None else f'the shop has the language "{shop.language}".'))
    lines.append(("statuses", _asked(theirs, ours), None if theirs is None or ours is None else matched))
    if shop.final_statuses is not None:
        good = "the shop has all of them."
        lines.append(("final_statuses", "shop", None if theirs is None else good))
    lines.append(("order_number_field", "account", _number_field(shop, ours)))
    return lines


def _tls(url: str) -> str:
    return "the certificate holds." if url.startswith("https:") else "without TLS, on this machine or network alone."


def _currency(theirs: ShopLists | None, ours: AccountLists | None) -> str | Check | None:
    if theirs is None or ours is None:
        return None
    silent = [side for side, told in (("the shop", theirs.currencies), ("RO App", ours.currency)) if not told]
    if silent:
        fix = "compare them yourself: it has to be the same on both sides, nothing is converted"
        verb = "don't tell their" if len(silent) == 2 else "doesn't tell its"
        return Check("currency", "unknown", f"{' and '.join(silent)} {verb} currency.", fix)
    return f"{ours.currency} on both sides."


def _clock(shop: ShopConfig, theirs: ShopLists) -> str | Check:
    here = f"it is {datetime.now(zone_of(shop.timezone)):%Y-%m-%d %H:%M} in {shop.timezone}"
    if theirs.newest_order is None:
        fix = "compare it with the clock in the shop's admin, or place an order there and check again"
        return Check("timezone", "unknown", f"{here}; the shop had no order in the last days to compare with.", fix)
    return f"{here}; the shop's newest order is from {theirs.newest_order:%Y-%m-%d %H:%M} by its own clock."


def _number_field(shop: ShopConfig, ours: AccountLists | None) -> str | Check | None:
    if shop.order_number_field is None:
        return Check("order_number_field", "ok", "unset: the order's number stands in its notes, in the marker.")
    if ours is None:
        return None
    if ours.custom_fields is None:
        fix = f"look in RO App whether orders have the field {shop.order_number_field}"
        return Check("order_number_field", "unknown", "the account was asked, but doesn't show its order fields.", fix)
    return "RO App has this order field."


def _asked(theirs: object, ours: object) -> str:
    return "shop" if theirs is None else "account" if ours is None else "shop or the account"


def as_error_fields(checks: Sequence[Check]) -> list[Problem]:
    """The lines with a problem, as the fields of an error."""
    return [Problem(check.field, check.message, check.fix or "") for check in checks if check.state == "problem"]


def status_rows(pairs: Mapping[int, int], examination: Examination, language: str | None) -> list[dict[str, object]]:
    """The shop's statuses with what each is matched with: id, title, titles, is_successful, roapp_status_id,
    roapp_status (the name; None where it is not matched, or not known)."""
    from cartum_roapp.connection.lists import title_of

    names = {row.id: row.name for row in examination.account.statuses} if examination.account else {}
    return [
        {
            "id": status.id,
            "title": title_of(status, language),
            "titles": cast(object, dict(status.titles)),
            "is_successful": status.is_successful,
            "roapp_status_id": pairs.get(status.id),
            "roapp_status": names.get(pairs.get(status.id, -1)),
        }
        for status in (examination.shop.statuses if examination.shop else ())
    ]
