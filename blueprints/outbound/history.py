"""The history: every call that was made, and one of them with its verdict, record by record."""

import json
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from htmx_flask import request
from sqlalchemy import Connection

from blueprints import paging
from blueprints.outbound import answers, blueprint, confirmation, delivery_check, downloads
from blueprints.outbound.background_send import dispatch
from blueprints.outbound.confirmation import Question
from blueprints.outbound.formatting import record_word, word
from blueprints.outbound.loaders import delivery_of
from blueprints.urls import storable
from models.encryption import DecryptionError
from outbound import deliveries, projects, resend, send
from outbound.deliveries import SOURCES, VERDICTS, Delivery, Filter
from outbound.operations import registry
from outbound.operations.types import CallInput, Operation
from outbound.request.masking import MASK
from outbound.send import PreparedCall
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
    return render_template("outbound/delivery.html", **told(delivery_of(delivery_id)))


@blueprint.get("/send/history/<int:delivery_id>/now")
def delivery_now(delivery_id: int) -> str:
    """The verdict; it asks again while the call is under way. `beside=1`: beside the composer's form."""
    beside = bool(request.args.get("beside"))
    return render_template("outbound/_verdict.html", beside=beside, **told(delivery_of(delivery_id)))


@blueprint.get("/send/history/<int:delivery_id>/again")
@needs("operator")
def ask_again(delivery_id: int) -> ResponseReturnValue:
    """The question before a call is repeated: it may count twice, or cannot be taken back."""
    known = delivery_of(delivery_id)
    call = _ready_again(known)
    question = confirmation.before_again(call, known, as_new=_is_new()) if call is not None else None
    if question is None:
        return redirect(url_for("outbound.show_delivery", delivery_id=delivery_id))
    return render_template("outbound/ask_again.html", delivery=known, question=question, as_new=_is_new())


@blueprint.post("/send/history/<int:delivery_id>/again")
@needs("operator")
def send_again(delivery_id: int) -> ResponseReturnValue:
    """Make the same call once more: with the events that were sent, or with new ones (`as=new`)."""
    known = delivery_of(delivery_id)
    call = _ready_again(known)
    if call is None:
        return _elsewhere(url_for("outbound.compose", operation=known.operation, delivery=delivery_id))
    question = confirmation.before_again(call, known, as_new=_is_new())
    if question is not None and request.form.get("sure") != "yes":
        return _ask(known, question)
    confirmation.note_sent(call)
    delivery = dispatch(call, sign_in_guard.operator().email)
    if not request.htmx:
        return redirect(url_for("outbound.show_delivery", delivery_id=delivery), 303)
    address = url_for("outbound.compose", operation=known.operation, delivery=delivery)
    return render_template("outbound/_answer.html", **told(delivery_of(delivery))), {"HX-Replace-Url": address}


def _ask(known: Delivery, question: Question) -> ResponseReturnValue:
    if not request.htmx:
        asked: dict[str, Any] = {"as": "new"} if _is_new() else {}
        return redirect(url_for("outbound.ask_again", delivery_id=known.id, **asked), 303)
    shown = render_template("outbound/_ask_again.html", delivery=known, question=question, as_new=_is_new())
    return shown, {"HX-Retarget": "#ask-again", "HX-Reswap": "outerHTML"}


def _elsewhere(address: str) -> ResponseReturnValue:
    """Lead to another page, also whoever asked for a part of one."""
    return ("", {"HX-Redirect": address}) if request.htmx else redirect(address, 303)


def _is_new() -> bool:
    return bool(request.values.get("as") == "new")


def _ready_again(known: Delivery) -> PreparedCall | None:
    """The call once more; None where it cannot be made as it was, which is said on the next page."""
    runtime = current_runtime()
    operation = registry.find(known.operation)
    if known.given is None or operation is None or MASK in json.dumps(known.given, ensure_ascii=False):
        flash("Part of this call is not kept, so it cannot be run again as it was. Fill in what is missing.")
        return None
    project = runtime.database.read(lambda db: projects.by_name(db, known.project), one_statement=True)
    if project is None:
        flash(f"There is no project {known.project} any more.")
        return None
    try:
        call = send.ready(runtime, project, operation, _again(known, known.given, operation))
    except DecryptionError:
        flash("The project's credentials cannot be read with this SECRET_KEY. Give them again.")
        return None
    return None if call.composed.request is None else call


def _again(known: Delivery, given: dict[str, Any], operation: Operation) -> CallInput:
    found = CallInput(given["params"], given["body"])
    if _is_new():
        return resend.new(operation, found, current_runtime().clock())
    return resend.same(operation, found, known.request.get("body"))


def told(delivery: Delivery) -> dict[str, Any]:
    operation = registry.find(delivery.operation)
    download = downloads.told(delivery.id)
    return (
        {
            "delivery": delivery,
            "operation": operation,
            "counts_once": operation is not None and resend.has_both(operation),
            "name": operation.name if operation else delivery.operation,
            "rows": _rows(delivery, is_import=operation is not None and operation.answer == "import"),
            "is_cut": deliveries.is_cut(delivery.request.get("body")),
        }
        | download
        | answers.told(delivery, download["download"])
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
