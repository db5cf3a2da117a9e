"""What a sample takes of the points of a fault."""

from __future__ import annotations

from itertools import islice

import pytest
from sampling import EACH, Sample

POINTS = 47


def taken(seed: int, *, full: bool = False, name: str = "a fault") -> set[int]:
    return {n for n in range(POINTS) if Sample(seed, full, name).takes(n)}


def test_a_whole_run_takes_every_point() -> None:
    assert taken(1, full=True) == set(range(POINTS))
    assert Sample(1, True, "a fault").of("abc") == list("abc")


@pytest.mark.parametrize("seed", range(5))
def test_a_sample_takes_one_of_each_neighbours_and_the_same_again(seed: int) -> None:
    sample = Sample(seed, False, "a fault")
    assert [n // EACH for n in islice(sample.points(), 9)] == list(range(9))
    assert taken(seed) == taken(seed)
    assert len(sample.of(range(2))) == 1, "never none"


def test_many_seeds_together_take_every_point() -> None:
    assert set().union(*(taken(seed) for seed in range(100))) == set(range(POINTS))


def test_each_fault_has_a_sample_of_its_own() -> None:
    assert taken(1, name="a fault") != taken(1, name="another")
