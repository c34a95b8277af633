"""Every route of the dashboard: who may come, what a forged form can do, what a browser is told."""

import re

import pytest

from destinations.subscriptions import STATES
from erasure import DataSubject, eraser
from outbound import send
from outbound.comparison import jobs as comparisons
from outbound.imports import jobs as imports
from outbound.operations import registry
from outbound.operations.types import CallInput
from security.roles import ROLES, covers, role_of
from tests.browser import places
from tests.dashboard import relayed
from tests.outbound.conftest import add_project, project_of, runtime_of
from tests.relay import Browser, Relay, member

SAFE = {"GET", "HEAD", "OPTIONS"}
WITHIN = ("dashboard.", "outbound.")


@pytest.fixture
def stocked(relay: Relay) -> Relay:
    return stock(relay)


def stock(relay: Relay) -> Relay:
    """One of everything, so that each path has real ids."""
    relay.refresh([member("zoe-1", email="zoe-1@example.org", first_name="Zoe"), "bob", "", "gone"], session="first")
    relay.remove(["bob"], session="second")
    relay.post_raw("not json")
    add_project(relay)
    _call(relay)
    _background(relay)
    _relayed(relay)
    eraser(relay.app.extensions["runtime"]).erase(DataSubject("1", "gone"), "test")
    return relay


def _call(relay: Relay) -> None:
    """A call to nowhere: its row is what counts."""
    here, project = runtime_of(relay), project_of(relay)
    given = CallInput({"event": "e", "distinct_id": "u1"})
    send.prepare(here, send.ready(here, project, registry.OPERATIONS["track-event"], given), "test", "dashboard")


def _background(relay: Relay) -> None:
    """An import and a comparison that wait for their worker."""
    draft = imports.NewImport("prod", "events", "import-events", "cohort", "c", "test", cohort_id=1, settings={})
    relay.database.write(lambda db: imports.add(db, draft, relay.clock()))
    relay.database.write(lambda db: comparisons.ask(db, 1, "prod", "test", "count", relay.clock(), {}))


def _relayed(relay: Relay) -> None:
    """A destination with a message in each state, and a call."""
    relayed.connect(relay.app)
    subscription = relayed.subscribe(relay.app)
    found = [relayed.message(relay.app, subscription, "zoe-1", state, entry_number=n) for n, state in enumerate(STATES)]
    relayed.attempt(relay.app, subscription, found[2:4])


def signed_in(relay: Relay) -> dict[str, Browser]:
    return {role: relay.sign_in(role) for role in ROLES}


def test_every_page_asks_a_stranger_to_sign_in(stocked: Relay) -> None:
    stocked.sign_in("viewer")
    for path in places.pages(stocked.app):
        answer = stocked.client.get(path)
        assert answer.status_code == 302, path
        assert answer.location.startswith("/sign-in"), path


def test_a_stranger_changes_nothing(stocked: Relay) -> None:
    stocked.sign_in("viewer")
    found = stocked.database.read(places.samples)
    asked = 0
    for rule in places.rules(stocked.app, "POST"):
        if rule.endpoint.startswith(WITHIN):
            for path in places.filled(rule, found):
                asked += 1
                assert stocked.client.post(path).status_code == 401, path
    assert asked > 10


def test_every_unsafe_route_refuses_a_form_without_its_token(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    found = stocked.database.read(places.samples)
    for rule in places.rules(stocked.app, "POST"):
        for path in places.filled(rule, found):
            answer = browser.client.post(path, headers={"Accept": "text/html"})
            assert answer.status_code == 400, path
            assert "nothing was changed" in answer.text, path
    assert not [rule for rule in stocked.app.url_map.iter_rules() if _writes_without_post(rule)]


def _writes_without_post(rule) -> bool:
    return rule.endpoint.startswith((*WITHIN, "sign.")) and bool((rule.methods or set()) - SAFE - {"POST"})


def test_whoever_has_too_small_a_role_is_refused(stocked: Relay) -> None:
    browsers = signed_in(stocked)
    tokens = {role: browser.token for role, browser in browsers.items()}
    found = stocked.database.read(places.samples)
    refused = 0
    for rule in places.rules(stocked.app, "POST"):
        if not rule.endpoint.startswith(WITHIN):
            continue
        needed = role_of(stocked.app.view_functions[rule.endpoint]) or "admin"
        for role in ROLES:
            if not covers(role, needed):
                for path in places.filled(rule, found):
                    refused += 1
                    answer = browsers[role].client.post(path, data={"csrf_token": tokens[role]})
                    assert answer.status_code == 403, f"{role} {path}"
    assert refused > 10


def test_a_viewer_changes_nothing_but_their_own_account(stocked: Relay) -> None:
    open_to_viewers = {
        rule.rule
        for rule in places.rules(stocked.app, "POST")
        if rule.endpoint.startswith(WITHIN) and role_of(stocked.app.view_functions[rule.endpoint]) == "viewer"
    }
    assert open_to_viewers == {
        "/account/password",
        "/account/second-factor/begin",
        "/account/second-factor/codes",
        "/account/second-factor/confirm",
        "/account/second-factor/passkeys",
        "/account/second-factor/passkeys/<int:passkey_id>/remove",
        "/account/second-factor/passkeys/begin",
        "/account/second-factor/remove",
        "/account/sign-ins/<int:sign_in_id>/end",
        "/account/sign-ins/end",
        "/account/time-zone",
        "/cohorts/<int:cohort_id>",
        "/destinations/subscriptions/<int:subscription_id>/messages",
        "/people/search",
        "/search",
        "/sign-out",
    }


@pytest.mark.slow
def test_every_page_tells_the_browser_what_it_may_do(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    for path in places.pages(stocked.app):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cache-Control"] == "private, no-store", path


@pytest.mark.slow
def test_no_page_has_inline_script_or_style(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    for path in places.pages(stocked.app):
        page = browser.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", page), path


def test_the_cookie_is_kept_from_scripts_and_other_sites(relay: Relay) -> None:
    answer = relay.client.get("/sign-up")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_the_cookie_stays_on_https_where_the_relay_is_reached_by_it(make_relay) -> None:
    relay = make_relay(public_url="https://relay.example")
    assert "Secure" in relay.client.get("/sign-up", base_url="https://relay.example").headers["Set-Cookie"]


@pytest.mark.slow
def test_no_path_holds_what_describes_a_member(stocked: Relay) -> None:
    """P29: a proxy's log keeps paths; ids of ours say nothing."""
    browser = stocked.sign_in("admin")
    for path in places.pages(stocked.app):
        for link in re.findall(r'(?:href|action|hx-get)="([^"]+)"', browser.get(path).text):
            assert "zoe-1" not in link, f"{path} links to {link}"


def test_a_number_that_no_database_can_hold_is_at_no_address(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    for room in ("cohorts", "sessions", "failures", "people"):
        assert browser.get(f"/{room}/{2**63}").status_code == 404, room
