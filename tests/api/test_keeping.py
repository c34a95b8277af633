"""What a connection keeps, through the API: under `manage` alone, noted in the audit trail."""

import pytest

from tests.api.test_managing import bearer, call
from tests.relay import Relay, member

KEEPING = {
    "keep": ["email"],
    "email": "hash",
    "phone": "drop",
    "email_fields": [],
    "phone_fields": [],
    "days": {"a": 3},
}
CALLS = [
    ("GET", "/connections/crm/keeping", None),
    ("PUT", "/connections/crm/keeping", KEEPING),
    ("POST", "/connections/crm/minimise", None),
]


def test_a_program_sets_what_is_kept_and_applies_it(relay: Relay) -> None:
    relay.refresh([member("ada", email="ada@example.org"), member("bob")])
    token = bearer(relay, "manage")
    assert call(relay, token, "GET", "/connections/crm/keeping").json["keep"] == "all"
    assert call(relay, token, "POST", "/connections/crm/minimise").status_code == 400
    assert call(relay, token, "PUT", "/connections/crm/keeping", KEEPING).json == KEEPING
    assert call(relay, token, "GET", "/connections/crm/keeping").json == KEEPING
    assert call(relay, token, "POST", "/connections/crm/minimise").json["people"] == 2
    trail = [row["action"] for row in relay.rows("SELECT action FROM audit_entry ORDER BY id")]
    assert trail == ["connection.keep", "connection.minimise"]


def test_no_other_scope_may(relay: Relay) -> None:
    token = bearer(relay, "deliver")
    for method, path, given in CALLS:
        assert call(relay, token, method, path, given).status_code == 403
    assert relay.rows("SELECT keeps FROM connection") == [{"keeps": None}]


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("nobody", KEEPING, 404),
        ("crm", KEEPING | {"keep": "some"}, 400),
        ("crm", KEEPING | {"email": "burn"}, 400),
        ("crm", KEEPING | {"days": {"a": 0}}, 400),
        ("crm", KEEPING | {"keep": [" "]}, 400),
    ],
)
def test_what_cannot_be_is_said(relay: Relay, path: str, given: object, status: int) -> None:
    answer = call(relay, bearer(relay, "manage"), "PUT", f"/connections/{path}/keeping", given)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, status)
