"""The composer: pick a call, fill in its form, see the request as it will leave, send it."""

import difflib
from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from htmx_flask import request
from sqlalchemy import Connection, text

from blueprints import paging, urls
from blueprints.outbound import blueprint, body_files, confirmation, drafts, forms, history
from blueprints.outbound.background_send import dispatch
from blueprints.outbound.choices import NOTHING, Offer, offer
from blueprints.outbound.drafts import FormDraft
from blueprints.outbound.forms import Form
from blueprints.outbound.loaders import delivery_of
from blueprints.outbound.request_preview import Composed, preview_of, ready
from outbound import body_files as body_file_storage
from outbound import deliveries, projects, send, suggestions
from outbound.deliveries import Delivery, Filter
from outbound.operations import registry
from outbound.operations.types import CallInput, Operation
from outbound.request.compose import masked
from outbound.saved import requests
from outbound.send import PreparedCall
from runtime import current_runtime
from security import handover, sign_in_guard
from security.forms import MOST_PARTS_OF_ROWS, takes, takes_files
from security.roles import needs

LARGEST = body_files.LARGEST_FIELDS  # bytes of a form: Mixpanel takes 10 MB
LONGEST_NAME = 100  # characters of a call's name that are looked for
RECENT = 5
NEAR = 12
SURE, FORCED = "yes", "forced"  # what the button of the question says

_PERSON = text("SELECT id, project_id, distinct_id FROM person WHERE id = :id")


@blueprint.get("/send")
def compose() -> ResponseReturnValue:
    """Without an operation the list of all, or of those that answer to what was typed."""
    runtime = current_runtime()
    typed = request.args.get("operation", "").strip()[:LONGEST_NAME]
    operation = registry.find(typed)
    if operation is None:
        called = registry.called(typed)
        found = [called] if called is not None else _near(typed)
        if typed and len(found) == 1:
            others = {name: value for name, value in request.args.items() if name in {"project", "person"}}
            return redirect(url_for("outbound.compose", operation=found[0].id, **others))
        known = runtime.database.read(projects.listed, one_statement=True)
        return render_template(
            "outbound/operations.html", typed=typed, found=found, groups=registry.groups(), projects=known
        )
    if "form" in request.args:
        return _typed_before(operation)
    return _page(runtime.database.read(lambda db: _begun(db, operation)), **_answered(operation))


def _answered(operation: Operation) -> dict[str, Any]:
    """Return what is told of the call that the form is filled in from: its answer stands beside it."""
    wanted = urls.key_of_query("delivery")
    earlier = current_runtime().database.read(lambda db: deliveries.by_id(db, wanted), one_statement=True)
    return history.told(earlier) if earlier is not None and earlier.operation == operation.id else {}


def _near(typed: str) -> list[Operation]:
    """Find the operations that have every word that was typed, or else the likeliest."""
    words = typed.lower().split()
    every = list(registry.OPERATIONS.values())
    names = {operation.id: _searched(operation) for operation in every}
    found = [operation for operation in every if words and all(word in names[operation.id] for word in words)]
    alike = difflib.get_close_matches(typed.lower(), [operation.name.lower() for operation in every], 3, 0.5)
    return (found or [operation for operation in every if operation.name.lower() in alike])[:NEAR]


def _searched(operation: Operation) -> str:
    """Return all that an operation is found by, in small letters."""
    parts = (operation.id, operation.name, operation.words, operation.operator or "", *operation.also)
    return " ".join(parts).lower()


