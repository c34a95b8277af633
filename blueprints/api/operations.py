"""Every call of the API, registered once: the route, its query, its answer, and from the same `openapi.json`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Response
from msgspec import Struct

from blueprints.api import queries
from blueprints.api.addresses import can_be_stored
from blueprints.api.replies import Problem, Versioned, reply
from blueprints.api.types import NoQuery

Work = Callable[..., Struct | Versioned | Response]


@dataclass(frozen=True)
class Operation:
    """One call. `path` is Flask's rule below the prefix; `errors` are the statuses besides those that every call may
    answer; an export has a `media_type` of its own instead of an answer."""

    home: str
    name: str
    path: str
    summary: str
    description: str
    query: type[Struct]
    answer: type[Struct] | None
    media_type: str
    errors: tuple[int, ...]


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
) -> Callable[[Work], Work]:
    """Route GET `path` to a function of the parsed query and the path's parts that returns its answer."""

    def register(work: Work) -> Work:
        @wraps(work)
        def view(**places: Any) -> Response:
            if not all(map(can_be_stored, places.values())):
                raise Problem(404, "There is nothing at this address.")
            found = work(queries.read(query), **places)
            return found if isinstance(found, Response) else reply(found)

        name = work.__name__
        home.add_url_rule(path, name, view, methods=["GET"], provide_automatic_options=False)
        description = " ".join((work.__doc__ or "").split())
        OPERATIONS.append(
            Operation(home.name, name, path, summary, description, query, answer, media_type, (400, *errors))
        )
        return work

    return register
