"""`flask send`: one call to Mixpanel from the terminal, and the truth about what it did."""

import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from commands.exit_codes import DONE, NOT_ALL, STOPPED
from commands.output import send_to
from commands.projects import find
from commands.saved_runs import Chosen, run_all
from commands.terminal import warn_where_it_goes
from models.encryption import DecryptionError
from outbound import send
from outbound.operations import registry
from outbound.operations.types import CallInput, Operation, Problem
from outbound.readers.encoded import whole
from outbound.readers.errors import UnreadableFile
from outbound.request.compose import address, masked, readable
from outbound.saved.runs import RunOptions
from outbound.send import PreparedCall
from runtime import current_runtime
from security.audit import TERMINAL


def _pairs(_context: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    wrong = next((item for item in given if "=" not in item), None)
    if wrong is not None:
        raise click.BadParameter(f"{wrong!r} is no k=v")
    return dict(item.split("=", 1) for item in given)


@click.command("send")
@click.argument("operation_id", metavar="OPERATION", required=False)
@click.option("--project", "name", help="Which project: its name with us.")
@click.option("--param", "params", multiple=True, callback=_pairs, metavar="k=v", help="A parameter; any number.")
@click.option("--body", help="JSON or CSV; @file reads it from a file, - or @- from standard input.")
@click.option(
    "--file", "files", multiple=True, callback=_pairs, metavar="PART=PATH", help="A file to upload; any number."
)
@click.option("--output", metavar="FILE", help="Write the whole answer to a file, or - to standard output.")
@click.option("--force", is_flag=True, help="Send although our checks advise against it.")
@click.option("--check", "check_only", is_flag=True, help="Show the request and what our checks say; send nothing.")
@click.option("--saved", multiple=True, metavar="NAME", help="Run a saved request; any number.")
@click.option("--folder", help="Run all saved requests of a folder.")
@click.option("--set", "sets", multiple=True, callback=_pairs, metavar="NAME=VALUE", help="A variable's value.")
@click.option("--expect", "expects", multiple=True, metavar="CHECK", help="A further check, as 'status = 200'.")
@click.option("--junit", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write JUnit's XML.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def command(
    operation_id: str | None,
    *,
    name: str | None,
    params: dict[str, str],
    body: str | None,
    files: dict[str, str],
    output: str | None,
    force: bool,
    check_only: bool,
    as_json: bool,
    **saved: Any,
) -> None:
    """Make one call of Mixpanel's: OPERATION is an id such as import-events (flask operations lists them).

    Ends with 0 where Mixpanel accepted all of it, 4 where it did not, 3 where our own checks stopped it. With --saved
    or --folder saved requests are run: 0 where every check holds, else 1 with the reason.
    """
    given = bool(operation_id or params or body or files or output or check_only)
    if saved["saved"] or saved["folder"] is not None:
        raise SystemExit(_run_saved(name, given=given, force=force, as_json=as_json, **saved))
    if not (operation_id and name) or saved["sets"] or saved["expects"] or saved["junit"]:
        raise click.UsageError("Name an OPERATION and a --project, or a --saved request; checks are for those.")
    operation = _operation(operation_id)
    try:
        call = send.ready(current_runtime(), find(name), operation, CallInput(params | _files(files), _body(body)))
    except DecryptionError as error:
        raise click.ClickException(f"{error}. Give them again: flask projects change {name}") from None
    stops = call.composed.stops(force=force)
    if check_only:
        _show_request(call, as_json=as_json)
    elif stops:
        _show_problems(stops, as_json=as_json)
    if stops:
        raise SystemExit(STOPPED)
    if output and not check_only:
        raise SystemExit(DONE if send_to(call, output, as_json=as_json) else NOT_ALL)
    if not check_only:
        _send(call, as_json=as_json)


def _run_saved(name: str | None, *, given: bool, force: bool, as_json: bool, **saved: Any) -> int:
    if given:
        raise click.UsageError("A saved request has its own operation, parameters and body; --set fills in variables.")
    options = RunOptions(saved["sets"], saved["expects"], force)
    chosen = Chosen(saved["saved"], saved["folder"], name or "", options)
    return run_all(chosen, saved["junit"], as_json=as_json)


def _operation(key: str) -> Operation:
    found = registry.find(key)
    if found is None:
        raise click.ClickException(f"There is no operation {key}. See: flask operations")
    return found


def _body(given: str | None) -> Any:
    if given is None:
        return None
    name = given[1:] if given.startswith("@") else given
    if name != "-" and name is given:
        return given
    try:
        return whole(io.BytesIO(sys.stdin.buffer.read()) if name == "-" else Path(name))
    except OSError as error:
        raise click.ClickException(f"{name} cannot be read: {error.strerror}.") from None
    except UnreadableFile as error:
        raise click.ClickException(f"{name} cannot be read. {error}") from None


def _files(given: dict[str, str]) -> dict[str, Any]:
    """Return the parameter `files`, with what is in them."""
    found = {}
    for part, path in given.items():
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise click.ClickException(f"{path} cannot be read: {error}") from None
        found[part] = {"name": Path(path).name, "base64": base64.b64encode(content).decode()}
    return {"files": found} if found else {}


def _send(call: PreparedCall, *, as_json: bool) -> None:
    warn_where_it_goes(as_json=as_json)
    delivery, outcome = send.send(current_runtime(), call, TERMINAL, "terminal")
    if as_json:
        click.echo(json.dumps(send.as_json(delivery, outcome, call.mask), ensure_ascii=False))
    else:
        for problem in call.composed.problems:
            click.echo(f"{problem.level}  {problem.field}: {problem.message}", err=True)
        tries = "first try" if outcome.attempts == 1 else f"{outcome.attempts} tries"
        click.echo(f"{outcome.verdict}: {outcome.words} ({outcome.took} ms, {tries}, delivery {delivery})")
        for record in outcome.failed_records:
            click.echo(f"  record {record.index + 1}  {record.field or ''}  {record.message}")
        if outcome.answer is not None:
            click.echo(call.mask(readable(outcome.answer.text)))
    raise SystemExit(DONE if outcome.verdict == "accepted" else NOT_ALL)


def _show_problems(stops: list[Problem], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"problems": [vars(problem) for problem in stops]}, ensure_ascii=False))
        return
    for problem in stops:
        click.echo(f"{problem.level}  {problem.field}: {problem.message}", err=True)
    if all(problem.level == "advice" for problem in stops):
        click.echo("Nothing was sent. --force sends it all the same.", err=True)


