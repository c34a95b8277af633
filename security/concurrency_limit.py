"""Refuses calls that are too many of their caller's at once; `server/caller_shares.py` counts them before the app
does."""

from flask import request

from config.environ import TOO_BUSY
from security.rate_limits import TooMany

RETRY_AFTER = 5  # seconds


class TooManyAtOnce(TooMany):
    """The caller has too many calls under way."""


def refuse_too_many_at_once() -> None:
    if TOO_BUSY in request.environ:
        raise TooManyAtOnce(RETRY_AFTER)
