"""Settings: values and origins, operators, API tokens, alerts."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

import alerts
from commands.work import addresses
from security import operators
from tests.conftest import MakeRelay
from tests.relay import PASSWORD, Browser, Relay
from tests.servers import SECRET_KEY

SECRET = "https://hooks.example/T0/secret"


def audited(relay: Relay, like: str) -> list[tuple[str, str]]:
    found = relay.rows("SELECT action, subject FROM audit_entry WHERE action LIKE :like ORDER BY id", like=like)
    return [(row["action"], row["subject"]) for row in found]


# --- general


def test_every_setting_is_shown_with_its_value_and_origin(make_relay: MakeRelay) -> None:
    page = make_relay(settle_seconds=7).sign_in("viewer").page("/settings")
    assert re.search(r"SETTLE_SECONDS.*?<code>7</code>.*?environment", page, re.DOTALL)
    assert re.search(r"REMOVAL_GUARD_PERCENT.*?<code>50</code>.*?default", page, re.DOTALL)


def test_secrets_are_masked(make_relay: MakeRelay) -> None:
    page = make_relay(alert_slack_url=SECRET).sign_in("admin").page("/settings")
    assert SECRET not in page
    assert SECRET_KEY not in page
    assert "••••" in page


def test_retention_is_explained_by_its_settings(make_relay: MakeRelay) -> None:
    page = make_relay(retain_pages_days=12, retain_failures_days=0).sign_in("viewer").page("/settings")
    assert "12 days" in page
    assert re.search(r"<dt>Failures, and[^<]*</dt><dd>For ever", page)


# --- operators

NEW = {"email": "Bob@Example.org ", "role": "viewer", "password": "a long enough one"}


@pytest.fixture
def admin(relay: Relay) -> Browser:
    return relay.sign_in("admin")


def operator_id(relay: Relay, email: str) -> int:
    found = relay.database.read(lambda db: operators.by_email(db, email))
    assert found is not None
    return found.id


def sign_in_status(relay: Relay, email: str, password: str) -> int:
    """What a fresh browser is answered at the sign-in."""
    client = relay.app.test_client()
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
    assert found is not None
    typed = {"csrf_token": found.group(1), "email": email, "password": password}
    return client.post("/sign-in", data=typed).status_code


def test_an_admin_adds_an_operator_who_can_sign_in(relay: Relay, admin: Browser) -> None:
    assert admin.post("/settings/operators", NEW).status_code == 302
    assert "bob@example.org" in admin.page("/settings/operators")
    assert sign_in_status(relay, "bob@example.org", NEW["password"]) == 302
    assert ("operator.add", "bob@example.org") in audited(relay, "operator.add")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [("email", "nobody", "not an e-mail"), ("password", "short", "at least 12"), ("role", "king", "one of")],
)
def test_what_cannot_be_is_refused_beside_its_field_and_the_rest_is_kept(
    admin: Browser, field: str, value: str, says: str
) -> None:
    response = admin.post("/settings/operators", NEW | {field: value})
    assert response.status_code == 422
    assert says in response.text
    assert "a long enough one" not in response.text
    if field != "email":
        assert "Bob@Example.org" in response.text


def test_a_changed_role_counts_and_signs_out(relay: Relay, admin: Browser) -> None:
    viewer = relay.sign_in("viewer")
    admin.post(f"/settings/operators/{viewer.operator.id}/role", {"role": "operator"})
    assert viewer.get("/").status_code == 302
    (row,) = relay.rows("SELECT role FROM operator WHERE id = :id", id=viewer.operator.id)
    assert row == {"role": "operator"}


def test_another_password_ends_the_old_one(relay: Relay, admin: Browser) -> None:
    viewer = relay.sign_in("viewer")
    admin.post(f"/settings/operators/{viewer.operator.id}/password", {"password": "another long one"})
    assert sign_in_status(relay, viewer.email, PASSWORD) == 422
    assert sign_in_status(relay, viewer.email, "another long one") == 302


def test_removing_asks_first_and_signs_out_at_once(relay: Relay, admin: Browser) -> None:
    viewer = relay.sign_in("viewer")
    path = f"/settings/operators/{viewer.operator.id}/remove"
    assert "Remove viewer@example.org?" in admin.page(path)
    assert viewer.get("/").status_code == 200
    admin.post(path)
    assert viewer.get("/").status_code == 302
    assert ("operator.remove", viewer.email) in audited(relay, "operator.remove")


def test_an_admin_cannot_lock_themselves_out(relay: Relay, admin: Browser) -> None:
    for path, form in (("role", {"role": "viewer"}), ("password", {"password": "another long one"}), ("remove", {})):
        assert admin.post(f"/settings/operators/{admin.operator.id}/{path}", form).status_code == 422
    assert admin.get("/settings/operators").status_code == 200


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_others_see_operators_and_change_none(relay: Relay, role: str) -> None:
    browser = relay.sign_in(role)
    page = browser.page("/settings/operators")
    assert browser.email in page
    assert "Add an operator" not in page
    assert browser.post("/settings/operators", NEW).status_code == 403
    assert browser.get(f"/settings/operators/{browser.operator.id}").status_code == 403
    for path in ("role", "password", "remove"):
        assert browser.post(f"/settings/operators/{browser.operator.id}/{path}").status_code == 403


def test_an_operator_who_is_gone_is_not_found(admin: Browser) -> None:
    for number in (999, 2**63, 10**30):
        assert admin.get(f"/settings/operators/{number}").status_code == 404


# --- API tokens


def test_a_new_token_is_shown_once_and_opens_the_api(relay: Relay, admin: Browser) -> None:
    response = admin.submit("/settings/tokens", {"name": "billing", "scope": "read"})
    found = re.search(r"<code>([\w-]{43})</code>", response.text)
    assert found is not None
    relay.token = found.group(1)
    assert relay.api("/cohorts").status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    assert relay.token not in admin.page("/settings/tokens")
    assert audited(relay, "token%") == [("token.add", "billing")]


@pytest.mark.parametrize(("name", "says"), [("", "1 to 100"), ("x" * 101, "1 to 100"), ("tests", "already is")])
def test_a_token_name_that_cannot_be_is_refused(admin: Browser, name: str, says: str) -> None:
    response = admin.post("/settings/tokens", {"name": name, "scope": "read"})
    assert response.status_code == 422
    assert says in response.text


def test_a_removed_token_opens_nothing(relay: Relay, admin: Browser) -> None:
    assert relay.api("/cohorts").status_code == 200
    (row,) = relay.rows("SELECT id FROM api_token")
    question = admin.page(f"/settings/tokens/{row['id']}/remove")
    assert re.search(r"used <time[^>]+>just now", question)
    admin.post(f"/settings/tokens/{row['id']}/remove")
    assert relay.api("/cohorts").status_code == 401
    assert audited(relay, "token%") == [("token.remove", "tests")]
    assert admin.get(f"/settings/tokens/{row['id']}/remove").status_code == 404


def test_only_admins_make_and_remove_tokens(relay: Relay) -> None:
    browser = relay.sign_in("operator")
    assert "tests" in browser.page("/settings/tokens")
    assert browser.post("/settings/tokens", {"name": "mine", "scope": "read"}).status_code == 403
    assert browser.post("/settings/tokens/1/remove").status_code == 403
    assert browser.get("/settings/tokens/1/remove").status_code == 403


# --- alerts


@pytest.fixture
def chat() -> Iterator[str]:
    """A chat's incoming webhook that takes whatever comes."""

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret"
    server.shutdown()
    server.server_close()


