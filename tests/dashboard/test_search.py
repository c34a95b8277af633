"""One search for everything: what it finds, for whom, and what it leaves in no address."""

import html
import re

import pytest

from blueprints.dashboard.search.places import FOOT, MAIN
from tests.dashboard import relayed
from tests.relay import Browser, Relay, member
from tests.sync.statements import watched

TYPED = {"HX-Request": "true"}


@pytest.fixture
def stocked(relay: Relay) -> Relay:
    people = [
        member("ada-1", email="ada@example.org", first_name="Ada", last_name="Lovelace"),
        member("adam-2", email="adam@example.org", first_name="Adam", last_name="Ash"),
        member("bob", email="bob@example.org", first_name="Bob"),
    ]
    relay.refresh(people, session="export-77", cohort="3291", name="Paying users")
    relay.refresh([], cohort="3292", name="Churn risk")
    relayed.connect(relay.app)
    return relay


def found(browser: Browser, wanted: str) -> list[tuple[str, str]]:
    """(kind, word) of each hit, as somebody types."""
    page = browser.post("/search", {"q": wanted}, headers=TYPED).text
    hits = re.findall(r'class="word">([^<]*)</span>.*?class="quiet small">([^<]*)</span></li>', page, re.DOTALL)
    return [(kind, html.unescape(word)) for word, kind in hits]


@pytest.mark.parametrize(
    ("wanted", "hit"),
    [
        ("ada-1", ("Person", "Ada Lovelace")),
        ("ADA@example.org", ("Person", "Ada Lovelace")),
        ("ada love", ("Person", "Ada Lovelace")),
        ("lovel", ("Person", "Ada Lovelace")),
        ("ada@ex", ("Person", "Ada Lovelace")),
        ("paying", ("Cohort", "Paying users")),
        ("USERS", ("Cohort", "Paying users")),
        ("3292", ("Cohort", "Churn risk")),
        ("crm", ("Connection", "crm")),
        ("export-77", ("Session", "Refresh of Paying users")),
        ("audit", ("Page", "Audit")),
        ("gdpr", ("Page", "Erasures")),
        ("profile set", ("Send", "Set user properties")),
        ("compare paying", ("Do", "Compare Paying users with Mixpanel")),
        ("rotate crm", ("Do", "Rotate the password of crm")),
        ("rot cr", ("Do", "Rotate the password of crm")),
    ],
)
def test_each_kind_is_found(stocked: Relay, wanted: str, hit: tuple[str, str]) -> None:
    hits = found(stocked.sign_in("operator"), wanted)
    assert hit[0] in {kind for kind, _word in hits}
    assert hit in hits or hit[0] == "Send"


def test_every_hit_leads_to_a_page(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    for wanted in ("ad", "paying", "crm", "export-77", "se", "compare churn", "hook"):
        page = browser.post("/search", {"q": wanted}, headers=TYPED).text
        paths = [html.unescape(path) for path in re.findall(r'data-href="([^"]+)"', page)]
        assert paths, wanted
        for path in paths:
            assert browser.get(path.partition("#")[0]).status_code == 200, path


def test_whole_matches_come_before_beginnings_and_a_kind_has_six_at_most(relay: Relay) -> None:
    relay.add([member(f"p{n}", first_name=f"Annabel{n}") for n in range(20)] + [member("q", first_name="Anna")])
    hits = [word for kind, word in found(relay.sign_in("viewer"), "anna") if kind == "Person"]
    assert hits[0] == "Anna"
    assert len(hits) == 6


def test_a_failed_call_is_found_by_the_id_of_its_request(relay: Relay) -> None:
    relay.post_raw("not json")
    ((request_id,),) = [row.values() for row in relay.rows("SELECT request_id FROM failure")]
    assert [kind for kind, _word in found(relay.sign_in("viewer"), request_id)] == ["Failure"]


def test_what_a_role_may_not_do_is_not_found(stocked: Relay) -> None:
    viewer = stocked.sign_in("viewer")
    assert not [word for kind, word in found(viewer, "crm") if kind == "Do"]
    assert ("Page", "Create a connection") not in found(viewer, "create a")


def test_the_only_hit_is_shown_at_once_and_several_on_a_page_that_can_be_reloaded(stocked: Relay) -> None:
    browser = stocked.sign_in("viewer")
    ada = stocked.person("ada-1")["id"]
    assert browser.post("/search", {"q": "ada-1"}).location == f"/people/{ada}"
    answer = browser.post("/search", {"q": "ada"})
    assert re.fullmatch(r"/search\?search=[\w-]{32}", answer.location)
    pages = [browser.page(answer.location) for _reload in range(2)]
    assert all("Ada Lovelace" in page and "Adam Ash" in page for page in pages)
    assert stocked.sign_in("admin").get(answer.location).location == "/search"


@pytest.mark.parametrize("wanted", ["", " ", "\0", "%", "_", "!", "\udc00", "x" * 5000, "'\"<b>", "a" * 3 + " b" * 200])
def test_whatever_is_typed_is_answered(stocked: Relay, wanted: str) -> None:
    browser = stocked.sign_in("viewer")
    data = {"q": wanted.encode("utf-8", "surrogatepass")}
    assert browser.post("/search", data, headers=TYPED).status_code == 200
    assert browser.submit("/search", data).status_code == 200


def test_signs_of_the_databases_stand_for_themselves(stocked: Relay) -> None:
    viewer = stocked.sign_in("viewer")
    assert found(viewer, "%") == []
    assert found(viewer, "pay_ng") == []


def test_a_search_makes_few_statements(stocked: Relay) -> None:
    browser = stocked.sign_in("operator")
    browser.page("/search")
    with watched(stocked) as seen:
        browser.client.post("/search", data={"q": "compare paying users", "csrf_token": browser.token}, headers=TYPED)
    assert len(seen) <= 12


def test_every_place_has_a_key_of_its_own() -> None:
    keys = [place.key for place in (*MAIN, *FOOT)]
    assert all(keys)
    assert len(set(keys)) == len(keys)
