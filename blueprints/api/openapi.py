"""`openapi.json`: OpenAPI 3.1 of the API, made from the registered operations and their types."""

import re
from functools import cache
from typing import Any

import msgspec
from flask import Response
from msgspec import Struct

from blueprints.api import blueprint, public
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import OPERATIONS, Operation, operation
from blueprints.api.types import Error
from config.version import VERSION

_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_REF = "#/components/schemas/{name}"
_ALWAYS = (429, 503)
_MEANING = {
    400: "The query is wrong; the message names the parameter.",
    401: "There is no live token in the Authorization header.",
    403: "The token's scope does not allow this.",
    404: "There is no such thing.",
    409: "It does not fit what is under way; the message says what.",
    410: "It was there, and is past its retention.",
    413: "The body is larger than what this call takes.",
    422: "The Idempotency-Key was sent with another content before.",
    429: "Too many calls; Retry-After says when to come back.",
    503: "The database does not answer; Retry-After says when to come back.",
}
_PARTS = {
    "project_id": "Mixpanel's id of the project.",
    "cohort_id": "Mixpanel's id of the cohort.",
    "distinct_id": "Mixpanel's id of the person: the rest of the path, slashes included.",
    "session_id": "The `id` of a session.",
    "subscription_id": "The `id` of a subscription.",
    "connection": "The connection's name.",
    "operator_id": "The `id` of an operator, as in `GET /operators`.",
    "project": "The project's name with us.",
    "destination": "The destination's name.",
    "token_id": "The `id` of a token, as in `GET /tokens`.",
    "name": "The project's name with us.",
    "operation_id": "The operation's id or one of its aliases, as in `GET /operations`.",
    "delivery_id": "The `id` of a delivery.",
}


@operation(public, "/openapi.json", summary="This document")
def openapi(_query: NoQuery) -> Response:
    """OpenAPI 3.1 of every call; the only one that needs no token."""
    return Response(document(), mimetype="application/json")


@cache
def document() -> bytes:
    """The document, made once a process."""
    types = [kind for operation in OPERATIONS for kind in (operation.answer, operation.takes, operation.later) if kind]
    _refs, schemas = msgspec.json.schema_components([*types, Error], ref_template=_REF)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Cohort Relay",
                "version": VERSION,
                "description": "Who is in each Mixpanel cohort now, who entered, who left, when, and by which sync. "
                "And every call of Mixpanel's own APIs, and where changes go on to, with what became of it.",
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/api/v1"}],
            "security": [{"token": []}],
            "paths": _paths(),
            "components": {
                "schemas": schemas,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def _paths() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for call in OPERATIONS:
        found.setdefault(_path(call), {})[call.method.lower()] = _described(call)
    return found


def _path(operation: Operation) -> str:
    return _PART.sub(r"{\2}", operation.path)


def _described(operation: Operation) -> dict[str, Any]:
    guarded = operation.home == blueprint.name
    refusals = {*operation.errors, *_ALWAYS, 401} if guarded else {*operation.errors, 429}
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [*_parts(operation), *_parameters(operation.query)],
        "responses": {"200": _answer(operation)} | {str(status): _refusal(status) for status in sorted(refusals)},
    }
    found["parameters"] += [
        {"name": name, "in": "header", "required": False, "description": words, "schema": schema}
        for name, (words, schema) in operation.headers.items()
    ]
    if operation.later:
        schema = {"$ref": _REF.format(name=operation.later.__name__)}
        content = {"application/json": {"schema": schema}}
        found["responses"]["202"] = {"description": "It is under way.", "content": content}
    if operation.takes:
        schema = {"$ref": _REF.format(name=operation.takes.__name__)}
        found["requestBody"] = {"required": operation.needs_body, "content": {"application/json": {"schema": schema}}}
    elif operation.answer and operation.method == "GET":
        found["responses"]["304"] = {"description": "Nothing has changed since the answer whose ETag was sent along."}
    return found if guarded else found | {"security": []}


def _parts(operation: Operation) -> list[dict[str, Any]]:
    """The parameters in the path."""
    number = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARTS[name],
            "schema": number if kind == "int" else {"type": "string", "minLength": 1},
        }
        for kind, name in _PART.findall(operation.path)
    ]


def _parameters(query: type[Struct]) -> list[dict[str, Any]]:
    """The query's fields as OpenAPI lists them, each description where a reader looks for it."""
    _refs, components = msgspec.json.schema_components([query], ref_template=_REF)
    fields = components[query.__name__]["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }
        for name, schema in fields.items()
    ]


def _answer(operation: Operation) -> dict[str, Any]:
    schema: dict[str, Any]
    if operation.answer:
        schema = {"$ref": _REF.format(name=operation.answer.__name__)}
    else:
        schema = {"type": "object"} if operation.media_type == "application/json" else {"type": "string"}
    return {"description": operation.summary + ".", "content": {operation.media_type: {"schema": schema}}}


def _refusal(status: int) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name="Error")}
    return {"description": _MEANING[status], "content": {"application/json": {"schema": schema}}}
