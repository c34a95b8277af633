"""Where each family of Mixpanel's APIs lives, by the project's region (mixpanel-facts 2.1)."""

from posixpath import normpath
from urllib.parse import unquote, urlsplit

from outbound.operations.types import Budget, Family

REGIONS = {"us": "United States", "eu": "European Union", "in": "India"}

_SERVERS: dict[Family, dict[str, str]] = {
    "api": {
        "us": "https://api.mixpanel.com",
        "eu": "https://api-eu.mixpanel.com",
        "in": "https://api-in.mixpanel.com",
    },
    "query": {
        "us": "https://mixpanel.com/api/query",
        "eu": "https://eu.mixpanel.com/api/query",
        "in": "https://in.mixpanel.com/api/query",
    },
    "export": {
        "us": "https://data.mixpanel.com/api/2.0",
        "eu": "https://data-eu.mixpanel.com/api/2.0",
        "in": "https://data-in.mixpanel.com/api/2.0",
    },
    "app": {
        "us": "https://mixpanel.com/api/app",
        "eu": "https://eu.mixpanel.com/api/app",
        "in": "https://in.mixpanel.com/api/app",
    },
}
_SERVERS["pipelines"] = _SERVERS["export"]
FAMILIES: tuple[Family, ...] = ("api", "query", "export", "pipelines", "app")


def base(family: Family, region: str, base_url: str = "") -> str:
    """Return the server of this family, with the path that its calls share. `base_url` (MIXPANEL_BASE_URL) stands in
    for all of them, as `base_url/family`."""
    return f"{base_url}/{family}" if base_url else _SERVERS[family][region]


def budget_of(url: str, method: str) -> Budget | None:
    """Return the limit that an address counts towards, whichever way it is written; `url` is one of Mixpanel's servers,
    or of MIXPANEL_BASE_URL, where the first part of the path is the family."""
    parts = urlsplit(url)
    host = parts.netloc.lower().partition(":")[0]
    way = [one for one in normpath("/" + unquote(unquote(parts.path))).lower().split("/") if one]
    if not host.endswith("mixpanel.com"):
        host, way = {"query": "mixpanel.com", "export": "data", "api": "api"}.get(way[0] if way else "", ""), way[1:]
    if host.startswith("api"):
        return "lookup" if way[:1] == ["lookup-tables"] and method not in {"GET", "HEAD"} else None
    if host.startswith("data"):
        return None if "nessie" in way else "export"
    return None if not host or way[:2] == ["api", "app"] else "query"


def allowed(region: str, base_url: str = "") -> frozenset[tuple[str, str]]:
    """Return scheme and host (with port) of every server that a project's calls may go to; no other one ever."""
    servers = [base(family, region, base_url) for family in FAMILIES]
    return frozenset((parts.scheme, parts.netloc.lower()) for parts in map(urlsplit, servers))


def stood_in(address: str, region: str, base_url: str) -> str:
    """Return an address on one of Mixpanel's servers as it is with MIXPANEL_BASE_URL; any other one as it is."""
    plain = address.split("?", 1)[0].rstrip("/") + "/"
    families = sorted(FAMILIES, key=lambda family: (family == "pipelines") != ("/nessie/" in plain))
    bases = {base(family, region): family for family in reversed(families)}
    found = [one for one in sorted(bases, key=len, reverse=True) if plain.lower().startswith(f"{one}/")]
    if not base_url or not found:
        return address
    return base(bases[found[0]], region, base_url) + address[len(found[0]) :]
