"""How an id is shown: whole while it fits, else so that those of one list can be told apart."""

import pytest

from blueprints.formatting import LONGEST_ID, short_id

BEHIND = "-of-the-shop-in-the-market-square"


def test_an_id_of_up_to_24_letters_is_shown_whole() -> None:
    assert short_id("user-00007-abcdef") == "user-00007-abcdef"
    assert short_id("x" * 24) == "x" * 24


def test_a_longer_one_is_shortened_in_its_middle() -> None:
    assert short_id("6f2c1a9e-77aa-4b0e-9c1d-0123456789ab") == "6f2c1a9e-77…0123456789ab"


@pytest.mark.parametrize(
    "shape", ["customer-number-{}" + BEHIND, "{}-customer-number-00000" + BEHIND, "customer-number-0000000-{}"]
)
def test_those_of_one_list_can_be_told_apart(shape: str) -> None:
    ids = [shape.format(number) for number in (1003, 1017, 1999)]
    shown = [short_id(one, ids) for one in ids]
    assert len(set(shown)) == len(ids)
    assert all(len(one) <= LONGEST_ID for one in shown)


def test_the_part_is_shown_in_which_they_differ() -> None:
    ids = [f"user-of-the-northern-shops-{number:05d}{BEHIND}" for number in range(3)]
    assert ["00000" in short_id(ids[0], ids), "00002" in short_id(ids[2], ids)] == [True, True]


def test_one_that_is_the_beginning_of_another_is_shown_too() -> None:
    ids = ["a" * 30, "a" * 40]
    assert [len(short_id(one, ids)) <= LONGEST_ID for one in ids] == [True, True]