def _begun(db: Connection, operation: Operation) -> Composed:
    """The form to begin with: empty, an example, an earlier call, or filled in for a person."""
    known = projects.listed(db)
    project = next(
        (choice for choice in known if choice.name == request.args.get("project")), known[0] if known else None
    )
    now = current_runtime().clock()
    form, who = forms.defaults(operation, now), ""
    place = urls.key_of_query("example", -1)
    if 0 <= place < len(operation.examples):
        form |= forms.form_of(operation, registry.filled(operation.examples[place], now))
    earlier = deliveries.by_id(db, urls.key_of_query("delivery"))
    if earlier is not None and earlier.given is not None:
        form = forms.form_of(operation, _earlier(earlier, earlier.given))
        project = next((choice for choice in known if choice.name == earlier.project), project)
    saved = requests.by_id(db, urls.key_of_query("saved"))
    if saved is not None and saved.operation == operation.id:
        form = forms.form_of(operation, saved.given)
        form["saved"] = str(saved.id)
        project = next((choice for choice in known if choice.name == saved.project), project)
    person = db.execute(_PERSON, {"id": urls.key_of_query("person")}).one_or_none()
    if person is not None:
        for param in operation.asked:
            if param.name in {"distinct_id", "$distinct_id"}:
                form[f"p.{param.name}"] = who = person.distinct_id
        project = next((choice for choice in known if choice.mixpanel_project_id == person.project_id), project)
    return Composed(known, project, operation, form, who)


def _earlier(earlier: Delivery, kept: dict[str, Any]) -> CallInput:
    """Return what an earlier call was made from; with `failed`, only the records that Mixpanel did not take."""
    given = CallInput(kept["params"], kept["body"])
    if not request.args.get("failed"):
        return given
    wanted = sorted({failed["index"] for failed in earlier.failed_records})
    body = given.body
    if isinstance(body, str):
        body = send.answer_json(body)
    records = body if isinstance(body, list) else [body]
    again = [records[index] for index in wanted if index < len(records)]
    return replace(given, body=again) if body is not None else given


@blueprint.post("/send/preview")
@needs("operator")
@takes(LARGEST)
@takes_files(body_files.largest, parts=MOST_PARTS_OF_ROWS)
def preview() -> ResponseReturnValue:
    """The request as it would leave, with what our checks say; asked for by htmx while somebody types."""
    typed = _typed()
    if not request.htmx:
        return drafts.lead(typed.operation, typed.form, FormDraft(checked=True))
    return render_template("outbound/_request.html", **preview_of(replace(typed, is_new=True)))


@blueprint.post("/send")
@needs("operator")
@takes(LARGEST)
@takes_files(body_files.largest, parts=MOST_PARTS_OF_ROWS)
def send_call() -> ResponseReturnValue:
    """Send it; check it only; give a list of names and values another row; or ask Mixpanel what there is to choose."""
    typed = _typed()
    wanted = request.form.get("do", "send")
    what, _, name = wanted.partition(":")
    if what in {"row", "pick"}:
        more = FormDraft(more_rows=name) if what == "row" else FormDraft(offered=_offered(typed, name))
        return drafts.lead(typed.operation, typed.form, more)
    if what == "save":
        return drafts.lead(typed.operation, typed.form, endpoint="outbound.new_saved")
    call, _hindrance = ready(typed)
    if call is None or wanted == "check" or call.composed.stops(force=_is_forced()):
        return _checked(typed, call, is_stopped=wanted != "check")
    question = None if request.form.get("sure") in {SURE, FORCED} else confirmation.before_sending(call)
    if question is not None:
        if request.htmx:
            return _foot(typed, question=question, sure=FORCED if _is_forced() else SURE)
        return drafts.lead(typed.operation, typed.form, endpoint="outbound.ask_before_sending")
    return _sent(typed, call)


def _is_forced() -> bool:
    return "force" in request.form or request.form.get("sure") == FORCED


def _checked(typed: Composed, call: PreparedCall | None, *, is_stopped: bool) -> ResponseReturnValue:
    """Say what the checks say: in the foot of the form, or on the whole page without JavaScript."""
    status = 422 if is_stopped or call is None else 200
    if request.htmx:
        return _foot(typed, checked=True), status
    if status == 200:  # noqa: PLR2004
        return drafts.lead(typed.operation, typed.form, FormDraft(checked=True))
    return _page(typed, checked=True), status


