"""The sender's addresses, however they are written. Mixpanel's side of an address can't be edited, and a 404 pauses the
sync for good: a slash at the end, doubled slashes and capitals lead to the same address, but for a connection's name:
`CRM` is none of `crm`'s. Percent-encoding is the same by itself, and a query string changes nothing.
"""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SENDER = ("/webhooks/", "/v1/")

_SLASHES = re.compile("/{2,}")
_OURS = re.compile("/webhooks/(?:mixpanel/)?|/v1/.*", re.IGNORECASE | re.DOTALL)


def is_senders(path: str) -> bool:
    """Whether Mixpanel's sender, and nobody else, calls below this path."""
    return path.startswith(SENDER)


class SameAddress:
    """Writes the sender's paths in the one way that the routes know. No other path is touched: ids stand in those."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = _SLASHES.sub("/", environ.get("PATH_INFO", ""))
        if ours := _OURS.match(path):
            path = path[: ours.end()].lower() + path[ours.end() :]
            bare = path.rstrip("/")
            environ["PATH_INFO"] = bare if is_senders(bare) else path
        return self._app(environ, start_response)
