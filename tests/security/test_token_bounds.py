"""What narrows a token, and who takes whole cohorts away."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blueprints.dashboard.cohorts import members
from config.clock import DAY
from security import tokens
from security.token_bounds import Bounds, WrongBound, is_within, read
from tests.conftest import MakeRelay
from tests.relay import Relay

COHORT = "/projects/1/cohorts/7"


def use(relay: Relay, scope: str = "read", **bounds: Any) -> None:
    """From now on the relay's calls of the API carry a token with these bounds."""
    key, narrow = relay.app.extensions["runtime"].settings.secret_key, Bounds(**bounds)
    relay.token = relay.database.write(lambda db: tokens.add(db, key, "narrow", scope, relay.clock(), narrow))


@pytest.fixture
def filled(relay: Relay) -> Relay:
    relay.refresh({"ada", "bob"})
    relay.refresh({"cid"}, cohort="8", project="2")
    return relay


def test_a_token_opens_nothing_after_its_end(filled: Relay) -> None:
    use(filled, expires_at=filled.clock() + DAY)
    assert filled.api("/cohorts").status_code == 200
    filled.clock.forward(DAY)
    assert filled.api("/cohorts").status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (COHORT, 200),
        (f"{COHORT}/members", 200),
        (f"{COHORT}/members.csv", 200),
        ("/people/1/ada", 200),
        ("/sessions?project_id=1", 200),
        ("/projects/2/cohorts/8", 403),
        ("/projects/2/cohorts/8/members.ndjson", 403),
        ("/projects/2/cohorts/8/changes", 403),
        ("/people/2/cid", 403),
        ("/people/2/cid?project_id=1", 403),
        ("/sessions?project_id=2", 403),
        ("/sessions", 403),
        ("/sessions/1", 403),
        ("/destinations", 403),
        ("/subscriptions", 403),
        ("/subscriptions?project_id=1", 200),
        ("/subscriptions?project_id=2", 403),
        ("/subscriptions/1", 403),
        ("/cohorts", 403),
        ("/cohorts?project_id=1", 400),
        ("/failures", 403),
        ("/failures?project_id=1", 400),
        ("/deliveries?project_id=1", 400),
    ],
)
def test_a_token_for_one_project_reads_nothing_of_another(filled: Relay, path: str, status: int) -> None:
    use(filled, project_id="1")
    answer = filled.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {filled.token}"})
    assert answer.status_code == status, answer.text


def test_a_token_for_a_network_is_worth_nothing_elsewhere(filled: Relay) -> None:
    use(filled, network="192.0.2.0/24")
    headers = {"Authorization": f"Bearer {filled.token}"}
    for address, status in (("192.0.2.9", 200), ("::ffff:192.0.2.9", 200), ("198.51.100.1", 403), ("2001:db8::1", 403)):
        answer = filled.client.get("/api/v1/cohorts", headers=headers, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == status, address


@given(st.ip_addresses(), st.integers(0, 32))
def test_an_address_is_within_every_network_around_it(address: Any, bits: int) -> None:
    bounds = read("", "", f"{address}/{bits}", exports=True, now=0)
    assert is_within(bounds.network, str(address)) or getattr(address, "ipv4_mapped", None)


@pytest.mark.parametrize("path", ["members.csv", "members.ndjson"])
def test_a_token_without_exports_reads_pages_and_no_whole_cohort(filled: Relay, path: str) -> None:
    use(filled, without_exports=True)
    assert filled.api(f"{COHORT}/members").status_code == 200
    assert filled.api(f"{COHORT}/{path}").status_code == 403


def test_a_token_calls_as_often_as_it_may_and_no_other_token_is_slowed_down(filled: Relay) -> None:
    other = filled.token
    use(filled, calls_per_minute=3)
    answers = [filled.api("/cohorts") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    headers = {"Authorization": f"Bearer {other}"}
    assert filled.client.get("/api/v1/cohorts", headers=headers).status_code == 200


def test_what_a_token_makes_calls_no_oftener_than_it_does(filled: Relay) -> None:
    use(filled, scope="manage", calls_per_minute=30)
    for asked, kept in ((None, 30), (10, 10), (90, 30)):
        headers = {"Authorization": f"Bearer {filled.token}"}
        draft = {"name": f"made {asked}", "calls_per_minute": asked}
        assert filled.client.post("/api/v1/tokens", json=draft, headers=headers).status_code in {200, 201}
        (row,) = filled.rows("SELECT calls_per_minute AS kept FROM api_token WHERE name = :name", name=f"made {asked}")
        assert row["kept"] == kept


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        *(("days", value) for value in ("0", "-1", "1.5", "x", "٣", "99999", "9" * 5000)),
        *(("network", value) for value in ("x", "192.0.2.0/33", "192.0.2", "::/129", "a" * 5000)),
        *(("project_id", value) for value in ("1" * 101, "a\0b", "a\nb")),
        *(("calls_per_minute", value) for value in ("0", "-1", "1.5", "x", "٣", "100001", "9" * 5000)),
    ],
)
def test_a_bound_that_cannot_be_is_refused_beside_its_field(relay: Relay, field: str, typed: str) -> None:
    with pytest.raises(WrongBound) as error:
        read(**{"days": "", "project_id": "", "network": ""} | {field: typed}, exports=True, now=0)
    assert error.value.field == field
    answer = relay.sign_in("admin").post("/settings/tokens", {"name": "new", "scope": "read", field: typed})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_the_page_and_the_terminal_offer_the_bounds(relay: Relay) -> None:
    typed = {"days": "30", "project_id": "1", "network": "192.0.2.7", "no_exports": "1"}
    made = relay.sign_in("admin").post("/settings/tokens", {"name": "paged", "scope": "send"} | typed)
    assert made.status_code in {200, 303}
    line = ["tokens", "add", "typed", "--days", "30", "--project", "1", "--network", "192.0.2.7", "--no-exports"]
    assert relay.app.test_cli_runner().invoke(args=line).exit_code == 0
    kept = {one.name: one.bounds for one in relay.database.read(tokens.listed)}
    assert kept["paged"] == kept["typed"] == Bounds(relay.clock() + 30 * DAY, "1", "192.0.2.7/32", True)
    assert kept["tests"] == Bounds()


