"""`{{token}}` and the like in a raw request: the project's own values, put in when the request is made. What is kept of
a call has the placeholder; what is shown of the request has credentials masked."""

import re
from collections.abc import Mapping
from typing import Any

from outbound.operations.types import Problem
from outbound.projects import Credentials, Project
from outbound.request.param_values import File

ANY = re.compile(r"\{\{(\w{1,40})\}\}")
_BYTES = re.compile(rb"\{\{(\w{1,40})\}\}")
CREDENTIALS = ("token", "username", "secret")
SETTLED = ("project_id", "workspace_id", "region")
OWN = (*CREDENTIALS, *SETTLED)
FILLED = ("url", "query", "headers", "json", "form", "text", "files", "name")


def known(project: Project, credentials: Credentials) -> dict[str, str]:
    """Return what each stands for; empty where the project does not have it."""
    return {
        "token": credentials.token,
        "username": credentials.username,
        "secret": credentials.secret,
        "project_id": project.mixpanel_project_id,
        "workspace_id": project.workspace_id or "",
        "region": project.region,
    }


class Filler:
    """Fills values in, and says what it could not."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words
        self._field = ""
        self.problems: list[Problem] = []

    def fill(self, values: dict[str, Any]) -> None:
        for name in FILLED:
            if name in values:
                self._field = f"params.{name}"
                values[name] = self._filled(values[name])

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return ANY.sub(lambda found: self._word(found[1], found[0]), value)
        if isinstance(value, dict):
            return {self._filled(name): self._filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, File):
            return File(value.name, _BYTES.sub(self._of_bytes, value.content))
        return value

    def _of_bytes(self, found: re.Match[bytes]) -> bytes:
        return self._word(found[1].decode("utf-8", "replace"), found[0].decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )

    def _word(self, name: str, written: str) -> str:
        word = self._words.get(name)
        if word is None:
            self._say("note", f"{written} stands for nothing here, and is sent as it is.")
            return written
        if not word:
            self._say("error", f"The project has nothing for {written}.")
        return word

    def _say(self, level: Any, message: str) -> None:
        problem = Problem(level, self._field, message)
        if problem not in self.problems:
            self.problems.append(problem)
