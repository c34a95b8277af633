"""The JSON API's guard: a bearer token with the right scope. And its tokens, as an admin manages them."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from flask import current_app, g, request
from flask_httpauth import HTTPTokenAuth
from sqlalchemy import Connection, Row, bindparam, delete, select, text
from werkzeug.datastructures import Authorization

from models.connections import ApiToken
from models.insert_once import insert_once
from runtime import current_runtime
from security.client_address import address
from security.key_check import guard
from security.last_used import note_use
from security.rate_limits import count_api_call, count_failed_sign_in
from security.renewed_digests import renew
from security.secrets import key_id, keyed_digest, keyed_digests, new_secret
from security.token_bounds import Bounds, is_within, project_named, project_subscribed

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
SCOPES = ("read", "send", "erase", "deliver", "manage")  # each includes to read, and nothing else

# Found by the digest itself: it is keyed, so timing of the look-up tells nothing about a token.
_FIND = select(ApiToken.__table__).where(ApiToken.digest.in_(bindparam("digests", expanding=True)))
_RENEW = text("UPDATE api_token SET digest = :digest, key_id = :key_id WHERE id = :id")
_USED = text("UPDATE api_token SET last_used_at = :now WHERE id = :id")


LONGEST_NAME = 100


@dataclass(frozen=True)
class Token:
    """A live token; `last_used_at` is known to the minute."""

    id: int
    name: str
    scope: str
    created_at: int
    last_used_at: int | None
    bounds: Bounds


class WrongTokenName(ValueError):
    """No token can have that name; says why."""


class TokenExists(WrongTokenName):
    """There already is a token of that name."""


NONE = Bounds()


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.name, row.scope, row.created_at, row.last_used_at, _bounds(row))


def _bounds(row: Row[Any]) -> Bounds:
    return Bounds(row.expires_at, row.project_id, row.network, row.without_exports, row.calls_per_minute)


def check_name(name: str) -> None:
    """Raises WrongTokenName where no token can be called so."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise WrongTokenName(f"A name has 1 to {LONGEST_NAME} characters.")


def add(db: Connection, key: str, name: str, scope: str, now: int, bounds: Bounds = NONE) -> str:
    """Make a token, shown once. Raises WrongTokenName, TokenExists."""
    check_name(name)
    token = new_secret()
    values = {"name": name, "scope": scope, "digest": keyed_digest(key, PURPOSE, token), "created_at": now}
    values |= {"key_id": key_id(key)}
    if not insert_once(db, ApiToken, "name", values | asdict(bounds)):
        raise TokenExists(f"There already is a token {name}.")
    return token


def listed(db: Connection) -> list[Token]:
    """Return all tokens by name."""
    return [_token(row) for row in db.execute(select(ApiToken.__table__).order_by(ApiToken.name))]


def by_id(db: Connection, token_id: int) -> Token | None:
    row = db.execute(select(ApiToken.__table__).where(ApiToken.id == token_id)).one_or_none()
    return _token(row) if row is not None else None


def remove(db: Connection, token: Token) -> bool:
    """Remove a token, with which nobody reads or sends any more; tell whether it was there."""
    return db.execute(delete(ApiToken).where(ApiToken.id == token.id)).rowcount == 1


@auth.verify_token
def verify(token: str) -> str | None:
    """Return the token's name, if there is such a token. Every scope may read."""
    runtime = current_runtime()
    digests = keyed_digests(runtime.settings.secret_keys, PURPOSE, token)
    row = runtime.database.read(lambda db: db.execute(_FIND, {"digests": digests}).one_or_none(), one_statement=True)
    if row is None or (row.expires_at is not None and row.expires_at <= runtime.clock()):
        return None
    if bytes(row.digest) != digests[0]:
        renew(_RENEW, row.id, PURPOSE, token)
    g.token_bounds = _bounds(row)
    note_use(_USED, row.id, row.last_used_at)
    g.token_name, g.token_scope = row.name, row.scope
    return str(row.name)


@auth.login_required
def api_guard() -> tuple[dict[str, object], int] | None:
    """Let a call with a live token of the right scope pass. Raises TooMany."""
    count_api_call(g.token_name, g.token_bounds.calls_per_minute)
    view = current_app.view_functions[request.endpoint or ""]
    needed = getattr(view, "scope", "read")
    if refusal := _beyond(g.token_bounds, needed):
        return {"error": {"message": refusal, "code": 403}}, 403
    if needed not in {"read", g.token_scope}:
        does = "only reads" if g.token_scope == SCOPES[0] else f"does not {needed}"
        return {"error": {"message": f"This token {does}; make one with the scope {needed}.", "code": 403}}, 403
    return None


def _beyond(bounds: Bounds, needed: str) -> str | None:
    """Why this call is none that the token's bounds allow."""
    if not is_within(bounds.network, address()):
        return "This token is not for calls from this address."
    path = (request.view_args or {}).get("cohort_id") and request.path.endswith((".csv", ".ndjson"))
    if bounds.without_exports and path:
        return "This token makes no exports of whole cohorts."
    if needed == "manage" and bounds.project_id is not None:
        return f"This token is for the project {bounds.project_id} alone, and manages nothing."
    if bounds.project_id is not None and _project_asked() != bounds.project_id:
        return f"This token is for the project {bounds.project_id} alone: call what names it."
    return None


def _project_asked() -> str | None:
    """Return the project, by Mixpanel's id, that the call's address names; None where it may be any."""
    named = request.view_args or {}
    if "subscription_id" in named:
        number = named["subscription_id"]
        return current_runtime().database.read(lambda db: project_subscribed(db, number), one_statement=True)
    if "name" in named:
        return current_runtime().database.read(lambda db: project_named(db, named["name"]), one_statement=True)
    return named.get("project_id") or request.args.get("project_id")


def within_own(asked: Bounds) -> Bounds:
    """Return these bounds, no wider than those of the token that calls; only behind the API's guard."""
    own: Bounds = g.token_bounds
    return Bounds(
        _lower(asked.expires_at, own.expires_at),
        asked.project_id,
        own.network or asked.network,
        asked.without_exports or own.without_exports,
        _lower(asked.calls_per_minute, own.calls_per_minute),
    )


def _lower(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


def token_name() -> str:
    """Return whose token it is; only behind the API's guard."""
    return str(g.token_name)


def needs_scope(scope: str) -> Callable[[View], View]:
    """Mark a view with the scope that its caller's token needs; every scope includes `read`."""

    def mark(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return mark


@auth.error_handler
def refuse(_status: int) -> tuple[dict[str, object], int]:
    guard().look()
    count_failed_sign_in()
    return {"error": {"message": "Send a live token: Authorization: Bearer <token>.", "code": 401}}, 401
