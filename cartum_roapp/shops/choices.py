"""The lists of both systems in one form, by the names under which settings declare what they are chosen from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cartum_roapp.apis.cartum import DEFAULT_STATUSES
from cartum_roapp.apis.roapp import Employee
from cartum_roapp.control import without_control
from cartum_roapp.shops.lists import AccountLists, ShopLists, title_of
from cartum_roapp.shops.setting import ListName

MOST_SHOWN = 12
#: Stands in place of the name of a status that only orders have.
UNLISTED = "no longer listed"
#: The lists that the shop has; the others are the account's.
OF_SHOP: frozenset[ListName] = frozenset({"shop_statuses", "languages"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a list. `value` is what a shop's settings hold; `hindrance` says why it can't be chosen now;
    `unlisted`: orders have it, though the shop lists it no more."""

    value: int | str
    name: str = ""
    hindrance: str = ""
    unlisted: bool = False

    @property
    def label(self) -> str:
        """How a drop-down shows it."""
        return f"{' '.join(without_control(self.name).split())} ({self.value})" if self.name else str(self.value)

    def __str__(self) -> str:
        return f'{self.value} "{self.name}"' if self.name else str(self.value)


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """What `owner` has of one kind. Not `complete`: there may be others, or the owner does not show them."""

    owner: str
    noun: str
    choices: Sequence[Choice]
    complete: bool = True

    @property
    def free(self) -> tuple[Choice, ...]:
        """Those that can be chosen."""
        return tuple(choice for choice in self.choices if not choice.hindrance)

    def find(self, value: object) -> Choice | None:
        return next((choice for choice in self.choices if choice.value == value), None)

    def named(self, values: Sequence[object]) -> str:
        """Returns the noun with its values: location 3, statuses 5, 6."""
        return f"{self.noun if len(values) == 1 else self.plural} {', '.join(map(str, values))}"

    @property
    def plural(self) -> str:
        if self.noun.endswith("y"):
            return f"{self.noun[:-1]}ies"
        return f"{self.noun}es" if self.noun.endswith("s") else f"{self.noun}s"

    @property
    def fix(self) -> str:
        """What a person should write."""
        if not self.free:
            return f"create one in {self.owner} first"
        listed = enough([str(choice) for choice in self.free])
        return f"write {listed}" if len(self.free) == 1 else f"write one of {listed}"


def shop_choices(shop: ShopLists, language: str | None = None) -> dict[ListName, ChoiceList]:
    """Returns the shop's lists, with the titles of statuses in the language if they have one. A shop before version 4.0
    lists no statuses: it has the five default ones, and may have others (cartum §3). Statuses that only orders have are
    at the end."""
    statuses = [Choice(status.id, title_of(status, language)) for status in shop.statuses]
    statuses += [Choice(id, UNLISTED, unlisted=True) for id in shop.unlisted]
    complete = tuple(shop.statuses) != DEFAULT_STATUSES
    languages = [Choice(code) for code in shop.languages]
    return {
        "shop_statuses": ChoiceList("the shop", "status", statuses, complete=complete),
        "languages": ChoiceList("the shop", "language", languages, complete=bool(languages)),
    }


def account_choices(account: AccountLists) -> dict[ListName, ChoiceList]:
    """Returns the account's lists."""
    locations = [Choice(row.id, row.name, "archived" if row.is_archived else "") for row in account.locations]
    order_types = [Choice(row.id, row.name) for row in account.order_types]
    employees = [Choice(row.id, with_position(row), "" if row.is_active else "not active") for row in account.employees]
    fields = [Choice(row.key, row.name) for row in account.custom_fields or ()]
    services = [Choice(row.id, row.name) for row in account.services or ()]
    categories = [Choice(row.id, row.name) for row in account.categories or ()]
    return {
        "locations": ChoiceList("RO App", "location", locations),
        "order_types": ChoiceList("RO App", "order type", order_types),
        "employees": ChoiceList("RO App", "employee", employees),
        "order_fields": ChoiceList("RO App", "order field", fields, complete=account.custom_fields is not None),
        "statuses": ChoiceList("RO App", "status", [Choice(row.id, row.name) for row in account.statuses]),
        "services": ChoiceList("RO App", "service", services, complete=account.services is not None),
        "categories": ChoiceList("RO App", "category", categories, complete=account.categories is not None),
    }


def with_position(employee: Employee) -> str:
    """Returns an employee's name with the position, as both may be all that tells two of them apart."""
    return ", ".join(filter(None, (employee.name.strip(), " ".join(employee.position.split()))))


def both_sides(
    shop: ShopLists | None, account: AccountLists | None, language: str | None = None
) -> Mapping[ListName, ChoiceList]:
    """Returns the lists of the systems that could be asked."""
    theirs = shop_choices(shop, language) if shop is not None else {}
    return {**theirs, **(account_choices(account) if account is not None else {})}


def enough(shown: Sequence[str]) -> str:
    """Returns the first of them, and how many more there are."""
    rest = len(shown) - MOST_SHOWN
    return ", ".join(shown[:MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
