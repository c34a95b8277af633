"""The composer's form: made from an operation's description, read back into what a call is made from."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from config.clock import utc
from outbound.operations.registry import in_time
from outbound.operations.types import CallInput, Operation, Param, Problem
from outbound.readers import times
from outbound.readers.times import NoTime
from outbound.request.param_values import WrongValue, parsed, read
from outbound.saved.variables import loose

NOW = "{now}"
BLANK_ROWS = 2
NAMED = ("object", "files")  # kinds that have names with values
MOST_ROWS = 20  # an object with more names is shown as JSON

Form = MultiDict[str, str]


@dataclass(frozen=True)
class Field:
    """One parameter as it stands in the form: `rows` of an object, its `json`, or else its `value`; of files that came
    along, `kept` are part, name and bytes."""

    param: Param
    value: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    json: str = ""
    kept: tuple[tuple[str, str, int], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def choices(self) -> list[tuple[str, str]]:
        """List what a parameter of few values offers: the value and its word."""
        usual = {"bool": ("true", "false"), "flag": ("1", "0")}.get(self.param.kind, ())
        words = {"true": "yes", "false": "no"} if self.param.kind == "bool" else {}
        return [(value, words.get(value, value)) for value in self.param.choices or usual]

    @property
    def moment(self) -> str:
        return moment_of(self.value)

    @property
    def is_wrong(self) -> bool:
        return any(problem.level != "note" for problem in self.problems)


def moment_of(typed: str) -> str:
    """Write a time, however it was typed, as people read it; empty where it is none."""
    try:
        return utc(times.milliseconds(typed))
    except NoTime:
        return ""


def moments(operation: Operation, form: Form) -> dict[str, str]:
    """Return the times of a form as people read them, by their parameters."""
    asked = [param.name for param in operation.asked if param.kind == "time"]
    return {name: moment_of(form.get(f"p.{name}", "")) for name in asked}


def given_of(operation: Operation, form: Form) -> CallInput:
    """Read what was typed. JSON that cannot be read stays a text, so that its problem is found where all others are."""
    params = {param.name: value for param in operation.asked if (value := _typed(param, form)) not in (None, "")}
    body = form.get("body", "").strip()
    return CallInput(params, body or None)


def _typed(param: Param, form: Form) -> Any:
    if param.kind not in NAMED:
        return form.get(f"p.{param.name}", "").strip("\r\n") if form.get(f"p.{param.name}", "").strip() else None
    text = form.get(f"j.{param.name}", "").strip()
    pairs = zip(form.getlist(f"k.{param.name}"), form.getlist(f"v.{param.name}"), strict=False)
    rows = {name.strip(): loose(value) for name, value in pairs if name.strip()}
    if not text:
        return rows or None
    try:
        found = parsed(text)
    except WrongValue:
        return text
    return found | rows if isinstance(found, dict) else text


def fields(operation: Operation, form: Form, problems: Sequence[Problem], more_rows: str = "") -> list[Field]:
    """Every field as it was typed, with what is wrong beside it."""
    return [_field(param, form, tuple(_of(f"params.{param.name}", problems)), more_rows) for param in operation.asked]


def _field(param: Param, form: Form, problems: tuple[Problem, ...], more_rows: str) -> Field:
    if param.kind == "files":
        return Field(param, json=form.get(f"j.{param.name}", ""), kept=_kept(form, param), problems=problems)
    if param.kind != "object":
        return Field(param, form.get(f"p.{param.name}", ""), problems=problems)
    names, values = form.getlist(f"k.{param.name}"), form.getlist(f"v.{param.name}")
    typed = tuple((name, value) for name, value in zip(names, values, strict=False) if name or value)
    blank = BLANK_ROWS if not typed else 1
    rows = (*typed, *[("", "")] * (blank + (more_rows == param.name)))
    return Field(param, rows=rows, json=form.get(f"j.{param.name}", ""), problems=problems)


def _kept(form: Form, param: Param) -> tuple[tuple[str, str, int], ...]:
    try:
        found = read(param, form.get(f"j.{param.name}") or {})
    except WrongValue:
        return ()
    return tuple((part, file.name, len(file.content)) for part, file in found.items())


def with_files(operation: Operation, form: Form, uploads: MultiDict[str, FileStorage]) -> Form:
    """The form with the files that came with it put beside those of an earlier request, without what was dropped."""
    found: Form = MultiDict(form)
    for param in operation.asked:
        if param.kind == "files":
            found[f"j.{param.name}"] = _joined(param, form, uploads)
    return found


def _joined(param: Param, form: Form, uploads: MultiDict[str, FileStorage]) -> str:
    text = form.get(f"j.{param.name}", "").strip()
    try:
        known = parsed(text) if text else {}
    except WrongValue:
        return text
    dropped = form.getlist(f"d.{param.name}")
    kept = {part: file for part, file in known.items() if part not in dropped} if isinstance(known, dict) else {}
    parts = zip(form.getlist(f"k.{param.name}"), uploads.getlist(f"u.{param.name}"), strict=False)
    for place, (part, file) in enumerate(parts):
        if file.filename:
            content = base64.b64encode(file.read()).decode()
            kept[part.strip() or f"file{place or ''}"] = {"name": file.filename, "base64": content}
    return json.dumps(kept) if kept else ""


def _of(field: str, problems: Sequence[Problem]) -> Iterator[Problem]:
    return (
        problem
        for problem in problems
        if problem.field == field or problem.field.startswith((f"{field}.", f"{field}["))
    )


def elsewhere(operation: Operation, problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    """The problems of the body, and those that no field is to blame for."""
    shown = {id(problem) for param in operation.asked for problem in _of(f"params.{param.name}", problems)}
    rest = [problem for problem in problems if id(problem) not in shown]
    body = [problem for problem in rest if problem.field.startswith("body")]
    return body, [problem for problem in rest if not problem.field.startswith("body")]


def form_of(operation: Operation, given: CallInput) -> Form:
    """A form that was filled in with these values."""
    form: Form = MultiDict()
    whole = next((param for param in operation.asked if param.place == "body"), None)
    for name, value in _with_body(operation, given).items():
        param = operation.param(name)
        if param is not None and not param.fixed:
            _fill(form, param, value)
    if whole is not None and isinstance(given.body, str):
        form[f"p.{whole.name}"] = given.body
    elif operation.body in {"records", "json"} and given.body not in (None, "", []):
        form["body"] = (
            given.body if isinstance(given.body, str) else json.dumps(given.body, indent=2, ensure_ascii=False)
        )
    return form


def _with_body(operation: Operation, given: CallInput) -> dict[str, Any]:
    """The parameters, with what a body of further fields says."""
    if operation.body == "form" and operation.record is None and isinstance(given.body, dict):
        return given.params | given.body
    if operation.body == "raw" and given.body not in (None, "", []):
        return given.params | {"text" if isinstance(given.body, str) else "json": given.body}
    return given.params


def _fill(form: Form, param: Param, value: Any) -> None:
    if param.kind == "object" and isinstance(value, dict):
        if len(value) > MOST_ROWS or any(isinstance(part, dict) for part in value.values()):
            form[f"j.{param.name}"] = json.dumps(value, indent=2, ensure_ascii=False)
            return
        for name, part in value.items():
            form.add(f"k.{param.name}", name)
            form.add(f"v.{param.name}", _written(part))
        return
    place = "j" if param.kind in NAMED else "p"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        form[f"{place}.{param.name}"] = "\n".join(value)
    else:
        form[f"{place}.{param.name}"] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _written(value: Any) -> str:
    """The text that `loose` reads as this value."""
    if isinstance(value, str) and loose(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def defaults(operation: Operation, now: int) -> Form:
    """Fill in a form that nobody has touched. What is shown is what is sent, so a time is fixed with it."""
    there = [
        param for param in operation.asked if param.default == NOW or (param.required and param.default is not None)
    ]
    known = {param.name: in_time(param.default, now) for param in there}
    return form_of(operation, CallInput(known))
