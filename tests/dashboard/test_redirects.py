"""Every form that is accepted is answered with a redirect: reloading repeats nothing, and going back never asks."""

import io
import re
from typing import Any

import pytest
from sqlalchemy import text

from tests.browser import places
from tests.conftest import MakeRelay
from tests.dashboard.test_routes import stocked  # noqa: F401 - a fixture
from tests.mixpanel import Mixpanel
from tests.outbound.conftest import mixpanel, project_of  # noqa: F401 - a fixture
from tests.relay import PASSWORD, Browser, Relay, member

LED_ON = {302, 303}
ADA = member("ada-1", email="ada@example.org", first_name="Ada")

# What each form needs to be accepted; those that are not here take nothing.
FORMS: dict[str, dict[str, Any]] = {
    "dashboard.change_password": {"old": PASSWORD, "password": "another long phrase", "again": "another long phrase"},
    "dashboard.begin_second_factor": {"password": PASSWORD},
    "dashboard.set_guard": {"percent": "30"},
    "dashboard.approve_held": {"session": "1"},
    "dashboard.reject_held": {"session": "1"},
    "dashboard.search_members": {"q": "zoe"},
    "dashboard.search_people": {"q": "zoe"},
    "dashboard.search": {"q": "zoe"},
    "dashboard.make_connection": {"name": "billing"},
    "dashboard.set_keeping": {"keep": "none", "email": "hash", "phone": "drop"},
    "dashboard.check_erasure": {"project_id": "1", "distinct_id": "gone"},
    "dashboard.add_channel": {
        "kind": "slack",
        "name": "chat",
        "url": "https://hooks.example.org/",
        "states": "failing",
    },
    "dashboard.change_time_zone": {"time_zone": "UTC"},
    "dashboard.invite_operator": {"email": "invited@example.org", "role": "viewer"},
    "dashboard.add_operator": {"email": "new@example.org", "role": "viewer", "password": "quite a long phrase"},
    "dashboard.change_role": {"role": "operator"},
    "dashboard.reset_password": {"password": "quite a long phrase"},
    "dashboard.add_token": {"name": "billing", "scope": "read"},
    "dashboard.change_destination": {"set.url": "https://hooks.example.org/"},
    "dashboard.preview_subscription": {
        "cohort": "1",
        "identity": "distinct_id",
        "kinds": "both",
        "reentry": "each",
        "start": "now",
        "guard": "50",
    },
    "dashboard.test_subscription": {"distinct_id": "zoe-1"},
    "outbound.send_call": {"operation": "profile-set", "project": "prod", "do": "check", "p.$distinct_id": "u1"},
    "outbound.preview": {"operation": "profile-set", "project": "prod"},
    "outbound.keep_body_file": {"operation": "profile-set", "project": "prod"},
    "outbound.suggest_people": {"operation": "profile-set", "project": "prod"},
    "outbound.prepare_for_cohort": {
        "kind": "people",
        "project": "prod",
        "template": '{"$distinct_id": "{{distinct_id}}", "$set": {"a": 1}}',
    },
    "outbound.ask_comparison": {"cohort": "1", "project": "prod", "way": "count"},
    "outbound.upload_import": {"project": "prod", "kind": "people"},
    "outbound.add_project": {"name": "eu", "region": "eu", "project_id": "77"},
    "outbound.change_project": {"region": "eu", "project_id": "77"},
}
CODES = {"dashboard.confirm_second_factor"}  # takes a code of this minute: tests/dashboard/test_second_factor.py
# Last, because others need what they take away; sign-out ends the browser.
LATE = ("remove", "erase", "cancel", "change_password", "sign_out")


@pytest.fixture
def relay(make_relay: MakeRelay, mixpanel: Mixpanel) -> Relay:  # noqa: F811
    """Its calls go to the stand-in: whoever presses every button asks Mixpanel too."""
    return make_relay(mixpanel_base_url=mixpanel.url, send_pause_seconds=0)


def rank(endpoint: str) -> int:
    return next((place for place, word in enumerate(LATE, 1) if word in endpoint), 0)


def form_of(endpoint: str) -> dict[str, Any]:
    form = dict(FORMS.get(endpoint, {}))
    if endpoint == "outbound.upload_import":
        form["file"] = (io.BytesIO(b'{"$distinct_id": "u1", "$set": {"plan": "pro"}}\n'), "people.ndjson")
    if endpoint == "outbound.import_saved":
        form["files"] = (io.BytesIO(b'{"name": "Who am I", "operation": "me"}'), "me.json")
    return form


@pytest.mark.slow
def test_every_form_that_is_accepted_leads_on(stocked: Relay) -> None:  # noqa: F811
    stocked.sign_in("viewer")
    browser, leaving = stocked.sign_in("admin"), stocked.sign_in("operator")
    project_of(stocked)
    samples = stocked.database.read(places.samples)
    answered: dict[str, set[int]] = {}
    rules = [rule for rule in places.rules(stocked.app, "POST") if not rule.endpoint.startswith("sign.")]
    rules = [rule for rule in rules if rule.endpoint not in CODES]
    for rule in sorted(rules, key=lambda rule: (rank(rule.endpoint), rule.rule)):
        for path in places.filled(rule, samples):
            answer = (leaving if rule.endpoint == "dashboard.end_all_sign_ins" else browser).post(
                path, form_of(rule.endpoint)
            )
            answered.setdefault(rule.endpoint, set()).add(answer.status_code)
    assert {endpoint: codes for endpoint, codes in answered.items() if not codes <= LED_ON} == {}
    assert set(FORMS) <= set(answered)


