"""`flask subscriptions messages|attempts|test|replay|approve|keep`: what became of every change, and what to do about
it."""

import json
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import Connection, Row

from commands.destinations import json_option
from commands.exit_codes import NOT_ALL
from commands.subscriptions import LAST_ID, change, find, group, id_argument, subscription_of
from config.clock import utc
from destinations import as_json as shown_as
from destinations import destinations, guard, messages, opening, replay, trial
from destinations.settings import WrongSettings
from destinations.subscriptions import STATES, Subscription
from runtime import current_runtime
from security.audit import TERMINAL, note

_before = click.option("--before", type=click.IntRange(1, LAST_ID), default=LAST_ID, help="Older ones than this id.")
_limit = click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)


@group.command("messages")
@id_argument
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.option("--distinct-id", default="", help="Only of this person.")
@_before
@_limit
@json_option
def list_messages(number: int, state: str | None, limit: int, *, as_json: bool, **filters: Any) -> None:
    """The messages of ID, the newest first."""
    filters |= {"state": state or "", "limit": limit}
    rows = current_runtime().database.read(lambda db: messages.listed(db, find(db, number), **filters))
    found = [shown_as.of_message(row) for row in rows]
    if as_json:
        click.echo(json.dumps(found))
        return
    for row in rows:
        click.echo(_line(row))
    _tell_older(found, limit)


def _line(row: Row[Any]) -> str:
    why = f" ({row.reason})" if row.reason else ""
    who = f"{row.kind} {row.distinct_id} {row.entry_number}"
    times = f"{row.attempts} attempt{'' if row.attempts == 1 else 's'}"
    return f"{row.id}  {who}  {row.state}{why}  {times}  {utc(row.finished_at or row.created_at)}"


@group.command("attempts")
@id_argument
@_before
@_limit
@json_option
def list_attempts(number: int, before: int, limit: int, *, as_json: bool) -> None:
    """The calls of ID, the newest first, with what was answered."""
    rows = current_runtime().database.read(lambda db: messages.attempts(db, find(db, number), before, limit))
    found = [shown_as.of_attempt(row) for row in rows]
    if as_json:
        click.echo(json.dumps(found))
        return
    for row in rows:
        took = "under way" if row.duration_ms is None else f"{row.duration_ms:,} ms"
        why = f" ({row.reason})" if row.reason else ""
        click.echo(
            f"{row.id}  {utc(row.started_at)}  {row.messages:,} told  {row.status or '-'} {row.verdict or '-'}{why}"
            f"  {took}"
        )
    _tell_older(found, limit)


def _tell_older(found: list[dict[str, Any]], limit: int) -> None:
    if len(found) == limit:
        click.echo(f"Older ones: --before {found[-1]['id']}")


@group.command("test")
@id_argument
@click.option("--distinct-id", default="", help="Whom to tell of; somebody who is in, if nobody is named.")
@json_option
def test(number: int, distinct_id: str, *, as_json: bool) -> None:
    """Tell ID's destination that one person has entered: a real call. Ends with 4 where it was not taken."""
    runtime, known = current_runtime(), subscription_of(number)
    try:
        person = distinct_id or trial.somebody(runtime, known)
        runtime.database.write(
            lambda db: note(db, runtime.clock(), TERMINAL, "subscription.test", shown_as.subject(known))
        )
        done = trial.test(runtime, known, person)
    except (WrongSettings, opening.CannotOpen) as error:
        raise click.ClickException(str(error)) from None
    status = "no answer" if done.status is None else done.status
    words = f"{person} to {known.destination}: {done.outcome} ({status}). {done.told}"
    click.echo(json.dumps(shown_as.of_trial(done, person)) if as_json else words)
    if done.outcome not in {"applied", "accepted"}:
        raise SystemExit(NOT_ALL)


@group.command("replay")
@id_argument
@click.option("--state", type=click.Choice(replay.STATES), required=True, help="Messages in this state.")
@click.option("--reason", help="Only those with this reason.")
@click.option("--count", "only_count", is_flag=True, help="Only tell how many they are.")
@json_option
def replay_messages(number: int, state: str, reason: str | None, *, only_count: bool, as_json: bool) -> None:
    """Let messages of ID wait again, so that they are sent once more."""
    runtime, known = current_runtime(), subscription_of(number)
    if only_count:
        found = runtime.database.read(lambda db: replay.count(db, known, state, reason))
    else:
        after = {"state": state, "reason": reason}
        who = (TERMINAL, "subscription.replay", shown_as.subject(known))
        runtime.database.write(lambda db: note(db, runtime.clock(), *who, after=after))
        found = replay.replay(runtime.database, known, state, reason, runtime.clock())
    words = f"{found:,} message{'' if found == 1 else 's'} {'would wait' if only_count else 'wait'} again."
    click.echo(json.dumps({"count": found}) if as_json else words)


@group.command("approve")
@id_argument
@json_option
def approve(number: int, *, as_json: bool) -> None:
    """Send what the removal guard of ID holds: many will leave the set there."""
    _decide("approve", number, guard.approve, as_json=as_json)


@group.command("keep")
@id_argument
@json_option
def keep(number: int, *, as_json: bool) -> None:
    """Send nothing of what the removal guard of ID holds: whoever would have left the set stays there."""
    _decide("keep", number, guard.keep, as_json=as_json)


def _decide(action: str, number: int, decide: Callable[[Connection, Subscription, int], int], *, as_json: bool) -> None:
    decided: list[int] = []

    def work(db: Connection, known: Subscription) -> bool:
        destinations.locked(db, known.destination_id)
        decided[:] = [decide(db, known, current_runtime().clock())]
        return bool(decided[0])

    change(f"{action}_removals", number, work)
    words = {"approve": "on their way", "keep": "kept there"}[action]
    click.echo(json.dumps({"count": decided[0]}) if as_json else f"{decided[0]:,} held removals: {words}.")
