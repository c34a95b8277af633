"""`flask subscriptions`: which cohort goes where, and what became of every message."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from commands.destinations import json_option, pairs
from commands.exit_codes import NOT_ALL
from config.counts import counted
from config.durations import duration
from destinations import as_json as shown_as
from destinations import asking, opening, subscriptions
from destinations import preview as previews
from destinations import reconcile as reconciling
from destinations.settings import WrongSettings
from destinations.subscriptions import GUARD_PERCENT, KINDS, STARTS, NewSubscription, Subscription
from runtime import current_runtime
from security.audit import TERMINAL, note

LAST_ID = 2**63 - 1

group = AppGroup("subscriptions", help="Subscriptions: one cohort into one destination.")

id_argument = click.argument("number", metavar="ID", type=click.IntRange(1, LAST_ID))

OPTIONS = (
    click.option("--cohort", required=True, metavar="PROJECT/COHORT", help="Mixpanel's ids of both."),
    click.option("--destination", required=True, help="Its name."),
    click.option("--start", type=click.Choice(STARTS), help="Changes from now on, or all who are in first."),
    click.option("--identity", default="distinct_id", show_default=True, help="…, email, phone or property:NAME."),
    click.option("--country", default="", help="Of phone numbers that are written without one, such as DE."),
    click.option("--field", "fields", multiple=True, metavar="NAME=PROPERTY", callback=pairs, help="Goes along."),
    click.option("--on", "kinds", type=click.Choice(KINDS), default="both", show_default=True),
    click.option("--reentry", default="each", show_default=True, help="…, once or cooloff:SECONDS."),
    click.option("--report", "report_event", default="", metavar="EVENT", help="Tell Mixpanel by this event."),
    click.option("--guard", "guard_percent", type=int, default=GUARD_PERCENT, show_default=True, metavar="PERCENT"),
)


def drafted(command: Any) -> Any:
    """Add the options of a subscription to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def _draft(cohort: str, **given: Any) -> NewSubscription:
    project_id, slash, cohort_id = cohort.partition("/")
    if not (project_id and slash and cohort_id):
        raise click.UsageError("--cohort is Mixpanel's id of the project, a slash, and its id of the cohort.")
    chosen = {name: value for name, value in given.items() if value is not None}
    return NewSubscription(project_id=project_id, cohort_id=cohort_id, **chosen)


def find(db: Connection, number: int) -> Subscription:
    """Raises ClickException."""
    found = subscriptions.by_id(db, number)
    if found is None:
        raise click.ClickException(f"There is no subscription {number}. See: flask subscriptions list")
    return found


def find_standing(db: Connection, number: int) -> Subscription:
    """Raises ClickException."""
    known = find(db, number)
    if known.is_going:
        raise _going(number)
    return known


def _going(number: int) -> click.ClickException:
    return click.ClickException(f"Subscription {number} is being removed.")


def subscription_of(number: int) -> Subscription:
    return current_runtime().database.read(lambda db: find(db, number))


def _told(error: Exception) -> click.ClickException:
    return click.ClickException(str(error))


@group.command("add")
@drafted
@json_option
def add(*, as_json: bool, **given: Any) -> None:
    """Let a cohort's changes go to a destination."""
    draft, runtime = _draft(**given), current_runtime()

    def write(db: Connection) -> int:
        number = subscriptions.add(db, draft, runtime.clock())
        after = {"id": number, "identity": draft.identity, "start": draft.start}
        subject = shown_as.subject(find(db, number))
        note(db, runtime.clock(), TERMINAL, "subscription.add", subject, after=after)
        return number

    try:
        number = runtime.database.write(write)
    except WrongSettings as error:
        raise _told(error) from None
    click.echo(json.dumps({"id": number}) if as_json else f"Subscription {number} begins.")


@group.command("preview")
@drafted
@json_option
def preview(*, as_json: bool, **given: Any) -> None:
    """Tell what a subscription would send, of ten people who cannot be recognised. Nothing is called."""
    try:
        found = previews.preview(current_runtime(), _draft(**given))
    except (WrongSettings, opening.CannotOpen) as error:
        raise _told(error) from None
    if as_json:
        click.echo(json.dumps(shown_as.of_preview(found)))
        return
    click.echo(f"{found.people:,} are in now, {found.without:,} of them without an identity.")
    click.echo(
        f"To tell of all of them takes {counted(found.calls, 'call')}, {duration(found.seconds * 1000)} at least."
    )
    for body in found.bodies:
        click.echo(f"  {body}")


@group.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """Every subscription and how it stands."""
    found = current_runtime().database.read(
        lambda db: [shown_as.of_subscription(db, known) for known in subscriptions.listed(db)]
    )
    if as_json:
        click.echo(json.dumps(found))
        return
    if not found:
        click.echo("There is none yet. Make one: flask subscriptions add --cohort PROJECT/COHORT --destination NAME")
    for subscription in found:
        cohort = f"{subscription['project_id']}/{subscription['cohort_id']} to {subscription['destination']}"
        click.echo(f"{subscription['id']}  {cohort}  {subscription['status']}  {_counts(subscription['counts'])}")


