"""What is tried of a matrix of points: all of it with `--full`, else a sample. The seed is fixed, so every commit is
tested alike; `--seed` takes another sample."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

T = TypeVar("T")

#: A sample takes one point of so many neighbours.
EACH = 11
SEED = 0x58D4EA5A


@dataclass(frozen=True)
class Sample:
    """The part that one run tries of the points of the test called `name`."""

    seed: int
    full: bool
    name: str

    def points(self) -> Iterator[int]:
        """The points that are tried, without an end."""
        return filter(self.takes, count())

    def takes(self, n: int) -> bool:
        """Is point n (0, 1, 2 …) tried? Of each EACH neighbours it is one."""
        return self.full or n % EACH == self._chance(n).randrange(EACH)

    def of(self, points: Sequence[T]) -> list[T]:
        """The points that are tried, in their order: at least one."""
        if self.full:
            return list(points)
        return [self._chance(n).choice(points[n : n + EACH]) for n in range(0, len(points), EACH)]

    def _chance(self, n: int) -> random.Random:
        """Draws among the neighbours of point n."""
        return random.Random(f"{self.seed} {self.name} {n // EACH}")

    def times(self, whole: int, part: int) -> int:
        """How many random tries are made: so many in a whole run, so many else."""
        return whole if self.full else part

    def about(self, tried: int) -> int:
        """How many points there are, at most, where so many of them were tried."""
        return tried if self.full else tried * EACH + EACH - 1
