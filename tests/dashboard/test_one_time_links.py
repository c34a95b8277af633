"""Invitations and links for a new password: they work once, for those they are for, and no longer than they should."""

import re

import pytest

from tests.relay import Browser, Relay

DAY = 24 * 60 * 60 * 1000
CHOSEN = {"password": "quite a long phrase", "again": "quite a long phrase"}
NEW = "new@example.org"


def invite(relay: Relay, admin: Browser, email: str = NEW, role: str = "operator") -> str:
    """The path of a new invitation."""
    answer = admin.post("/settings/operators/invite", {"email": email, "role": role})
    assert answer.status_code == 303, answer.text
    return link_of(admin.page(answer.location))


def link_of(page: str) -> str:
    found = re.search(r'data-copy="[^"]*?(/join\?key=[^"]+)"', page)
    assert found is not None
    return found[1]


def choose(relay: Relay, path: str, **changed: str) -> int:
    """Choose a password at a link, in a browser of its own; the status of the answer."""
    client = relay.app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert token is not None
    return int(client.post(path, data=CHOSEN | changed | {"csrf_token": token[1]}).status_code)


def role_of(relay: Relay, email: str = NEW) -> list[str]:
    return [row["role"] for row in relay.rows("SELECT role FROM operator WHERE email = :email", email=email)]


def test_an_invitation_makes_an_operator_who_chose_the_password(relay: Relay) -> None:
    path = invite(relay, relay.sign_in("admin"))
    page = relay.app.test_client().get(path).text
    assert "admin@example.org has invited new@example.org as operator." in page
    assert choose(relay, path) == 303
    assert role_of(relay) == ["operator"]


def test_a_link_works_once(relay: Relay) -> None:
    path = invite(relay, relay.sign_in("admin"))
    assert [choose(relay, path), choose(relay, path)] == [303, 404]


def test_only_a_digest_is_stored_and_the_link_is_shown_once(relay: Relay) -> None:
    admin = relay.sign_in("admin")
    answer = admin.post("/settings/operators/invite", {"email": NEW, "role": "viewer"})
    secret = link_of(admin.page(answer.location)).partition("key=")[2]
    assert "/join?key=" not in admin.get(answer.location, follow_redirects=True).text
    stored = str([dict(row) for row in relay.rows("SELECT * FROM one_time_link")])
    assert secret not in stored


def test_a_link_ends_by_time_by_hand_and_by_a_newer_one(relay: Relay) -> None:
    admin = relay.sign_in("admin")
    first = invite(relay, admin)
    second = invite(relay, admin)
    assert relay.app.test_client().get(first).status_code == 404
    (link,) = relay.rows("SELECT id FROM one_time_link")
    assert admin.post(f"/settings/operators/links/{link['id']}/revoke").status_code == 303
    assert choose(relay, second) == 404
    third = invite(relay, admin)
    relay.clock.forward(7 * DAY)
    assert choose(relay, third) == 404
    assert role_of(relay) == []


def test_a_link_of_somebody_who_is_no_admin_any_more_is_void(relay: Relay) -> None:
    path = invite(relay, relay.sign_in("admin"))
    relay.database.write(lambda db: db.exec_driver_sql("UPDATE operator SET role = 'viewer'"))
    assert choose(relay, path) == 404


def test_a_new_password_by_a_link_signs_other_browsers_out(relay: Relay) -> None:
    operator, admin = relay.sign_in("operator"), relay.sign_in("admin")
    number = relay.rows("SELECT id FROM operator WHERE email = 'operator@example.org'")[0]["id"]
    answer = admin.post(f"/settings/operators/{number}/link")
    path = link_of(admin.page(answer.location))
    assert operator.get("/cohorts").status_code == 200
    assert choose(relay, path) == 303
    assert operator.get("/cohorts").status_code == 302
    assert role_of(relay, "operator@example.org") == ["operator"]


def test_a_link_for_a_new_password_is_void_once_the_password_was_changed_otherwise(relay: Relay) -> None:
    relay.sign_in("operator")
    admin = relay.sign_in("admin")
    number = relay.rows("SELECT id FROM operator WHERE email = 'operator@example.org'")[0]["id"]
    path = link_of(admin.page(admin.post(f"/settings/operators/{number}/link").location))
    admin.post(f"/settings/operators/{number}/password", {"password": "another long phrase"})
    assert choose(relay, path) == 404


@pytest.mark.parametrize(
    ("changed", "says"), [({"password": "short", "again": "short"}, 422), ({"again": "different"}, 422)]
)
def test_what_cannot_be_a_password_uses_nothing_up(relay: Relay, changed: dict[str, str], says: int) -> None:
    path = invite(relay, relay.sign_in("admin"))
    assert choose(relay, path, **changed) == says
    assert choose(relay, path) == 303


@pytest.mark.parametrize(
    "form",
    [
        {"email": "nobody", "role": "viewer"},
        {"email": NEW, "role": "king"},
        {"email": "admin@example.org", "role": "viewer"},
    ],
)
def test_what_cannot_be_invited_is_refused(relay: Relay, form: dict[str, str]) -> None:
    assert relay.sign_in("admin").post("/settings/operators/invite", form).status_code == 422
    assert relay.rows("SELECT id FROM one_time_link") == []


def test_invitations_are_listed_for_admins_and_in_the_audit_trail(relay: Relay) -> None:
    admin = relay.sign_in("admin")
    path = invite(relay, admin)
    assert "Invitation as operator" in admin.page("/settings/operators")
    assert NEW not in relay.sign_in("viewer").page("/settings/operators")
    choose(relay, path)
    done = [
        row["action"] for row in relay.rows("SELECT action FROM audit_entry WHERE subject = :who ORDER BY id", who=NEW)
    ]
    assert done == ["operator.invite", "operator.add", "operator.sign_in"]


def test_a_made_up_link_is_not_valid(relay: Relay) -> None:
    client = relay.app.test_client()
    assert client.get("/join?key=made-up").status_code == 404
    assert "Link not valid" in client.get("/join").text
