"""`flask people`: erase one person everywhere, and tell later that it was done."""

import json
from typing import Any

import click
from flask.cli import AppGroup

from commands.exit_codes import DONE, NOBODY, NOT_ALL
from config.clock import iso, utc
from destinations import erasure as destinations_erasure
from erasure import DataSubject, Erasure, InTheWay, NothingToErase, eraser
from erasure.labels import AGAIN, told
from models.database import DatabaseUnavailable
from runtime import current_runtime
from security.audit import TERMINAL

group = AppGroup("people", help="People: erase one everywhere.")


@group.command("erase")
@click.argument("project_id")
@click.argument("distinct_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erase(project_id: str, distinct_id: str, *, yes: bool, as_json: bool) -> None:
    """Erase the person DISTINCT_ID of Mixpanel's project PROJECT_ID everywhere, and print the proof."""
    person, of_runtime = DataSubject(project_id, distinct_id), eraser(current_runtime())
    try:
        if not yes:
            _ask(person)
        done = of_runtime.erase(person, TERMINAL)
    except NothingToErase:
        raise click.ClickException("Nothing of this person is stored, and nobody of this id was ever erased.") from None
    except InTheWay as error:
        raise click.ClickException(str(error)) from None
    except DatabaseUnavailable as error:
        again = "Ask again: the erasure goes on where it was."
        raise click.ClickException(f"The database did not answer: {error}. {again}") from None
    click.echo(json.dumps(_proof(done)) if as_json else _shown(done))


def _ask(person: DataSubject) -> None:
    """Tell what will be lost, and ask. Raises click.Abort at anything but yes."""
    sight = eraser(current_runtime()).look(person)
    if sight.in_the_way:
        raise InTheWay(sight.in_the_way)
    lines = [f"  {words}" for words in told(sight.counts)] or ["  nothing that is still there"]
    click.echo("\n".join(["This will be lost for good:", *lines, AGAIN]), err=True)
    click.confirm("Erase this person?", abort=True, err=True)


@group.command("erased")
@click.argument("project_id")
@click.argument("distinct_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erased(project_id: str, distinct_id: str, *, as_json: bool) -> None:
    """Tell whether the person was erased, with the proof, and search everything for what is left of them."""
    person, of_runtime = DataSubject(project_id, distinct_id), eraser(current_runtime())
    proofs, sight = of_runtime.erased(person), of_runtime.look(person)
    done = [proof for proof in proofs if proof.erased_at is not None]
    if as_json:
        answer = {"erased": bool(done), "erasures": [_proof(proof) for proof in proofs], "left": sight.counts}
        click.echo(json.dumps(answer))
    else:
        click.echo("\n".join(_answer(done, sight.counts, interrupted=sight.interrupted)))
    raise SystemExit(NOT_ALL if sight.counts else DONE if done else NOBODY)


def _answer(done: list[Erasure], left: dict[str, int], *, interrupted: bool) -> list[str]:
    lines = [_shown(proof) for proof in done] or [
        "no: nobody of this id was erased, or the SECRET_KEY was another one then"
    ]
    if interrupted:
        lines.append("An erasure of this person was interrupted. Ask for it again, and it goes on.")
    found = told(left)
    if not found:
        return [*lines, "All tables and uploaded files were searched: nothing of this id is left."]
    why = " They came after it: Mixpanel has sent the id again." if done else ""
    return [*lines, f"Something of this id is stored.{why}", *(f"  {item}" for item in found)]


def _shown(done: Erasure) -> str:
    head = f"yes: erasure {done.id} of project {done.project_id}, {utc(done.erased_at)}, by {done.who}"
    there = [
        f"  destination {outcome['destination']}: {outcome['kind']}, {outcome['state']}" for outcome in _outcomes(done)
    ]
    return "\n".join([head, *(f"  {words}" for words in told(done.counts)), *there])


def _proof(done: Erasure) -> dict[str, Any]:
    return {
        "id": done.id,
        "project_id": done.project_id,
        "erased_at": iso(done.erased_at),
        "who": done.who,
        "counts": done.counts,
        "destinations": _outcomes(done),
    }


def _outcomes(done: Erasure) -> list[dict[str, Any]]:
    """Return what each destination that knew of the person has been told of the erasure."""
    found = current_runtime().database.read(lambda db: destinations_erasure.outcomes(db, done.id), one_statement=True)
    return [
        {
            "destination": row.destination,
            "type": row.type,
            "kind": row.kind,
            "state": row.state,
            "reason": row.reason,
            "finished_at": iso(row.finished_at),
        }
        for row in found
    ]
