"""What is taken for a key: what was made of 32 random bytes, and not what people think of."""

import base64
import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.key_strength import is_random_enough

thirty_two = st.randoms(use_true_random=True).map(lambda random: random.randbytes(32))


@given(thirty_two)
def test_32_random_bytes_are_a_key_however_they_are_written(made: bytes) -> None:
    for written in (
        made.hex(),
        made.hex().upper(),
        base64.b64encode(made).decode(),
        base64.urlsafe_b64encode(made).decode().rstrip("="),
        base64.b32encode(made).decode(),
        base64.b85encode(made).decode(),
    ):
        assert is_random_enough(written), written


@given(st.randoms(use_true_random=True), st.integers(1, 24))
def test_fewer_random_bytes_are_none(random, many: int) -> None:
    made = random.randbytes(many)
    for written in (made.hex(), base64.b64encode(made).decode(), base64.b32encode(made).decode()):
        assert not is_random_enough(written), written


@given(st.text(string.printable, min_size=1, max_size=20), st.integers(64, 200))
def test_a_text_that_repeats_itself_is_none_however_long(part: str, length: int) -> None:
    assert not is_random_enough("".join(itertools.islice(itertools.cycle(part), length)))


@pytest.mark.parametrize(
    "thought_of",
    [
        "x",
        "secret",
        "changeme",
        "of the tests",
        "this is the secret key of our relay, please keep it to yourself",
        "CorrectHorseBatteryStapleCorrectHorseBatteryStaple",
        "my-very-long-and-very-secret-production-key-for-cohort-relay-2026",
        "0123456789" * 8,
        string.ascii_lowercase + string.ascii_uppercase + string.digits,
        "".join(reversed(string.printable)),
        "deadbeef" * 8,
        "f" * 64,
        "qwertyuiopasdfghjklzxcvbnm" * 2,
    ],
)
def test_what_people_think_of_is_none(thought_of: str) -> None:
    assert not is_random_enough(thought_of)
