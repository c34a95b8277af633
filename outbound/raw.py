"""The raw request: its target, which must be one of Mixpanel's servers, and its body (seeds/003, rawRequest)."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from urllib3 import encode_multipart_formdata

from outbound import hosts
from outbound.body import FORM, JSON, Body
from outbound.shape import Problem
from outbound.values import as_text

BODIES = ("json", "form", "text", "files")
OURS = frozenset({"host", "authorization", "content-length", "transfer-encoding", "connection", "cookie"})

Target = tuple[str, str, tuple[tuple[str, str], ...]]


def body_of(values: dict[str, Any]) -> Body:
    """The body and the headers; a header that decides about credentials or framing is ours alone."""
    given = [kind for kind in BODIES if kind in values]
    body = _encoded(given[0], values) if given else Body()
    if len(given) > 1:
        body.problems.append(Problem("error", f"params.{given[1]}", f"There is one body: this, or {given[0]}."))
    headers = {str(name): as_text(value) for name, value in values.get("headers", {}).items()}
    for name, value in headers.items():
        if name.lower() in OURS:
            body.problems.append(Problem("error", "params.headers", f"{name} is set by us."))
        elif not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()) or not _is_line(value):
            body.problems.append(Problem("error", "params.headers", f"{name!r} cannot be a header."))
    own = {name.lower() for name in headers}
    kept = tuple(pair for pair in body.headers if pair[0].lower() not in own)
    body.headers = (*kept, *headers.items())
    return body


def _is_line(value: str) -> bool:
    return value.isprintable() and value.isascii()


def _encoded(kind: str, values: dict[str, Any]) -> Body:
    value = values[kind]
    if kind == "json":
        return Body(msgspec.json.encode(value), (JSON,))
    if kind == "form":
        return Body(urlencode({name: as_text(one) for name, one in value.items()}).encode(), (FORM,))
    if kind == "text":
        return Body(value.encode("utf-8", "replace"))
    names = values.get("file_names", {})
    parts = {name: (str(names.get(name, name)), as_text(one).encode()) for name, one in value.items()}
    content, content_type = encode_multipart_formdata(parts, boundary="cohort-relay-part")
    return Body(content, (("Content-Type", content_type),))


def target_of(values: dict[str, Any], region: str, base_url: str) -> Target | Problem:
    """Server, path and query, if it is one of the project's own servers."""
    given = values["url"].strip()
    query = tuple((str(name), as_text(one)) for name, one in values.get("query", {}).items())
    if not given.startswith("/"):
        return _whole(given, query, region, base_url)
    if given.startswith("//") or "\\" in given or not given.isprintable() or "#" in given or ".." in given.split("/"):
        return Problem("error", "params.url", "It is a path, such as /me.")
    return hosts.base(values.get("family", "api"), region, base_url), given, query


def _whole(given: str, query: tuple[tuple[str, str], ...], region: str, base_url: str) -> Target | Problem:
    try:
        parts = urlsplit(given)
        server = (parts.scheme.lower(), parts.netloc.lower())
    except ValueError:
        server = ("", "")
    allowed = hosts.allowed(region, base_url)
    if server not in allowed or not given.isprintable() or "\\" in given:
        known = ", ".join(sorted({f"{scheme}://{host}" for scheme, host in allowed}))
        return Problem("error", "params.url", f"Calls go to Mixpanel's servers of this region only: {known}.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{server[0]}://{server[1]}", path, query
