"""The raw request: its target, which must be one of Mixpanel's servers, and its body (seeds/003, rawRequest)."""

import io
from dataclasses import replace
from pathlib import PurePath
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from urllib3 import encode_multipart_formdata

from outbound.operations.types import AnswerKind, BodyFile, Operation, Problem
from outbound.request.body import FORM, JSON, Body
from outbound.request.checks import lines
from outbound.request.param_values import as_text
from outbound.transport import hosts

BODIES = ("json", "form", "text", "files")
OURS = frozenset({"host", "authorization", "content-length", "transfer-encoding", "connection", "cookie"})
TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".gz": "application/gzip",
}
BOUNDARY = "cohort-relay-part"

Target = tuple[str, str, tuple[tuple[str, str], ...]]


def answered_as(operation: Operation, values: dict[str, Any]) -> Operation:
    """Return the operation with the kind of answer that was asked for; an export's is known."""
    kind: AnswerKind | None = values.get("response_type")
    export = values.get("family") == "export" and str(values.get("url", "")).startswith("/export")
    kind = kind or ("ndjson" if export else None)
    return replace(operation, answer=kind, shape="any") if kind else operation


def body_of(values: dict[str, Any], file: BodyFile | None = None) -> Body:
    """Return the body and the headers; a header that decides about credentials or framing is ours alone. A `file` is
    the whole body."""
    given = [kind for kind in BODIES if kind in values]
    if file is not None:
        given = ["file", *given]
        values = values | {"file": file}
    if given == ["form", "files"]:
        given = ["files"]
    body = _encoded(given[0], values) if given else _named(values)
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


def line_problems(values: dict[str, Any], file: BodyFile | None, now: int) -> list[Problem]:
    """Return what is wrong with the lines of a body for `/import`; those of a file were looked at as it came."""
    if urlsplit(str(values.get("url", ""))).path != "/import":
        return []
    if file is not None:
        return list(file.problems)
    written = values["text"].encode("utf-8", "replace") if "text" in values else b""
    return lines.events_of(io.BytesIO(written), len(written), now)


def _named(values: dict[str, Any]) -> Body:
    """Make a body of the name of a pipeline alone, where none was given."""
    return _encoded("form", values | {"form": {}}) if "name" in values else Body()


def _encoded(kind: str, values: dict[str, Any]) -> Body:
    value, own = values[kind], {"name": values["name"]} if "name" in values else {}
    if kind == "file":
        return Body(file=value, headers=_type_of(value))
    if kind == "json":
        return Body(msgspec.json.encode(own | value if isinstance(value, dict) else value), (JSON,))
    if kind == "form":
        return Body(_form(own | value), (FORM,))
    if kind == "text":
        return Body(value.encode("utf-8", "replace"))
    return _multipart(own | values.get("form", {}), value, values.get("file_names", {}))


def _type_of(file: BodyFile) -> tuple[tuple[str, str], ...]:
    """Return the header that says what it is, as its name has it."""
    known = TYPES.get(PurePath(file.name).suffix.lower())
    return () if known is None else (("Content-Type", known),)


def _form(fields: dict[str, Any]) -> bytes:
    return urlencode({name: as_text(value) for name, value in fields.items()}).encode("utf-8", "replace")


def _multipart(fields: dict[str, Any], files: dict[str, Any], names: dict[str, Any]) -> Body:
    parts: dict[str, Any] = {name: as_text(value) for name, value in fields.items()}
    parts |= {key: (str(names.get(key, value.name)), value.content) for key, value in files.items()}
    boundary = BOUNDARY
    while any(boundary.encode() in file.content for file in files.values()):
        boundary += "-"
    content, content_type = encode_multipart_formdata(parts, boundary=boundary)
    problems = [Problem("error", "params.file_names", f"There is no file {key}.") for key in names if key not in files]
    return Body(content, (("Content-Type", content_type),), problems=problems)


def target_of(values: dict[str, Any], region: str, base_url: str) -> Target | Problem:
    """Server, path and query, if it is one of the project's own servers. A pipeline's name beside a body that is a text
    goes into the query."""
    given, server = values["url"].strip(), values.get("base_url", "").strip()
    query = tuple((str(name), as_text(value)) for name, value in values.get("query", {}).items())
    if "name" in values and {"text"} <= set(values):
        query = (*query, ("name", values["name"]))
    if server and not given.startswith("/"):
        return Problem("error", "params.url", "Beside a base URL it is a path, such as /import.")
    if server:
        return _whole("base_url", server.rstrip("/") + given, query, region, base_url)
    if not given.startswith("/"):
        return _whole("url", given, query, region, base_url)
    if not _is_path(given):
        return Problem("error", "params.url", "It is a path, such as /me.")
    return hosts.base(values.get("family", "api"), region, base_url), given, query


def _is_path(given: str) -> bool:
    plain = given.partition("?")[0]
    odd = given.startswith("//") or "\\" in given or "#" in given or ".." in plain.split("/")
    return not odd and given.isprintable()


def _whole(field: str, given: str, query: tuple[tuple[str, str], ...], region: str, base_url: str) -> Target | Problem:
    given = hosts.stood_in(given, region, base_url)
    try:
        parts = urlsplit(given)
        server = (parts.scheme.lower(), parts.netloc.lower())
    except ValueError:
        server = ("", "")
    allowed = hosts.allowed(region, base_url)
    if server not in allowed or not given.isprintable() or "\\" in given:
        known = ", ".join(sorted({f"{scheme}://{host}" for scheme, host in allowed}))
        return Problem("error", f"params.{field}", f"Calls go to Mixpanel's servers of this region only: {known}.")
    path = parts.path or "/"
    if not _is_path(path) or "#" in given:
        return Problem("error", f"params.{field}", "It is no plain address.")
    return f"{server[0]}://{server[1]}", path + (f"?{parts.query}" if parts.query else ""), query
