"""Whatever an address, a form or a stored cohort says, a page answers: never with a fault of ours."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.browser import places
from tests.relay import Browser, Relay, body, member

# Everything that an address may say to a page, and some that no page asks for.
QUERY = (
    *("action", "after", "as_of", "before", "cause", "cohort", "connection", "first", "kind", "next", "page", "q"),
    *("range", "shown", "since", "sort", "state", "status", "stretch", "who", "unknown"),
)
FORM = ("again", "after", "code", "email", "name", "old", "password", "percent", "q", "role", "scope", "session")
FORM = (*FORM, "value", "way")

HUGE = "9" * 400
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
    f"{2**63}-{2**63}",
    f"{HUGE}-{HUGE}-{HUGE}",
    "1-1-1",
    "1--1",
    "-----",
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
    "page=-999999999999999999&after=999999999999999999&shown=999999999999999999",
    "page=999999999999999999&after=-5&shown=-1",
)


@pytest.fixture
def stocked(make_relay) -> Relay:
    """Everything once, with names and ids that nobody would choose, and a refresh that is held."""
    relay = make_relay(removal_guard_percent=50, removal_guard_min_members=2, operator_sign_in_limit="1000 per minute")
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
    relay.refresh(["x"], page=10**9 - 3, total=10**9, session="far", cohort="\u00b2/..", name="")
    relay.refresh(["x"], page=None, session=None, cohort="no pages")
    relay.refresh(["x"], session="s", cohort="simulated-crm")
    relay.post_raw("not json")
    relay.post_raw(json.dumps(body("\U0001f600" * 100, [], cohort="7")))
    return relay


def _fill(names, value: str) -> str:
    return "&".join(f"{name}={value}" for name in names)


def test_an_odd_address_is_answered(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    strings = [_fill(QUERY, quote(value, safe="")) for value in ODD] + [_fill(QUERY, value) for value in RAW]
    for path in [*places.pages(stocked.app), *places.pages(stocked.app, signed_in=False)]:
        for string in [*strings, *RAW, *MIXED]:
            assert browser.get(f"{path}?{string}").status_code < 500, f"{path}?{string[:200]}"


def test_an_odd_place_is_answered(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    prefixes = ("cohorts", "connections", "failures", "people", "sessions", "settings/operators", "settings/tokens")
    for prefix in prefixes:
        for value in [quote(one, safe="") for one in ODD] + list(RAW):
            for path in (f"/{prefix}/{value}", f"/{prefix}/{value}/", f"/{prefix}/{value}/members/received"):
                assert browser.get(path).status_code < 500, path


def test_an_odd_form_is_answered(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    token = browser.token
    paths = list(_taking_forms(stocked, browser))
    assert len(paths) > 15
    for path in paths:
        for value in ODD:
            data = dict.fromkeys(FORM, value) | {"csrf_token": token}
            assert browser.client.post(path, data=data).status_code < 500, f"{path} {value[:80]!r}"


def _taking_forms(relay: Relay, browser: Browser) -> Iterator[str]:
    """Where forms go, but for the way out and for the sign-in, which would begin another session."""
    found = relay.database.read(places.samples) | {("settings", "operator_id"): browser.operator.id}
    for rule in places.rules(relay.app, "POST"):
        if rule.endpoint not in {"dashboard.sign_out"}:
            yield from places.filled(rule, found)
