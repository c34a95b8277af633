"""Every way in which a call is refused: what is answered, what is kept, and why (DESIGN.md, "Replies").

400 and 401 make Mixpanel pause the customer's sync for good, so they are answered only where a person must act.
Everything that passes by itself is 429 or 503.
"""

from collections.abc import Callable
from typing import Any

import structlog
from flask import Response, current_app, g, request
from werkzeug.exceptions import RequestTimeout

from blueprints.webhook import refused_request, replies
from config import tracebacks
from models.database import DatabaseUnavailable
from runtime import current_runtime
from security.concurrency_limit import TooManyAtOnce
from security.key_check import WrongKey, guard
from security.rate_limits import TooMany, count_failed_sign_in
from security.webhook import NAME, OtherProject, SwitchedOff, auth
from sync.contract.page import Refused
from sync.failures import FailureLog, Refusal

log = structlog.get_logger()


# Calls that reach none of our addresses.
HTTP = {
    404: ("unknown_address", "There is nothing at this address. Mixpanel needs the address that the connection shows."),
    405: ("wrong_method", "This address takes POST alone."),
}


class Stopping(Exception):
    """The process has been told to stop."""


def refuse_when_stopping() -> None:
    if current_runtime().stopping.is_set():
        raise Stopping


@auth.error_handler
def wrong_credentials(_status: int) -> Response:
    guard().look()
    count_failed_sign_in()
    return _refuse(401, "wrong_credentials", "The username or password is not one of this connection's live ones.")


def refused(error: Refused) -> Response:
    g.refused = error
    return _refuse(400, error.cause, error.message)


def switched_off(_error: SwitchedOff) -> Response:
    return _refuse(503, "switched_off", "This connection is switched off; nothing was stored. Send again later.", 60)


def other_project(_error: OtherProject) -> Response:
    message = "This connection may not write cohorts of this project; nothing was stored. Allow it in Cohort Relay."
    return _refuse(503, "other_project", message, 60)


def stopping(_error: Stopping) -> Response:
    return replies.failure(503, "The server is restarting; nothing was stored. Send again.", None, replies.RETRY_AFTER)


def cut_short(_error: RequestTimeout) -> Response:
    message = "The body did not come whole, or not in time; nothing was stored. Send again."
    return _refuse(503, "cut_short", message, replies.RETRY_AFTER)


def database_unavailable(error: DatabaseUnavailable) -> Response:
    log.warning("database.unavailable", cause=str(error))
    message = f"The database {error.trouble}; nothing was stored. Send again later."
    return _refuse(503, "database_unavailable", message, replies.RETRY_AFTER)


def wrong_key(_error: WrongKey) -> Response:
    """Never 401: the password may be right, and Mixpanel would pause the sync."""
    log.error("secret_key.wrong")
    message = "The server runs with another key than its database; nothing was stored. Send again later."
    return _refuse(503, "wrong_key", message, replies.RETRY_AFTER)


def too_many(error: TooMany) -> Response:
    signed_in = hasattr(g, "connection")
    cause, whose = ("too_many_calls", "this connection") if signed_in else ("too_many_sign_ins", "this address")
    return _refuse(429, cause, f"Too many calls from {whose}; nothing was stored. Send again.", error.retry_after)


def too_many_at_once(error: TooManyAtOnce) -> Response:
    """Nothing is kept of it: whose call it is was not looked at."""
    message = "Too many calls of this connection are under way at once; nothing was stored. Send again."
    return replies.failure(429, message, None, error.retry_after)


def fault(error: Exception) -> Response:
    """A fault of ours: Mixpanel tries again, and the operator finds the traceback. Exception texts may hold member
    data, so that only the exception's class and the lines of code are kept."""
    frames = tracebacks.lines_of(error)
    log.error("webhook.fault", error=type(error).__name__, traceback=frames)
    message = "Something went wrong on our side; nothing was stored. Send again."
    return _refuse(500, "fault", message, frames=frames)


def _refuse(
    status: int, cause: str, message: str, retry_after: int | None = None, frames: str | None = None
) -> Response:
    action = keep(status, cause, message, frames)
    return replies.failure(status, message, action, retry_after)


def keep(status: int, cause: str, message: str, frames: str | None = None) -> str | None:
    """Keep the call at hand among the failures; returns its action, where that could be read."""
    known = getattr(g, "page", None) or getattr(g, "refused", None)
    action: str | None = known.action if known else None
    refusal = Refusal(
        at=current_runtime().clock(),
        status=status,
        cause=cause,
        message=message,
        request_id=g.request_id,
        connection=_connection_named(),
        is_signed_in=hasattr(g, "connection"),
        project_id=known.project_id if known else None,
        cohort_id=known.cohort_id if known else None,
        action=action,
        body_bytes=getattr(g, "body_bytes", None),
        traceback=frames,
        seal=refused_request.sealed_later(cause),
    )
    failures().keep(refusal)
    return action


def _connection_named() -> str | None:
    """The connection as the call names it, if it could be one; whatever else stands there is not worth keeping."""
    caller = getattr(g, "connection", None)
    try:
        authorization = request.authorization
    except ValueError:  # what Werkzeug says to characters outside of ASCII (P43)
        authorization = None
    name = caller.name if caller else (request.view_args or {}).get("connection")
    name = name or (authorization.username if authorization else None)
    return name if name and NAME.fullmatch(name) else None


def failures() -> FailureLog:
    found: FailureLog = current_app.extensions["failures"]
    return found


def keep_waiting() -> None:
    """Write the failures that the database could not take while it was away."""
    if failures():
        failures().flush()


HANDLERS: dict[type[Exception], Callable[[Any], Response]] = {
    Refused: refused,
    SwitchedOff: switched_off,
    OtherProject: other_project,
    Stopping: stopping,
    RequestTimeout: cut_short,
    DatabaseUnavailable: database_unavailable,
    TooMany: too_many,
    TooManyAtOnce: too_many_at_once,
    WrongKey: wrong_key,
    Exception: fault,
}
