"""An operation and what was given for it become one request, with everything that our checks found.

Nothing here raises for bad input: whoever asks gets problems by field, and the request where one could be made.
"""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from outbound import json_depth
from outbound.operations import fixed_inputs
from outbound.operations.types import Auth, BodyFile, Budget, CallInput, Composed, Operation, Param, Problem, Request
from outbound.projects import Credentials, Project
from outbound.request import placeholders, raw
from outbound.request.body import Body, body_of
from outbound.request.checks import MOST_BYTES
from outbound.request.masking import MASK, Mask
from outbound.request.param_values import wire
from outbound.request.params import Values, values_of
from outbound.transport import hosts

LOST = f"It holds {MASK}: what stood there was not kept. Fill it in."
SHOWN_OF_FILE = 256 * 1024 + 1  # bytes
IMPORT_INSTEAD = "Mixpanel takes 10 MB of records a call. Import it instead, under Imports."
GONE = "The file was given more than an hour ago and is gone. Choose it again."
LACKING = {
    "token-in-body": "its token",
    "service-account": "a service account",
    "token-as-username": "its token",
    "none": "nothing",
}


@dataclass
class Composition:
    """A request on its way: what is known, and what was found."""

    operation: Operation
    project: Project
    credentials: Credentials
    given: CallInput
    now: int
    base_url: str
    values: Values = field(default_factory=Values)
    problems: list[Problem] = field(default_factory=list)
    auth: Auth = "none"


def compose(
    operation: Operation, project: Project, credentials: Credentials, given: CallInput, now: int, base_url: str = ""
) -> Composed:
    """Return the request of `operation` for `project`; `now` is in milliseconds, `base_url` is MIXPANEL_BASE_URL."""
    from_params = given.body in (None, "", [])
    draft = Composition(operation, project, credentials, given, now, base_url)
    _read_records(draft)
    draft.values = values_of(operation, _asked(draft), now, from_params=from_params)
    draft.problems.extend(draft.values.problems)
    draft.auth = _auth(draft)
    _fill_in(draft)
    if operation.body == "raw":
        draft.operation = operation = raw.answered_as(operation, draft.values.found)
    body = _body(draft, from_params=from_params)
    draft.problems.extend(body.problems)
    if operation.note:
        draft.problems.append(Problem("note", "operation", operation.note))
    request = None if any(problem.level == "error" for problem in draft.problems) else _request(draft, body)
    return Composed(
        draft.operation, draft.given, request, tuple(draft.problems), tuple(body.records), lines=tuple(body.lines)
    )


def _read_records(draft: Composition) -> None:
    """Take a file of records for what stands in it: a call has 10 MB of them at most."""
    file = draft.given.body
    if draft.operation.record is None or not isinstance(file, BodyFile):
        return
    if file.size > MOST_BYTES:
        draft.problems.append(Problem("error", "body", f"The file has {file.size:,} bytes; {IMPORT_INSTEAD}"))
        return
    try:
        draft.given = replace(draft.given, body=file.path.read_text("utf-8", "replace"))
    except OSError:
        draft.problems.append(Problem("error", "body", GONE))


def _asked(draft: Composition) -> CallInput:
    """Return what was given without what is settled here, which has to be what it is; the body of a raw request is one
    of its parameters."""
    params, body = draft.given.params, draft.given.body
    if draft.operation.body == "raw" and body not in (None, "", []) and not isinstance(body, BodyFile):
        params = params | {"text" if isinstance(body, str) else "json": body}
    if MASK in str(params) or MASK in str(body):
        draft.problems.append(Problem("advice", "body" if MASK in str(body) else "params", LOST))
    there = {name: value for name, value in params.items() if fixed_inputs.is_settled(draft.operation, name)}
    for name, value in there.items():
        wrong = fixed_inputs.problem(draft.operation, draft.project, draft.credentials, name, value)
        draft.problems.extend([wrong] if wrong else [])
    return replace(draft.given, params={name: value for name, value in params.items() if name not in there})


def _auth(draft: Composition) -> Auth:
    """Return the best way to sign in that the project has credentials for."""
    known = draft.credentials
    there: dict[Auth, bool] = {
        "none": True,
        "token-in-body": bool(known.token),
        "token-as-username": bool(known.token),
        "service-account": bool(known.username and known.secret),
    }
    wanted = _ways_in(draft)
    found = next((auth for auth in wanted if there[auth]), None)
    if found is None:
        lacking = " or ".join(dict.fromkeys(LACKING[auth] for auth in wanted))
        message = f"The project {draft.project.name} lacks {lacking}, which this operation needs."
        draft.problems.append(Problem("error", "project", message))
        return wanted[0]
    return found


