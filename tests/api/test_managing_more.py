"""Operators, projects and what is done to destinations and subscriptions, through the API: under `manage` alone."""

from typing import Any

import pytest

from outbound import projects
from security.token_bounds import Bounds
from tests.api.test_managing import bearer, call
from tests.conftest import MakeRelay
from tests.relay import Relay, member

PASSWORD = "four plain words together"
CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/operators", None),
    ("POST", "/operators", {"email": "x@example.org", "password": PASSWORD}),
    ("PATCH", "/operators/1", {"role": "viewer"}),
    ("POST", "/operators/1/reset-second-factor", None),
    ("POST", "/operators/1/remove", None),
    ("POST", "/projects", {"name": "shop", "region": "eu", "project_id": "1"}),
    ("PATCH", "/projects/shop", {"region": "us"}),
    ("DELETE", "/projects/shop", None),
    ("PATCH", "/destinations/hook/settings", {"settings": {}}),
    ("POST", "/destinations/hook/rotate", None),
    ("POST", "/destinations/hook/pause", None),
    ("POST", "/destinations/hook/resume", None),
    ("POST", "/destinations/hook/remove", None),
    ("POST", "/subscriptions/1/remove", None),
]


@pytest.fixture
def relaying(make_relay: MakeRelay) -> Relay:
    """With a destination and a subscription."""
    relay = make_relay(allow_private_destinations=True)
    relay.refresh([member("ada")])
    token = bearer(relay, "deliver")
    made = {"name": "hook", "type": "webhook", "settings": {"url": "http://127.0.0.1:9/a"}}
    assert call(relay, token, "POST", "/destinations", made).status_code == 200
    drawn = {"destination": "hook", "project_id": "1", "cohort_id": "7"}
    assert call(relay, token, "POST", "/subscriptions", drawn).status_code == 200
    return relay


def trail(relay: Relay) -> list[str]:
    rows = relay.rows("SELECT action FROM audit_entry WHERE who = 'token my-manage' ORDER BY id")
    return [row["action"] for row in rows]


def test_operators_come_change_and_go(relay: Relay) -> None:
    relay.sign_in("admin")
    token = bearer(relay, "manage")
    made = call(relay, token, "POST", "/operators", {"email": "New@Example.org", "password": PASSWORD}).json
    assert (made["email"], made["role"], made["second_factor_at"]) == ("new@example.org", "viewer", None)
    path = f"/operators/{made['id']}"
    assert call(relay, token, "PATCH", path, {"role": "operator", "password": f"{PASSWORD} again"}).json["role"] == (
        "operator"
    )
    listed = call(relay, token, "GET", "/operators")
    assert {one["email"] for one in listed.json["data"]} == {"admin@example.org", "new@example.org"}
    assert "scrypt" not in listed.text
    assert call(relay, token, "POST", f"{path}/reset-second-factor").status_code == 400
    assert call(relay, token, "POST", f"{path}/remove").json == {"email": "new@example.org", "removed": True}
    assert call(relay, token, "POST", f"{path}/remove").status_code == 404
    assert trail(relay) == ["operator.add", "operator.role", "operator.password", "operator.remove"]


def test_the_only_admin_stays_one(relay: Relay) -> None:
    browser, token = relay.sign_in("admin"), bearer(relay, "manage")
    path = f"/operators/{browser.operator.id}"
    for method, place, given in (("PATCH", path, {"role": "viewer"}), ("POST", f"{path}/remove", None)):
        answer = call(relay, token, method, place, given)
        assert answer.status_code == 400
        assert "only admin" in answer.json["error"]["message"]
    assert browser.get("/settings").status_code == 200


def test_a_changed_operator_is_signed_out(relay: Relay) -> None:
    relay.sign_in("admin")
    browser, token = relay.sign_in("operator"), bearer(relay, "manage")
    call(relay, token, "PATCH", f"/operators/{browser.operator.id}", {"role": "viewer"})
    assert browser.get("/settings").status_code == 302


