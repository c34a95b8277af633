"""Errors outside a blueprint's own handlers, in the shape that the path's callers expect."""

from contextlib import suppress

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from blueprints.webhook import refusals, replies
from blueprints.webhook.addresses import is_senders
from models.database import DatabaseUnavailable
from security import allowed_hosts, sign_in_guard
from security.key_check import WrongKey
from security.rate_limits import TooMany

log = structlog.get_logger()

READING = frozenset({"GET", "HEAD", "OPTIONS"})  # methods of people and scanners who look at the sender's addresses
FORMS = ["application/json", "text/html"]  # whoever says nothing gets the first
MESSAGES = {
    400: "The request cannot be read.",
    401: "You are not signed in.",
    403: "Your role does not allow this.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    408: "The request did not come in time.",
    413: "That is too large.",
    421: allowed_hosts.UnknownHost.description,
    429: "Too many requests.",
    500: "Something went wrong on our side.",
    503: "The database does not answer; try again later.",
}


WRONG_KEY = "The relay runs with another SECRET_KEY than its database. Whoever runs it asks flask doctor what to do."
FORGED = "This form is too old or not from this browser. Open its page again; nothing was changed."


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(TooMany, too_many)
    app.register_error_handler(DatabaseUnavailable, unavailable)
    app.register_error_handler(WrongKey, wrong_key)
    app.register_error_handler(Exception, fault)


def http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if is_senders(request.path) and request.method not in READING:
        refusals.keep(status, *refusals.HTTP.get(status, ("refused", MESSAGES.get(status, error.name + "."))))
    known = FORGED if isinstance(error, CSRFError) else MESSAGES.get(status, error.name + ".")
    response = answer(status, known)
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
    response = answer(503, f"The database {error.trouble}; try again later.")
    response.headers["Retry-After"] = str(replies.RETRY_AFTER)
    return response


def wrong_key(_error: WrongKey) -> ResponseReturnValue:
    log.error("secret_key.wrong")
    response = answer(503, WRONG_KEY)
    response.headers["Retry-After"] = str(replies.RETRY_AFTER)
    return response


def fault(error: Exception) -> ResponseReturnValue:
    log.error("fault", error=type(error).__name__, exc_info=error)
    return answer(500, MESSAGES[500])


def answer(status: int, message: str) -> Response:
    """The envelope on the webhook's paths (it holds for every status), a page for whoever wants one, the API's error
    object everywhere else."""
    if is_senders(request.path):
        return replies.failure(status, message)
    if not request.path.startswith("/api/") and request.accept_mimetypes.best_match(FORMS) == "text/html":
        if request.endpoint is None:
            with suppress(DatabaseUnavailable, WrongKey):
                sign_in_guard.recognise()  # whoever is signed in keeps the frame around what went wrong
        page = render_template("dashboard/error.html", status=status, message=message)
        return Response(page, status, mimetype="text/html")
    response = jsonify(error={"message": message, "code": status})
    response.status_code = status
    return response
