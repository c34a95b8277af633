"""By which names we answer. A page of somebody else's may have its name lead to our address once a browser has loaded
it (DNS rebinding); then a browser sends that name along, and gets nothing of ours.

Machines are answered under any name: they bring credentials that no browser adds by itself, and to refuse Mixpanel
would pause a customer's sync for good. So are addresses in numbers, which nobody can have lead elsewhere: probes use
them.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from config.settings import Settings

LOCAL = frozenset({"localhost"})
ANY = "*"
MACHINES = ("/webhooks/", "/v1/", "/api/", "/healthz", "/readyz", "/metrics")


class UnknownHost(HTTPException):
    """421: this is not the server of that name."""

    code = 421
    description = (
        "The relay does not go by the name in the address. If it should, name it in PUBLIC_URL or ALLOWED_HOSTS and"
        " start it again."
    )


def names_of(settings: Settings) -> frozenset[str]:
    """Return the names of PUBLIC_URL, HOST and ALLOWED_HOSTS, and localhost."""
    public = urlsplit(settings.public_url).hostname or ""
    allowed = (name.strip() for name in settings.allowed_hosts.split(","))
    return LOCAL | {name.lower().rstrip(".") for name in (public, settings.host, *allowed) if name}


def goes_by(names: frozenset[str], host: str) -> bool:
    """Tell whether `host`, as a request names it with or without a port, is one of `names` or an address in numbers."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return ANY in names or name in names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def init_app(app: Flask, settings: Settings) -> None:
    names = names_of(settings)

    @app.before_request
    def check_host() -> None:
        if not request.path.startswith(MACHINES) and not goes_by(names, request.host):
            raise UnknownHost