@group.command("show")
@id_argument
@json_option
def show(number: int, *, as_json: bool) -> None:
    """Tell how the subscription ID stands, with its messages by state."""
    found = current_runtime().database.read(lambda db: shown_as.of_subscription(db, find(db, number)))
    if as_json:
        click.echo(json.dumps(found))
        return
    found |= {"fields": ", ".join(f"{name}={source}" for name, source in found["fields"].items())}
    for key, value in found.items():
        shown = _counts(value) if key == "counts" else value
        click.echo(f"{key:<18} {'-' if shown in (None, '') else shown}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{many:,} {state}" for state, many in counts.items() if many) or "no messages"


@group.command("pause")
@id_argument
@click.option("--reason", default="By hand, in the terminal.", help="Why, for whoever looks at it.")
@json_option
def pause(number: int, reason: str, *, as_json: bool) -> None:
    """Plan and send nothing of ID until it is resumed."""
    change("pause", number, lambda db, known: subscriptions.pause(db, known, reason, current_runtime().clock()))
    _tell_status(number, as_json=as_json)


@group.command("resume")
@id_argument
@json_option
def resume(number: int, *, as_json: bool) -> None:
    """Let ID go on where it was."""
    change("resume", number, subscriptions.resume)
    _tell_status(number, as_json=as_json)


@group.command("reconcile")
@id_argument
@click.option("--repair", is_flag=True, help="Also mend it; only whom we put in leaves.")
@json_option
def reconcile(number: int, *, repair: bool, as_json: bool) -> None:
    """Compare the set at ID's destination with who should be in it; ends with 4 where they differ."""
    runtime, known = current_runtime(), subscription_of(number)
    try:
        opening.check_type(known.type)
        found = reconciling.reconcile(runtime, known, repair=repair)
    except (WrongSettings, opening.CannotOpen) as error:
        raise _told(error) from None
    except (OSError, SQLAlchemyError) as error:
        why = str(error) if isinstance(error, OSError) else type(error).__name__
        raise click.ClickException(f"What is there could not be read. {why}") from None
    shown = asdict(found)
    after = {name: count for name, count in shown.items() if name != "samples"}
    who = (TERMINAL, "subscription.reconcile", shown_as.subject(known))
    runtime.database.write(lambda db: note(db, runtime.clock(), *who, after=after))
    click.echo(json.dumps(shown) if as_json else "\n".join(f"{name:<9} {count:,}" for name, count in after.items()))
    if found.missing or found.extra:
        raise SystemExit(NOT_ALL)


@group.command("ask")
@id_argument
@click.option("--count", "only_count", is_flag=True, help="Only tell how many people, and how many queries.")
@json_option
def ask(number: int, *, only_count: bool, as_json: bool) -> None:
    """Ask Mixpanel for the identity that ID's parked people lack; ends with 4 where not all were asked about."""
    runtime, known = current_runtime(), subscription_of(number)
    try:
        question = runtime.database.read(lambda db: asking.look(db, known, runtime.clock()))
        if only_count:
            _tell_question(question, as_json=as_json)
            return
        asked = asking.ask(runtime, known, TERMINAL)
    except asking.CannotAsk as error:
        raise _told(error) from None
    shown = {name: value for name, value in asdict(asked).items() if name != "after"}
    who = (TERMINAL, "subscription.ask", shown_as.subject(known))
    runtime.database.write(lambda db: note(db, runtime.clock(), *who, after={**shown, "told": bool(asked.told)}))
    found = f"Mixpanel knows {asked.found:,} of {asked.people:,} by their {question.wanted}."
    click.echo(json.dumps(shown) if as_json else f"{found} {asked.told}".strip())
    if asked.after is not None:
        raise SystemExit(NOT_ALL)


def _tell_question(question: asking.Question, *, as_json: bool) -> None:
    shown = asdict(question)
    shown["property"] = shown.pop("wanted")
    words = "{people:,} people lack {property}: {queries:,} queries, of which {left} are left in this hour"
    click.echo(json.dumps(shown) if as_json else f"{words.format(**shown)} (project {question.project}).")


@group.command("remove")
@id_argument
@click.option("--drain", is_flag=True, help="Send what waits first, and take out of a set whom we put in.")
@json_option
def remove(number: int, *, drain: bool, as_json: bool) -> None:
    """Remove ID. Without --drain what waits is not sent, and what is there stays there."""

    runtime = current_runtime()

    def write(db: Connection) -> None:
        known = find(db, number)
        if known.stored_status == "leaving":  # one that is draining may be hurried
            raise _going(number)
        subscriptions.remove(db, known, drain=drain)
        subject = shown_as.subject(known)
        note(db, runtime.clock(), TERMINAL, "subscription.remove", subject, after={"drain": drain})

    runtime.database.write(write)
    words = f"Subscription {number} is being removed; a worker does the rest."
    click.echo(json.dumps({"id": number, "removed": True}) if as_json else words)


def change(action: str, number: int, work: Callable[[Connection, Subscription], bool]) -> None:
    """Do it, and leave a note in the audit trail where something changed. Raises ClickException."""

    def write(db: Connection) -> None:
        known = find_standing(db, number)
        if work(db, known):
            note(db, current_runtime().clock(), TERMINAL, f"subscription.{action}", shown_as.subject(known))

    current_runtime().database.write(write)


def _tell_status(number: int, *, as_json: bool) -> None:
    known = subscription_of(number)
    words = f"Subscription {number} is {known.status}."
    click.echo(json.dumps({"id": number, "status": known.status}) if as_json else words)
