"""The history: every call that was made, and one of them with its verdict, record by record."""

import json
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints import paging
from blueprints.outbound import blueprint, delivery_check, downloads
from blueprints.outbound.background_send import dispatch
from blueprints.outbound.composer import takes_away
from blueprints.outbound.formatting import record_word, word
from blueprints.outbound.loaders import delivery_of
from blueprints.urls import storable
from models.encryption import DecryptionError
from outbound import deliveries, projects, resend, send
from outbound.deliveries import SOURCES, VERDICTS, Delivery, Filter
from outbound.operations import registry
from outbound.operations.types import CallInput, Operation
from outbound.request.masking import MASK
from runtime import current_runtime
from security import sign_in_guard
from security.roles import needs

PAGE = 50
MOST_RECORDS = 50


@blueprint.get("/send/history")
def list_deliveries() -> str:
    """The newest first; filtered by project, call, verdict, source and text."""
    names = ("project", "operation", "verdict", "source", "text")
    asked = {name: storable(request.args.get(name, "")) for name in names}
    wanted = Filter(**asked)  # type: ignore[arg-type]

    def read(db: Connection) -> tuple[list[Delivery], list[projects.Project], bool]:
        found = deliveries.search(db, wanted, paging.before(), PAGE + 1)
        return found, projects.listed(db), bool(deliveries.search(db, Filter(imports=True), paging.AFTER_ALL, 1))

    found, known, any_at_all = current_runtime().database.read(read)
    return render_template(
        "outbound/history.html",
        **paging.shown(found, PAGE, {name: value for name, value in asked.items() if value}),
        wanted=wanted,
        is_filtered=any(asked.values()),
        any_at_all=any_at_all,
        projects=known,
        names={operation.id: operation.name for operation in registry.OPERATIONS.values()},
        verdicts=[*((verdict, word(verdict)) for verdict in VERDICTS), ("open", word(None))],
        sources=SOURCES,
    )


@blueprint.get("/send/history/<int:delivery_id>")
def show_delivery(delivery_id: int) -> str:
    return render_template("outbound/delivery.html", **_told(delivery_of(delivery_id)))


@blueprint.get("/send/history/<int:delivery_id>/now")
def delivery_now(delivery_id: int) -> str:
    """The verdict; it asks again while the call is under way."""
    return render_template("outbound/_verdict.html", **_told(delivery_of(delivery_id)))


@blueprint.get("/send/history/<int:delivery_id>/again")
@needs("operator")
def ask_again(delivery_id: int) -> ResponseReturnValue:
    """The question before a call is repeated that may count twice, or cannot be taken back."""
    known = delivery_of(delivery_id)
    operation = registry.find(known.operation)
    if operation is None:
        return redirect(url_for("outbound.show_delivery", delivery_id=delivery_id))
    return render_template("outbound/ask_again.html", delivery=known, operation=operation)


@blueprint.post("/send/history/<int:delivery_id>/again")
@needs("operator")
def send_again(delivery_id: int) -> ResponseReturnValue:
    """Make the same call once more: with the events that were sent, or with new ones (`as=new`)."""
    runtime = current_runtime()
    known = delivery_of(delivery_id)
    operation = registry.find(known.operation)
    edit = redirect(url_for("outbound.compose", operation=known.operation, delivery=delivery_id), 303)
    if known.given is None or operation is None or MASK in json.dumps(known.given, ensure_ascii=False):
        flash("Part of this call is not kept, so it cannot be run again as it was. Fill in what is missing.")
        return edit
    project = runtime.database.read(lambda db: projects.by_name(db, known.project), one_statement=True)
    if project is None:
        flash(f"There is no project {known.project} any more.")
        return edit
    if request.form.get("sure") != "yes" and (takes_away(operation) or known.verdict == "uncertain"):
        return redirect(url_for("outbound.ask_again", delivery_id=delivery_id), 303)
    try:
        call = send.ready(runtime, project, operation, _again(known, known.given, operation))
    except DecryptionError:
        flash("The project's credentials cannot be read with this SECRET_KEY. Give them again.")
        return edit
    if call.composed.request is None:
        return edit
    delivery = dispatch(call, sign_in_guard.operator().email)
    return redirect(url_for("outbound.show_delivery", delivery_id=delivery), 303)


def _again(known: Delivery, given: dict[str, Any], operation: Operation) -> CallInput:
    found = CallInput(given["params"], given["body"])
    if request.form.get("as") == "new":
        return resend.new(operation, found, current_runtime().clock())
    return resend.same(operation, found, known.request.get("body"))


def _told(delivery: Delivery) -> dict[str, Any]:
    operation = registry.find(delivery.operation)
    return (
        {
            "delivery": delivery,
            "operation": operation,
            "counts_once": operation is not None and resend.has_both(operation),
            "name": operation.name if operation else delivery.operation,
            "rows": _rows(delivery, is_import=operation is not None and operation.answer == "import"),
            "is_cut": deliveries.is_cut(delivery.request.get("body")),
        }
        | downloads.told(delivery.id)
        | delivery_check.told(delivery)
    )


def _rows(delivery: Delivery, *, is_import: bool) -> list[dict[str, Any]]:
    """Every record with what became of it; of a long batch those that failed."""
    return [row | {"word": record_word(row["verdict"], is_import=is_import)} for row in _records(delivery)]


def _records(delivery: Delivery) -> list[dict[str, Any]]:
    failed = {row["index"]: row for row in delivery.failed_records}
    if delivery.records > MOST_RECORDS or delivery.verdict is None:
        return [_row(index, None, row, delivery) for index, row in list(failed.items())[:MOST_RECORDS]]
    sent = send.answer_json(delivery.request.get("body"))
    records = sent if isinstance(sent, list) else []
    return [_row(index, record, failed.get(index), delivery) for index, record in enumerate(records)]


def _row(index: int, record: Any, failed: dict[str, Any] | None, delivery: Delivery) -> dict[str, Any]:
    record = record if isinstance(record, dict) else {}
    properties = record.get("properties") if isinstance(record.get("properties"), dict) else {}
    whose = record.get("$distinct_id") or record.get("$group_id") or properties.get("distinct_id") or ""
    insert_id = (failed or {}).get("insert_id") or properties.get("$insert_id") or ""
    stored = "failed" if failed else delivery.verdict if delivery.verdict != "partly" else "accepted"
    return {
        "number": index + 1,
        "what": record.get("event") or next((name for name in record if name in _OPERATORS), ""),
        "whose": str(whose),
        "insert_id": str(insert_id),
        "verdict": "rejected" if failed else stored,
        "message": " ".join(filter(None, ((failed or {}).get("field"), (failed or {}).get("message")))),
    }


_OPERATORS = ("$set", "$set_once", "$add", "$append", "$remove", "$union", "$unset", "$delete")
