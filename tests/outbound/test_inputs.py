"""What other lists of Mixpanel's calls ask for is here too, under their names, or is refused with the reason."""

import base64
import json
import re
from typing import Any

import pytest

from outbound.operations import choices, fixed_inputs
from outbound.operations.registry import OPERATIONS, find
from outbound.operations.types import CallInput, Composed
from outbound.projects import Credentials, Project
from outbound.request.compose import compose, masked
from outbound.request.masking import MASK, mask_of
from outbound.transport.hosts import REGIONS
from simulator.stand_in.answers import Call, Mixpanel
from tests.outbound.inputs import BODY, INPUTS, PROJECT, SETTLED

NOW = 1_795_500_000_000
OURS = Project(1, "prod", "us", "2891273", None, None, None, None, "42", 0, 0, None, None)
KEYS = Credentials("the-token", "the-account", "the-secret")
EVERY = [(key, label, ours) for key, inputs in INPUTS.items() if key for label, ours in inputs.items()]
EVENT = {"event": "E", "properties": {"time": NOW // 1000, "distinct_id": "u"}}


def made(key: str, params: dict[str, Any], body: Any = None, base_url: str = "", project: Project = OURS) -> Composed:
    operation = find(key)
    assert operation is not None
    return compose(operation, project, KEYS, CallInput(params, body), NOW, base_url)


def errors(composed: Composed) -> list[str]:
    return [f"{one.field}: {one.message}" for one in composed.problems if one.level == "error"]


def camel(label: str) -> str:
    first, *rest = re.sub(r"[()]", "", label).split()
    return first.lower() + "".join(one.capitalize() for one in rest)


@pytest.mark.parametrize(("key", "label", "ours"), EVERY, ids=[f"{key}: {label}" for key, label, _ in EVERY])
def test_each_input_is_a_parameter_of_ours_under_its_own_name_too(key: str, label: str, ours: str) -> None:
    operation = find(key)
    assert operation is not None
    if ours == BODY:
        assert operation.body == "records"
    elif ours == SETTLED:
        assert fixed_inputs.is_settled(operation, camel(label))
    elif ours != PROJECT:
        param = operation.param(ours)
        assert param is not None
        assert not param.fixed
        assert operation.param(camel(label)) == param


def test_no_input_of_the_list_is_left_out() -> None:
    assert sum(map(len, INPUTS.values())) == 188


# --- what is settled: the same value passes, another one is refused with the reason


SAME = {
    "region": ["us", "api", "mixpanel", "data", "https://api.mixpanel.com/"],
    "dataAndDomain": ["data", "US"],
    "regionAndDomain": ["mixpanel", "us"],
    "projectId": ["2891273", 2891273],
    "projectToken": ["the-token"],
    "verbose": ["1", 1, True, "true"],
    "strict": ["1", True],
    "connection": ["prod"],
}
OTHER = {
    "region": ["eu", "api-eu", "eu.mixpanel", "in", "nowhere", "data-in"],
    "projectId": ["1", 17],
    "projectToken": ["another-token"],
    "verbose": ["0", False],
    "strict": ["0", "false"],
    "connection": ["staging"],
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name, every in SAME.items() for one in every])
def test_a_settled_input_with_the_same_value_passes(name: str, value: Any) -> None:
    composed = made("createIdentity", {"$identified_id": "u", "$anon_id": "3e2a0d22-7465-4dc3-a2ab-56f8762e1a29"})
    given = composed.given.params | {name: value}
    assert errors(made("createIdentity", given)) == []


@pytest.mark.parametrize(("name", "value"), [(name, one) for name, every in OTHER.items() for one in every])
def test_a_settled_input_with_another_value_is_refused_with_the_reason(name: str, value: Any) -> None:
    given = {"$identified_id": "u", "$anon_id": "3e2a0d22-7465-4dc3-a2ab-56f8762e1a29", name: value}
    (reason,) = errors(made("createIdentity", given))
    assert reason.startswith(f"params.{name}: ")
    assert "another-token" not in reason


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.id)
def test_another_project_or_region_is_never_replaced_in_silence(operation: Any) -> None:
    for name, value in (("project_id", "999"), ("region", "eu"), ("project_token", "no-such")):
        assert any(one.startswith(f"params.{name}") for one in errors(made(operation.id, {name: value})))


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_has_many_spellings(region: str) -> None:
    ending = "" if region == "us" else f"-{region}"
    domain = "mixpanel" if region == "us" else f"{region}.mixpanel"
    for one in (region, f"api{ending}", f"data{ending}", domain, f"https://api{ending}.mixpanel.com", f"{domain}.com/"):
        assert fixed_inputs.region_of(one) == region, one


