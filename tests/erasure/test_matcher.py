"""Whether a text mentions somebody: as a whole word, however it is written, and nobody whose id only looks alike."""

import json
import re
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erasure import number_matcher
from erasure.matcher import Mentions

ADA = Mentions("ada", "Ada.L@example.com", "+49 151 2345678")


@pytest.mark.parametrize(
    "text",
    [
        "ada",
        "for ada.",
        '{"distinct_id": "ada"}',
        json.dumps({"body": json.dumps({"$distinct_id": "ada"})}),
        json.dumps({"body": json.dumps({"data": json.dumps({"$distinct_id": "ada"})})}),
        "https://api.example/query?" + urlencode({"where": 'properties["$distinct_id"] == "ada"'}),
        "bob;ada;cyd",
        'a line\\nada\\nanother"',
        "to ada.l@EXAMPLE.com",
        "call +49 151 2345678 now",
        urlencode({"email": "ada.l@example.com", "phone": "+49 151 2345678"}),
    ],
)
def test_whoever_is_named_is_found(text: str) -> None:
    assert ADA.within(text)


@pytest.mark.parametrize(
    "text", [None, "", "adam", "canada", "Ada", "ada-2", "ada@example.org", "x.ada.y", "ada_l", "+49 151 23456789"]
)
def test_whoever_only_looks_alike_is_not(text: str | None) -> None:
    assert not ADA.within(text)


@pytest.mark.parametrize("distinct_id", ["élodie", 'with "quotes"', "back\\slash", "a/b c", "日本", "100%", "ü@x.de"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_any_id_is_found_in_json_and_in_an_address(distinct_id: str, ascii_only: bool) -> None:
    within = json.dumps({"body": json.dumps([distinct_id], ensure_ascii=ascii_only)}, ensure_ascii=ascii_only)
    assert Mentions(distinct_id).within(within)
    assert Mentions(distinct_id).within("/profile?" + urlencode({"id": distinct_id}))


@pytest.mark.parametrize("text", ['{"distinct_id": 42}', '"42"', "42", "[1, 42, 3]", "x;42;y", "distinct_id=42&a=1"])
def test_a_number_is_found_where_it_is_a_value(text: str) -> None:
    assert Mentions("42").within(text)


@pytest.mark.parametrize("text", ["42 pages", '{"took": 42}', "page 42 of 43", "420", "2042", '{"total": 42}'])
def test_a_number_among_words_is_nobody(text: str) -> None:
    assert not Mentions("42").within(text)


def test_a_short_phone_number_is_no_word_to_search_for() -> None:
    assert not Mentions("ada", None, "110").within("call 110")


# What `numbers.stands_in` says in a time that grows with the text, said by a pattern whose time grows with its square.
SAME = (
    r"""(?:\\*["']{0}\\*["']|(?:^|[,;\t\[])\s*{0}\s*(?=[,;\t\]]|$)|(?:distinct|user|identified|anon|device)_id"""
    r"""\\*["']?\s*[:=]+\s*\\*["']?{0}(?!\w))"""
)
PIECES = [
    "1",
    "11",
    "2",
    "\\",
    '"',
    "'",
    " ",
    "\n",
    "\t",
    ",",
    ";",
    "[",
    "]",
    ":",
    "=",
    "user_id",
    "anon_id",
    "x",
    "_",
    "é",
]


@settings(max_examples=2000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.sampled_from(["1", "11", "121"]))
def test_a_number_is_a_value_where_the_pattern_of_values_finds_it(text: str, number: str) -> None:
    assert number_matcher.stands_in(text, number) == bool(re.search(SAME.format(number), text, re.MULTILINE))
