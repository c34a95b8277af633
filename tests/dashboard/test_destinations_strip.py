"""The strip of a subscription: cells by share, none of what there is left out."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from blueprints.dashboard.destinations.strip import cells

AMOUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**7), max_size=8)


@given(AMOUNTS)
def test_everything_that_is_there_has_a_cell_and_no_strip_is_too_long(amounts: dict[str, int]) -> None:
    found = cells([(name, name, amount) for name, amount in amounts.items()], 60)
    drawn = Counter(cell.name for cell in found)
    assert len(found) == min(60, sum(amounts.values()))
    assert set(drawn) == {name for name, amount in amounts.items() if amount}


@given(AMOUNTS)
def test_who_has_more_has_as_many_cells_but_for_one_that_is_left_over(amounts: dict[str, int]) -> None:
    drawn = Counter(cell.name for cell in cells([(name, name, amount) for name, amount in amounts.items()], 60))
    by_size = sorted(amounts, key=lambda name: amounts[name])
    assert all(drawn[small] <= drawn[large] + 1 for small, large in pairwise(by_size))


def test_a_cell_says_how_much_it_stands_for() -> None:
    assert cells([("applied", "applied", 1200), ("dead", "dead", 1)], 10)[-1].words == "1 dead"
