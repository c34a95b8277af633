"""What a connection keeps of profiles, for a program: under the scope `manage` alone, as all that manages."""

import msgspec
from flask import Response
from sqlalchemy import Connection

from blueprints.api import blueprint, bodies
from blueprints.api.keeping_types import Keeping, MinimisationAsked
from blueprints.api.managing import CONNECTION, changed
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, once
from blueprints.json_types import moment
from models.profile_choice import ProfileChoice, WrongChoice, of_json
from runtime import current_runtime
from security import connections
from security.audit import note
from security.tokens import token_name
from sync.minimise import runs


@operation(
    blueprint,
    f"{CONNECTION}/keeping",
    summary="What a connection keeps",
    answer=Keeping,
    errors=(403, 404),
    scope="manage",
)
def show_keeping(_query: NoQuery, connection: str) -> Keeping:
    """What is kept of the profiles that arrive."""
    return _shown(current_runtime().database.read(lambda db: _known(db, connection).choice))


@operation(
    blueprint,
    f"{CONNECTION}/keeping",
    summary="Set what a connection keeps",
    takes=Keeping,
    answer=Keeping,
    errors=(403, 404, 413),
    scope="manage",
    method="PUT",
)
def set_keeping(_query: NoQuery, connection: str) -> Response:
    """Keep this of profiles from the next page on. What is stored stays until it is minimised."""
    given, runtime = bodies.read(Keeping), current_runtime()
    try:
        choice = of_json({name: getattr(given, name) for name in Keeping.__struct_fields__})
    except WrongChoice as error:
        raise Problem(400, str(error)) from None

    def write(db: Connection) -> None:
        known = _known(db, connection)
        if choice != known.choice:
            connections.keep(db, connection, choice)
            who = f"token {token_name()}"
            note(db, runtime.clock(), who, "connection.keep", connection, known.choice.as_json(), choice.as_json())

    runtime.database.write(write)
    return once(_shown(choice))


@operation(
    blueprint,
    f"{CONNECTION}/minimise",
    summary="Apply it to what is stored",
    answer=MinimisationAsked,
    errors=(403, 404),
    scope="manage",
    method="POST",
)
def minimise_stored(_query: NoQuery, connection: str) -> Response:
    """Have the worker drop and hash, in what the connection has brought, what it does not keep any more."""
    now, who = current_runtime().clock(), f"token {token_name()}"

    def work(db: Connection) -> int:
        known = connections.one(db, connection)
        if known.keeps is None:
            raise Problem(400, "This connection keeps everything: there is nothing to apply.")
        runs.ask(db, known.id, known.choice, who, now)
        return runs.extent(db, known.id).people

    people = changed("minimise", connection, work)
    return once(MinimisationAsked(connection, people, moment(now)))


def _known(db: Connection, name: str) -> connections.Listed:
    """Raises Problem (404)."""
    try:
        return connections.one(db, name)
    except connections.WrongName as error:
        raise Problem(404, str(error)) from None


def _shown(choice: ProfileChoice) -> Keeping:
    return msgspec.convert(choice.as_json(), Keeping)
