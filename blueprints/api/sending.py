"""Sending through the API: what can be called, for which projects, and the call itself.

The answer is 200 whatever Mixpanel said: the verdict is in it. 400 says that our own checks stopped it.
"""

from collections.abc import Callable
from functools import cache

import msgspec
from flask import Response, current_app, jsonify, request

from blueprints import unread_body
from blueprints.api import blueprint, bodies, idempotency, streaming
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem
from blueprints.api.sending_types import (
    HEADERS,
    MaySend,
    OperationTypes,
    ProjectType,
    ProjectTypes,
    Sending,
    Sent,
    UnderWay,
)
from blueprints.json_types import encoder
from blueprints.slots import Slots
from models.encryption import DecryptionError
from outbound import json_depth, projects, send
from outbound.downloads.folder import folder_of
from outbound.downloads.targets import KeptFile
from outbound.operations import registry
from outbound.operations.types import CallInput, Operation
from outbound.operations.types import Problem as Found
from outbound.projects import Project
from outbound.send import PreparedCall
from runtime import current_runtime
from security.forms import body
from security.tokens import token_name

LARGEST = 16 * 1024 * 1024  # bytes: Mixpanel takes 10 MB, and JSON in JSON is longer
LARGEST_TABLE = 128 * 1024 * 1024
RETRY_AFTER = 5  # seconds
PATIENCE = 1.0  # seconds that a call waits for a place


@operation(blueprint, "/operations", summary="Every operation", answer=OperationTypes)
def list_operations(_query: NoQuery) -> OperationTypes:
    """Every call of Mixpanel that can be made, with its parameters and examples."""
    return _described()


@cache
def _described() -> OperationTypes:
    found = [registry.described(operation) for operation in registry.OPERATIONS.values()]
    return msgspec.convert({"data": found}, OperationTypes)


@operation(blueprint, "/projects", summary="Projects to send to", answer=ProjectTypes)
def list_projects(_query: NoQuery) -> ProjectTypes:
    """The Mixpanel projects whose credentials we have; the credentials themselves are never shown."""
    found = current_runtime().database.read(projects.listed, one_statement=True)
    return ProjectTypes([project_type(project) for project in found])


def project_type(project: Project) -> ProjectType:
    """A project without its credentials."""
    return ProjectType(
        project.name,
        project.region,
        project.mixpanel_project_id,
        has_token=project.sealed_token is not None,
        has_service_account=project.sealed_username is not None and project.sealed_secret is not None,
    )


@operation(
    blueprint,
    "/projects/<name>/sending",
    summary="May this token send there?",
    answer=MaySend,
    errors=(403,),
    scope="send",
)
def show_may_send(_query: NoQuery, name: str) -> MaySend:
    """Whether this token may make calls for this project, before a large body is on its way. Whether there is such a
    project is not looked at."""
    return MaySend(token_name(), name)


@operation(
    blueprint,
    "/projects/<name>/operations/<operation_id>",
    summary="Call Mixpanel",
    takes=Sending,
    answer=Sent,
    errors=(403, 404, 410, 413, 422),
    scope="send",
    later=UnderWay,
    headers=HEADERS,
)
def call_operation(_query: NoQuery, name: str, operation_id: str) -> Response:
    """Make the call, and wait for what becomes of it; `Prefer: respond-async` is answered 202 with a place to look. A
    call with an `Idempotency-Key` is made once in 24 hours: the same again is answered with what became of it, and
    another content under the same key with 422. 400 lists `problems` by field where our own checks stop it."""
    call = _ready(name, operation_id)
    if isinstance(call, Response):
        return call
    content, status, headers = _made(call, f"{name} {operation_id}")
    return _answered(content, status, headers)


def _made(call: PreparedCall, where: str) -> idempotency.Reply:
    """Raises Problem (400, 410, 422, 429)."""
    return idempotency.make(call, idempotency.name_of(where), place())


@operation(
    blueprint,
    "/projects/<name>/operations/<operation_id>/answer",
    summary="Call Mixpanel and take all of its answer",
    takes=Sending,
    media_type="application/octet-stream",
    errors=(403, 404, 410, 413, 422),
    scope="send",
    later=UnderWay,
    headers=HEADERS,
)
def stream_answer(_query: NoQuery, name: str, operation_id: str) -> Response:
    """The whole answer as it comes, however long: an event or a profile a line, or Mixpanel's own bytes. `X-Delivery`
    is the call's number. 502 says that there is none; where it breaks off, its last line is half a JSON object. With
    `Prefer: respond-async` it is kept, to be had from the delivery. The same `Idempotency-Key` again is answered with
    what was kept, and with 410 where it was handed on."""
    call = _ready(name, operation_id)
    if isinstance(call, Response):
        return call
    known, give = idempotency.name_of(f"{name} {operation_id} answer"), place()
    delivery, is_new = idempotency.opened(call, known, give)
    if not is_new:
        return streaming.again(delivery)
    begun = idempotency.Begun(call, delivery, known, give)
    if idempotency.wants_no_wait():
        return _answered(*idempotency.later(begun, KeptFile(folder_of(current_runtime()), always=True)))
    return streaming.answer(begun)


def _ready(name: str, operation_id: str) -> PreparedCall | Response:
    """The call, or what our own checks say against it. Raises Problem."""
    runtime = current_runtime()
    project = runtime.database.read(lambda db: projects.by_name(db, name), one_statement=True)
    wanted = registry.find(operation_id)
    if project is None or wanted is None:
        unread_body.discard(request, LARGEST)
        raise Problem(404, f"There is no {'project ' + name if project is None else 'operation ' + operation_id}.")
    given = _given(wanted)
    try:
        call = send.ready(runtime, project, wanted, CallInput(given.params, given.body))
    except DecryptionError:
        raise Problem(400, "The project's credentials cannot be read with this SECRET_KEY: give them again.") from None
    stops = call.composed.stops(force=given.force)
    return _stopped(stops) if stops else call


def _given(wanted: Operation) -> Sending:
    """The body of this request. Raises Problem (400, 413)."""
    request.max_content_length = LARGEST_TABLE if wanted.body == "csv" else LARGEST
    try:
        found = msgspec.json.decode(body(kept=idempotency.is_asked_for()), type=Sending)
        if json_depth.holds_too_deep([found.params, found.body]):
            raise Problem(400, json_depth.TOO_DEEP)
        encoder.encode(found)  # half a character (a lone surrogate) cannot be sent on, nor kept
    except RecursionError:
        raise Problem(400, json_depth.TOO_DEEP) from None
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeEncodeError) as error:
        why = bodies.plainly(error)
        raise Problem(400, f'The body must be JSON such as {{"params": {{}}, "body": null}}: {why}.') from None
    return found


def _stopped(stops: list[Found]) -> Response:
    first = stops[0]
    response = jsonify(
        error={"message": f"{first.field}: {first.message}", "code": 400},
        problems=[
            {"level": stop.level, "field": stop.field, "message": stop.message, "index": stop.index} for stop in stops
        ],
    )
    response.status_code = 400
    return response


def _answered(content: bytes, status: int, headers: dict[str, str]) -> Response:
    response = Response(content, status, headers, mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def place() -> Callable[[], None]:
    """One of the slots for sending, given back by calling it. Raises Problem (429)."""
    slots: Slots = current_app.extensions["sends"]
    give = slots.take(token_name(), PATIENCE)
    if give is None:
        raise Problem(429, "Too many calls are under way; try again when one of them has ended.", RETRY_AFTER)
    return give
