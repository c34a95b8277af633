"""The webhook's guard: which connection is calling. Decided from headers alone, before the body is read (P32)."""

import json
import re
from dataclasses import dataclass

from flask import g, request
from flask_httpauth import HTTPBasicAuth
from sqlalchemy import text

from models.statement import Statement
from runtime import current_runtime
from security.last_used import note_use
from security.rate_limits import count_webhook_call
from security.renewed_digests import renew
from security.secrets import keyed_digests, matches

auth = HTTPBasicAuth(realm="Cohort Relay")

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
PURPOSE = "connection-password"

_FIND = Statement("""
    SELECT c.id, c.name, c.enabled, p.id AS password_id, p.digest, p.last_used_at, c.projects,
        c.keeps
    FROM connection c JOIN connection_password p ON p.connection_id = c.id AND p.retired_at IS NULL
    WHERE c.name = :name""")
_RENEW = text("UPDATE connection_password SET digest = :digest, key_id = :key_id WHERE id = :id")
_USED = text("UPDATE connection_password SET last_used_at = :now WHERE id = :id")


class OtherProject(Exception):
    """The connection may not write cohorts of this Mixpanel project. Answered 503, so that no sync is paused for good
    by somebody's choice of projects: Mixpanel sends again, and nothing is lost once a person has allowed it."""


class SwitchedOff(Exception):
    """The connection is disabled: its calls are answered 503, so that Mixpanel sends again when it is back (P12)."""


@dataclass(frozen=True)
class Caller:
    """The connection that is calling."""

    id: int
    name: str
    password_id: int
    last_used_at: int | None
    projects: frozenset[str] | None = None  # that it may write; None for all
    keeps: str | None = None  # of profiles, see models.profile_choice

    def check(self, project_id: str, cohort_id: str) -> None:
        """Whether it may write this cohort; its own simulated one it always may. Raises OtherProject."""
        if self.projects is not None and project_id not in self.projects and cohort_id != f"simulated-{self.name}":
            raise OtherProject


@auth.verify_password
def verify(username: str, password: str) -> Caller | None:
    """Return the connection whose live password this is. On the connection's own path the username must be its name."""
    runtime = current_runtime()
    named = (request.view_args or {}).get("connection", username)
    if named != username or not NAME.fullmatch(username):
        return None
    rows = runtime.database.read(lambda db: _FIND.all(db, {"name": username}), one_statement=True)
    digest, *earlier = keyed_digests(runtime.settings.secret_keys, PURPOSE, password)
    stored = [bytes(row[4]) for row in rows]
    found = matches(digest, stored)
    if found is None:
        found = next((place for one in earlier if (place := matches(one, stored)) is not None), None)
        if found is None:
            return None
        renew(_RENEW, rows[found][3], PURPOSE, password)
    connection_id, name, enabled, password_id, _, last_used_at, projects, keeps = rows[found]
    g.switched_off = not enabled
    bound = None if projects is None else frozenset(json.loads(projects))
    return Caller(connection_id, name, password_id, last_used_at, bound, keeps)


@auth.login_required
def webhook_guard() -> None:
    """Let a call pass that has the right credentials; a wrong password is 401 in every state (P13).

    Raises SwitchedOff and TooMany.
    """
    g.connection = auth.current_user()
    count_webhook_call(g.connection.name)
    if g.switched_off:
        raise SwitchedOff
    note_use(_USED, g.connection.password_id, g.connection.last_used_at)
