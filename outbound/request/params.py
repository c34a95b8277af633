"""What a caller gave, read: every parameter by its kind, with what is wrong beside it."""

import difflib
from dataclasses import dataclass, field
from typing import Any

from outbound.operations.registry import in_time
from outbound.operations.types import CallInput, Operation, Param, Problem
from outbound.request.param_values import WrongValue, is_missing, read


@dataclass
class Values:
    """`found` by Mixpanel's name; `problems` for what cannot be read."""

    found: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def values_of(operation: Operation, given: CallInput, now: int, *, from_params: bool) -> Values:
    """Return every parameter's value. `from_params` says that the body is made from them too, so that those of a record
    have to be there."""
    values = Values()
    asked = _by_param(operation, given, values)
    for param in operation.params:
        of_record = param.place in {"record", "properties", "body"}
        if of_record and not from_params:
            continue
        value = asked.get(param.name)
        if param.fixed or is_missing(value):
            value = in_time(param.default, now)
        if is_missing(value) and not (param.fixed and value == ""):
            if _is_needed(param, asked):
                values.problems.append(_wrong(param, f"{param.words} is missing."))
            if is_missing(asked.get(param.name)) and param.name in asked and param.kind == "text" and of_record:
                values.found[param.name] = asked[param.name]  # nobody is "", and that is an answer
            continue
        _take(values, param, value)
    return values


def _is_needed(param: Param, asked: dict[str, Any]) -> bool:
    """Tell whether the parameter has to be there. An event's `distinct_id` may be given as empty: such an event is
    nobody's (mixpanel-facts 4.1)."""
    nobody = param.name == "distinct_id" and param.place == "properties" and asked.get(param.name) == ""
    return param.required and not nobody


def _take(values: Values, param: Param, value: Any) -> None:
    if param.fixed:
        values.found[param.name] = value
        return
    try:
        values.found[param.name] = read(param, value)
    except WrongValue as error:
        values.problems.append(_wrong(param, str(error)))


def _by_param(operation: Operation, given: CallInput, values: Values) -> dict[str, Any]:
    """Return what was given, under Mixpanel's names."""
    asked: dict[str, Any] = {}
    for name, value in given.params.items():
        param = operation.param(name)
        if param is None:
            values.problems.append(Problem("error", f"params.{name}", _unknown(operation, name)))
        elif param.fixed:
            if not is_missing(value) and param.default is not None and not _is_default(param, value):
                values.problems.append(_wrong(param, f"It is always sent as {param.default}."))
        else:
            asked[param.name] = value
    return asked


def _is_default(param: Param, value: Any) -> bool:
    try:
        return str(read(param, value)) == str(param.default)
    except WrongValue:
        return False


def _unknown(operation: Operation, name: str) -> str:
    known = [param.name for param in operation.asked]
    near = difflib.get_close_matches(name, known, 1)
    return f"{operation.id} has no such parameter. " + (
        f"Did you mean {near[0]}?" if near else f"It has: {', '.join(known)}."
    )


def _wrong(param: Param, message: str) -> Problem:
    return Problem("error", f"params.{param.name}", message)
