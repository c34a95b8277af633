"""Links to operators by e-mail: invitations, and a new password for whoever has forgotten theirs."""

import re
from email import message_from_string

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.alerts.conftest import Post
from tests.conftest import MakeRelay
from tests.failing.server import wait_until
from tests.relay import MINUTE, PASSWORD, Relay

FORGOTTEN = "/sign-in/forgotten"


@pytest.fixture
def mailing(make_relay: MakeRelay, post: Post) -> Relay:
    return make_relay(smtp_url=f"smtp://127.0.0.1:{post.port}", public_url="https://relay.example.com")


def forget(relay: Relay, email: str) -> TestResponse:
    client = relay.app.test_client()
    return client.post(FORGOTTEN, data={"csrf_token": token(client), "email": email})


def token(client: FlaskClient, path: str = FORGOTTEN) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def link_in(post: Post, mails: int = 1) -> str:
    """The path of the link in the newest mail."""
    wait_until(lambda: len(post.mails) >= mails, 10, "a mail")
    mail = message_from_string(post.mails[-1])
    found = re.search(r"https://relay\.example\.com(/join\?key=\S+)", str(mail.get_payload(decode=True), "utf-8"))
    assert found is not None, post.mails[-1]
    return found[1]


def choose(relay: Relay, path: str, password: str) -> TestResponse:
    client = relay.app.test_client()
    form = {"csrf_token": token(client, path), "password": password, "again": password}
    return client.post(path, data=form)


def test_whoever_has_forgotten_a_password_chooses_another_one_by_the_link(mailing: Relay, post: Post) -> None:
    ada = mailing.sign_in("viewer")
    assert FORGOTTEN in mailing.app.test_client().get("/sign-in").text
    assert forget(mailing, f" {ada.operator.email.upper()} ").location == "/sign-in/forgotten/sent"
    path = link_in(post)
    assert ada.get("/account").status_code == 200  # until the link is used all is as before
    assert choose(mailing, path, "quite another phrase").status_code == 303
    assert ada.get("/account").status_code == 302
    assert choose_again(mailing, path) == 404


def choose_again(relay: Relay, path: str) -> int:
    return relay.app.test_client().get(path).status_code


def test_a_stranger_hears_the_same_and_nothing_is_sent(mailing: Relay, post: Post) -> None:
    ada = mailing.sign_in("viewer")
    stranger = forget(mailing, "nobody@example.org")
    known = forget(mailing, ada.operator.email)
    assert (stranger.status_code, stranger.location) == (known.status_code, known.location)
    link_in(post)
    assert [message_from_string(mail)["To"] for mail in post.mails] == [ada.operator.email]


def test_a_link_that_is_on_its_way_is_not_sent_again_and_an_older_one_ends(mailing: Relay, post: Post) -> None:
    ada, bob = mailing.sign_in("viewer"), mailing.sign_in("admin")
    forget(mailing, ada.operator.email)
    first = link_in(post)
    forget(mailing, ada.operator.email)
    forget(mailing, bob.operator.email)
    link_in(post, 2)
    assert [message_from_string(mail)["To"] for mail in post.mails] == [ada.operator.email, bob.operator.email]
    mailing.clock.forward(6 * MINUTE)
    forget(mailing, ada.operator.email)
    assert link_in(post, 3) != first
    assert choose_again(mailing, first) == 404


def test_wishes_are_limited_and_do_not_lock_the_account_out(mailing: Relay, post: Post) -> None:
    ada = mailing.sign_in("viewer")
    answers = [forget(mailing, ada.operator.email) for _ in range(12)]
    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].text
    client = mailing.app.test_client()
    form = {"csrf_token": token(client, "/sign-in"), "email": ada.operator.email, "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 302
    link_in(post)


def test_without_a_mail_server_there_is_no_such_page(relay: Relay) -> None:
    client = relay.app.test_client()
    relay.sign_in("viewer")
    assert FORGOTTEN not in client.get("/sign-in").text
    assert client.get(FORGOTTEN).location == "/sign-in"


def test_an_invitation_is_mailed_where_it_is_ticked(mailing: Relay, post: Post) -> None:
    admin = mailing.sign_in("admin")
    assert 'name="by_mail"' in admin.page("/settings/operators")
    form = {"email": "eve@example.org", "role": "viewer"}
    page = admin.submit("/settings/operators/invite", form | {"by_mail": "yes"}).text
    assert "on its way to eve@example.org" in page
    assert choose(mailing, link_in(post), "quite a long phrase").status_code == 303
    admin.submit("/settings/operators/invite", {"email": "zoe@example.org", "role": "viewer"})
    assert len(post.mails) == 1


def test_a_mail_that_is_refused_is_told_and_the_link_is_there_to_hand_over(mailing: Relay, post: Post) -> None:
    post.refuse["RCPT"] = "550 nobody of this name"
    page = (
        mailing.sign_in("admin")
        .submit("/settings/operators/invite", {"email": "eve@example.org", "role": "viewer", "by_mail": "yes"})
        .text
    )
    assert "It was not sent by e-mail: the mail server refused every recipient (550)" in page
    assert "/join?key=" in page


def test_a_mail_server_that_is_away_is_told_and_the_link_is_there_to_hand_over(make_relay: MakeRelay) -> None:
    relay = make_relay(smtp_url="smtp://127.0.0.1:1", alert_email_from="relay@example.com")
    form = {"email": "eve@example.org", "role": "viewer", "by_mail": "yes"}
    page = relay.sign_in("admin").submit("/settings/operators/invite", form).text
    assert "It was not sent by e-mail: the mail server could not be reached (ConnectionRefusedError)" in page
    assert "/join?key=" in page


def test_no_log_line_and_no_audit_entry_has_the_link(
    mailing: Relay, post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = mailing.sign_in("viewer")
    forget(mailing, ada.operator.email)
    secret = link_in(post).partition("key=")[2]
    told = str(mailing.rows("SELECT * FROM audit_entry")) + "".join(capsys.readouterr())
    assert "operator.password_forgotten" in told
    assert secret not in told
