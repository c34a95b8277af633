"""What a terminal is shown of what came from outside."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.printable import visible

KEPT = {"\u200c", "\u200d"}  # they join letters and pictures, and turn nothing about
ALPHABETIC = {chr(number) for number in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)}


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x07\r\n\t\x9b\u202e\u2066\ufeff\ud800"))))
def test_no_character_is_left_that_a_terminal_obeys(text: str) -> None:
    shown = visible(text)
    left = {one for one in shown if unicodedata.category(one) in {"Cc", "Cs"}} - {"\n", "\t"}
    turning = {one for one in shown if unicodedata.bidirectional(one) in {"LRE", "RLE", "LRO", "RLO", "PDF"}}
    turning |= {one for one in shown if unicodedata.bidirectional(one) in {"LRI", "RLI", "FSI", "PDI", "BN"}} - KEPT
    assert left | turning <= {"\n", "\t"}
    shown.encode()


@pytest.mark.parametrize("text", ["plain", "élodie 日本 🙂 👩\u200d👩", "a\n\tb", ""])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_it_is_an_escape_that_people_know() -> None:
    assert visible("a\x1b[2Jb\u202e") == "a\\x1b[2Jb\\u202e"
