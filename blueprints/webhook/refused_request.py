"""The request at hand, for whoever looks at its failure later. Nothing here runs where nothing is refused."""

from collections.abc import Callable
from functools import partial

from flask import g, request

from runtime import current_runtime
from security.refused_requests import kept, seal

# What passes by itself and would be kept in memory meanwhile.
PASSING = {"database_unavailable"}


def sealed_later(cause: str) -> Callable[[], bytes] | None:
    """Return what seals the request at hand; None where its caller has not signed in, of whom nothing is kept."""
    if not hasattr(g, "connection") or cause in PASSING:
        return None
    found = kept(
        request.method,
        request.path,
        list(request.headers.items()),
        getattr(g, "body", None),
        with_body=g.connection.keeps is None,
    )
    return partial(seal, current_runtime().cipher, found)
