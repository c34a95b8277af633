"""However often and under whatever names somebody calls, the failures stay few; and they still say what went wrong."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import failures
from tests.conftest import MakeRelay
from tests.relay import MINUTE, Relay, basic, body

HOUR = 60 * MINUTE
CAUSES = 4  # of calls without an account: credentials, sign-ins, address, method


def strange(relay: Relay, name: str, address: str = "192.0.2.1", path: str | None = None) -> int:
    """A call of somebody without an account."""
    return relay.client.post(
        path or f"/webhooks/mixpanel/{name}",
        data=b"{}",
        headers=basic(name, "wrong"),
        environ_overrides={"REMOTE_ADDR": address},
    ).status_code


def test_made_up_names_share_a_row_and_none_is_kept(relay: Relay) -> None:
    statuses = [strange(relay, f"x{number:06}") for number in range(60)]
    assert set(statuses) == {401, 429}
    rows = relay.failures()
    assert {(one["cause"], one["connection"]) for one in rows} == {
        ("wrong_credentials", None),
        ("too_many_sign_ins", None),
    }
    assert len(rows) == 2
    assert sum(one["count"] for one in rows) == 60


def test_many_addresses_and_minutes_add_no_rows(relay: Relay) -> None:
    for number in range(60):
        relay.clock.forward(MINUTE // 2)
        strange(relay, f"x{number}", f"198.51.100.{number}")
        strange(relay, f"x{number}", f"2001:db8:{number:x}::1", f"/v1/{number}")
    assert len(relay.failures()) == 2


def test_the_next_hour_begins_a_row(relay: Relay) -> None:
    strange(relay, "nobody")
    relay.clock.forward(HOUR)
    strange(relay, "nobody")
    assert [one["count"] for one in relay.failures()] == [1, 1]


def test_a_connection_of_ours_is_still_named_where_its_password_was_wrong(relay: Relay) -> None:
    strange(relay, "nobody")
    strange(relay, "crm")
    strange(relay, "crm")
    assert [(one["connection"], one["count"]) for one in relay.failures()] == [(None, 1), ("crm", 2)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters=":\r\n\0", codec="latin-1"), max_size=12),
            st.sampled_from(["/webhooks/mixpanel/", "/v1/mixpanel/cohort/sync", "/v1/", "/webhooks/"]),
            st.text("abcxyz0189/%", max_size=8),
            st.sampled_from(["POST", "PUT", "DELETE", "PATCH"]),
        ),
        max_size=30,
    )
)
def test_whatever_strangers_say_there_is_a_row_a_cause(relay: Relay, calls: list[tuple[str, str, str, str]]) -> None:
    for username, path, more, method in calls:
        answer = relay.client.open(path + more, method=method, data=b"{}", headers=basic(username, "wrong"))
        assert answer.status_code in {401, 404, 405, 429}
    rows = relay.failures()
    assert len(rows) <= 2 * CAUSES  # of nobody, and of the one connection that there is
    assert {one["connection"] for one in rows} <= {None, "crm"}
    assert {(one["project_id"], one["cohort_id"], one["action"]) for one in rows} <= {(None, None, None)}


def test_made_up_cohorts_of_a_connection_share_a_row_after_a_while(
    make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "MOST_AN_HOUR", 5)
    relay = make_relay()
    for number in range(20):
        relay.clock.forward(1)
        assert relay.post("nothing", [], cohort=f"made up {number}").status_code == 400
    rows = relay.failures()
    assert len(rows) == 6
    assert sum(one["count"] for one in rows) == 20
    assert (rows[-1]["cohort_id"], rows[-1]["cause"], rows[-1]["count"]) == (None, "unknown_action", 15)


def test_calls_within_the_bound_keep_their_cohort(relay: Relay) -> None:
    relay.post_raw(json.dumps(body("nothing", [], cohort="8")))
    relay.post_raw(json.dumps(body("nothing", [], cohort="9")))
    assert [one["cohort_id"] for one in relay.failures()] == ["8", "9"]
