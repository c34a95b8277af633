"""Whatever an address, a form or a stored cohort says, a page answers: never with a fault of ours."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests import searches
from tests.browser import places
from tests.dashboard import relayed
from tests.relay import Browser, Relay, body, member

pytestmark = [pytest.mark.slow, pytest.mark.search]

# Everything that an address may say to a page, and some that no page asks for.
QUERY = (
    *("action", "after", "as_of", "before", "cause", "cohort", "connection", "first", "kind", "next", "page", "q"),
    *("range", "shown", "since", "sort", "state", "status", "stretch", "who", "unknown"),
    *("delivery", "person", "example", "project", "operation", "failed", "password", "kind"),
    *("draft", "new", "once", "reason", "type"),
    *("back", "change", "day", "search", "seen", "time", "when"),
)
FORM = ("again", "after", "code", "email", "name", "old", "password", "percent", "q", "role", "scope", "session")
FORM = (*FORM, "value", "way", "distinct_id", "draft", "reason", "state", "type", "set.url", "set.rate", "set.batch")
FORM = (*FORM, "cohort", "identity", "named", "country", "fields", "kinds", "reentry", "cooloff", "unit", "start")
FORM = (*FORM, "report", "guard", "from", "seen")

FAULT = 500
HUGE = "9" * 400
TOO_LONG = "9" * 4301  # digits that Python reads
ODD = (
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e309",
    "NaN",
    "\u0663",  # a digit that is not ASCII's
    "\u00b2",  # isdigit() and no int()
    "1_000",
    "+1",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    HUGE,
    f"-{HUGE}",
    TOO_LONG,
    "[" * 900,
    '{"a":' * 900,
    '"\\ud800"',
    f"{2**63}-{2**63}",
    f"{HUGE}-{HUGE}-{HUGE}",
    "1-1-1",
    "1--1",
    "-----",
    "000000000999999999999",
    "\0",
    "a\0b",
    "\r\nSet-Cookie: a=b",
    "'; DROP TABLE person; --",
    "%_!\\",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {% raw %}",
    "\U0001f600\u202e\ufeff\uffff",
    "x" * 5000,
    "0001-01-01T00:00",
    "9999-12-31T23:59:59.999999",
    "2025-02-30T00:00",
    "2025-06-15T12:00+23:59",
    "//evil.example/",
)
# As no browser writes them: half a character, bytes that are no UTF-8, brackets, a key without a value.
RAW = ("%", "%ff%fe", "%ed%a0%80", "a=b", "[]", "&&", ";")

# What a database could understand otherwise than SQLite does: numbers, characters, times.
OF_A_DATABASE = (
    *("0", "-1", "1e309", "\u0663", str(2**31), str(2**63 - 1), str(2**63), HUGE, '"\\ud800"', f"{2**63}-{2**63}"),
    *("\0", "a\0b", "%_!\\", "0001-01-01T00:00", "9999-12-31T23:59:59.999999", "2025-02-30T00:00"),
)

MIXED = (
    "as_of=0001-01-01T00:00&after=999999999999999999",
    "as_of=9999-12-31T23:59&after=1",
    "as_of=1969-12-31T23:59&range=all",
    "since=30d&after=999999999999999999",
    "since=today&after=1",
    "status=running&cohort=%25&before=-999999999999999999",
    "status=400&cause=%00&connection=%00",
    "page=10000&sort=size&state=held",
    "before=999999999999999999-999999999999999999-999999999999999999",
    "before=1-1&page=-5",
    "before=1--1",
    "after=-999999999999999999_999999999999999999&seen=999999999999999999",
    "after=999999999999999999_-5&seen=-1&back=5:x,:,9:1_2,%00:1,1:",
)


@pytest.fixture
def stocked(make_relay) -> Relay:
    """Everything once, with names and ids that nobody would choose, and a refresh that is held."""
    relay = make_relay(removal_guard_percent=50, removal_guard_min_members=2)
    odd = [
        member("<b>ann</b>", email="a" * 300 + "@\u202e.example", first_name="\0", last_name="'\"&<>", x={"y": [None]}),
        member("a/b?c#d%2F", first_name=7, last_name=["list"], email={"an": "object"}, phone_number=True),
        member("\u0130\u00df\ufb03", first_name="\u0130stanbul", last_name="\U0001f600" * 300, n=1e300, i=10**30),
        member(""),
        member(["no", "id"]),
    ]
    relay.refresh(odd, session="<i>1</i>", name="</script><script>alert(1)</script>\u202e", description="\0")
    relay.add(["more", "and more", "many"], session="2")
    relay.refresh([], session="3")
    assert relay.session()["status"] == "held"
    relay.refresh(["x"], page=10**9 - 3, total=10**9, session="far", cohort="\u00b2/..", name="")
    relay.refresh(["x"], page=None, session=None, cohort="no pages")
    relay.refresh(["x"], session="s", cohort="simulated-crm")
    relayed.connect(relay.app)
    subscription = relayed.subscribe(relay.app)
    sent = [relayed.message(relay.app, subscription, "a/b?c#d%2F", state) for state in ("rejected",)]
    relayed.attempt(relay.app, subscription, sent, answer="<script>alert(1)</script>")
    relay.post_raw("not json")
    relay.post_raw(json.dumps(body("\U0001f600" * 100, [], cohort="7")))
    return relay


def _fill(names, value: str) -> str:
    return "&".join(f"{name}={value}" for name in names)


def test_an_odd_address_is_answered(stocked: Relay, dialect: str) -> None:
    browser = stocked.sign_in("admin")
    values = ODD if dialect == "sqlite" else OF_A_DATABASE
    strings = [_fill(QUERY, quote(value, safe="")) for value in values] + [_fill(QUERY, value) for value in RAW]
    paths = _that_read_their_query(stocked, browser)
    assert len(paths) > 10
    strings += [*RAW, *MIXED]
    asked = [f"{path}?{string}" for place, path in enumerate(paths) for string in searches.part(strings, place)]
    assert [one[:200] for one in asked if browser.get(one).status_code >= FAULT] == []


def _that_read_their_query(relay: Relay, browser: Browser) -> list[str]:
    """Others cannot be surprised by it."""
    reading: set[str] = set()

    class Noting(relay.app.request_class):
        @property
        def args(self):
            reading.add(self.path)
            return super().args

    plain, relay.app.request_class = relay.app.request_class, Noting
    for path in places.pages(relay.app):
        assert browser.get(path).status_code < FAULT, path
    relay.app.request_class = plain
    return sorted(reading)


def test_an_odd_place_is_answered(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    prefixes = (
        "cohorts",
        "connections",
        "destinations",
        "destinations/subscriptions",
        "failures",
        "people",
        "sessions",
        "settings/operators",
        "settings/tokens",
    )
    for prefix in prefixes:
        for value in [quote(one, safe="") for one in ODD] + list(RAW):
            for path in (f"/{prefix}/{value}", f"/{prefix}/{value}/", f"/{prefix}/{value}/members/received"):
                assert browser.get(path).status_code < FAULT, path


def test_an_odd_form_is_answered(stocked: Relay, dialect: str) -> None:
    browser = stocked.sign_in("admin")
    token = browser.token
    paths = list(_taking_forms(stocked, browser))
    assert len(paths) > 15
    values = ODD if dialect == "sqlite" else OF_A_DATABASE
    sent = [(path, value) for place, path in enumerate(paths) for value in searches.part(values, place)]
    answers = {(path, value): _send(browser, path, value, token) for path, value in sent}
    assert [(path, value[:80]) for (path, value), status in answers.items() if status >= FAULT] == []


def _send(browser: Browser, path: str, value: str, token: str) -> int:
    data = dict.fromkeys(FORM, value) | {"csrf_token": token}
    return browser.client.post(path, data=data).status_code


def _taking_forms(relay: Relay, browser: Browser) -> Iterator[str]:
    """Where forms go, but for the way out and for the sign-in, which would begin another session."""
    found = relay.database.read(places.samples) | {("settings", "operator_id"): browser.operator.id}
    for rule in places.rules(relay.app, "POST"):
        if rule.endpoint not in {"dashboard.sign_out"}:
            yield from places.filled(rule, found)


OF_A_COHORT = ("", "/now", "/sessions", "/failures", "/rejected", "/settings", "/held", "/members.csv")
OF_A_SESSION = ("", "/now", *(f"/members/{kind}" for kind in places.CHOICES["kind"]))
OF_A_SUBSCRIPTION = ("", "/now", "/messages", "/attempts", "/attempts/1", "/test", "/replay?state=rejected", "/remove")
ROOMS = {
    "cohort": [f"/cohorts/{{}}{rest}" for rest in (*OF_A_COHORT, "?range=all&as_of=2025-06-16T00:00", "?since=30d")],
    "sync_session": [f"/sessions/{{}}{rest}" for rest in OF_A_SESSION],
    "person": ["/people/{}"],
    "failure": ["/failures/{}"],
    "destination": ["/destinations/{}", "/destinations/{}/now", "/destinations/{}/remove"],
    "subscription": [f"/destinations/subscriptions/{{}}{rest}" for rest in OF_A_SUBSCRIPTION],
}


def test_whatever_is_stored_is_shown_and_escaped(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    paths = ["/", "/overview/now", "/cohorts", "/sessions", "/failures", "/people", "/audit", "/connections/crm"]
    for table, rooms in ROOMS.items():
        ids = [row["id"] for row in stocked.rows(f"SELECT id FROM {table}")]
        paths += [room.format(one) for one in ids for room in rooms]
    pages = {path: browser.get(path) for path in paths}
    assert [path for path, page in pages.items() if page.status_code >= FAULT] == []
    shown = {path: page.text for path, page in pages.items() if page.mimetype == "text/html"}
    assert [path for path, page in shown.items() if "<script>" in page or "<b>ann" in page or "<i>1<" in page] == []