def test_without_a_channel_the_page_says_how_to_configure_one(relay: Relay, admin: Browser) -> None:
    page = admin.page("/settings/alerts")
    assert "No channel is configured" in page
    assert "ALERT_SLACK_URL" in page
    assert "Send a test" not in page
    assert admin.post("/settings/alerts/test").status_code == 302
    assert relay.rows("SELECT id FROM alert") == []


def test_a_test_message_is_sent_by_the_worker_and_shown_in_the_log(make_relay: MakeRelay, chat: str) -> None:
    relay = make_relay(alert_slack_url=chat)
    admin = relay.sign_in("admin")
    assert "Configured" in admin.page("/settings/alerts")
    admin.post("/settings/alerts/test")
    assert "Waiting" in admin.page("/settings/alerts")
    alerts.run_once(relay.database, relay.app.extensions["runtime"].settings, relay.clock, addresses(relay.app.url_map))
    page = admin.page("/settings/alerts")
    assert "</svg> Sent</span>" in page
    assert chat not in page
    assert audited(relay, "alerts%") == [("alerts.test", "slack")]


def test_the_log_of_alerts_pages_by_key(make_relay: MakeRelay) -> None:
    relay = make_relay(alert_slack_url="http://127.0.0.1:1/")
    settings = relay.app.extensions["runtime"].settings
    for _ in range(30):
        alerts.send_test(relay.database, settings, "tests", relay.clock())
    browser = relay.sign_in("viewer")
    first = browser.page("/settings/alerts")
    found = re.search(r'href="(/settings/alerts\?before=\d+)&amp;seen=25"', first)
    assert found is not None
    assert first.count("<details>") == 25
    assert browser.page(found.group(1)).count("<details>") == 5


def test_odd_addresses_of_the_log_do_no_harm(relay: Relay) -> None:
    browser = relay.sign_in("viewer")
    for before in ("x", "-1", "9" * 30):
        assert browser.get(f"/settings/alerts?before={before}").status_code == 200


def test_only_admins_send_a_test(relay: Relay) -> None:
    assert relay.sign_in("operator").post("/settings/alerts/test").status_code == 403
