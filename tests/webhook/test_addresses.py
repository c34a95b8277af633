"""Mixpanel can't edit an address: every way to write it leads to the same one, and what leads nowhere is kept."""

import json
from urllib.parse import unquote

import pytest
from werkzeug.test import TestResponse

from tests.relay import Relay, basic, body

WRITTEN = [
    "/webhooks/mixpanel/crm/",
    "/webhooks/mixpanel/crm//",
    "//webhooks/mixpanel/crm",
    "/webhooks//mixpanel///crm",
    "/Webhooks/Mixpanel/crm/",
    "/webhooks/mixpanel/%63rm",
    "/webhooks/mixpanel/crm%2F",
    "/webhooks/mixpanel/crm?source=mixpanel",
    "/webhooks/mixpanel/crm/?",
    "/v1/mixpanel/cohort/sync/",
    "//v1/mixpanel/cohort//sync",
    "/V1/mixpanel/cohort/sync?x=1",
]
NOWHERE = [
    "/webhooks/",
    "/webhooks/mixpanel",
    "/webhooks/mixpanel/",
    "/webhooks/mixpanel/crm/members",
    "/webhooks/mixpanel/crm%00",
    "/webhooks/%ff",
    "/v1/",
    "/v1/else",
    "/v1/mixpanel/cohort",
    "/v1/mixpanel/cohort/sync/crm",
    "//V1//else/",
]


def post(relay: Relay, path: str, data: str, password: str | None = None) -> TestResponse:
    """A POST to this path as it is written: the client itself would take what follows two slashes for a host."""
    bare, _, query = path.partition("?")
    headers = basic("crm", password or relay.password)
    over = {"PATH_INFO": unquote(bare, "latin-1"), "QUERY_STRING": query}
    return relay.client.post("/", data=data, headers=headers, environ_overrides=over)


@pytest.mark.parametrize("path", WRITTEN)
def test_an_address_is_the_same_however_it_is_written(relay: Relay, path: str) -> None:
    answer = post(relay, path, json.dumps(body("members", ["A"])))
    assert (answer.status_code, answer.json) == (200, {"action": "members", "status": "success"})
    assert relay.members() == {"A"}
    assert relay.failures() == []


@pytest.mark.parametrize("path", WRITTEN)
def test_a_wrong_password_is_401_and_kept_however_the_address_is_written(relay: Relay, path: str) -> None:
    answer = post(relay, path, "{}", "wrong")
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == 401  # type: ignore[index]
    assert [(one["status"], one["connection"]) for one in relay.failures()] == [(401, "crm")]


@pytest.mark.parametrize("path", NOWHERE)
def test_a_post_that_leads_nowhere_is_kept_among_the_failures(relay: Relay, path: str) -> None:
    answer = post(relay, path, json.dumps(body("members", ["A"])))
    assert answer.status_code in {401, 404}
    assert answer.json["status"] == "failure"  # type: ignore[index]
    (failure,) = relay.failures()
    assert failure["status"] == answer.status_code
    assert failure["request_id"] == answer.headers["X-Request-ID"]


def test_a_post_that_leads_nowhere_says_what_to_do_and_that_mixpanel_pauses(relay: Relay) -> None:
    relay.post_raw("{}", path="/webhooks/mixpanel/crm/members")
    (failure,) = relay.failures()
    assert (failure["cause"], failure["connection"]) == ("unknown_address", "crm")
    page = relay.sign_in("viewer").page(f"/failures/{failure['id']}")
    assert "Mixpanel has paused this cohort&#39;s sync" in page
    assert "Set it up anew with the address that the connection&#39;s page shows" in page
    assert "An address that is none of ours" in page


@pytest.mark.parametrize("path", ["/webhooks/mixpanel/crm", "/webhooks/mixpanel/crm/", "/v1/mixpanel/cohort/sync"])
@pytest.mark.parametrize(("method", "kept"), [("PUT", 1), ("PATCH", 1), ("DELETE", 1), ("GET", 0), ("OPTIONS", 0)])
def test_a_wrong_method_is_kept_where_it_was_to_write(relay: Relay, path: str, method: str, kept: int) -> None:
    answer = relay.client.open(path, method=method, headers=basic(relay.name, relay.password))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert [one["cause"] for one in relay.failures()] == ["wrong_method"] * kept


def test_paths_that_are_not_the_senders_are_left_as_they_are(relay: Relay) -> None:
    assert relay.client.get("/healthz").status_code == 200
    assert relay.client.get("/HEALTHZ").status_code == 404
    assert relay.client.get("/healthz/").status_code == 404
