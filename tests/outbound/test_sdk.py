"""The official Python SDK as a far end: the same data sent by both, and the wire compared field by field.

Every difference is listed with its reason, and one that is gone makes the list fail.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from mixpanel import Consumer, ServiceAccountCredentials
from mixpanel import Mixpanel as Sdk

from outbound import send
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Project
from runtime import Runtime
from tests.mixpanel import Answer, Call, Mixpanel
from tests.outbound.conftest import SECRET, TOKEN, USERNAME

NOW = 1_750_000_000
WHO = {"$distinct_id": "u1"}
GROUP = {"$group_key": "company", "$group_id": "acme"}


class Pair(NamedTuple):
    """What is said to the SDK, and to an operation of ours."""

    sdk: Callable[[Sdk], Any]
    operation: str
    params: dict[str, Any]


PAIRS = {
    "track": Pair(
        lambda sdk: sdk.track("u1", "Signed up", {"plan": "pro", "time": NOW, "$insert_id": "i1"}),
        "track-event",
        {"event": "Signed up", "distinct_id": "u1", "time": NOW, "$insert_id": "i1", "properties": {"plan": "pro"}},
    ),
    "import_data": Pair(
        lambda sdk: sdk.import_data(None, "u1", "Signed up", NOW, {"plan": "pro", "$insert_id": "i1"}),
        "import-events",
        {"event": "Signed up", "distinct_id": "u1", "time": NOW, "$insert_id": "i1", "properties": {"plan": "pro"}},
    ),
    "alias": Pair(lambda sdk: sdk.alias("b", "a"), "identity-create-alias", {"distinct_id": "a", "alias": "b"}),
    "merge": Pair(lambda sdk: sdk.merge(None, "a", "b"), "identity-merge", {"$distinct_ids": ["a", "b"]}),
    "people_set": Pair(lambda sdk: sdk.people_set("u1", {"a": 1}), "profile-set", WHO | {"$set": {"a": 1}}),
    "people_set_once": Pair(
        lambda sdk: sdk.people_set_once("u1", {"a": 1}), "profile-set-property-once", WHO | {"$set_once": {"a": 1}}
    ),
    "people_increment": Pair(
        lambda sdk: sdk.people_increment("u1", {"n": 2}), "profile-numerical-add", WHO | {"$add": {"n": 2}}
    ),
    "people_append": Pair(
        lambda sdk: sdk.people_append("u1", {"l": 1}),
        "profile-append-to-list-property",
        WHO | {"$append": {"l": 1}},
    ),
    "people_union": Pair(
        lambda sdk: sdk.people_union("u1", {"l": ["x"]}), "user-profile-union", WHO | {"$union": {"l": ["x"]}}
    ),
    "people_unset": Pair(lambda sdk: sdk.people_unset("u1", ["a"]), "profile-delete-property", WHO | {"$unset": ["a"]}),
    "people_remove": Pair(
        lambda sdk: sdk.people_remove("u1", {"l": "x"}),
        "profile-remove-from-list-property",
        WHO | {"$remove": {"l": "x"}},
    ),
    "people_delete": Pair(lambda sdk: sdk.people_delete("u1"), "delete-profile", WHO),
    "group_set": Pair(
        lambda sdk: sdk.group_set("company", "acme", {"a": 1}), "group-set-property", GROUP | {"$set": {"a": 1}}
    ),
    "group_set_once": Pair(
        lambda sdk: sdk.group_set_once("company", "acme", {"a": 1}),
        "group-set-property-once",
        GROUP | {"$set_once": {"a": 1}},
    ),
    "group_union": Pair(
        lambda sdk: sdk.group_union("company", "acme", {"l": ["x"]}), "group-union", GROUP | {"$union": {"l": ["x"]}}
    ),
    "group_unset": Pair(
        lambda sdk: sdk.group_unset("company", "acme", ["a"]), "group-delete-property", GROUP | {"$unset": ["a"]}
    ),
    "group_remove": Pair(
        lambda sdk: sdk.group_remove("company", "acme", {"l": "x"}),
        "group-remove-from-list-property",
        GROUP | {"$remove": {"l": "x"}},
    ),
    "group_delete": Pair(lambda sdk: sdk.group_delete("company", "acme"), "delete-group", GROUP),
}

# field: why it differs. `record.` is in what is sent, `call.` beside it, in the query or the form.
EVENT = {
    "record.mp_lib": "the SDK names its language; we name ourselves in $source and a header",
    "record.$lib_version": "as mp_lib",
    "record.$source": "Mixpanel asks integrations for it (facts 2.3)",
}
IMPORTED = {
    "record.token": "credentials of the call say which project it is; /import needs no token in the event",
    "record.ip": "the specification of /import has no ip beside the data, so it is in the event (facts 4.5)",
    "call.ip": "as record.ip",
    "call.verbose": "/import always answers in JSON",
    "call.strict": "the specification asks for it (facts 3.2)",
}
STRICT = {"call.strict": "asks Mixpanel to name each record that it refuses (facts 3.4)"}
DIFFERENCES: dict[str, dict[str, str]] = {
    "track": EVENT,
    "import_data": EVENT | IMPORTED,
    "alias": {"record.$source": EVENT["record.$source"]} | STRICT,
    "merge": {"record.$source": EVENT["record.$source"]}
    | {name: why for name, why in IMPORTED.items() if name != "record.token"},
    "group_delete": {},
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_wire_is_the_sdks_but_for_what_is_listed(
    runtime: Runtime, project: Project, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pair = PAIRS[name]
    for path in ("track", "engage", "groups", "import"):
        mixpanel.script(f"/api/{path}", Answer(body={"status": 1, "error": None, "code": 200}))
    monkeypatch.setattr("mixpanel.Consumer", lambda: consumer(mixpanel))  # an alias makes one of its own
    monkeypatch.setattr(Sdk, "_now", lambda _self: runtime.clock() / 1000)
    account = ServiceAccountCredentials(username=USERNAME, secret=SECRET, project_id="2891273")
    pair.sdk(Sdk(TOKEN, consumer(mixpanel, account), credentials=account))
    call = send.ready(runtime, project, registry.OPERATIONS[pair.operation], CallInput(pair.params))
    assert send.send(runtime, call, "test", "terminal")[1].verdict == "accepted"
    theirs, ours = mixpanel.calls
    assert (theirs.method, theirs.path) == (ours.method, ours.path)
    assert theirs.headers.get("Authorization") == ours.headers.get("Authorization")
    first, second = fields(theirs), fields(ours)
    differing = {one for one in first.keys() | second.keys() if first.get(one) != second.get(one)}
    assert differing == set(DIFFERENCES.get(name, STRICT)), {
        one: (first.get(one), second.get(one)) for one in differing
    }


def consumer(mixpanel: Mixpanel, account: Any = None) -> Consumer:
    api = f"{mixpanel.url}/api"
    urls = {"events_url": f"{api}/track", "people_url": f"{api}/engage", "groups_url": f"{api}/groups"}
    return Consumer(**urls, import_url=f"{api}/import", credentials=account)


def fields(call: Call) -> dict[str, Any]:
    """Everything that a call says, by name; where it stands (query, form, JSON) makes no difference to Mixpanel."""
    is_form = call.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    beside = dict(call.query) | (call.form if is_form else {})
    (record,) = [json.loads(beside.pop("data"))] if is_form else call.records
    inside = {name: one for name, one in record.items() if name != "properties"} | record.get("properties", {})
    return {f"call.{name}": str(one) for name, one in beside.items()} | {
        f"record.{name}": one for name, one in inside.items()
    }
