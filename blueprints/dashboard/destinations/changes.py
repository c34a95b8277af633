"""What is done to a destination: its settings change, it is checked, its secret rotates, it pauses, resumes and goes.

What takes something away asks first, on a page of its own that says what it will mean.
"""

from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import form, new, status
from blueprints.dashboard.destinations.form import Typed
from blueprints.dashboard.destinations.routes import destination_or_404, find, find_usable
from destinations import destinations, opening, subscriptions
from destinations.destinations import Destination, NewDestination
from destinations.settings import WrongSettings
from models.encryption import DecryptionError
from runtime import current_runtime
from security import handover, sign_in_guard
from security.audit import note
from security.roles import needs

T = TypeVar("T")

LONGEST_REASON = 500
UNCHANGED = "Nothing has changed: it was so already, or is on its way out."


def _change(
    action: str, destination_id: int, work: Callable[[Connection, Destination], T], **sides: dict[str, object]
) -> tuple[Destination, T]:
    """Do it to a destination that exists, and leave a note in the audit trail; `sides` are before and after."""
    runtime, who = current_runtime(), sign_in_guard.operator().email

    def write(db: Connection) -> tuple[Destination, T]:
        known = destination_or_404(db, destination_id)
        done = work(db, known)
        if done is not False:
            note(db, runtime.clock(), who, f"destination.{action}", known.name, **sides)
        return known, done

    return runtime.database.write(write)


def _back(destination_id: int) -> ResponseReturnValue:
    return redirect(url_for("dashboard.show_destination", destination_id=destination_id), 303)


# --- settings


@blueprint.get("/destinations/<int:destination_id>/change")
@needs("operator")
def edit_destination(destination_id: int) -> ResponseReturnValue:
    known = find_usable(destination_id)
    return _form(known, Typed(known.name, known.settings), {})


@blueprint.post("/destinations/<int:destination_id>/change")
@needs("operator")
def change_destination(destination_id: int) -> ResponseReturnValue:
    runtime, known = current_runtime(), find_usable(destination_id)
    typed = form.typed(known.kind)
    draft = NewDestination(known.name, known.type, typed.settings, typed.secrets)
    changed = {"secrets": sorted(typed.secrets)} if typed.secrets else {}

    def work(db: Connection, now_known: Destination) -> None:
        destinations.change(db, runtime.cipher, now_known, draft, runtime.clock())

    try:
        _change("change", destination_id, work, after={**changed, **_differing(known, typed)})
    except WrongSettings as error:
        return _form(known, typed, error.errors), 422
    except DecryptionError:
        flash(opening.LOST, "needs-you")
        return _back(destination_id)
    flash(f"{known.name} is changed. The next call goes out this way.")
    return _back(destination_id)


def _differing(known: Destination, typed: Typed) -> dict[str, object]:
    before = {name: form.written(known.settings.get(name)) for name in typed.settings}
    return {name: value for name, value in typed.settings.items() if value != before[name]}


def _form(known: Destination, typed: Typed, wrong: dict[str, str]) -> str:
    kept = frozenset(setting.name for setting in known.kind.settings if setting.secret and known.sealed_secrets)
    return render_template(
        "dashboard/destinations/form.html",
        destination=known,
        name=known.name,
        **new.shown(known.kind, typed, wrong, kept),
    )


@blueprint.post("/destinations/<int:destination_id>/check")
@needs("operator")
def check_destination(destination_id: int) -> ResponseReturnValue:
    """Try it without changing anything there."""
    runtime, known = current_runtime(), find(destination_id)
    found = opening.check(runtime, known)
    if "HX-Request" in request.headers:
        return render_template("dashboard/destinations/_check.html", found=found)
    flash(found.told if found.ok else f"The check failed. {found.told}", "in-step" if found.ok else "needs-you")
    return _back(destination_id)


@blueprint.post("/destinations/<int:destination_id>/rotate")
@needs("operator")
def rotate_destination(destination_id: int) -> ResponseReturnValue:
    """A new secret of ours; the one before stays live for a time. The page that it leads to shows it once."""
    runtime = current_runtime()
    find_usable(destination_id)

    def work(db: Connection, known: Destination) -> dict[str, str]:
        return destinations.rotate(db, runtime.cipher, known, runtime.clock())

    try:
        _known, made = _change("rotate", destination_id, work)
    except (WrongSettings, DecryptionError) as error:
        flash(opening.LOST if isinstance(error, DecryptionError) else str(error), "needs-you")
        return _back(destination_id)
    key = handover.leave("secret", [destination_id, made])
    return redirect(url_for("dashboard.show_destination_secret", destination_id=destination_id, once=key), 303)


# --- pause, resume, remove


@blueprint.get("/destinations/<int:destination_id>/pause")
@needs("operator")
def ask_pause_destination(destination_id: int) -> str:
    return render_template("dashboard/destinations/pause.html", **_asked(destination_id))


@blueprint.post("/destinations/<int:destination_id>/pause")
@needs("operator")
def pause_destination(destination_id: int) -> ResponseReturnValue:
    reason, now = request.form.get("reason", "").strip()[:LONGEST_REASON], current_runtime().clock()
    known, done = _change(
        "pause", destination_id, lambda db, found: destinations.pause(db, found, reason, now), after={"reason": reason}
    )
    flash(f"{known.name} is paused. Everything waits, in its order, until you resume it." if done else UNCHANGED)
    return _back(destination_id)


@blueprint.post("/destinations/<int:destination_id>/resume")
@needs("operator")
def resume_destination(destination_id: int) -> ResponseReturnValue:
    now = current_runtime().clock()
    known, done = _change("resume", destination_id, lambda db, found: destinations.resume(db, found, now))
    flash(f"{known.name} goes on where it was." if done else UNCHANGED)
    return _back(destination_id)


@blueprint.get("/destinations/<int:destination_id>/remove")
@needs("operator")
def ask_remove_destination(destination_id: int) -> str:
    return render_template("dashboard/destinations/remove.html", **_asked(destination_id))


@blueprint.post("/destinations/<int:destination_id>/remove")
@needs("operator")
def remove_destination(destination_id: int) -> ResponseReturnValue:
    """Let it go with its subscriptions: `drain` sends what waits and takes out whom we added."""
    drain, now = request.form.get("way") == "drain", current_runtime().clock()

    def work(db: Connection, found: Destination) -> None:
        for subscription in subscriptions.listed(db, found):
            subscriptions.remove(db, subscription, drain=drain)
        destinations.remove(db, found, now)

    known, _done = _change("remove", destination_id, work, before={"way": "drain" if drain else "leave"})
    flash(f"{known.name} is being removed. Its page goes once nothing is left to do.")
    return redirect(url_for("dashboard.list_destinations"), 303)


def _asked(destination_id: int) -> dict[str, object]:
    runtime = current_runtime()
    now = runtime.clock()

    def read(db: Connection) -> tuple[status.DestinationStatus, int]:
        known = destination_or_404(db, destination_id)
        return status.read_one(db, known, now), status.there(db, known.id)

    seen, there = runtime.database.read(read)
    return {"seen": seen, "destination": seen.destination, "there": there}
