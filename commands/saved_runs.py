"""`flask send --saved`: saved requests run as tests, with a reason for each that fails and a JUnit file for CI."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import click

from commands.exit_codes import DONE, FAILED
from commands.terminal import warn_where_it_goes
from config.clock import SECOND
from config.printable import visible
from outbound import projects
from outbound.saved import expectations, requests, runs
from outbound.saved.expectations import WrongExpectation
from outbound.saved.requests import SavedRequest
from outbound.saved.runs import RunOptions, RunResult
from runtime import current_runtime
from security.audit import TERMINAL

SUITE = "cohort-relay"


@dataclass(frozen=True)
class Chosen:
    """Which saved requests are run, against which project (empty for each one's own), and how."""

    names: Sequence[str]
    folder: str | None
    project: str
    options: RunOptions


def run_all(chosen: Chosen, junit: Path | None, *, as_json: bool) -> int:
    """Run them one after the other and say what came of each; the number to end with."""
    _check_lines(chosen.options.checks)
    found = _found(chosen)
    warn_where_it_goes(as_json=as_json)
    results = [(saved, _run(saved, chosen)) for saved in found]
    for saved, result in results:
        click.echo(json.dumps(_as_json(saved, result), ensure_ascii=False) if as_json else _line(saved, result))
    if junit is not None:
        junit.write_bytes(as_junit(results))
    return DONE if all(result.passed for _saved, result in results) else FAILED


def _check_lines(lines: Sequence[str]) -> None:
    try:
        expectations.of_texts(lines)
    except WrongExpectation as error:
        raise click.BadParameter(str(error), param_hint="--expect") from None


def _found(chosen: Chosen) -> list[SavedRequest]:
    database = current_runtime().database
    found = [find(name) for name in chosen.names]
    if chosen.folder is not None:
        found += database.read(lambda db: requests.listed(db, folder=chosen.folder), one_statement=True)
        if not found:
            raise click.ClickException(f"There is no saved request in the folder {chosen.folder}.")
    return found


def find(name: str) -> SavedRequest:
    """Return the saved request of this name. Raises ClickException."""
    found = current_runtime().database.read(lambda db: requests.by_name(db, name), one_statement=True)
    if found is None:
        raise click.ClickException(f"There is no saved request {name}. See: flask saved list")
    return found


def _run(saved: SavedRequest, chosen: Chosen) -> RunResult:
    runtime, name = current_runtime(), chosen.project or saved.project
    project = runtime.database.read(lambda db: projects.by_name(db, name), one_statement=True)
    if project is None:
        missing = f"There is no project {name}." if name else "It names no project: give --project."
        return RunResult(passed=False, reason=missing)
    return runs.run(runtime, saved, project, TERMINAL, "terminal", chosen.options)


def _line(saved: SavedRequest, result: RunResult) -> str:
    word = "passed" if result.passed else "FAILED"
    call = f" ({result.took} ms, delivery {result.delivery})" if result.delivery else ""
    return f"{word}  {saved.name}{call}" + (f"\n  {result.reason}" if result.reason else "")


def _as_json(saved: SavedRequest, result: RunResult) -> dict[str, object]:
    told = {"saved": saved.name, "folder": saved.folder, "passed": result.passed, "reason": result.reason}
    if result.outcome is None or result.delivery is None:
        return told | {"delivery": None}
    known = result.outcome
    return told | {"delivery": result.delivery, "verdict": known.verdict, "status": known.status, "ms": result.took}


def as_junit(results: Sequence[tuple[SavedRequest, RunResult]]) -> bytes:
    """Return the results as JUnit's XML, which every CI shows: a test case for each request."""
    failed = sum(not result.passed for _saved, result in results)
    took = sum(result.took for _saved, result in results)
    counts = {"tests": str(len(results)), "failures": str(failed), "errors": "0", "time": _seconds(took)}
    suite = ET.Element("testsuite", {"name": SUITE} | counts)
    for saved, result in results:
        named = {"classname": _xml(saved.folder or SUITE), "name": _xml(saved.name), "time": _seconds(result.took)}
        case = ET.SubElement(suite, "testcase", named)
        if not result.passed:
            ET.SubElement(case, "failure", {"message": _xml(result.reason)}).text = _xml(result.reason)
    whole = ET.Element("testsuites", counts)
    whole.append(suite)
    ET.indent(whole)
    return bytes(ET.tostring(whole, encoding="utf-8", xml_declaration=True)) + b"\n"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / SECOND:.3f}"


def _xml(text: str) -> str:
    """Show what XML cannot hold: controls, and halves of characters."""
    return visible(text).encode("utf-8", "replace").decode()
