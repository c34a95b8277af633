"""Which passwords are taken, and how they are kept."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.security import generate_password_hash

from security import operators, passwords
from security.passwords import Weak, check
from tests.relay import Relay

EMAIL = "ada.lovelace@example.org"
WORDS = ["anvil", "teapot", "glacier", "onion", "violet", "harbour", "magnet", "pickle", "saddle", "thunder"]


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaa",
        "abababababababab",
        "password1234",
        "P@ssw0rd1234",
        "qwertyuiop12",
        "123456789012",
        "            ",
        "\t \n \t \n \t \n ",
        EMAIL,
        EMAIL.upper(),
        "ada.lovelace1815",
        "lovelaceada12",
        "cohortrelay1",
        "iloveyou2026",
        "Welcome12345!",
        "abcdefghijkl",
        "january2026!",
    ],
)
def test_what_is_easily_guessed_is_refused_with_a_reason(password: str) -> None:
    with pytest.raises(Weak, match=r"easily guessed|nothing but blanks"):
        check(password, EMAIL)


def test_a_password_has_12_to_1000_characters() -> None:
    words = " ".join(WORDS)
    check(words + "ü" * (1000 - len(words)))
    for wrong in (words[:11], words + "ü" * (1001 - len(words))):
        with pytest.raises(Weak, match="at least 12 characters, and at most 1,000"):
            check(wrong)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=4), st.integers(12, 60))
def test_a_text_that_repeats_itself_is_refused(part: str, length: int) -> None:
    with pytest.raises(Weak):
        check((part * length)[: max(12, length)], EMAIL)


@settings(max_examples=30, deadline=None)
@given(st.permutations(WORDS).map(lambda words: words[:4]), st.sampled_from([" ", "-", ""]))
def test_some_words_that_do_not_belong_together_are_taken(words: list[str], between: str) -> None:
    check(between.join(words), EMAIL)


HARD = ["vier Wörter ohne jeden Sinn", "Xq7#mTz-w2Lp", "密码由一些没有关系的词语组成的", "x7Kd!9vQ-plum"]


@pytest.mark.parametrize("password", HARD)
def test_what_is_hard_to_guess_is_taken_in_any_script(password: str) -> None:
    check(password, EMAIL)


@pytest.mark.slow
def test_an_older_hash_verifies_and_becomes_one_of_todays_at_the_sign_in(relay: Relay) -> None:
    password = "correct horse battery"
    old = generate_password_hash(password, "scrypt:32768:8:1")
    relay.database.write(lambda db: operators.add(db, EMAIL, old, "admin", "tests", 1))

    def kept() -> str:
        return str(relay.rows("SELECT password_hash FROM operator")[0]["password_hash"])

    assert operators.signing_in(relay.database, EMAIL, "wrong") is None
    assert kept() == old
    assert operators.signing_in(relay.database, EMAIL, password) is not None
    assert kept().startswith("scrypt:131072:8:1$")
    again = kept()
    assert operators.signing_in(relay.database, EMAIL, password) is not None
    assert kept() == again


@pytest.mark.slow
def test_only_so_many_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, now, most = Lock(), 0, 0
    compute = passwords.check_password_hash

    def watched(kept: str, password: str) -> bool:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        try:
            return compute(kept, password)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr(passwords, "check_password_hash", watched)
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: passwords.belongs(None, "wrong"), range(8)))
    assert 1 <= most <= passwords.AT_ONCE
