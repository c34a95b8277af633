"""What has to hold after a run: a status, a verdict, the time that it took, values in the answer. Pure.

An expectation is a line: `status = 200`, `verdict = accepted`, `ms <= 2000`, `answer.results[0].name = "Ada"`, or
`answer.results exists`. Names with other characters stand in brackets: `answer["a.b"]`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outbound.deliveries import VERDICTS
from outbound.request.param_values import WrongValue, parsed
from outbound.result.response import NotJSON, read

MOST = 50
LONGEST = 500  # characters of a line
SHOWN = 120  # characters of a value in a reason
STATUSES = range(100, 600)

_STEP = re.compile(r'\.([\w$-]++)|\[(\d{1,9})\]|\["((?:[^"\\]|\\.)*+)"\]')
_LINE = re.compile(
    r'(status|verdict|ms|answer(?:\.[\w$-]++|\[\d{1,9}\]|\["(?:[^"\\]|\\.)*+"\])*+)\s*+(<=|=|exists)\s*+(.*+)'
)
_PLAIN = re.compile(r"[\w$-]++")


class WrongExpectation(ValueError):
    """A line that says nothing that can be checked."""


@dataclass(frozen=True)
class Seen:
    """What a run came to: `status` is None where nobody answered, `answer` the text of the body."""

    verdict: str
    status: int | None
    took: int
    answer: str | None = None
    words: str = ""


@dataclass(frozen=True)
class Expectation:
    """One line. `what` is status, verdict, ms or answer; `path` leads to the value within the answer."""

    line: str
    what: str
    value: Any = None
    path: tuple[str | int, ...] = ()
    exists: bool = False


def of_lines(text: str) -> list[Expectation]:
    """Read expectations, one a line. Raises WrongExpectation."""
    return of_texts([line for line in text.splitlines() if line.strip()])


def of_texts(lines: Sequence[str]) -> list[Expectation]:
    """Read each line. Raises WrongExpectation."""
    if len(lines) > MOST:
        raise WrongExpectation(f"At most {MOST} checks.")
    return [of_line(line.strip()) for line in lines]


def of_line(line: str) -> Expectation:
    """Raises WrongExpectation."""
    found = _LINE.fullmatch(line) if len(line) <= LONGEST and line.isprintable() else None
    if found is None:
        raise WrongExpectation(f"{line[:60]} is not a check, such as status = 200 or answer.code = 200.")
    what, sign, value = found[1], found[2], found[3].strip()
    if what in {"status", "ms"}:
        return _number(line, what, sign, value)
    if what == "verdict":
        if sign != "=" or value not in VERDICTS:
            raise WrongExpectation(f"A verdict is = one of {', '.join(VERDICTS)}.")
        return Expectation(f"verdict = {value}", what, value)
    return _of_answer(what.removeprefix("answer"), sign, value)


def _number(line: str, what: str, sign: str, value: str) -> Expectation:
    wanted = "=" if what == "status" else "<="
    if sign not in {wanted, "="} or not (value.isascii() and value.isdigit() and len(value) < 10):  # noqa: PLR2004
        raise WrongExpectation(f"{line[:60]} is not a check, such as {what} {wanted} 200.")
    if what == "status" and int(value) not in STATUSES:
        raise WrongExpectation("A status is a number from 100 to 599.")
    return Expectation(f"{what} {wanted} {int(value)}", what, int(value))


def _of_answer(path: str, sign: str, value: str) -> Expectation:
    steps = tuple(_step(found) for found in _STEP.finditer(path))
    if sign == "exists" and not value:
        return Expectation(f"answer{path} exists", "answer", None, steps, exists=True)
    if sign != "=":
        raise WrongExpectation("A value of the answer is = something, or exists.")
    return Expectation(f"answer{path} = {value}", "answer", _value(value), steps)


def _step(found: re.Match[str]) -> str | int:
    name, index, quoted = found.groups()
    try:
        return int(index) if index else name or str(json.loads(f'"{quoted}"'))
    except ValueError:
        raise WrongExpectation(f"{found[0][:60]} is no name in an answer.") from None


def _value(text: str) -> Any:
    try:
        return parsed(text)
    except WrongValue:
        return text


def unmet(expectations: Sequence[Expectation], seen: Seen) -> list[str]:
    """Return a sentence for everything that does not hold. Where no line names a verdict or a status, the call has to
    be accepted."""
    wanted = list(expectations)
    if not any(one.what in {"verdict", "status"} for one in wanted):
        wanted.insert(0, Expectation("verdict = accepted", "verdict", "accepted"))
    return [reason for one in wanted if (reason := _reason(one, seen))]


def _reason(one: Expectation, seen: Seen) -> str:
    holds = {
        "status": lambda: seen.status == one.value,
        "verdict": lambda: seen.verdict == one.value,
        "ms": lambda: seen.took <= one.value,
    }
    if one.what == "answer":
        return _of_body(one, seen.answer)
    return "" if holds[one.what]() else _WRONG[one.what].format(one=one, seen=seen).strip()


_WRONG = {
    "status": "The status is {seen.status}, not {one.value}.",
    "verdict": "The verdict is {seen.verdict}, not {one.value}. {seen.words}",
    "ms": "It took {seen.took:,} ms, more than {one.value:,} ms.",
}


def _of_body(one: Expectation, answer: str | None) -> str:
    where = _written(one.path)
    try:
        value = read(answer or "") if one.path else _whole(answer)
        for step in one.path:
            value = _within(value, step)
    except NotJSON:
        return f"The answer is not JSON, so there is no {where}."
    except LookupError:
        return f"{where} is not in the answer."
    return "" if one.exists or _same(value, one.value) else f"{where} is {_short(value)}, not {_short(one.value)}."


def _within(value: Any, step: str | int) -> Any:
    """Raises LookupError where there is no such step."""
    if isinstance(step, int) and isinstance(value, list):
        return value[step]
    if isinstance(step, str) and isinstance(value, dict):
        return value[step]
    raise LookupError


def _whole(answer: str | None) -> Any:
    try:
        return read(answer or "")
    except NotJSON:
        return answer or ""


def _same(found: Any, wanted: Any) -> bool:
    """Whether both are the same JSON; 1 is not true."""
    return isinstance(found, bool) == isinstance(wanted, bool) and found == wanted


def _written(path: tuple[str | int, ...]) -> str:
    steps = [
        f"[{step}]" if isinstance(step, int) else f".{step}" if _PLAIN.fullmatch(step) else f"[{json.dumps(step)}]"
        for step in path
    ]
    return "answer" + "".join(steps)


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= SHOWN else written[:SHOWN] + "…"
