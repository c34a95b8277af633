"""Long answers: downloaded while they are at hand, cancelled while they come."""

import io
from typing import Any

from flask import Response, abort, flash, redirect, send_file, url_for
from flask.typing import ResponseReturnValue

from blueprints import long_answers
from blueprints.outbound import answers, blueprint
from blueprints.outbound.loaders import delivery_of
from outbound.deliveries import Delivery
from outbound.downloads import progress
from outbound.downloads.file_names import name_of
from outbound.downloads.folder import folder_of
from outbound.downloads.progress import Download
from runtime import current_runtime
from security import sign_in_guard
from security.audit import note
from security.roles import needs


@blueprint.get("/send/history/<int:delivery_id>/answer")
@needs("operator")
def download_answer(delivery_id: int) -> Response:
    """The whole answer as a file; one that broke off is named so."""
    runtime = current_runtime()
    delivery = delivery_of(delivery_id)
    found = runtime.database.read(lambda db: progress.of(db, delivery_id), one_statement=True)
    path = folder_of(runtime).file(found.file) if found is not None and found.file and found.state else None
    content = path or _kept(delivery, found)
    if found is None or content is None:
        abort(404)
    now, who = runtime.clock(), sign_in_guard.operator().email
    subject = f"answer of call {delivery.id}, {delivery.operation}"
    runtime.database.write(lambda db: note(db, now, who, "answer.download", subject, after={"bytes": found.size}))
    response = send_file(content, "application/octet-stream", True, name_of(delivery, found), etag=False)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _kept(delivery: Delivery, found: Download | None) -> io.BytesIO | None:
    """Return the answer as the history has kept it, where that is all of it."""
    return io.BytesIO(delivery.answer.encode()) if delivery.answer and answers.is_whole(delivery, found) else None


@blueprint.post("/send/history/<int:delivery_id>/cancel")
@needs("operator")
def cancel_call(delivery_id: int) -> ResponseReturnValue:
    """Stop taking the answer; what came of it stays."""
    delivery = delivery_of(delivery_id)
    if not long_answers.cancel(delivery, sign_in_guard.operator().email):
        flash("The call has ended, so that there is nothing to cancel.")
    return redirect(url_for("outbound.show_delivery", delivery_id=delivery.id), 303)


def told(delivery_id: int) -> dict[str, Any]:
    """Return what the page of a call says of its long answer."""
    found = current_runtime().database.read(lambda db: progress.of(db, delivery_id), one_statement=True)
    return {"download": found, "is_at_hand": found is not None and long_answers.is_at_hand(found)}