def _ways_in(draft: Composition) -> tuple[Auth, ...]:
    """Return how to sign in: what was chosen, else whatever Mixpanel takes."""
    known, values = draft.operation.auth, draft.values.found
    if "auth" in values:
        return (values["auth"],)
    if "use_project_token" in values and "token-as-username" in known:
        return ("token-as-username",) if values["use_project_token"] else ("service-account",)
    return known


def _fill_in(draft: Composition) -> None:
    """Mixpanel's id of the project where the call takes it (with a service account), and the project's workspace; in a
    raw request whatever its placeholders stand for."""
    values, project = draft.values.found, draft.project
    if draft.operation.body == "raw":
        values.setdefault("family", draft.operation.family)
        filler = placeholders.Filler(placeholders.known(project, draft.credentials))
        filler.fill(values)
        draft.problems.extend(filler.problems)
    if draft.operation.param("project_id") is not None and draft.auth == "service-account":
        values["project_id"] = int(project.mixpanel_project_id)
    if draft.operation.param("workspace_id") is not None and project.workspace_id:
        values.setdefault("workspace_id", int(project.workspace_id))


def _body(draft: Composition, *, from_params: bool) -> Body:
    operation = draft.operation
    if operation.body == "raw":
        file = draft.given.body if isinstance(draft.given.body, BodyFile) else None
        body = raw.body_of(draft.values.found, file)
        body.problems.extend(raw.line_problems(draft.values.found, file, draft.now))
        return body
    integration = draft.project.integration
    return body_of(
        operation, draft.given, draft.values.found, draft.credentials, integration, draft.now, from_params=from_params
    )


def _request(draft: Composition, body: Body) -> Request | None:
    headers = [*body.headers]
    if "gzip" in draft.values.found:
        headers.append(("Accept-Encoding", "gzip" if draft.values.found["gzip"] else "identity"))
    headers.append(("X-Mixpanel-Integration-ID", draft.project.integration))
    if draft.operation.body == "raw":
        target = raw.target_of(draft.values.found, draft.project.region, draft.base_url)
        if isinstance(target, Problem):
            draft.problems.append(target)
            return None
        base, path, query = target
        method = draft.values.found["method"]
    else:
        base = hosts.base(draft.operation.family, draft.project.region, draft.base_url)
        path, query, method = _path(draft), tuple(_pairs(draft, "query")), draft.operation.method
    return Request(method, base, path, query, tuple(headers), body.content, _pair(draft), file=body.file)


def _path(draft: Composition) -> str:
    path = draft.operation.path
    for param in draft.operation.params:
        if param.place == "path":
            path = path.replace(f"{{{param.name}}}", quote(str(draft.values.found.get(param.name, "")), safe=""))
    return path


def _pairs(draft: Composition, place: str) -> list[tuple[str, str]]:
    return pairs(draft.operation.params, draft.values.found, place)


def pairs(params: tuple[Param, ...], found: dict[str, Any], place: str) -> list[tuple[str, str]]:
    """Return names and texts of every parameter in a place."""
    there = [param for param in params if param.place == place and param.name in found]
    return [pair for param in there for pair in wire(param, found[param.name])]


def _pair(draft: Composition) -> tuple[str, str] | None:
    known = draft.credentials
    return {
        "service-account": (known.username, known.secret),
        "token-as-username": (known.token, ""),
    }.get(draft.auth)


def address(request: Request) -> str:
    """Return the whole address, with its query."""
    query = urlencode(request.query)
    joint = "&" if "?" in request.path else "?"
    return f"{request.base}{request.path}{joint + query if query else ''}"


def budget_of(composed: Composed) -> Budget | None:
    """Return the limit that a call counts towards: its operation's, or that of the address that a raw request names."""
    if composed.operation.body != "raw":
        return composed.operation.budget
    return hosts.budget_of(address(composed.outgoing), composed.outgoing.method)


def masked(request: Request, mask: Mask) -> dict[str, Any]:
    """Return the request for people and for rows: texts, with every credential masked."""
    headers = dict(request.headers)
    if request.auth is not None:
        headers["Authorization"] = f"Basic {MASK}"
    body = None if request.body is None else mask(request.body.decode("utf-8", "replace"))
    if request.file is not None:
        body = mask(_beginning(request.file, mask))
    return {"method": request.method, "url": mask(address(request)), "headers": mask.within(headers), "body": body}


def _beginning(file: BodyFile, mask: Mask) -> str:
    """Return as much of a file as is kept of a body, and a little more, by which its end is known to be missing."""
    try:
        with file.path.open("rb") as opened:
            return opened.read(SHOWN_OF_FILE + mask.longest).decode("utf-8", "replace")
    except OSError:
        return ""


def readable(body: str | None) -> str:
    """Return a body for people: JSON with a line for each name, a form with a line for each field, else as it is."""
    if not body or json_depth.is_too_deep(body):
        return body or ""
    try:
        return msgspec.json.format(body.encode(), indent=2).decode()
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return body