@pytest.mark.parametrize("word", ["", "asia", "api-us-eu", "mixpanel.evil", "evil.com", "apieu"])
def test_what_is_no_region_is_none(word: str) -> None:
    assert fixed_inputs.region_of(word) == ""


# --- which credentials


def test_an_import_signs_in_with_the_token_where_it_is_told_to() -> None:
    for value, auth in (("true", ("the-token", "")), (False, ("the-account", "the-secret"))):
        assert made("importEvents", {"useProjectToken": value}, [EVENT]).outgoing.auth == auth
    lonely = compose(
        OPERATIONS["import-events"], OURS, Credentials("t"), CallInput({"useProjectToken": "0"}, [EVENT]), NOW
    )
    assert any("lacks a service account" in one for one in errors(lonely))


@pytest.mark.parametrize(
    ("key", "taken"),
    [("trackEvents", True), ("listSavedFunnels", False), ("queryFunnelSavedReports", False), ("deletePipeline", False)],
)
def test_where_there_is_no_choice_of_credentials_the_refusal_says_why(key: str, taken: bool) -> None:
    example = OPERATIONS[find(key).id].examples[0].params  # type: ignore[union-attr]
    assert errors(made(key, example | {"useProjectToken": taken})) == []
    (reason,) = errors(made(key, example | {"useProjectToken": not taken}))
    assert "Mixpanel takes" in reason


# --- pipelines by hand


@pytest.mark.parametrize(("key", "path"), [("createGenericPipeline", "create"), ("editGenericPipeline", "edit")])
def test_a_pipeline_by_hand_goes_to_the_usual_address_with_whatever_is_given(key: str, path: str) -> None:
    name = {"name": "daily"} if path == "edit" else {}
    usual = made(key, name | {"formData": [{"key": "trial", "value": "true"}]}).outgoing
    assert (usual.method, usual.base + usual.path) == (
        "POST",
        f"https://data.mixpanel.com/api/2.0/nessie/pipeline/{path}",
    )
    own = made(key, name | {"method": "PUT", "url": "/nessie/other", "data": '{"a": 1}', "header": "X-A: b"}).outgoing
    assert (own.method, own.path, own.body, ("X-A", "b") in own.headers) == (
        "PUT",
        "/nessie/other",
        b'{"a": 1}',
        True,
    )
    assert own.auth == ("the-account", "the-secret")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, b"name=daily"),
        ({"form": {"events": "E"}}, b"name=daily&events=E"),
        ({"json": {"events": ["E"]}}, b'{"name":"daily","events":["E"]}'),
        ({"files": {"a": "x"}}, b'name="name"'),
    ],
)
def test_the_name_of_a_pipeline_is_put_into_whatever_body(body: dict[str, Any], where: bytes) -> None:
    assert where in (made("editGenericPipeline", {"name": "daily", **body}).outgoing.body or b"")


def test_the_name_of_a_pipeline_beside_a_text_is_in_the_query() -> None:
    request = made("editGenericPipeline", {"name": "daily", "text": "x"}).outgoing
    assert (request.query, request.body) == ((("name", "daily"),), b"x")


# --- the raw request


@pytest.mark.parametrize("given", ["https://api.mixpanel.com/", "https://API.mixpanel.com"])
def test_a_base_url_is_one_of_the_projects_servers(given: str) -> None:
    request = made("rawRequest", {"baseUrl": given, "url": "/import"}).outgoing
    assert (request.base.lower(), request.path) == ("https://api.mixpanel.com", "/import")


@pytest.mark.parametrize(
    "given", ["https://api-eu.mixpanel.com", "http://api.mixpanel.com", "https://evil.example", "api.mixpanel.com"]
)
def test_another_base_url_is_refused(given: str) -> None:
    (reason,) = errors(made("rawRequest", {"baseUrl": given, "url": "/import"}))
    assert reason.startswith("params.base_url: Calls go to Mixpanel's servers")


