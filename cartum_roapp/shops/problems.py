"""What is wrong with what a person filled in: one line per field, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cartum_roapp.errors import BadConfig, with_fix


@dataclass(frozen=True, slots=True)
class Problem:
    """One field's problem. `field` is the key as the person typed it, `message` whole sentences that never
    hold a secret, `fix` what to do, in words."""

    field: str
    message: str
    fix: str

    def __str__(self) -> str:
        return with_fix(f"{self.field}: {self.message}", self.fix)

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "message": self.message, "fix": self.fix}


class Problems:
    """Collects problems, at most one per field: what is said later of the same field is appended to it."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._by_field: dict[str, Problem] = {}
        for problem in problems:
            self.add(problem.field, problem.message, problem.fix)

    def add(self, field: str, message: str, fix: str) -> None:
        known = self._by_field.get(field)
        if known is None:
            self._by_field[field] = Problem(field, message, fix)
        elif message not in known.message:
            joined = known.fix if fix in known.fix else f"{known.fix}; {fix}"
            self._by_field[field] = Problem(field, f"{known.message.rstrip('.')}; {message}", joined)

    def offer(self, field: str, fix: str) -> None:
        """A better fix for a field that is wrong already: by now it is known what there is to choose from."""
        if field in self._by_field:
            self._by_field[field] = Problem(field, self._by_field[field].message, fix)

    def replace(self, field: str, message: str, fix: str) -> None:
        """Say this of the field instead of what was said before."""
        self._by_field[field] = Problem(field, message, fix)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem.field, problem.message, problem.fix)

    def sorted(self, order: Iterable[str]) -> list[Problem]:
        """In the order of the given fields; fields it doesn't name come first, as they were added."""
        place = {field: index for index, field in enumerate(order)}
        return sorted(self, key=lambda problem: place.get(problem.field, -1))

    def __contains__(self, field: object) -> bool:
        return field in self._by_field

    def __iter__(self) -> Iterator[Problem]:
        return iter(list(self._by_field.values()))

    def __len__(self) -> int:
        return len(self._by_field)


def bad_config(problems: Iterable[Problem], *, shop: str | None = None, entity: str | None = None) -> BadConfig:
    """One BadConfig for them all: `field` is the first one's, the message names each."""
    every = list(problems)
    if len(every) == 1:
        message, fix = f"{every[0].field}: {every[0].message}", every[0].fix
    else:
        message = " ".join(f"{problem.field}: {problem.message}" for problem in every)
        fix = "; ".join(f"{problem.field}: {problem.fix}" for problem in every)
    return BadConfig(message, field=every[0].field, fix=fix, shop=shop, entity=entity)