# --- exports


def trail(relay: Relay) -> list[tuple[str, str, dict[str, Any]]]:
    found = relay.rows("SELECT who, subject, after FROM audit_entry WHERE action = 'cohort.export' ORDER BY id")
    sides = [row["after"] if isinstance(row["after"], dict) else json.loads(row["after"]) for row in found]
    return [(row["who"], row["subject"], side) for row, side in zip(found, sides, strict=True)]


def test_every_export_says_in_the_trail_who_took_how_many_of_which_cohort(filled: Relay) -> None:
    browser = filled.sign_in("viewer")
    (cohort,) = filled.rows("SELECT id FROM cohort WHERE project_id = '1'")
    browser.get(f"/cohorts/{cohort['id']}/members.csv")
    for _ in range(3):
        filled.api(f"{COHORT}/members.ndjson")
    subject = "Paying users (7 of project 1)"
    assert [(who, about, side["members"], side["times"]) for who, about, side in trail(filled)] == [
        (browser.email, subject, 2, 1),
        ("token tests", subject, 2, 3),
    ]


def test_of_an_export_of_a_part_the_trail_says_how_many_were_in_it(filled: Relay) -> None:
    """Of those who entered lately, and of those at a moment; whoever takes fewer afterwards hides nothing."""
    before = filled.clock()
    filled.clock.forward(9 * DAY)
    browser = filled.sign_in("viewer")
    filled.refresh({"ada", "bob", "dan", "eve", "fay"})
    (cohort,) = filled.rows("SELECT id FROM cohort WHERE project_id = '1'")
    path, moment = f"/cohorts/{cohort['id']}/members", datetime.fromtimestamp(before / 1000 + 60, UTC)
    for since in ("7d", "30d", "today"):
        assert browser.get(f"{path}.csv?since={since}").text.count("\n") == {"30d": 6}.get(since, 4)
    filled.clock.forward(DAY)
    assert browser.get(f"{path}.ndjson?since=today").text == ""
    assert browser.get(f"{path}.ndjson?as_of={moment:%Y-%m-%dT%H:%M}").text.count("\n") == 2
    subject = "Paying users (7 of project 1)"
    assert [(about, side["members"], side["of"], side["times"]) for _, about, side in trail(filled)] == [
        (f"{subject}, who entered lately", 5, "entered-today", 3),
        (f"{subject}, who entered lately", 0, "entered-today", 1),
        (f"{subject}, at a moment", 2, f"as of {moment:%Y-%m-%dT%H:%M}", 1),
    ]


def test_an_export_of_a_part_that_is_not_read_to_its_end_says_how_far(
    filled: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "PIECE", 1)
    browser = filled.sign_in("viewer")
    (cohort,) = filled.rows("SELECT id FROM cohort WHERE project_id = '1'")
    answer = browser.get(f"/cohorts/{cohort['id']}/members.ndjson?since=today", buffered=False)
    pieces = iter(answer.response)
    while not next(pieces):
        pass
    answer.close()
    assert [side["members"] for _, _, side in trail(filled)] == [1]


def test_exports_can_be_kept_to_a_role(make_relay: MakeRelay) -> None:
    relay = make_relay(export_role="operator")
    relay.refresh({"ada"})
    (cohort,) = relay.rows("SELECT id FROM cohort")
    path = f"/cohorts/{cohort['id']}/members.csv"
    assert [relay.sign_in(role).get(path).status_code for role in ("viewer", "operator")] == [403, 200]
    assert [who for who, _, _ in trail(relay)] == ["operator@example.org"]