def test_projects_come_change_and_go_and_show_no_credential(relay: Relay) -> None:
    token = bearer(relay, "manage")
    given = {"name": "shop", "region": "eu", "project_id": "219", "token": "t0ken-of-shop"}
    made = call(relay, token, "POST", "/projects", given)
    assert (made.json["has_token"], made.json["has_service_account"]) == (True, False)
    changed = call(relay, token, "PATCH", "/projects/shop", {"username": "svc.1", "secret": "s3cret-of-shop"})
    assert (changed.json["region"], changed.json["has_service_account"]) == ("eu", True)
    assert "t0ken" not in made.text + changed.text
    assert "s3cret" not in changed.text
    known = relay.database.read(lambda db: projects.by_name(db, "shop"))
    assert known is not None
    opened = known.credentials(relay.app.extensions["runtime"].cipher)
    assert (opened.token, opened.username, opened.secret) == ("t0ken-of-shop", "svc.1", "s3cret-of-shop")
    assert call(relay, token, "PATCH", "/projects/shop", {"token": ""}).json["has_token"] is False
    assert call(relay, token, "POST", "/projects", given).status_code == 400
    assert call(relay, token, "DELETE", "/projects/shop").json == {"name": "shop", "removed": True}
    assert trail(relay) == ["project.add", "project.change", "project.change", "project.remove"]


def test_destinations_change_rest_and_go(relaying: Relay) -> None:
    token = bearer(relaying, "manage")
    changed = call(
        relaying, token, "PATCH", "/destinations/hook/settings", {"settings": {"url": "http://127.0.0.1:9/b"}}
    )
    assert changed.json["settings"]["url"] == "http://127.0.0.1:9/b"
    assert call(relaying, token, "POST", "/destinations/hook/rotate").json["secret"]
    paused = call(relaying, token, "POST", "/destinations/hook/pause", {"reason": "Moving."}).json
    assert (paused["status"], paused["reason"]) == ("paused", "Moving.")
    assert call(relaying, token, "POST", "/destinations/hook/resume").json["status"] == "active"
    wrong = call(relaying, token, "PATCH", "/destinations/hook/settings", {"settings": {"url": "no address"}})
    assert (wrong.status_code, [one["field"] for one in wrong.json["problems"]]) == (400, ["url"])
    assert call(relaying, token, "POST", "/destinations/hook/remove", {"drain": True}).json["removed"] is True
    assert call(relaying, token, "POST", "/destinations/hook/pause").status_code == 409
    done = ("change", "rotate", "pause", "resume", "remove")
    assert trail(relaying) == [f"destination.{action}" for action in done]


def test_a_subscription_goes(relaying: Relay) -> None:
    token = bearer(relaying, "manage")
    assert call(relaying, token, "POST", "/subscriptions/1/remove").json == {"id": 1, "removed": True}
    assert call(relaying, token, "POST", "/subscriptions/1/remove").status_code == 409
    assert trail(relaying) == ["subscription.remove"]


@pytest.mark.parametrize("scope", ["read", "send", "erase", "deliver"])
def test_no_other_scope_and_no_token_of_one_project_manages(relay: Relay, scope: str) -> None:
    token = bearer(relay, scope)
    for method, path, given in CALLS:
        assert call(relay, token, method, path, given).status_code == 403, path
    assert relay.rows("SELECT * FROM audit_entry") == []


def test_a_token_of_one_project_manages_nothing(relaying: Relay) -> None:
    token = bearer(relaying, "manage", Bounds(None, "1", None, None))
    for method, path, given in CALLS:
        for named in (path, f"{path}?project_id=1"):
            assert call(relaying, token, method, named, given).status_code == 403, named


def test_what_cannot_be_is_said(relay: Relay) -> None:
    token = bearer(relay, "manage")
    for method, path, given, status in (
        ("POST", "/operators", {"email": "nobody", "password": PASSWORD}, 400),
        ("POST", "/operators", {"email": "a@example.org", "password": "password1"}, 400),
        ("POST", "/operators", {"email": "a@example.org", "password": PASSWORD, "role": "root"}, 400),
        ("PATCH", "/operators/99", {"role": "viewer"}, 404),
        ("POST", "/projects", {"name": "No Name", "region": "eu", "project_id": "1"}, 400),
        ("POST", "/projects", {"name": "x", "region": "mars", "project_id": "1"}, 400),
        ("PATCH", "/projects/nobody", {}, 404),
        ("DELETE", "/projects/nobody", None, 404),
        ("PATCH", "/destinations/nobody/settings", {}, 404),
        ("POST", "/destinations/nobody/pause", None, 404),
        ("POST", "/destinations/nobody/remove", {"drain": "yes"}, 400),
        ("POST", "/subscriptions/99/remove", None, 404),
    ):
        answer = call(relay, token, method, path, given)
        assert (answer.status_code, answer.json["error"]["code"]) == (status, status), path
