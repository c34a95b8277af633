"""A page that holds too much costs no more than one that does not, and what is kept of rejected members is bounded."""

import gzip
import json
import tracemalloc
from collections.abc import Callable

import pytest

from models.queries import rejected as kept
from sync.apply import pages as sync_pages
from sync.contract import member_ids, size_limits
from sync.contract.page import Refused, parse
from tests.conftest import MakeRelay
from tests.relay import Relay, body, member
from tests.sync.statements import watched

MB = 1024 * 1024


def page_of(written: bytes) -> bytes:
    """A body of 32 MB whose members are `written` again and again."""
    head = b'{"action":"members","parameters":{"mixpanel_cohort_id":"7","mixpanel_session_id":"s","members":['
    return head + ((written + b",") * ((32 * MB - 200) // (len(written) + 1)))[:-1] + b"]}}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "around"),
    [
        *((written, bytes) for written in (b"{}", b"0", b"[]", b'""', b"null", b'{"distinct_id":0}')),
        (b'{"a":[1,2,3]}', bytes),
        (b"{}", lambda sent: b"\xef\xbb\xbf" + sent),
        (b'{"a":[1,2,3]}', lambda sent: sent + b"\xff"),
    ],
)
def test_a_page_of_millions_of_members_is_refused_with_flat_memory(
    written: bytes, around: Callable[[bytes], bytes]
) -> None:
    sent = around(page_of(written))
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        parse(sent)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.cause in {"too_many_members", "too_many_values"}
    assert refused.value.message.endswith("send fewer a page.") or "values" in refused.value.message
    assert peak < 2 * MB


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["list", "object", "beside"])
@pytest.mark.parametrize(("size", "refused"), [(size_limits.MOST_MEMBERS, False), (size_limits.MOST_MEMBERS + 1, True)])
def test_the_most_members_of_a_page_are_taken_and_one_more_is_not(shape: str, size: int, refused: bool) -> None:
    members = {str(place): place for place in range(1, size + 1)} if shape == "object" else list(range(1, size + 1))
    sent = body("members", [])
    (sent if shape == "beside" else sent["parameters"])["members"] = members
    if not refused:
        assert len(parse(json.dumps(sent).encode()).members) == size
        return
    with pytest.raises(Refused) as error:
        parse(json.dumps(sent).encode())
    assert (error.value.cause, error.value.action, error.value.cohort_id) == ("too_many_members", "members", "7")


@pytest.mark.slow
def test_too_many_members_are_400_with_a_sentence_and_a_failure(relay: Relay) -> None:
    answer = relay.post_raw(gzip.compress(page_of(b"{}")[: 3 * MB] + b"{}]}}", 1), {"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == "The page holds more than 50,000 members; send fewer a page."  # type: ignore[index]
    assert relay.failures()[0]["cause"] == "too_many_members"


@pytest.mark.slow
def test_a_thousand_members_with_every_property_that_mixpanel_takes_are_no_crowd() -> None:
    properties = {f"property {number}": number for number in range(1_500)}
    members = [member(f"u{number}", **properties) for number in range(1_000)]
    sent = json.dumps(body("members", members), separators=(",", ":")).encode()
    assert sent.count(b",") > 1_000_000
    assert len(parse(sent).members) == 1_000


# --- what is kept of rejected members


def test_of_many_rejected_members_the_first_are_kept_and_all_are_counted(relay: Relay) -> None:
    relay.refresh([member("A"), *[{"n": number} for number in range(size_limits.KEPT_OF_A_PAGE + 50)]], 1, 2)
    assert relay.session()["rejected"] == size_limits.KEPT_OF_A_PAGE + 50
    assert relay.session()["received"] == size_limits.KEPT_OF_A_PAGE + 51
    assert (
        len(relay.database.read(lambda db: kept.listed(db, relay.session()["id"], 10_000)))
        == size_limits.KEPT_OF_A_PAGE
    )


def test_a_session_keeps_no_more_however_many_pages_it_has(
    make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_ids, "KEPT_OF_A_PAGE", 20)
    monkeypatch.setattr(sync_pages, "KEPT_OF_A_SESSION", 50)
    relay = make_relay()
    for page in range(1, 6):
        relay.refresh([{}] * 30, page, 6)
    relay.refresh([{"again": 1}] * 30, 5, 6)
    assert relay.session()["rejected"] == 150
    rows = relay.rows("SELECT page, rejected FROM sync_page ORDER BY page")
    assert [row["rejected"] for row in rows] == [30] * 5
    assert len(relay.database.read(lambda db: kept.listed(db, relay.session()["id"], 1000))) <= 50 + 20


@pytest.fixture
def many(relay: Relay) -> Relay:
    """A session with rejected members on two pages, one of them without ids of any kind."""
    relay.refresh([{"n": number} for number in range(150)], 1, 3)
    relay.refresh([{"m": number} for number in range(150)], 3, 3)
    return relay


def test_the_api_reads_rejected_members_page_by_page(many: Relay) -> None:
    session, found, cursor = many.session()["id"], [], ""
    while True:
        answer = many.api(f"/sessions/{session}/rejected", cursor=cursor).json
        assert answer is not None
        found += answer["data"]
        cursor = answer["next"]
        if cursor is None:
            break
    assert [one["page"] for one in found] == [1] * 150 + [3] * 150
    assert [one["value"] for one in found[:2]] == ['{"n": 0}', '{"n": 1}']
    assert {one["reason"] for one in found} == {"missing"}


def test_the_api_shows_the_first_of_a_page_and_its_count(many: Relay) -> None:
    answer = many.api(f"/sessions/{many.session()['id']}").json
    assert answer is not None
    assert [(page["rejected"], len(page["rejected_members"])) for page in answer["pages"]] == [(150, 20), (150, 20)]
    assert answer["pages"][1]["rejected_members"][0] == {"reason": "missing", "value": '{"m": 0}'}


def test_the_api_lists_a_hundred_rejected_members_at_once(many: Relay) -> None:
    answer = many.api(f"/sessions/{many.session()['id']}/rejected").json
    assert answer is not None
    assert len(answer["data"]) == 100


def test_the_rejected_members_of_no_session_are_not_found(relay: Relay) -> None:
    assert relay.api("/sessions/99/rejected").status_code == 404


def test_no_view_reads_a_column_of_rejected_members_whole(many: Relay) -> None:
    session, cohort, browser = many.session()["id"], many.cohort()["id"], many.sign_in("viewer")
    paths = (f"/sessions/{session}", f"/sessions/{session}/members/rejected", f"/cohorts/{cohort}/rejected")
    with watched(many) as statements:
        for path in paths:
            assert browser.get(path).status_code == 200
        many.api(f"/sessions/{session}")
        many.api(f"/sessions/{session}/rejected")
    read = [one for one in statements if "rejected_members" in one]
    assert read
    for statement in read:
        assert "json" in statement
        assert "LIMIT" in statement
        assert "CAST(p.rejected_members" not in statement
        assert "CAST(rejected_members" not in statement
