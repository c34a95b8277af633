"""What an admin does with connections and tokens, for a program: under the scope `manage` alone, listing included."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from flask import Response
from sqlalchemy import Connection

from blueprints.api import blueprint, bodies
from blueprints.api.managing_types import (
    ConnectionDraft,
    ConnectionMade,
    ConnectionShown,
    ConnectionsShown,
    PasswordShown,
    PasswordsRetired,
    TokenDraft,
    TokenMade,
    TokenRemoved,
    TokenShown,
    TokensShown,
)
from blueprints.api.query_types import NoQuery
from blueprints.api.registry import operation
from blueprints.api.replies import Problem, once
from blueprints.json_types import moment
from config.clock import iso
from runtime import current_runtime
from security import connections, tokens
from security.audit import note
from security.connections import Listed
from security.token_bounds import WrongBound, read
from security.tokens import Token, token_name

T = TypeVar("T")

CONNECTION = "/connections/<connection>"


@operation(blueprint, "/connections", summary="Connections", answer=ConnectionsShown, errors=(403,), scope="manage")
def list_connections(_query: NoQuery) -> ConnectionsShown:
    """Every connection with its live passwords' ages and last uses."""
    return ConnectionsShown([_connection(one) for one in current_runtime().database.read(connections.listed)])


@operation(
    blueprint,
    "/connections",
    summary="Make a connection",
    takes=ConnectionDraft,
    answer=ConnectionMade,
    errors=(403, 413),
    scope="manage",
)
def add_connection(_query: NoQuery) -> Response:
    """Make a connection. Its password is in the answer, this once."""
    given, runtime = bodies.read(ConnectionDraft), current_runtime()

    def write(db: Connection) -> str:
        password = connections.add(db, runtime.settings.secret_key, given.name, runtime.clock())
        connections.bind(db, given.name, given.projects)
        return password

    return once(_made(given.name, _noted("connection.add", given.name, write)))


@operation(
    blueprint,
    f"{CONNECTION}/rotate",
    summary="Make a further password",
    answer=ConnectionMade,
    errors=(403, 404),
    scope="manage",
    method="POST",
)
def rotate_connection(_query: NoQuery, connection: str) -> Response:
    """Make a further password, which is in the answer, this once. The earlier ones stay live until they are retired."""
    key, now = current_runtime().settings.secret_key, current_runtime().clock()
    password = changed("rotate", connection, lambda db: connections.rotate(db, key, connection, now))
    return once(_made(connection, password))


@operation(
    blueprint,
    f"{CONNECTION}/retire",
    summary="Retire older passwords",
    answer=PasswordsRetired,
    errors=(403, 404),
    scope="manage",
    method="POST",
)
def retire_passwords(_query: NoQuery, connection: str) -> Response:
    """Retire every password but the newest."""
    now = current_runtime().clock()
    gone = changed("retire", connection, lambda db: connections.retire(db, connection, now))
    return once(PasswordsRetired(connection, gone))


@operation(
    blueprint,
    f"{CONNECTION}/disable",
    summary="Switch a connection off",
    answer=ConnectionShown,
    errors=(403, 404),
    scope="manage",
    method="POST",
)
def disable_connection(_query: NoQuery, connection: str) -> Response:
    """Answer Mixpanel 503, which sends again later. One that is off stays so."""
    changed("disable", connection, lambda db: connections.switch(db, connection, enabled=False))
    return _shown(connection)


@operation(
    blueprint,
    f"{CONNECTION}/enable",
    summary="Switch a connection on",
    answer=ConnectionShown,
    errors=(403, 404),
    scope="manage",
    method="POST",
)
def enable_connection(_query: NoQuery, connection: str) -> Response:
    """Take Mixpanel's calls again. One that is on stays so."""
    changed("enable", connection, lambda db: connections.switch(db, connection, enabled=True))
    return _shown(connection)


