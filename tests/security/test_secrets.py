"""Passwords and tokens: random, shown once, stored as keyed digests."""

import base64

import pytest

from security import connections
from security.secrets import keyed_digest, matches, new_secret
from tests.relay import Relay


def test_a_secret_is_made_of_at_least_256_random_bits() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(base64.urlsafe_b64decode(secret + "=")) * 8 >= 256 for secret in made)


def test_a_digest_depends_on_the_key_the_purpose_and_the_secret() -> None:
    base = keyed_digest("key", "purpose", "secret")
    others = [
        keyed_digest("yek", "purpose", "secret"),
        keyed_digest("key", "esoprup", "secret"),
        keyed_digest("key", "purpose", "terces"),
    ]
    assert base == keyed_digest("key", "purpose", "secret")
    assert base not in others


def test_a_secret_may_hold_any_character() -> None:
    assert keyed_digest("key", "purpose", "\0é🙂\ud800") != keyed_digest("key", "purpose", "")


@pytest.mark.parametrize(
    ("digest", "live", "place"), [("c", "abc", 2), ("a", "ab", 0), ("x", "a", None), ("x", "", None)]
)
def test_every_live_digest_is_looked_at(digest: str, live: str, place: int | None) -> None:
    assert matches(digest.encode(), [one.encode() for one in live]) == place


def test_p31_no_secret_is_stored(relay: Relay) -> None:
    key = relay.app.extensions["runtime"].settings.secret_key
    second = relay.database.write(lambda db: connections.rotate(db, key, "crm", relay.clock()))
    stored = str(relay.rows("SELECT * FROM connection_password") + relay.rows("SELECT * FROM api_token"))
    for secret in (relay.password, relay.token, second):
        assert secret not in stored


def test_another_secret_key_opens_nothing_and_is_never_401(relay: Relay) -> None:
    """401 makes Mixpanel pause its syncs for good, and what is wrong here is ours."""
    relay.app.extensions["runtime"].settings.secret_key = "another"
    assert relay.post_raw("{}").status_code == 503
    assert relay.api("/cohorts").status_code == 503
