"""The request as it would leave, with what the checks say of it: the right half of the composer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from blueprints import urls
from blueprints.outbound import body_files, forms
from blueprints.outbound.forms import Form
from config.clock import DAY
from models.encryption import DecryptionError
from outbound import send
from outbound.operations.types import CallInput, Operation, Problem
from outbound.projects import Project
from outbound.request import snippets
from outbound.request.compose import masked
from outbound.result.response import whole
from outbound.saved import requests, runs
from outbound.saved.variables import filled, values_for
from outbound.send import PreparedCall
from outbound.transport import budget
from runtime import current_runtime

LONGEST_LOOK = DAY
NAMED_LINES = 5


@dataclass(frozen=True)
class Composed:
    """What the composer works on: the projects there are, the one that is chosen, the call, and the form."""

    projects: list[Project]
    project: Project | None
    operation: Operation
    form: Form
    who: str = ""  # the person that the form was filled in for
    is_new: bool = False  # a preview is made of it, of this moment

    @property
    def at(self) -> int:
        """When the preview was made that somebody looks at, milliseconds since 1970: what is sent depends on the same
        moment."""
        now = current_runtime().clock()
        seen = whole(self.form.get("at", ""))
        return now if self.is_new or seen is None or not now - LONGEST_LOOK <= seen <= now else seen


def ready(typed: Composed) -> tuple[PreparedCall | None, str]:
    """The call, or why there is none."""
    if typed.project is None:
        return None, "There is no project to send to yet." if not typed.projects else "Choose a project."
    try:
        given, problems = _with_variables(typed, typed.project)
        then = replace(current_runtime(), clock=lambda: typed.at)
        call = send.ready(then, typed.project, typed.operation, given)
        return runs.with_problems(call, problems), ""
    except DecryptionError:
        return None, "The project's credentials cannot be read with this SECRET_KEY. Give them again."


def _with_variables(typed: Composed, project: Project) -> tuple[CallInput, list[Problem]]:
    """Read what was typed; where a saved request is open, with its variables filled in."""
    given, number = forms.given_of(typed.operation, typed.form), urls.key(typed.form.get("saved", ""))
    given, wrong = body_files.with_body(typed.operation, typed.form, given)
    runtime = current_runtime()
    saved = runtime.database.read(lambda db: requests.by_id(db, number), one_statement=True) if number else None
    if saved is None:
        return given, wrong
    given, problems = filled(typed.operation, given, values_for(saved.variables, project, typed.at, {}))
    return given, [*wrong, *problems]


def preview_of(typed: Composed) -> dict[str, Any]:
    """Return what the request's side of the composer shows."""
    call, hindrance = ready(typed)
    found: dict[str, Any] = {"typed": typed, "operation": typed.operation, "hindrance": hindrance, "call": call}
    problems: list[Problem] = [] if call is None else _once(call.composed.problems, call.composed.lines)
    missing = [problem.field.removeprefix("params.") for problem in problems if _is_missing(problem)]
    body, rest = forms.elsewhere(typed.operation, problems)
    words = [param.words for name in missing if (param := typed.operation.param(name))]
    found |= {
        "at": typed.at,
        "moments": forms.moments(typed.operation, typed.form),
        "stops": [_stop(typed.operation, problem) for problem in problems if problem.level != "note"],
        "only_advice": call is not None and call.composed.request is not None,
        "problems": problems,
        "missing": words,
        "is_missing": _is_missing,
        "body_problems": body,
        "other_problems": rest,
        "left": _left(typed),
    }
    if call is None or call.composed.request is None:
        return found | {"shown": None, "copies": []}
    given = call.composed.given
    ways = [
        ("curl", snippets.as_curl(call.composed, call.credentials)),
        ("Python", snippets.as_python(call.composed, call.credentials)),
        ("flask send", snippets.as_command(call.project.name, typed.operation, given)),
    ]
    return found | {
        "shown": masked(call.composed.request, call.mask),
        "copies": [(word, call.mask(snippet)) for word, snippet in ways],
    }


@dataclass(frozen=True)
class Stop:
    """What keeps a request from being sent, in words that go on after `Not sent: `; `place` is the id of its field."""

    words: str
    place: str = ""


def _stop(operation: Operation, problem: Problem) -> Stop:
    name, message = problem.field.removeprefix("params."), problem.message
    param = operation.param(name.partition(".")[0])
    if param is not None:
        label, place = param.words, f"f-{param.name.replace('$', '')}"
    else:
        label, place = ("body", "body") if name.startswith("body") else ("", "project" * (name == "project"))
    label = label[:1].lower() + label[1:]
    if label and message.startswith("It "):
        return Stop(f"{label} {message.removeprefix('It ')}", place)
    is_named = message.lower().startswith(f"{label} ")
    return Stop((label + message[len(label) :]) if is_named else f"{label}: {message}" if label else message, place)


def _is_missing(problem: Problem) -> bool:
    return problem.level == "error" and problem.field.startswith("params.") and problem.message.endswith("is missing.")


def _once(problems: Sequence[Problem], lines: Sequence[int]) -> list[Problem]:
    """Each thing once: nothing more about a field that is missing, and what many records share with their number, or
    with the lines on which they stand."""
    missing = {problem.field for problem in problems if _is_missing(problem)}
    found: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        if problem.field not in missing or _is_missing(problem):
            key = (problem.message, problem.field if problem.index is None else problem.field.partition("]")[2])
            found.setdefault(key, []).append(problem)
    return [_together(same, lines) for same in found.values()]


def _together(same: list[Problem], lines: Sequence[int]) -> Problem:
    """One problem of all that are the same, which says where they are."""
    first = same[0]
    places = [lines[one.index] for one in same if one.index is not None and one.index < len(lines)]
    if places and first.level != "note":
        named, more = places[:NAMED_LINES], len(places) - NAMED_LINES
        where = f"{'Line' if len(places) == 1 else 'Lines'} {', '.join(map(str, named))}"
        return replace(first, message=f"{where}{f' and {more:,} more' if more > 0 else ''}: {first.message}")
    return replace(first, message=f"{first.message} So {len(same):,} records.") if len(same) > 1 else first


def _left(typed: Composed) -> list[budget.Left]:
    """Return what is left of the budget that the call counts towards."""
    runtime = current_runtime()
    family, project = typed.operation.budget, typed.project
    if family is None or project is None:
        return []
    found = runtime.database.read(lambda db: budget.left(db, project.mixpanel_project_id, runtime.clock()))
    return [limit for limit in found if limit.family == family]
