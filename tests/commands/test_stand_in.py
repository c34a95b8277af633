"""`flask stand-in`: what it answers is what Mixpanel documents, over real HTTP."""

import json
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from simulator.stand_in import answers
from simulator.stand_in.answers import Mixpanel
from simulator.stand_in.server import Server

TOKEN = "practice-token"
NOW = int(time.time())


def event(**changed) -> dict:
    properties = {"time": NOW, "distinct_id": "ada", "$insert_id": "one", "token": TOKEN} | changed
    return {
        "event": "Signed up",
        "properties": {name: value for name, value in properties.items() if value is not None},
    }


def update(operator: str, change, distinct_id: str = "ada") -> dict:
    return {"$token": TOKEN, "$distinct_id": distinct_id, operator: change}


@pytest.fixture
def mixpanel(monkeypatch) -> Mixpanel:
    monkeypatch.setattr(answers, "SEEN_AFTER", 0)
    return Mixpanel(lambda: [{"id": 7, "count": 2}], lambda cohort, page, _size: [{"$distinct_id": f"{cohort}-{page}"}])


@pytest.fixture
def url(mixpanel) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), mixpanel, lambda _line: None)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def import_events(url: str, *events: dict, user: str = TOKEN) -> requests.Response:
    return requests.post(f"{url}/api/import?strict=1", json=list(events), auth=(user, "") if user else None, timeout=5)


def engage(url: str, *updates: dict) -> dict:
    return requests.post(f"{url}/api/engage?verbose=1", json=list(updates), timeout=5).json()


def profile(url: str) -> dict:
    found = requests.post(f"{url}/query/engage?project_id=1", timeout=5).json()["results"]
    return next((one["$properties"] for one in found if one["$distinct_id"] == "ada"), {})


def test_events_that_are_right_are_taken(url):
    assert import_events(url, event()).json() == {"code": 200, "num_records_imported": 1, "status": "OK"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"time": None}, "properties.time"),
        ({"time": NOW + 7200}, "properties.time"),
        ({"distinct_id": None}, "properties.distinct_id"),
        ({"distinct_id": "Undefined"}, "properties.distinct_id"),
        ({"$insert_id": "with blanks"}, "properties.$insert_id"),
    ],
)
def test_an_import_names_what_is_wrong_and_takes_the_rest(url, mixpanel, changed, field):
    answer = import_events(url, event(**changed), event())
    assert (answer.status_code, answer.json()["num_records_imported"]) == (400, 1)
    assert [(one["index"], one["field"]) for one in answer.json()["failed_records"]] == [(0, field)]
    assert len(mixpanel.shelf.events) == 1


def test_an_import_needs_credentials(url):
    assert import_events(url, event(), user="").status_code == 401


def test_an_event_that_comes_twice_counts_once(url):
    import_events(url, event(), event())
    today = time.strftime("%Y-%m-%d", time.gmtime(NOW))
    there = {"from_date": today, "to_date": today, "event": '["Signed up"]'}
    lines = requests.get(f"{url}/export/export", params=there, auth=("account", "secret"), timeout=5).text.splitlines()
    assert [json.loads(line)["properties"]["$insert_id"] for line in lines] == ["one"]


def test_track_says_1_whatever_the_token_and_0_without_one(url):
    assert requests.post(f"{url}/api/track", json=[event(token="wrong")], timeout=5).text == "1"
    assert requests.post(f"{url}/api/track", json=[event(token=None)], timeout=5).text == "0"
    assert requests.post(f"{url}/api/track", data={"data": json.dumps(event())}, timeout=5).text == "1"


@pytest.mark.parametrize(
    ("operator", "change", "after"),
    [
        ("$set", {"plan": "pro"}, {"plan": "pro", "n": 1, "tags": ["a"]}),
        ("$set_once", {"plan": "pro", "new": 1}, {"plan": "free", "n": 1, "tags": ["a"], "new": 1}),
        ("$add", {"n": 2}, {"plan": "free", "n": 3, "tags": ["a"]}),
        ("$append", {"tags": "a"}, {"plan": "free", "n": 1, "tags": ["a", "a"]}),
        ("$union", {"tags": ["a", "b"]}, {"plan": "free", "n": 1, "tags": ["a", "b"]}),
        ("$remove", {"tags": "a"}, {"plan": "free", "n": 1, "tags": []}),
        ("$unset", ["plan"], {"n": 1, "tags": ["a"]}),
        ("$delete", "", {}),
    ],
)
def test_each_operator_does_to_a_profile_what_it_says(url, operator, change, after):
    engage(url, update("$set", {"plan": "free", "n": 1, "tags": ["a"]}))
    assert engage(url, update(operator, change)) == {"status": 1, "error": None}
    assert profile(url) == after


def test_a_profile_update_that_fails_is_a_200_that_says_so(url):
    answer = requests.post(f"{url}/api/engage?verbose=1", json=[update("$set", {}, "")], timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (200, 0)


def test_it_lists_the_relays_cohorts_and_their_members(url):
    assert requests.post(f"{url}/query/cohorts/list?project_id=1", timeout=5).json() == [{"id": 7, "count": 2}]
    asked = {"filter_by_cohort": '{"id": 7}', "page": "1"}
    assert requests.post(f"{url}/query/engage", data=asked, timeout=5).json()["results"] == [{"$distinct_id": "7-1"}]


def test_what_cannot_be_read_is_refused_and_nothing_stops(url):
    assert requests.post(f"{url}/api/import", data=b"\xff{", auth=(TOKEN, ""), timeout=5).status_code == 400
    assert requests.get(f"{url}/nothing/here", timeout=5).status_code == 404
    assert import_events(url, event()).status_code == 200
