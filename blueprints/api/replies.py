"""Answers: encoded from their types, with a tag by which a reader learns that nothing has changed."""

from dataclasses import dataclass

import xxhash
from flask import Response, jsonify, request
from msgspec import Struct

from blueprints import errors
from blueprints.exports import TooManyExports
from blueprints.json_types import encoder
from blueprints.paging import WrongCursor
from destinations.settings import WrongSettings


class Problem(Exception):
    """A call that is answered with an error: the status, and one plain sentence for a developer."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after  # seconds


@dataclass(frozen=True)
class Versioned:
    """An answer about one cohort, and that cohort's version."""

    answer: Struct
    version: int


def problem(error: Problem) -> Response:
    response = errors.answer(error.status, error.message)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def wrong_cursor(_error: WrongCursor) -> Response:
    return problem(Problem(400, "cursor must be the next of an earlier answer to this call."))


def too_many_exports(error: TooManyExports) -> Response:
    return problem(Problem(429, str(error), error.retry_after))


def reply(found: Struct | Versioned) -> Response:
    """The answer as JSON; 304 without a body where the caller already has it."""
    answer, version = (found.answer, found.version) if isinstance(found, Versioned) else (found, None)
    body = encoder.encode(answer)
    tag = _tag(body, version)
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        response = Response(body, mimetype="application/json")
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"  # may be kept, must be asked about
    return response


def once(found: Struct) -> Response:
    """The answer of a call that changed something: nobody keeps it, and it has no tag."""
    response = Response(encoder.encode(found), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def wrong_settings(error: WrongSettings) -> Response:
    """400, with what is wrong by field; the message is about the first."""
    problems = [{"field": name, "message": told} for name, told in error.errors.items()]
    response = jsonify(
        error={"message": f"{problems[0]['field']}: {problems[0]['message']}"[:300], "code": 400}, problems=problems
    )
    response.status_code = 400
    return response


def _tag(body: bytes, version: int | None) -> str:
    """The hash is part of it because a profile can change through another cohort, which leaves the version alone."""
    digest = xxhash.xxh3_64_hexdigest(body)
    return digest if version is None else f"{version}-{digest}"
