"""Whatever a program says in an address, a query or a body, the API answers: never with a fault of ours."""

from urllib.parse import quote

import pytest

from tests import searches
from tests.relay import Relay

pytestmark = [pytest.mark.slow, pytest.mark.search]

FAULT = 500
QUERY = ("limit", "cursor", "after", "since", "status", "as_of")
DEEP = 900
ODD = ("0", "-1", str(2**31), str(2**63 - 1), str(2**63), str(2**64), "9" * 400, "9" * 4301, "1.5", "1e309", "NaN")
ODD = (*ODD, "\u0663", "\u00b2", "+1", "1_0", " ", "\0", "a\0b", "\r\n", "\u202e", "x" * 5000, "[" * DEEP, "{{now}}")
RAW = ("%", "%ff%fe", "%ed%a0%80", "[]")


def test_an_odd_address_or_query_is_answered(relay: Relay) -> None:
    relay.refresh(["ada"])
    headers, asked = {"Authorization": f"Bearer {relay.token}"}, 0
    values = [*(quote(one, safe="") for one in ODD), *RAW]
    for place, rule in enumerate(relay.app.url_map.iter_rules()):
        if not rule.rule.startswith("/api/v1/") or "GET" not in (rule.methods or set()):
            continue
        for value in searches.part(values, place):
            path = rule.rule.removeprefix("/api/v1")
            for argument in rule.arguments:
                path = path.replace(f"<int:{argument}>", value).replace(f"<distinct_id:{argument}>", value)
                path = path.replace(f"<{argument}>", value)
            for query in (
                "",
                *(f"?{name}={value}" for name in ("limit", "cursor", "after", "since", "status", "as_of")),
            ):
                asked += 1
                assert relay.client.get(f"/api/v1{path}{query}", headers=headers).status_code < FAULT, (
                    path[:80],
                    query[:80],
                )
    assert asked > 500
