"""Sending through the JSON API, as DESIGN pins it: keys, scopes, verdicts, problems."""

import io
import json
from functools import partial
from typing import Any

from security import tokens
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.conftest import SECRET, TOKEN, USERNAME
from tests.relay import Relay

EVENT = {"event": "Signed up", "properties": {"time": 1_750_000_000, "distinct_id": "u1", "$insert_id": "a"}}
KEYS = {"delivery", "verdict", "accepted", "failed_records", "words", "frees_at", "attempts", "status", "answer"}


def sender(relay: Relay, name: str = "sender") -> dict[str, str]:
    key = relay.app.extensions["runtime"].settings.secret_key
    token = relay.database.write(partial(tokens.add, key=key, name=name, scope="send", now=0))
    return {"Authorization": f"Bearer {token}"}


def post(relay: Relay, headers: dict[str, str], operation: str, project: str = "prod", **given: Any) -> Any:
    return relay.client.post(
        f"/api/v1/projects/{project}/operations/{operation}", data=json.dumps(given), headers=headers
    )


def test_a_call_answers_with_what_became_of_it(relay: Relay, mixpanel: Mixpanel) -> None:
    answer = post(relay, sender(relay), "import-events", body=[EVENT])
    assert answer.status_code == 200
    assert set(answer.json) == KEYS
    assert (answer.json["verdict"], answer.json["accepted"], answer.json["status"]) == ("accepted", 1, 200)
    assert answer.json["answer"] == {"code": 200, "num_records_imported": 1, "status": "OK"}
    assert mixpanel.calls[0].records[0]["properties"]["$insert_id"] == "a"


def test_aliases_of_other_lists_are_accepted(relay: Relay, mixpanel: Mixpanel) -> None:
    headers = sender(relay)
    for alias in ("importEvents", "trackEvent", "createProfile", "listSavedFunnels"):
        params = {"$distinct_id": "u1", "$set": {"plan": "pro"}} if alias == "createProfile" else {}
        given = {"params": params} if alias in {"createProfile", "listSavedFunnels"} else {"body": [EVENT]}
        assert post(relay, headers, alias, **given).status_code == 200, alias


def test_it_is_200_whatever_mixpanel_said(relay: Relay, mixpanel: Mixpanel) -> None:
    row = {"index": 0, "$insert_id": "a", "field": "properties.time", "message": "bad"}
    mixpanel.script("/api/import", Answer(400, {"code": 400, "failed_records": [row], "num_records_imported": 1}))
    answer = post(relay, sender(relay), "import-events", body=[EVENT, EVENT])
    assert (answer.status_code, answer.json["verdict"], answer.json["status"]) == (200, "partly", 400)
    assert answer.json["failed_records"] == [
        {"index": 0, "insert_id": "a", "field": "properties.time", "message": "bad"}
    ]


def test_our_own_checks_stop_it_with_the_problems_by_field_unless_it_is_forced(
    relay: Relay, mixpanel: Mixpanel
) -> None:
    headers, illegal = sender(relay), {"event": "e", "properties": {"time": 1_750_000_000, "distinct_id": "undefined"}}
    answer = post(relay, headers, "import-events", body=[illegal])
    assert answer.status_code == 400
    assert answer.json["error"]["code"] == 400
    assert [(one["field"], one["index"]) for one in answer.json["problems"]] == [("body[0].properties.distinct_id", 0)]
    assert mixpanel.calls == []
    assert post(relay, headers, "import-events", body=[illegal], force=True).json["verdict"] == "accepted"


def test_a_request_that_cannot_be_made_is_not_forced(relay: Relay, mixpanel: Mixpanel) -> None:
    answer = post(
        relay, sender(relay), "raw-request", params={"url": "https://evil.example/", "method": "GET"}, force=True
    )
    assert (answer.status_code, mixpanel.calls) == (400, [])


def test_the_body_of_a_call_has_so_many_bytes_and_no_more(relay: Relay, mixpanel: Mixpanel) -> None:
    """More for a table, of which Mixpanel takes 100 MB. Of what is longer nothing is read."""
    headers, mb = sender(relay), 1024 * 1024
    for operation, most in (("import-events", 16 * mb), ("replace-lookup-table", 128 * mb)):
        path = f"/api/v1/projects/prod/operations/{operation}"
        unread = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(most + 1)}
        answer = relay.client.post(path, headers=headers, environ_overrides=unread)
        assert answer.status_code == 413, operation
    padded = json.dumps({"body": [EVENT]}).ljust(16 * mb)
    assert relay.client.post(path.replace(operation, "import-events"), data=padded, headers=headers).status_code == 200


class Unread(io.RawIOBase):
    """A body that nobody may read."""

    def readable(self) -> bool:
        return True

    def readinto(self, _into: object) -> int:
        raise AssertionError("it was read")


def test_a_token_that_only_reads_is_refused(relay: Relay, mixpanel: Mixpanel) -> None:
    answer = post(relay, {"Authorization": f"Bearer {relay.token}"}, "import-events", body=[EVENT])
    assert (answer.status_code, set(answer.json)) == (403, {"error"})
    assert mixpanel.calls == []


def test_what_is_not_there_is_404_and_what_is_no_json_400(relay: Relay) -> None:
    headers = sender(relay)
    assert post(relay, headers, "import-events", project="none", body=[EVENT]).status_code == 404
    assert post(relay, headers, "no-such-call", body=[EVENT]).status_code == 404
    address = "/api/v1/projects/prod/operations/import-events"
    for body in (b"", b"[]", b"{", b'{"params": 1}', b'{"body": "\\ud800"}'):
        assert relay.client.post(address, data=body, headers=headers).status_code == 400, body


def test_every_operation_and_project_is_described_without_a_secret(relay: Relay) -> None:
    found = {one["id"]: one for one in relay.api("/operations").json["data"]}
    assert found["profile-numerical-add"]["repeat"] == "never"
    assert "importEvents" in found["import-events"]["aliases"]
    projects = relay.api("/projects")
    assert projects.json["data"] == [
        {"name": "prod", "region": "us", "project_id": "2891273", "has_token": True, "has_service_account": True}
    ]


def test_deliveries_are_listed_filtered_and_shown(relay: Relay, mixpanel: Mixpanel) -> None:
    headers = sender(relay)
    post(relay, headers, "import-events", body=[EVENT])
    mixpanel.script("/api/engage", Answer(200, {"status": 0, "error": "no"}))
    refused = post(relay, headers, "profile-set", params={"$distinct_id": "u1", "$set": {"a": 1}}).json["delivery"]
    assert [one["operation"] for one in relay.api("/deliveries").json["data"]] == ["profile-set", "import-events"]
    rejected = relay.api("/deliveries", verdict="rejected").json["data"]
    assert [(one["id"], one["who"], one["source"]) for one in rejected] == [(refused, "token sender", "api")]
    whole = relay.api(f"/deliveries/{refused}").json
    assert whole["answer"] == {"status": 0, "error": "no"}
    assert whole["request"]["url"].endswith("/api/engage?verbose=1&strict=1&ip=0")
    assert not {TOKEN, USERNAME, SECRET} & set(json.dumps(whole).split('"'))