def changed(action: str, name: str, work: Callable[[Connection], T]) -> T:
    """Change a connection that is there. Raises Problem (404)."""

    def write(db: Connection) -> T:
        try:
            connections.one(db, name)
        except connections.WrongName as error:
            raise Problem(404, str(error)) from None
        return work(db)

    return _noted(f"connection.{action}", name, write)


def _noted(action: str, subject: str, work: Callable[[Connection], T]) -> T:
    """Do it, and leave a note in the audit trail. Raises Problem (400) where a name cannot be."""
    runtime = current_runtime()

    def write(db: Connection) -> T:
        done = work(db)
        note(db, runtime.clock(), f"token {token_name()}", action, subject)
        return done

    try:
        return runtime.database.write(write)
    except connections.WrongName as error:
        raise Problem(400, str(error)) from None


def _made(name: str, password: str) -> ConnectionMade:
    url = f"{current_runtime().settings.public_url}/webhooks/mixpanel/{name}"
    return ConnectionMade(name, url, name, password)


def _shown(name: str) -> Response:
    return once(_connection(current_runtime().database.read(lambda db: connections.one(db, name))))


def _connection(known: Listed) -> ConnectionShown:
    live = [PasswordShown(number, moment(made), iso(used)) for number, made, used in known.passwords]
    last = iso(known.last_call_at)
    return ConnectionShown(known.name, known.enabled, moment(known.created_at), last, list(known.projects), live)


@operation(blueprint, "/tokens", summary="Tokens", answer=TokensShown, errors=(403,), scope="manage")
def list_tokens(_query: NoQuery) -> TokensShown:
    """Every token with its scope, what narrows it, and its last use."""
    found = current_runtime().database.read(tokens.listed, one_statement=True)
    return TokensShown([_token(one) for one in found])


@operation(
    blueprint, "/tokens", summary="Make a token", takes=TokenDraft, answer=TokenMade, errors=(403, 413), scope="manage"
)
def add_token(_query: NoQuery) -> Response:
    """Make a token, which is in the answer, this once. It is never wider than the one that asks: it ends no later, and
    is for the same network where that has one."""
    given, runtime = bodies.read(TokenDraft), current_runtime()
    now = runtime.clock()
    try:
        typed = (str(given.days or ""), given.project_id, given.network, str(given.calls_per_minute or ""))
        asked = read(*typed, exports=given.exports, now=now)
        tokens.check_name(given.name)
    except (WrongBound, tokens.WrongTokenName) as error:
        raise Problem(400, str(error)) from None
    bounds = tokens.within_own(asked)

    def write(db: Connection) -> str:
        made = tokens.add(db, runtime.settings.secret_key, given.name, given.scope, now, bounds)
        after = {"scope": given.scope, **asdict(bounds)}
        note(db, now, f"token {token_name()}", "token.add", given.name, after=after)
        return made

    try:
        return once(TokenMade(given.name, given.scope, runtime.database.write(write)))
    except tokens.TokenExists as error:
        raise Problem(400, str(error)) from None


@operation(
    blueprint,
    "/tokens/<int:token_id>",
    summary="Remove a token",
    answer=TokenRemoved,
    errors=(403, 404),
    scope="manage",
    method="DELETE",
)
def remove_token(_query: NoQuery, token_id: int) -> Response:
    """Let nobody in with it any more."""
    runtime = current_runtime()

    def write(db: Connection) -> bool:
        known = tokens.by_id(db, token_id)
        if known is None:
            raise Problem(404, "There is no such token.")
        gone = tokens.remove(db, known)
        note(db, runtime.clock(), f"token {token_name()}", "token.remove", known.name, before={"scope": known.scope})
        return gone

    return once(TokenRemoved(runtime.database.write(write)))


def _token(known: Token) -> TokenShown:
    bounds = known.bounds
    return TokenShown(
        known.id,
        known.name,
        known.scope,
        moment(known.created_at),
        iso(known.last_used_at),
        iso(bounds.expires_at),
        bounds.project_id,
        bounds.network,
        not bounds.without_exports,
        bounds.calls_per_minute,
    )
