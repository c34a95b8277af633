"""Every call of the API, registered once: the route, its query, its answer, and from the same `openapi.json`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from flask import Blueprint, Response
from msgspec import Struct

from blueprints.api import query_params
from blueprints.api.query_types import NoQuery
from blueprints.api.replies import Problem, Versioned, reply
from blueprints.urls import can_be_stored
from security.tokens import needs_scope

Headers = dict[str, tuple[str, dict[str, Any]]]  # description and schema by name
Work = Callable[..., Struct | Versioned | Response]


@dataclass(frozen=True)
class Operation:
    """One call; `takes` is the type of its JSON body, `later` of a 202, `headers` are those that it understands. `path`
    is Flask's rule below the prefix; `errors` are the statuses besides those that every call may answer; an export has
    a `media_type` of its own instead of an answer."""

    home: str
    name: str
    path: str
    summary: str
    description: str
    query: type[Struct]
    answer: type[Struct] | None
    media_type: str
    errors: tuple[int, ...]
    method: str = "GET"
    takes: type[Struct] | None = None
    later: type[Struct] | None = None
    headers: Headers = field(default_factory=dict)
    needs_body: bool = True


OPERATIONS: list[Operation] = []


def operation(
    home: Blueprint,
    path: str,
    *,
    summary: str,
    answer: type[Struct] | None = None,
    query: type[Struct] = NoQuery,
    media_type: str = "application/json",
    errors: tuple[int, ...] = (),
    takes: type[Struct] | None = None,
    scope: str = "read",
    method: str | None = None,
    later: type[Struct] | None = None,
    headers: Headers | None = None,
    needs_body: bool = True,
) -> Callable[[Work], Work]:
    """Route GET `path` (POST where it `takes` a body, or another `method`) to a function of the parsed query and the
    path's parts that returns its answer. `scope` is what a token needs for it."""
    verb = method or ("GET" if takes is None else "POST")

    def register(work: Work) -> Work:
        @wraps(work)
        def view(**places: Any) -> Response:
            if not all(map(can_be_stored, places.values())):
                raise Problem(404, "There is nothing at this address.")
            found = work(query_params.read(query), **places)
            return found if isinstance(found, Response) else reply(found)

        name = work.__name__
        home.add_url_rule(path, name, needs_scope(scope)(view), methods=[verb], provide_automatic_options=False)
        description = " ".join((work.__doc__ or "").split())
        refusals = (400, *errors)
        OPERATIONS.append(
            Operation(
                home.name,
                name,
                path,
                summary,
                description,
                query,
                answer,
                media_type,
                refusals,
                verb,
                takes,
                later,
                headers or {},
                needs_body,
            )
        )
        return work

    return register