def _show_request(call: PreparedCall, *, as_json: bool) -> None:
    composed = call.composed
    if as_json:
        shown = None if composed.request is None else _masked(call)
        click.echo(json.dumps({"request": shown, "problems": [vars(problem) for problem in composed.problems]}))
        return
    if composed.request is not None:
        click.echo(f"{composed.request.method} {call.mask(address(composed.request))}")
        click.echo(readable(_masked(call)["body"]))
    for problem in composed.problems:
        click.echo(f"{problem.level}  {problem.field}: {problem.message}", err=True)


def _masked(call: PreparedCall) -> dict[str, Any]:
    return masked(call.composed.outgoing, call.mask)


@click.command("operations")
@click.argument("operation_id", metavar="[OPERATION]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def list_command(operation_id: str | None, *, as_json: bool) -> None:
    """Every call of Mixpanel that can be made, or the parameters of one."""
    found = [_operation(operation_id)] if operation_id else list(registry.OPERATIONS.values())
    if as_json:
        click.echo(json.dumps([registry.described(operation) for operation in found], ensure_ascii=False))
        return
    for operation in found:
        click.echo(f"{operation.id:<36} {operation.name}")
    if operation_id:
        operation = found[0]
        click.echo(f"\n{operation.words}{' ' + operation.note if operation.note else ''}\n")
        for param in operation.asked:
            click.echo(f"  {param.name:<18} {param.kind:<7} {'required  ' if param.required else ''}{param.help}")
