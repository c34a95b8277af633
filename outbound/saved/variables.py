"""`{{name}}` in a saved request: a value for each project, filled in when the request is made.

A text that is a variable and nothing else becomes the variable's value as JSON where it is that: `3` is a number, `"3"`
and `3 seats` are texts. Within a longer text it is written as it stands.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outbound.operations.registry import in_time
from outbound.operations.types import CallInput, Operation, Problem
from outbound.projects import Credentials, Project
from outbound.request import placeholders
from outbound.request.param_values import WrongValue, parsed

NAME = re.compile(r"[A-Za-z_]\w{0,39}")
LONGEST = 1000  # characters of a value
MOST = 50
ANY_PROJECT = ""
TIMES = ("now", "today", "month_ago")

Variables = dict[str, dict[str, str]]


class WrongVariable(ValueError):
    """What was given cannot be a variable."""


def loose(text: str) -> Any:
    """Return a value of JSON where the text is that, else the text. `3` is a number, `"3"` and `3 seats` are texts."""
    try:
        return parsed(text)
    except WrongValue:
        return text


def of_lines(text: str) -> Variables:
    """Read `name = value` and `name@project = value`, one a line. Raises WrongVariable."""
    found: Variables = {}
    for line in filter(str.strip, text.splitlines()):
        name, equals, value = line.partition("=")
        name, _, project = name.strip().partition("@")
        if not equals:
            raise WrongVariable(f"{line.strip()[:60]} is not name = value.")
        found.setdefault(name.strip(), {})[project.strip()] = value.strip()
    return checked(found)


def as_lines(variables: Variables) -> str:
    """Return what `of_lines` reads, sorted."""
    lines = [
        f"{name}{'@' if project else ''}{project} = {value}"
        for name, values in sorted(variables.items())
        for project, value in sorted(values.items())
    ]
    return "\n".join(lines)


def checked(variables: Variables) -> Variables:
    """Return them. Raises WrongVariable at the first that cannot be."""
    if len(variables) > MOST:
        raise WrongVariable(f"At most {MOST} variables.")
    for name, values in variables.items():
        if not NAME.fullmatch(name):
            raise WrongVariable(f"{name[:60]} is not a name: up to 40 letters, digits and _, and no digit first.")
        for value in values.values():
            if len(value) > LONGEST or not value.isprintable():
                raise WrongVariable(f"The value of {name} is longer than {LONGEST} characters, or cannot be printed.")
    return variables


def values_for(variables: Variables, project: Project, now: int, sets: Mapping[str, str]) -> dict[str, str]:
    """Return every variable's value: what was set for this run, else the project's, else that of all projects. The
    project's own id, workspace and region are there too, and times (`now` in milliseconds)."""
    known = placeholders.known(project, Credentials())
    own = {name: known[name] for name in placeholders.SETTLED if known[name]}
    times = {name: str(in_time(f"{{{name}}}", now)) for name in TIMES}
    chosen = {name: values.get(project.name, values.get(ANY_PROJECT)) for name, values in variables.items()}
    return own | times | {name: value for name, value in chosen.items() if value is not None} | dict(sets)


def in_use(given: CallInput) -> list[str]:
    """Return the names of the variables that stand in what is given, but for those that are always there."""
    written = json.dumps([given.params, given.body])
    return sorted(set(placeholders.ANY.findall(written)) - {*TIMES, *placeholders.OWN})


@dataclass
class Filling:
    """Fills variables in, and says which have no value and where. The `kept` ones are filled in by the project."""

    words: Mapping[str, str]
    kept: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)

    def within(self, value: Any, where: str) -> Any:
        """Return the same value with its variables filled in; `where` is its field."""
        if isinstance(value, str):
            whole = placeholders.ANY.fullmatch(value)
            return loose(self.text(value, where)) if whole and whole[1] in self.words else self.text(value, where)
        if isinstance(value, dict):
            return {self.text(name, where): self.within(inner, f"{where}.{name}") for name, inner in value.items()}
        if isinstance(value, list):
            return [self.within(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return value

    def text(self, text: str, where: str) -> str:
        return placeholders.ANY.sub(lambda found: self._word(found[1], found[0], where), text)

    def _word(self, name: str, written: str, where: str) -> str:
        if name in self.words:
            return self.words[name]
        if name not in self.kept:
            self._miss(written, where)
        return written

    def _miss(self, written: str, where: str) -> None:
        problem = Problem("error", where, f"{written} has no value. Give the variable one, or set it for this run.")
        if problem not in self.problems:
            self.problems.append(problem)


def filled(operation: Operation, given: CallInput, words: Mapping[str, str]) -> tuple[CallInput, list[Problem]]:
    """Return what was given with its variables filled in, and a problem for each that has no value. A raw request's
    `{{token}}` and the like stay, for the project to fill in."""
    filling = Filling(words, frozenset(placeholders.CREDENTIALS) if operation.body == "raw" else frozenset())
    params = {
        name: filling.text(value, f"params.{name}")
        if isinstance(value, str)
        else filling.within(value, f"params.{name}")
        for name, value in given.params.items()
    }
    return CallInput(params, _body(given.body, filling)), filling.problems


def _body(body: Any, filling: Filling) -> Any:
    """A text is filled in as the JSON that it is; where it only becomes JSON by its variables, as a text."""
    if not isinstance(body, str):
        return filling.within(body, "body")
    found = loose(body)
    return filling.text(body, "body") if isinstance(found, str) else json.dumps(filling.within(found, "body"))
