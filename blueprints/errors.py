"""Errors outside a blueprint's own handlers, in the shape that the path's callers expect."""

import structlog
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from blueprints.webhook import replies
from models.database import DatabaseUnavailable
from security.limits import TooMany

log = structlog.get_logger()

MESSAGES = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    429: "Too many requests.",
    500: "Something went wrong on our side.",
    503: "The database does not answer; try again later.",
}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(TooMany, too_many)
    app.register_error_handler(DatabaseUnavailable, unavailable)
    app.register_error_handler(Exception, fault)


def http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    response = answer(status, MESSAGES.get(status, error.name + "."))
    for name, value in error.get_headers():
        if name in {"Allow", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def too_many(error: TooMany) -> ResponseReturnValue:
    response = answer(429, MESSAGES[429])
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def unavailable(error: DatabaseUnavailable) -> ResponseReturnValue:
    log.warning("database.unavailable", cause=str(error))
    response = answer(503, MESSAGES[503])
    response.headers["Retry-After"] = str(replies.RETRY_AFTER)
    return response


def fault(error: Exception) -> ResponseReturnValue:
    log.error("fault", error=type(error).__name__, exc_info=(type(error), None, error.__traceback__))
    return answer(500, MESSAGES[500])


def answer(status: int, message: str) -> Response:
    """The envelope on the webhook's paths (it holds for every status), the API's error object everywhere else."""
    if request.path.startswith(("/webhooks/", "/v1/")):
        return replies.failure(status, message)
    response = jsonify(error={"message": message, "code": status})
    response.status_code = status
    return response
