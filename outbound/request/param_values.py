"""What callers give for a parameter, read by its kind: from JSON, or from the text of a form or the terminal."""

import base64
import csv
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from outbound import json_depth
from outbound.operations.types import Param
from outbound.readers import times
from outbound.readers.times import NoTime

MOST_FILE_BYTES = 10 * 1024 * 1024
_LINE = re.compile(r"\A([\w-]+): *(.*)")
MOST_DIGITS = 4300  # of a whole number that Python reads
MARK = "\ufeff"  # as some editors begin a text
HALF = "It holds half a character (a lone surrogate), which can be neither sent nor kept."
YES, NO = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class WrongValue(ValueError):
    """The value is none of its kind; the message says what would be."""


@dataclass(frozen=True)
class File:
    """A file as it is sent: its name, and its bytes."""

    name: str
    content: bytes


def is_missing(value: Any) -> bool:
    """Tell whether nothing was given: an empty text, list or object says nothing."""
    return value is None or value in ("", [], {})


def read(param: Param, value: Any) -> Any:
    """Return the value as its kind. Raises WrongValue."""
    return _READERS[param.kind](param, value)


def wire(param: Param, value: Any) -> list[tuple[str, str]]:
    """Return how it stands in a query or a form: one pair, or one for each element of a list that is not JSON text."""
    if isinstance(value, list) and not param.encoded:
        return [(param.name, str(item)) for item in value]
    return [(param.name, as_text(value))]


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parsed(given: str) -> Any:
    """JSON that can be kept and sent on, with or without a mark before it. Raises WrongValue, with the line and column
    at which it ends to be any."""
    given = given.removeprefix(MARK)
    if json_depth.is_too_deep(given):
        raise WrongValue(json_depth.TOO_DEEP)
    try:
        found = json.loads(
            given, object_pairs_hook=_without_twins, parse_constant=_refuse_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        raise WrongValue(f"Not valid JSON: line {error.lineno}, column {error.colno}: {_reason(error)}.") from None
    except WrongValue:
        raise
    except ValueError:
        raise WrongValue(f"A number in it has more than {MOST_DIGITS:,} digits.") from None
    if not is_whole(given) or ("\\ud" in given.lower() and not is_whole(json.dumps(found, ensure_ascii=False))):
        raise WrongValue(HALF)
    return found


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WrongValue("A name stands twice in an object, so that one of the values would be lost.")
    return found


def _refuse_constant(name: str) -> None:
    """NaN and Infinity are no JSON, and would leave as null."""
    raise WrongValue(f"Not valid JSON: {name} is not a number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise WrongValue(f"Not valid JSON: {text[:40]} is larger than any number.")
    return number


def is_whole(text: str) -> bool:
    """Tell whether there is no half of a character in it (a lone surrogate), which nothing can send on or keep."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _reason(error: json.JSONDecodeError) -> str:
    return error.msg[0].lower() + error.msg[1:]


def _text(param: Param, value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise WrongValue("It must be a text.")
    text = str(value)
    if "\0" in text:
        raise WrongValue("It must not hold a NUL.")
    if not is_whole(text):
        raise WrongValue(HALF)
    if param.most is not None and len(text) > param.most:
        raise WrongValue(f"It has at most {param.most} characters.")
    return text


def _whole(param: Param, value: Any) -> int:
    try:
        number = int(str(value).strip()) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None:
        raise WrongValue("It must be a whole number.")
    _within(param, number)
    return number


def _is_finite(number: float) -> bool:
    return isinstance(number, int) or math.isfinite(number)


def _within(param: Param, number: float) -> None:
    if param.least is not None and number < param.least:
        raise WrongValue(f"It must be {param.least} or more.")
    if param.most is not None and number > param.most:
        raise WrongValue(f"It must be {param.most:,} or less.")


def _number(param: Param, value: Any) -> float:
    try:
        number = parsed(value) if isinstance(value, str) else value
    except WrongValue:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not _is_finite(number):
        raise WrongValue("It must be a number.")
    _within(param, number)
    return number


def _bool(param: Param, value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in YES | NO:
        raise WrongValue("It must be true or false.")
    if param.choices and str(word in YES).lower() not in param.choices:
        raise WrongValue(f"It can only be {param.choices[0]} here. {param.help}")
    return word in YES


def _flag(param: Param, value: Any) -> str:
    return "1" if _bool(param, value) else "0"


def _choice(param: Param, value: Any) -> str:
    word = "true" if value is True else "false" if value is False else str(value)
    if word not in param.choices:
        raise WrongValue(f"It must be one of {', '.join(param.choices)}.")
    return word


def _date(_param: Param, value: Any) -> str:
    try:
        return date.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        raise WrongValue("It must be a day, as 2026-11-24.") from None


def _time(_param: Param, value: Any) -> float | int:
    """Return seconds or milliseconds since 1970; milliseconds where whole seconds would lose some."""
    try:
        found = times.milliseconds(value)
        if isinstance(value, int | float):
            return value
    except NoTime as error:
        raise WrongValue(str(error)) from None
    return found // 1000 if found % 1000 == 0 and not _is_long(value) else found


def _is_long(value: Any) -> bool:
    """Tell whether it counts in less than seconds, as it is to stay."""
    word = str(value).strip()
    return word.isdigit() and int(word) >= times.MILLISECONDS


def _list(param: Param, value: Any) -> list[Any]:
    if isinstance(value, str):
        value = parsed(value) if value.lstrip().startswith("[") else _listed(value)
    found: list[Any] = value if isinstance(value, list) else [value]
    if any(isinstance(item, dict | list) for item in found):
        raise WrongValue("It must be a list of texts.")
    if param.choices and not set(map(str, found)) <= set(param.choices):
        raise WrongValue(f"Each must be one of {', '.join(param.choices)}.")
    if not (param.least or 0) <= len(found) <= (param.most or len(found)):
        many = f"exactly {param.least}" if param.least == param.most else f"{param.least} to {param.most}"
        raise WrongValue(f"It has {many} elements.")
    return found


def _listed(value: str) -> list[str]:
    """Lines, or one line with commas between (quotes keep a comma)."""
    lines = [line.strip() for line in value.strip().splitlines() if line.strip()]
    return lines if len(lines) > 1 else [one.strip() for one in next(csv.reader(lines), []) if one.strip()]


def _object(_param: Param, value: Any) -> dict[str, Any]:
    """Read an object: as JSON, as a list of `{"key", "value"}`, or as lines of `Name: value` (seeds/003)."""
    if isinstance(value, str):
        value = _of_lines(value) or parsed(value)
    if isinstance(value, list) and all(isinstance(item, dict) and set(item) == {"key", "value"} for item in value):
        return _keyed(value)
    if not isinstance(value, dict):
        raise WrongValue('It must be an object, as {"name": "value"}.')
    return value


def _of_lines(text: str) -> list[dict[str, str]]:
    """Pairs, where each line is one as headers are written; else none."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_LINE.fullmatch(line) for line in lines]
    return [{"key": item[1], "value": item[2]} for item in found if item] if all(found) else []


def _keyed(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    names = [as_text(pair["key"]) for pair in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WrongValue(f"{twice} is there twice; of two equal names one would be lost.")
    return {name: pair["value"] for name, pair in zip(names, pairs, strict=True)}


def _files(param: Param, value: Any) -> dict[str, File]:
    """Return contents by name: a text, or `{"base64": …, "name": …}` for any bytes."""
    found = {name: _file(name, inner) for name, inner in _object(param, value).items()}
    if sum(len(item.content) for item in found.values()) > MOST_FILE_BYTES:
        raise WrongValue(f"The files are larger than {MOST_FILE_BYTES // 1024 // 1024} MB together.")
    return found


def _file(name: str, given: Any) -> File:
    if not isinstance(given, dict) or "base64" not in given:
        return File(name, as_text(given).encode("utf-8", "replace"))
    try:
        content = base64.b64decode(str(given["base64"]), validate=True)
    except ValueError:
        raise WrongValue(f"The content of {name} is no base64.") from None
    return File(str(given.get("name") or name), content)


def _json(_param: Param, value: Any) -> Any:
    return parsed(value) if isinstance(value, str) else value


_READERS: dict[str, Callable[[Param, Any], Any]] = {
    "text": _text,
    "code": _text,
    "whole": _whole,
    "number": _number,
    "flag": _flag,
    "bool": _bool,
    "choice": _choice,
    "date": _date,
    "time": _time,
    "list": _list,
    "object": _object,
    "files": _files,
    "json": _json,
}
