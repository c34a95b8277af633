"""Bar: every operation's request, made from its example, is one that Mixpanel's own OpenAPI files allow."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from outbound.operations.registry import OPERATIONS, filled, find
from outbound.operations.types import Composed, Operation
from outbound.projects import Credentials, Project
from outbound.request.compose import compose
from outbound.result.verdict import judge
from outbound.transport.client import Answer
from outbound.transport.retry import only_reads

SPECS = Path(__file__).with_name("specs")
NOW = 1_795_500_000_000
PROJECT = Project(1, "prod", "us", "2891273", None, None, None, "example-co", None, 0, 0, None, None)
CREDENTIALS = Credentials("the-token", "the-account", "the-secret")
AUTH = {"none": None, "token-in-body": None, "service-account": "ServiceAccount"}

# What section 6 of the facts or the pages say against a spec's letter.
NOT_AS_REQUIRED = {
    "delete-group": {"$set": "$delete"},  # the spec names $set, the page $delete
    "group-union": {"$unset": "$union"},
}
BEYOND_THE_SPEC = {
    "raw-event-export": {"ServiceAccount"},  # the docs page takes one (facts 2.2)
    "list-lookup-tables": set(),
}
# The specs list `ip` for updates, not for deletions and the two identity events; the official SDK says ip=0 in
# all of them, and so do we (facts 4.5).
PLACED = {"delete-profile": {"ip"}, "delete-group": {"ip"}}

ACTIONS = (
    *("createAlias", "createIdentity", "createProfile", "updateMultipleProfiles", "deleteProfile", "trackEvents"),
    *("importEvents", "queryProfiles", "customJQLQuery", "downloadData", "listSavedFunnels", "queryFunnelSavedReports"),
    *("queryInsightsSavedReports", "createGCSPipeline", "editGCSPipeline", "createGenericPipeline"),
    *("editGenericPipeline", "getPipeline", "listPipelines", "deletePipeline", "rawRequest"),
)
PICK_LISTS = ("funnels", "pipelines")
OTHER_IDS = (
    *("trackEvent", "importEvents", "updateUserProfile", "updateGroupProfile", "listLookupTables"),
    *("replaceLookupTable", "deleteLookupTable"),
)


def made(operation: Operation) -> Composed:
    return compose(operation, PROJECT, CREDENTIALS, filled(operation.examples[0], NOW), NOW)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.id)
def test_each_example_makes_a_request_that_nothing_stops(operation):
    composed = made(operation)
    assert composed.stops(force=False) == []
    assert composed.request is not None


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.id)
def test_each_further_example_too(operation):
    for example in operation.examples:
        assert compose(operation, PROJECT, CREDENTIALS, filled(example, NOW), NOW).stops(force=False) == []


def test_every_action_pick_list_and_operation_of_the_seeds_is_there():
    missing = [key for key in (*ACTIONS, *PICK_LISTS, *OTHER_IDS) if find(key) is None]
    assert (len(ACTIONS), missing) == (21, [])


def test_a_key_means_one_operation():
    keys = [key for one in OPERATIONS.values() for key in (one.id, *one.also)]
    assert len(keys) == len(set(keys))


def test_the_lists_above_are_whole():
    assert (len(ACTIONS), len(PICK_LISTS), len(OTHER_IDS)) == (21, 2, 7)


# --- against the specs


class Spec:
    """One OpenAPI file; `$ref`s are followed."""

    def __init__(self, path: Path) -> None:
        import yaml

        self.all = yaml.load(path.read_text(), yaml.CSafeLoader)
        self.server = self.all["servers"][0]
        self.by_id = {
            call["operationId"]: (method.upper(), address.partition("#")[0], call)
            for address, item in self.all["paths"].items()
            for method, call in item.items()
        }

    def follow(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            found = self.all
            for part in node["$ref"].lstrip("#/").split("/"):
                found = found[part]
            node = found
        return node

    def whole(self, node: Any) -> Any:
        """The schema without references."""
        node = self.follow(node)
        if isinstance(node, dict):
            return {key: self.whole(value) for key, value in node.items() if key != "discriminator"}
        return [self.whole(one) for one in node] if isinstance(node, list) else node


def specs() -> list[Spec]:
    return [Spec(path) for path in sorted(SPECS.glob("*.yaml"))]


KNOWN = {key: spec for spec in specs() for key in spec.by_id}


def test_every_operation_of_the_five_specs_is_there():
    assert sorted(set(KNOWN) - set(OPERATIONS)) == []
    assert len(KNOWN) == 51


def test_the_specs_say_that_they_may_be_here():
    heads = [spec.all["info"]["license"]["name"] for spec in specs()]
    assert heads == ["MIT"] * 5
    assert "MIT License" in (SPECS / "LICENSE").read_text()


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_what_an_operation_answers_on_success_is_what_its_spec_says(key):
    spec, operation = KNOWN[key], OPERATIONS[key]
    responses = spec.by_id[key][2]["responses"]
    (success,) = [status for status in responses if status.startswith("2")]
    content = spec.whole(responses[success]).get("content")
    assert (int(success) in operation.empty) is (content is None)
    if content is None or operation.answer in {"track", "ndjson"}:
        assert content is None or set(content) == {"text/plain"}
        return
    described = content["application/json"]
    kinds = (
        kinds_of(described["schema"])
        if "schema" in described
        else set(map(type_of, examples_of(spec.whole(responses[success]))))
    )
    assert operation.shape == "any" or kinds <= {{"object": "object", "list": "array"}[operation.shape]}
    assert operation.shape != "any" or key == "query-jql"  # whatever its script returns


def type_of(example):
    return "array" if isinstance(json.loads(example), list) else "object"


def kinds_of(schema):
    """The types of JSON that a schema allows."""
    if "type" in schema:
        return {schema["type"]}
    parts = [one for name in ("oneOf", "anyOf", "allOf") for one in schema.get(name, [])]
    return {kind for one in parts for kind in kinds_of(one)}


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_the_example_of_a_specs_success_is_accepted(key):
    spec, composed = KNOWN[key], made(OPERATIONS[key])
    for status, response in spec.by_id[key][2]["responses"].items():
        for body in examples_of(spec.whole(response)):
            answer = Answer(int(status), {}, body, 1)
            found = judge(OPERATIONS[key], composed.records, answer, repeatable=True, reads=only_reads(composed))
            said_no = body.strip() == b"0"
            expected = {"accepted", "partly"} if status == "200" and not said_no else {"rejected", "partly", "failed"}
            assert found.verdict in expected, (status, body, found)


def examples_of(response):
    """The bodies that a response shows; the empty one where it has none."""
    if not response.get("content"):
        yield b""
    for kind, described in response.get("content", {}).items():
        shown = [one.get("value") for one in described.get("examples", {}).values()]
        shown += [described["example"]] if "example" in described else []
        shown += [described["schema"]["example"]] if "example" in described.get("schema", {}) else []
        for one in shown:
            yield (one if isinstance(one, str) and kind == "text/plain" else json.dumps(one)).encode()


@pytest.mark.parametrize("key", sorted(KNOWN))
def test_the_request_is_as_the_spec_says(key):
    spec, operation = KNOWN[key], OPERATIONS[key]
    method, path, call = spec.by_id[key]
    request = made(operation).request
    assert (request.method, operation.path) == (method, path)
    assert request.base == server_of(spec)
    parameters_match(spec, call, request, PLACED.get(key, set()))
    body_matches(spec, call, made(operation))
    auth_matches(spec, call, key, made(operation))


def server_of(spec: Spec) -> str:
    found = spec.server["url"]
    for name, variable in spec.server.get("variables", {}).items():
        found = found.replace(f"{{{name}}}", variable["default"])
    return found


def parameters_match(spec: Spec, call: Any, request: Any, beyond: set[str]) -> None:
    known = [spec.whole(one) for one in call.get("parameters", [])]
    query = {one["name"]: one for one in known if one["in"] == "query"}
    assert beyond <= dict(request.query).keys() - set(query), "no longer beyond the spec"
    sent = {name: value for name, value in request.query if name not in beyond}
    assert set(sent) <= set(query), f"unknown: {set(sent) - set(query)}"
    required = {name for name, one in query.items() if one.get("required")}
    assert required <= set(sent), f"missing: {required - set(sent)}"
    for name, value in sent.items():
        fits(query[name]["schema"], value)


def body_matches(spec: Spec, call: Any, composed: Composed) -> None:
    request, described = composed.request, spec.whole(call.get("requestBody"))
    if described is None:
        assert request.body is None
        return
    kind = dict(request.headers).get("Content-Type")
    schema = described["content"][kind]["schema"]
    if kind == "application/json" and schema["type"] == "array":
        validate(json.loads(request.body), corrected(schema, composed.operation.id))
    elif kind == "application/x-www-form-urlencoded":
        form_matches(spec, schema, request.body, composed)
    else:
        assert schema["type"] == "string"  # CSV, and the batch whose schema is a sample


def corrected(schema: Any, key: str) -> Any:
    swapped = NOT_AS_REQUIRED.get(key, {})
    items = schema["items"]
    return schema | {"items": items | {"required": [swapped.get(one, one) for one in items.get("required", [])]}}


def form_matches(spec: Spec, schema: Any, body: bytes, composed: Composed) -> None:
    sent = parse_qsl(body.decode(), keep_blank_values=True)
    options = [flat(one) for one in schema.get("oneOf", [schema])]
    if composed.operation.record is not None:
        options = [({**fields, "verbose": {}, "ip": {}}, required) for fields, required in options]  # facts 3.3
    fitting = [
        fields for fields, required in options if {n for n, _ in sent} <= set(fields) and required <= dict(sent).keys()
    ]
    assert fitting, f"{sorted(dict(sent))} fit none of {[sorted(fields) for fields, _ in options]}"


def flat(schema: Any) -> tuple[dict[str, Any], set[str]]:
    fields, required = dict(schema.get("properties", {})), set(schema.get("required", []))
    for one in schema.get("allOf", []):
        more, further = flat(one)
        fields, required = fields | more, required | further
    return fields, required


def auth_matches(spec: Spec, call: Any, key: str, composed: Composed) -> None:
    described = call.get("security", spec.all.get("security", []))
    allowed = {name for one in described for name in one} | BEYOND_THE_SPEC.get(key, set())
    if composed.request.auth is None:
        assert {} in described, f"{key} wants one of {allowed}"
    else:
        assert composed.request.auth == (CREDENTIALS.username, CREDENTIALS.secret)
        assert "ServiceAccount" in allowed


def fits(schema: Any, text: str) -> None:
    """A query's text as the type that its schema names."""
    if schema.get("type") == "integer":
        int(text)
    if "enum" in schema:
        assert text in map(str, schema["enum"])


def validate(value: Any, schema: Any) -> None:
    import jsonschema_rs

    jsonschema_rs.validate(schema, value)
