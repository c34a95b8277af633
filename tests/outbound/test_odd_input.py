"""Whatever a program gives for a call, it is answered with a verdict or a sentence: never with a fault of ours."""

import json
from functools import partial

import pytest

from outbound.operations import registry
from outbound.operations.types import Operation
from security import tokens
from tests import searches
from tests.mixpanel import Mixpanel
from tests.relay import Relay

pytestmark = [pytest.mark.slow, pytest.mark.search]

FAULT, REFUSED = 500, 400
DEEP = 900
# As they stand in JSON.
VALUES = (
    *("NaN", "1e999", "9" * 400, "9" * 4301, str(2**63), "-1", "true", '""', '{"": {"": []}}'),
    *("[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" * 150 + "]" * 150),
    *('"\\ud800"', '"\\u0000"', '"' + "[" * 50_000 + '"', '"' + "9" * 4301 + '"', '"NaN"', '"1e999"'),
    *('"{\\"a\\": \\"\\\\ud800\\"}"', '"' + "[" * DEEP + "]" * DEEP + '"'),
)


def different() -> list[Operation]:
    """One operation of each set of kinds of parameters, and of bodies."""
    found = {(frozenset(param.kind for param in one.asked), one.body): one for one in registry.OPERATIONS.values()}
    return list(found.values())


@pytest.fixture
def headers(relay: Relay) -> dict[str, str]:
    key = relay.app.extensions["runtime"].settings.secret_key
    token = relay.database.write(partial(tokens.add, key=key, name="odd", scope="send", now=0))
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("value", VALUES, ids=[one[:12] for one in VALUES])
def test_an_odd_value_is_answered(relay: Relay, mixpanel: Mixpanel, headers: dict[str, str], value: str) -> None:
    for one in searches.part(different(), VALUES.index(value)):
        params = ", ".join(f"{json.dumps(param.name)}: {value}" for param in one.asked)
        for given in (f'{{"params": {{{params}}}, "body": {value}}}', f'{{"body": [{value}]}}', value):
            path = f"/api/v1/projects/prod/operations/{one.id}"
            answer = relay.client.post(path, data=given, headers=headers)
            assert answer.status_code < FAULT, (one.id, given[:200])
            assert answer.status_code < REFUSED or answer.json["error"]["message"].endswith("."), one.id
