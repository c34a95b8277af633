"""The JSON API's guard: a bearer token with the right scope. And its tokens, as an admin manages them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app, g, request
from flask_httpauth import HTTPTokenAuth
from sqlalchemy import Connection, text
from werkzeug.datastructures import Authorization

from security.house import house
from security.key import guard
from security.limits import count_api_call, count_failed_sign_in
from security.secrets import keyed_digest, new_secret
from security.use import note_use

View = TypeVar("View", bound=Callable[..., Any])


class _TokenAuth(HTTPTokenAuth):  # type: ignore[misc]
    def get_auth(self) -> Authorization | None:
        try:
            found: Authorization | None = super().get_auth()
        except ValueError:  # what Werkzeug says to characters outside of ASCII (P43)
            return None
        return found


auth = _TokenAuth(scheme="Bearer", realm="Cohort Relay API")

PURPOSE = "api-token"
SCOPES = ("read", "send", "erase")  # to send and to erase include to read, not one another

# Found by the digest itself: it is keyed, so timing of the look-up tells nothing about a token.
_FIND = text("SELECT id, name, scope, last_used_at FROM api_token WHERE digest = :digest")
_USED = text("UPDATE api_token SET last_used_at = :now WHERE id = :id")


_ADD = text("""
    INSERT INTO api_token (name, scope, digest, created_at) VALUES (:name, :scope, :digest, :now)
    ON CONFLICT (name) DO NOTHING""")
_ALL = text("SELECT id, name, scope, created_at, last_used_at FROM api_token ORDER BY name")
_ONE = text("SELECT id, name, scope, created_at, last_used_at FROM api_token WHERE id = :id")
_REMOVE = text("DELETE FROM api_token WHERE id = :id")

LONGEST_NAME = 100


@dataclass(frozen=True)
class Token:
    """A live token; `last_used_at` is known to the minute."""

    id: int
    name: str
    scope: str
    created_at: int
    last_used_at: int | None


class TokenExists(ValueError):
    """There already is a token of that name."""


def add(db: Connection, key: str, name: str, scope: str, now: int) -> str:
    """A new token, shown once. Raises TokenExists."""
    token = new_secret()
    values = {"name": name, "scope": scope, "digest": keyed_digest(key, PURPOSE, token), "now": now}
    if db.execute(_ADD, values).rowcount == 0:
        raise TokenExists(f"There already is a token {name}.")
    return token


def listed(db: Connection) -> list[Token]:
    """All tokens by name."""
    return [Token(*row) for row in db.execute(_ALL)]


def by_id(db: Connection, token_id: int) -> Token | None:
    row = db.execute(_ONE, {"id": token_id}).one_or_none()
    return Token(*row) if row is not None else None


def remove(db: Connection, token: Token) -> bool:
    """From now on nobody reads or sends with it; whether it was there."""
    return db.execute(_REMOVE, {"id": token.id}).rowcount == 1


@auth.verify_token
def verify(token: str) -> str | None:
    """The token's name, if there is such a token. Every scope may read."""
    digest = keyed_digest(house().settings.secret_key, PURPOSE, token)
    row = house().database.read(lambda db: db.execute(_FIND, {"digest": digest}).one_or_none(), one_statement=True)
    if row is None:
        return None
    note_use(_USED, row.id, row.last_used_at)
    g.token_name, g.token_scope = row.name, row.scope
    return str(row.name)


@auth.login_required
def api_guard() -> tuple[dict[str, object], int] | None:
    """Lets a call with a live token of the right scope pass. Raises TooMany."""
    count_api_call(g.token_name)
    view = current_app.view_functions[request.endpoint or ""]
    needed = getattr(view, "scope", "read")
    if needed not in {"read", g.token_scope}:
        does = "only reads" if g.token_scope == SCOPES[0] else f"does not {needed}"
        return {"error": {"message": f"This token {does}; make one with the scope {needed}.", "code": 403}}, 403
    return None


def token_name() -> str:
    """Whose token it is; only behind the API's guard."""
    return str(g.token_name)


def needs_scope(scope: str) -> Callable[[View], View]:
    """Marks a view with the scope that its caller's token needs; `send` and `erase` include `read`."""

    def mark(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return mark


@auth.error_handler
def refuse(_status: int) -> tuple[dict[str, object], int]:
    guard().look()
    count_failed_sign_in()
    return {"error": {"message": "Send a live token: Authorization: Bearer <token>.", "code": 401}}, 401