@pytest.mark.parametrize(
    "typed",
    [
        {"operation": "profile-set", "project": "prod", "do": "check", "p.$distinct_id": "ada@example.org"},
        {"operation": "profile-set", "project": "prod", "do": "row:$set", "p.$distinct_id": "ada@example.org"},
        {"operation": "delete-profile", "project": "prod", "p.$distinct_id": "ada@example.org"},
    ],
    ids=["checked", "another row", "a question first"],
)
def test_what_was_typed_comes_along_under_a_key(stocked: Relay, typed: dict[str, str]) -> None:  # noqa: F811
    browser = stocked.sign_in("operator")
    answer = browser.post("/send", typed)
    assert answer.status_code in LED_ON
    assert "ada%40" not in answer.location.replace("@", "%40")
    assert ['value="ada@example.org"' in browser.page(answer.location) for _reload in range(2)] == [True, True]
    assert 'value="ada@example.org"' not in stocked.sign_in("admin").submit(answer.location).text


def searched(browser: Browser, path: str, form: dict[str, str]) -> str:
    answer = browser.post(path, form)
    assert answer.status_code in LED_ON
    assert not re.search("ada|kim|example", answer.location)
    return answer.location


def test_a_search_of_people_can_be_reloaded_and_is_bound_to_who_searched(relay: Relay) -> None:
    relay.add([member("ada-1", first_name="Kim"), member("ada-2", first_name="Kim")])
    browser, other = relay.sign_in("viewer"), relay.sign_in("admin")
    found = searched(browser, "/people/search", {"q": "kim"})
    assert ["ada-1" in browser.page(found) for _reload in range(2)] == [True, True]
    assert other.get(found).location == "/people"
    relay.clock.time += 3_600_000
    assert browser.get(found).location == "/people"
    assert "too long ago" in browser.page("/people")


def test_a_search_within_a_cohort_can_be_reloaded_and_is_of_that_cohort(relay: Relay) -> None:
    relay.add([ADA], cohort="1")
    relay.add(["bob"], cohort="2")
    browser = relay.sign_in("viewer")
    found = searched(browser, "/cohorts/1", {"q": "ada@ex"})
    assert ["ada-1" in browser.page(found) for _reload in range(2)] == [True, True]
    assert browser.get(found.replace("/cohorts/1", "/cohorts/2")).location == "/cohorts/2"


def test_whether_somebody_was_erased_is_answered_on_a_page_that_can_be_reloaded(relay: Relay) -> None:
    relay.add([ADA])
    browser = relay.sign_in("operator")
    found = searched(browser, "/settings/erasures/check", {"project_id": "1", "distinct_id": "ada-1"})
    assert ["No erasure of this id" in browser.page(found) for _reload in range(2)] == [True, True]


def test_an_erasure_takes_along_what_operators_have_searched_for(relay: Relay) -> None:
    relay.add([ADA])
    browser = relay.sign_in("admin")
    found = searched(browser, "/settings/erasures/check", {"project_id": "1", "distinct_id": "ada-1"})
    browser.post(f"/people/{relay.person('ada-1')['id']}/erase")
    assert browser.get(found).location == "/settings/erasures"


def secrets(relay: Relay) -> list[int]:
    """How many passwords and tokens there are."""
    counts = [text(f"SELECT count(*) FROM {table}") for table in ("connection_password", "api_token")]
    return relay.database.read(lambda db: [db.execute(one).scalar_one() for one in counts])


@pytest.mark.parametrize(
    ("path", "form", "shown"),
    [
        ("/connections/new", {"name": "billing"}, r"data-password.*?<code>([^<]{43})</code>"),
        ("/connections/crm/rotate", {}, r"data-password.*?<code>([^<]{43})</code>"),
        ("/settings/tokens", {"name": "billing", "scope": "read"}, r"<dt>Token</dt>.*?<code>([^<]{43})</code>"),
    ],
    ids=["new connection", "rotate", "token"],
)
def test_a_secret_is_shown_once_and_a_reload_makes_no_other(
    relay: Relay, path: str, form: dict[str, str], shown: str
) -> None:
    browser = relay.sign_in("admin")
    answer = browser.post(path, form)
    assert answer.status_code in LED_ON
    counts = secrets(relay)
    assert browser.client.head(answer.location).status_code in {200, *LED_ON}
    secret = re.search(shown, browser.page(answer.location), re.DOTALL)
    assert secret is not None
    assert secret.group(1) not in answer.location
    again = browser.client.get(answer.location, follow_redirects=True)
    assert again.status_code == 200
    assert secret.group(1) not in again.text
    assert "once" in again.text
    assert secrets(relay) == counts