@pytest.mark.parametrize(
    ("server", "path", "family"),
    [
        ("https://api.mixpanel.com", "/import", "api"),
        ("https://data.mixpanel.com/api/2.0", "/export", "export"),
        ("https://data.mixpanel.com/api/2.0", "/nessie/pipeline/jobs", "pipelines"),
        ("https://mixpanel.com/api/query", "/insights", "query"),
        ("https://mixpanel.com", "/api/app/me", "app"),
    ],
)
def test_with_a_stand_in_no_server_of_mixpanels_is_called(server: str, path: str, family: str) -> None:
    for params in ({"base_url": server, "url": path}, {"url": server + path}):
        request = made("rawRequest", params, base_url="http://127.0.0.1:9").outgoing
        end = path.removeprefix("/api/app")
        assert request.base + request.path == f"http://127.0.0.1:9/{family}{end}"


def test_files_leave_byte_by_byte_beside_fields() -> None:
    content = bytes(range(256))
    files = {"data": {"base64": base64.b64encode(content).decode(), "name": "a.bin"}, "note": "plain"}
    request = made("rawRequest", {"method": "POST", "url": "/x", "files": files, "form": {"a": 1}}).outgoing
    assert request.body is not None
    assert content in request.body
    assert b'name="data"; filename="a.bin"' in request.body
    assert b'name="a"\r\n\r\n1\r\n' in request.body


def test_files_are_bounded_together() -> None:
    half = base64.b64encode(bytes(6 * 1024 * 1024)).decode()
    files = {one: {"base64": half} for one in "ab"}
    assert "larger than 10 MB" in errors(made("rawRequest", {"method": "POST", "url": "/x", "files": files}))[0]


@pytest.mark.parametrize("files", [{"a": {"base64": "%%%"}}, "no object", [{"key": "a", "value": "1"}] * 2])
def test_files_that_cannot_be_read_say_why(files: Any) -> None:
    assert errors(made("rawRequest", {"method": "POST", "url": "/x", "files": files}))


def test_placeholders_become_the_projects_values_and_stay_masked() -> None:
    params = {
        "method": "POST",
        "url": "/track?p={{project_id}}",
        "headers": {"X-W": "{{workspace_id}}"},
        "json": [{"properties": {"token": "{{token}}", "other": "{{unknown}}"}}],
    }
    composed = made("rawRequest", params)
    request = composed.outgoing
    assert request.path == "/track?p=2891273"
    assert json.loads(request.body or b"") == [{"properties": {"token": "the-token", "other": "{{unknown}}"}}]
    assert ("X-W", "42") in request.headers
    assert any("{{unknown}}" in one.message and one.level == "note" for one in composed.problems)
    shown = masked(request, mask_of(KEYS, composed))
    assert "the-token" not in json.dumps(shown)
    assert MASK in shown["body"]
    assert composed.given.params == params


def test_a_placeholder_for_what_the_project_lacks_is_refused() -> None:
    lonely = compose(
        OPERATIONS["raw-request"], OURS, Credentials("t"), CallInput({"url": "/{{secret}}", "auth": "none"}), 0
    )
    assert "nothing for {{secret}}" in errors(lonely)[0]


# --- the rest


def test_events_may_be_given_a_line_each() -> None:
    lines = "\n".join(json.dumps(EVENT) for _ in range(3)) + "\n"
    assert len(made("importEvents", {}, lines).records) == 3
    assert errors(made("importEvents", {}, lines + "{broken"))


@pytest.mark.parametrize(("given", "sent"), [("true", "gzip"), ("false", "identity")])
def test_an_export_comes_packed_or_not(given: str, sent: str) -> None:
    request = made("downloadData", {"from_date": "2026-01-01", "to_date": "2026-01-01", "gzipEncoding": given}).outgoing
    assert ("Accept-Encoding", sent) in request.headers


def test_a_profile_may_name_the_address_that_it_is_placed_by() -> None:
    records = made("createProfile", {"$distinct_id": "u", "$set": {"a": 1}, "$ip": "203.0.113.9"}).records
    assert records[0]["$ip"] == "203.0.113.9"


PICKS = sorted({param.pick for one in OPERATIONS.values() for param in one.params if param.pick})


@pytest.mark.parametrize("pick", PICKS)
def test_the_stand_in_has_something_to_choose_from_for_every_list(pick: str) -> None:
    cohorts = [{"id": 1, "name": "Paying", "count": 3}]
    operation = OPERATIONS[pick]
    path = f"/{operation.family}{operation.path}"
    call = Call(operation.method, path, {"project_id": "1"}, {}, None, "", "practice")
    status, answer = Mixpanel(lambda: cohorts, lambda *_page: []).answer(call)
    assert (status, bool(choices.choices(pick, answer))) == (200, True)
