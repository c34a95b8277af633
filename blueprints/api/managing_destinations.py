"""What is done to destinations and subscriptions that are there, for a program: under the scope `manage` alone."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from flask import Response
from msgspec import UNSET
from sqlalchemy import Connection

from blueprints.api import blueprint, bodies
from blueprints.api.destination_types import DestinationMade, DestinationShown
from blueprints.api.managing_types import DestinationChange, Leaving, Pause, Removal
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, once, wrong_settings
from blueprints.api.subscriptions import SUBSCRIPTION, find
from destinations import as_json, destinations, opening, subscriptions
from destinations.destinations import Destination, NewDestination
from destinations.settings import WrongSettings
from models.encryption import DecryptionError
from runtime import current_runtime
from security.audit import note
from security.tokens import token_name

T = TypeVar("T")

DESTINATION = "/destinations/<destination>"
GOING = "This destination is being removed."


@operation(
    blueprint,
    f"{DESTINATION}/settings",
    summary="Change a destination",
    takes=DestinationChange,
    answer=DestinationShown,
    errors=(403, 404, 409, 413),
    scope="manage",
    method="PATCH",
)
def change_destination(_query: NoQuery, destination: str) -> Response:
    """Change settings and secrets; what is not given stays as it is. 400 lists `problems` by field."""
    given, cipher = bodies.read(DestinationChange), current_runtime().cipher

    def work(db: Connection, known: Destination, now: int) -> None:
        opening.check_type(known.type)
        draft = NewDestination(known.name, known.type, given.settings, given.secrets)
        destinations.change(db, cipher, known, draft, now)

    return _settled("change", destination, work, {"settings": sorted(given.settings), "secrets": len(given.secrets)})


@operation(
    blueprint,
    f"{DESTINATION}/rotate",
    summary="Make a destination's secret anew",
    answer=DestinationMade,
    errors=(403, 404, 409),
    scope="manage",
    method="POST",
)
def rotate_destination(_query: NoQuery, destination: str) -> Response:
    """Make the secret that is ours anew; it is in the answer, this once. The one before stays live for a day."""
    cipher = current_runtime().cipher

    def work(db: Connection, known: Destination, now: int) -> tuple[Destination, dict[str, str]]:
        opening.check_type(known.type)
        return known, destinations.rotate(db, cipher, known, now)

    try:
        known, made = _done("rotate", destination, work)
    except WrongSettings as error:
        return wrong_settings(error)
    return once(DestinationMade(known.name, known.type, next(iter(made.values()), UNSET)))


@operation(
    blueprint,
    f"{DESTINATION}/pause",
    summary="Pause a destination",
    takes=Pause,
    needs_body=False,
    answer=DestinationShown,
    errors=(403, 404, 409, 413),
    scope="manage",
)
def pause_destination(_query: NoQuery, destination: str) -> Response:
    """Send nothing there until it is resumed; everything waits."""
    reason = bodies.read(Pause, may_be_empty=True).reason or f"By the token {token_name()}."

    def work(db: Connection, known: Destination, now: int) -> None:
        if not destinations.pause(db, known, reason, now):
            raise Problem(409, GOING)

    return _settled("pause", destination, work)


@operation(
    blueprint,
    f"{DESTINATION}/resume",
    summary="Resume a destination",
    answer=DestinationShown,
    errors=(403, 404, 409),
    scope="manage",
    method="POST",
)
def resume_destination(_query: NoQuery, destination: str) -> Response:
    """Send there again, whatever it was paused for."""

    def work(db: Connection, known: Destination, now: int) -> None:
        if not destinations.resume(db, known, now) and known.status != "active":
            raise Problem(409, GOING)

    return _settled("resume", destination, work)


@operation(
    blueprint,
    f"{DESTINATION}/remove",
    summary="Remove a destination",
    takes=Removal,
    needs_body=False,
    answer=Leaving,
    errors=(403, 404, 409, 413),
    scope="manage",
)
def remove_destination(_query: NoQuery, destination: str) -> Response:
    """Let it go with its subscriptions. Without `drain` what waits is not sent, and what is there stays there."""
    drain = bodies.read(Removal, may_be_empty=True).drain

    def work(db: Connection, known: Destination, now: int) -> int:
        for subscription in subscriptions.listed(db, known):
            subscriptions.remove(db, subscription, drain=drain)
        destinations.remove(db, known, now)
        return known.id

    return once(Leaving(_done("remove", destination, work, {"drain": drain}), removed=True))


@operation(
    blueprint,
    f"{SUBSCRIPTION}/remove",
    summary="Remove a subscription",
    takes=Removal,
    needs_body=False,
    answer=Leaving,
    errors=(403, 404, 409, 413),
    scope="manage",
)
def remove_subscription(_query: NoQuery, subscription_id: int) -> Response:
    """Send no more of a cohort there. Without `drain` what waits is not sent, and what is there stays there."""
    drain, runtime = bodies.read(Removal, may_be_empty=True).drain, current_runtime()

    def write(db: Connection) -> None:
        known = find(db, subscription_id)
        if known.stored_status == "leaving":
            raise Problem(409, "This subscription is being removed.")
        subscriptions.remove(db, known, drain=drain)
        who = (f"token {token_name()}", "subscription.remove", as_json.subject(known))
        note(db, runtime.clock(), *who, after={"drain": drain})

    runtime.database.write(write)
    return once(Leaving(subscription_id, removed=True))


def _settled(
    action: str,
    name: str,
    work: Callable[[Connection, Destination, int], None],
    after: dict[str, Any] | None = None,
) -> Response:
    """Do it, and answer how the destination is then."""
    try:
        _done(action, name, work, after)
    except WrongSettings as error:
        return wrong_settings(error)
    known = current_runtime().database.read(lambda db: _found(db, name))
    return once(msgspec.convert(as_json.of_destination(known), DestinationShown))


def _done(
    action: str, name: str, work: Callable[[Connection, Destination, int], T], after: dict[str, Any] | None = None
) -> T:
    """Do it, and leave a note in the audit trail. Raises Problem (404, 409) and WrongSettings."""
    runtime = current_runtime()

    def write(db: Connection) -> T:
        known = _found(db, name)
        done = work(db, known, runtime.clock())
        note(db, runtime.clock(), f"token {token_name()}", f"destination.{action}", name, after=after)
        return done

    try:
        return runtime.database.write(write)
    except opening.CannotOpen as error:
        raise Problem(409, str(error)) from None
    except DecryptionError:
        raise Problem(409, opening.LOST) from None


def _found(db: Connection, name: str) -> Destination:
    """Raises Problem (404)."""
    known = destinations.by_name(db, name)
    if known is None:
        raise Problem(404, f"There is no destination {name[:100]}.")
    return known
