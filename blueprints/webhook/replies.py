"""The envelope that Mixpanel expects, in every status (DESIGN.md, "Replies")."""

from flask import Response, jsonify

from sync.contract.page import ACTIONS

LONGEST_MESSAGE = 300
RETRY_AFTER = 5  # seconds; Mixpanel's own backoff decides


_SUCCESS = {action: f'{{"action":"{action}","status":"success"}}\n'.encode() for action in ACTIONS}


def success(action: str) -> Response:
    return Response(_SUCCESS[action], mimetype="application/json")


def failure(status: int, message: str, action: str | None = None, retry_after: int | None = None) -> Response:
    """A refusal; Mixpanel shows the message to whoever set up the sync."""
    error = {"message": message[:LONGEST_MESSAGE], "code": status}
    response = jsonify(action=action, status="failure", error=error)
    response.status_code = status
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
