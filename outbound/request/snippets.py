"""The same request for other hands: as curl, as Python with `requests`, and as a line for our own terminal.

No credential stands in them. Each is a variable of the shell that whoever pastes it sets first.
"""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

from outbound.operations.types import BodyFile, CallInput, Composed, Operation, Request
from outbound.projects import Credentials
from outbound.request.compose import address

TOKEN, USERNAME, SECRET = "MIXPANEL_TOKEN", "MIXPANEL_USERNAME", "MIXPANEL_SECRET"


def as_curl(composed: Composed, credentials: Credentials) -> str:
    """Write the request as a command for a shell; empty where there is no request."""
    request = composed.request
    if request is None:
        return ""
    shell = _Spliced(credentials, shlex.quote, lambda name: f'"${name}"', "")
    parts = [f"curl --request {request.method} {shell(address(request))}"]
    parts += [f"--header {shell(f'{name}: {value}')}" for name, value in request.headers]
    if (request.body is not None or request.file is not None) and not _has_type(request):
        parts.append("--header 'Content-Type:'")
    if request.auth is not None:
        parts.append(f'--user "${TOKEN}:"' if request.auth[1] == "" else f'--user "${USERNAME}:${SECRET}"')
    if request.body is not None:
        parts.append(f"--data-raw {shell(request.body.decode('utf-8', 'replace'))}")
    if request.file is not None:
        parts.append(f"--data-binary {shell('@' + request.file.name)}")
    return " \\\n  ".join(parts)


def as_python(composed: Composed, credentials: Credentials) -> str:
    """Write the request as a program that needs `requests`; empty where there is no request."""
    request = composed.request
    if request is None:
        return ""
    python = _Spliced(credentials, repr, lambda name: f'os.environ["{name}"]', " + ")
    lines = [repr(request.method), python(address(request))]
    if request.headers:
        headers = ", ".join(f"{name!r}: {python(value)}" for name, value in request.headers)
        lines.append(f"headers={{{headers}}}")
    if request.auth is not None:
        pair = f'(os.environ["{TOKEN}"], "")' if request.auth[1] == "" else _pair()
        lines.append(f"auth={pair}")
    if request.body is not None:
        lines.append(f"data=({python(request.body.decode('utf-8', 'replace'))}).encode()")
    if request.file is not None:
        lines.append(f"data=open({request.file.name!r}, 'rb')")
    lines += ["allow_redirects=False", "timeout=30"]
    called = "".join(f"    {line},\n" for line in lines)
    shown = "print(answer.status_code, answer.text)"
    return f"import os\n\nimport requests\n\nanswer = requests.request(\n{called})\n{shown}\n"


def as_command(project_name: str, operation: Operation, given: CallInput) -> str:
    """Write the call as a line for our own terminal."""
    words = ["flask", "send", operation.id, "--project", project_name]
    for name, value in given.params.items():
        if value not in (None, "", [], {}):
            words += ["--param", f"{name}={_text(value)}"]
    if isinstance(given.body, BodyFile):
        words += ["--body", f"@{given.body.name}"]
    elif given.body not in (None, "", []):
        words += ["--body", _text(given.body)]
    return " ".join(map(shlex.quote, words))


class _Spliced:
    """Writes a text as a literal of some language, with a variable wherever a credential stands in it."""

    def __init__(
        self, credentials: Credentials, literal: Callable[[str], str], variable: Callable[[str], str], joint: str
    ) -> None:
        known = {credentials.token: TOKEN, credentials.secret: SECRET, credentials.username: USERNAME}
        self._names = {value: name for value, name in known.items() if value}
        ways = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ways))) if ways else None
        self._literal, self._variable, self._joint = literal, variable, joint

    def __call__(self, text: str) -> str:
        if self._pattern is None:
            return self._literal(text)
        pieces, at = [], 0
        for found in self._pattern.finditer(text):
            if found.start() > at:
                pieces.append(self._literal(text[at : found.start()]))
            pieces.append(self._variable(self._names[found.group()]))
            at = found.end()
        if at < len(text) or not pieces:
            pieces.append(self._literal(text[at:]))
        return self._joint.join(pieces)


def _pair() -> str:
    return f'(os.environ["{USERNAME}"], os.environ["{SECRET}"])'


def _has_type(request: Request) -> bool:
    return any(name.lower() == "content-type" for name, _ in request.headers)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
