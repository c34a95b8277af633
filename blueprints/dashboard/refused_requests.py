"""The request of a failure: shown masked, revealed to admins, tried again without changing anything."""

import shlex
from dataclasses import dataclass

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from blueprints.dashboard import blueprint, request_tree
from blueprints.dashboard.request_tree import Shown
from blueprints.urls import can_be_stored
from config.words import counted
from models.database import DatabaseUnavailable
from runtime import current_runtime
from security import connections, handover, sign_in_guard
from security.audit import note
from security.connections import Listed, WrongName
from security.refused_requests import RefusedRequest, unseal
from security.roles import covers, needs
from security.webhook import Caller, OtherProject
from sync.apply.receive import Receipt
from sync.contract.page import Refused, parse
from sync.dry_run import dry_run
from sync.minimise.page import minimised
from sync.rules import Rules

_FIND = text("""
    SELECT r.sealed, f.connection FROM refused_request r JOIN failure f ON f.id = r.failure_id
    WHERE r.failure_id = :id""")
MASKED = "(the body holds member data; an admin can reveal it)"
# Headers that curl says itself, or that are not true any more once the body is unpacked.
NOT_COPIED = {"host", "content-length", "content-encoding", "connection", "transfer-encoding", "accept-encoding"}


@dataclass(frozen=True)
class Told:
    """What the page of a failure shows of its request."""

    request: RefusedRequest
    body: Shown
    is_revealed: bool
    curl: str


def told(db: Connection, failure_id: int) -> Told | None:
    """Return the request of a failure as its reader may see it; None where none is kept, or it cannot be opened."""
    found = _opened(db, failure_id)
    if found is None:
        return None
    kept, connection = found
    reveals = _is_revealed(failure_id)
    body = request_tree.shown(kept.body, reveals=reveals)
    return Told(kept, body, reveals, _as_curl(kept, connection, reveals=reveals))


def _opened(db: Connection, failure_id: int) -> tuple[RefusedRequest, str] | None:
    row = db.execute(_FIND, {"id": failure_id}).one_or_none()
    kept = None if row is None else unseal(current_runtime().cipher, bytes(row.sealed))
    return None if kept is None or row is None else (kept, row.connection or "")


def _is_revealed(failure_id: int) -> bool:
    key = request.args.get("reveal", "")
    is_admin = covers(sign_in_guard.operator().role, "admin")
    return bool(key) and is_admin and handover.find("secret", key) == {"failure": failure_id}


def _as_curl(kept: RefusedRequest, connection: str, *, reveals: bool) -> str:
    """The call for a shell; the password is a variable, and the body only there where it may be seen."""
    url = f"{current_runtime().settings.public_url.rstrip('/')}{kept.path}"
    lines = [f"curl -X {shlex.quote(kept.method)} {shlex.quote(url)}", f'-u "{connection}:$WEBHOOK_PASSWORD"']
    plain = [(name, value) for name, value in kept.headers if name.lower() not in NOT_COPIED]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in plain]
    body = kept.body.decode("utf-8", "replace") if reveals else MASKED
    return " \\\n  ".join([*lines, f"--data-binary {shlex.quote(body)}"])


@blueprint.post("/failures/<int:failure_id>/reveal")
@needs("admin")
def reveal_request(failure_id: int) -> ResponseReturnValue:
    """Show the member data of a refused request for a few minutes; the audit trail says who has looked."""
    runtime, who = current_runtime(), sign_in_guard.operator().email

    def write(db: Connection) -> None:
        _found(db, failure_id)
        note(db, runtime.clock(), who, "failure.reveal", f"failure {failure_id}")

    runtime.database.write(write)
    key = handover.leave("secret", {"failure": failure_id})
    return redirect(url_for("dashboard.show_failure", failure_id=failure_id, reveal=key, _anchor="request"), 303)


@blueprint.post("/failures/<int:failure_id>/try")
@needs("operator")
def try_request(failure_id: int) -> ResponseReturnValue:
    """Apply the request as it would be today, take everything back, and say what would have become of it."""
    kept, connection = current_runtime().database.read(lambda db: _found(db, failure_id))
    tone, says = _tried(kept, connection)
    flash(says, tone)
    return redirect(url_for("dashboard.show_failure", failure_id=failure_id), 303)


def _found(db: Connection, failure_id: int) -> tuple[RefusedRequest, str]:
    return (_opened(db, failure_id) if can_be_stored(failure_id) else None) or abort(404)


def _tried(kept: RefusedRequest, name: str) -> tuple[str, str]:
    """Return the tone and the sentence of what would become of the request today."""
    try:
        connection = current_runtime().database.read(lambda db: connections.one(db, name))
    except WrongName:
        return "waiting", f"There is no connection {name} any more, so it would be refused."
    if not kept.is_whole:
        is_begun = "Only the beginning of its body is kept" if kept.body else "Its body is not kept"
        return "waiting", f"{is_begun}, so it cannot be tried."
    if not connection.enabled:
        return "waiting", f"The connection {name} is switched off: it would be answered 503 and sent again."
    return _applied(kept, connection)


def _applied(kept: RefusedRequest, connection: Listed) -> tuple[str, str]:
    try:
        return _accepted(_dry_run(kept, connection))
    except Refused as refusal:
        return "needs-you", f"Today it would be refused as well: {refusal.message}"
    except OtherProject:
        return "waiting", f"Today {connection.name} may still not write this project: it would be answered 503."
    except DatabaseUnavailable:
        return "waiting", "The database does not answer now, so it would be answered 503 and sent again."


def _dry_run(kept: RefusedRequest, connection: Listed) -> Receipt:
    runtime = current_runtime()
    page = parse(kept.body)
    bound = frozenset(connection.projects) if connection.projects else None
    Caller(connection.id, connection.name, 0, None, bound).check(page.project_id, page.cohort_id)
    page = minimised(page, connection.keeps, runtime.cipher.lasting_digest)
    return dry_run(runtime.database, page, Rules.of(runtime.settings), connection.id, runtime.clock())


def _accepted(receipt: Receipt) -> tuple[str, str]:
    ways = {
        "replayed": "it has come before, so it changes nothing",
        "superseded": "a newer export has overtaken it, so it changes nobody",
    }
    counts = f"{counted(receipt.received, 'member')}, {receipt.entered:,} entering and {receipt.left:,} leaving"
    return "message", f"Today this would be accepted: {ways.get(receipt.outcome, counts)}. Nothing was changed."