def _sent(typed: Composed, call: PreparedCall) -> ResponseReturnValue:
    """Make the call. Its answer stands beside the form, whose address then leads back to both."""
    confirmation.note_sent(call)
    delivery = dispatch(call, sign_in_guard.operator().email)
    if not request.htmx:
        return redirect(url_for("outbound.show_delivery", delivery_id=delivery), 303)
    address = url_for("outbound.compose", operation=typed.operation.id, delivery=delivery)
    told = history.told(delivery_of(delivery))
    return _foot(typed, **told), {"HX-Replace-Url": address, "HX-Trigger": "composer:sent"}


def _foot(typed: Composed, **more: Any) -> str:
    """Render what changes on the composer's page as a button is pressed: the form's foot, the request, the answer."""
    return render_template("outbound/_foot.html", **(preview_of(typed) | more))


@blueprint.get("/send/sure")
@needs("operator")
def ask_before_sending() -> ResponseReturnValue:
    """The question before a call is made; what was typed comes along under a key (`?form=`)."""
    operation, draft, call = registry.find(request.args.get("operation", "")), drafts.kept(), None
    if operation is not None and draft is not None:
        typed = _of_form(operation, draft.form)
        call, _hindrance = ready(typed)
    if draft is None or call is None:
        flash(handover.GONE)
        return redirect(url_for("outbound.compose"))
    question = confirmation.before_sending(call)
    if question is None:  # it was answered meanwhile, in another tab
        return redirect(url_for("outbound.compose", **request.args))
    shown = masked(call.composed.outgoing, call.mask)
    asked = {"operation": operation, "project": typed.project, "fields": draft.fields, "shown": shown}
    return render_template("outbound/ask.html", **asked, question=question)


def _typed_before(operation: Operation) -> ResponseReturnValue:
    """The form as it was typed; an empty one where that is too long ago."""
    draft = drafts.kept()
    if draft is None:
        flash(handover.GONE)
        return redirect(url_for("outbound.compose", operation=operation.id))
    typed = _of_form(operation, draft.form)
    return _page(typed, checked=draft.checked, more_rows=draft.more_rows, offered=draft.offered)


def _offered(typed: Composed, name: str) -> Offer:
    param = typed.operation.param(name)
    if param is None or not param.pick:
        abort(400)
    if typed.project is None:
        return Offer(name, words="There is no project to ask.")
    return offer(typed.project, param, sign_in_guard.operator().email)


def _typed() -> Composed:
    operation = registry.find(request.form.get("operation", ""))
    if operation is None:
        abort(400)
    form = forms.with_files(operation, request.form, request.files)
    return _of_form(operation, body_files.with_body_file(operation, form, request.files))


def _of_form(operation: Operation, form: Form) -> Composed:
    known = current_runtime().database.read(projects.listed, one_statement=True)
    project = next((choice for choice in known if choice.name == form.get("project")), None)
    return Composed(known, project, operation, form)


def _page(
    typed: Composed, *, checked: bool = False, more_rows: str = "", offered: Offer = NOTHING, **answered: Any
) -> str:
    seen = preview_of(typed)
    shown = seen["problems"] if checked else [problem for problem in seen["problems"] if problem.level == "note"]
    wanted = Filter(operation=typed.operation.id)
    project = typed.project.name if typed.project is not None else ""
    recent, names = current_runtime().database.read(
        lambda db: (deliveries.search(db, wanted, paging.AFTER_ALL, RECENT), suggestions.names(db, project))
    )
    more = {
        "checked": checked,
        "fields": forms.fields(typed.operation, typed.form, shown, more_rows),
        "offered": offered,
        "body": typed.form.get("body", ""),
        "recent": recent,
        "names": names,
        "every": list(registry.OPERATIONS.values()),
        "takes_file": body_file_storage.takes_file(typed.operation),
    }
    more |= body_files.shown(typed.form)
    return render_template("outbound/composer.html", **(seen | more | answered))
