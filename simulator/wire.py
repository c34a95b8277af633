"""The HTTP sessions of the simulator."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import requests


def session(url: str) -> requests.Session:
    """Return a session for calls to `url`. No proxy that the environment names stands between this machine and
    itself."""
    made = requests.Session()
    made.trust_env = not _is_here(urlsplit(url).hostname or "")
    return made


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
