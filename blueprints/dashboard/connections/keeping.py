"""What a connection keeps of the profiles that arrive, and applying that to what is stored already."""

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from blueprints.dashboard import blueprint
from blueprints.dashboard.connections.routes import connection_or_404
from config.words import counted_to
from models.profile_choice import LONGEST_FIELD, MOST_FIELDS, ProfileChoice, WrongChoice, days_of, of_json
from runtime import current_runtime
from security import connections, sign_in_guard
from security.audit import note
from security.connections import Listed
from security.roles import needs
from sync.minimise import runs
from sync.minimise.runs import Extent, Minimisation
from sync.minimise.words import COSTS, WAYS, described

LONGEST_TEXT = MOST_FIELDS * (LONGEST_FIELD + 10)  # characters of a list as it is typed
LISTS = ("fields", "email_fields", "phone_fields", "days")


@dataclass(frozen=True)
class Typed:
    """The form as it was sent, or as it would be for a choice: lists are texts with a name on each line."""

    keep: str
    email: str
    phone: str
    fields: str
    email_fields: str
    phone_fields: str
    days: str


@blueprint.get("/connections/<name>/keeping")
def show_keeping(name: str) -> str:
    known, asked = current_runtime().database.read(lambda db: _read(db, name))
    return _page(known, asked, _typed(known.choice))


@blueprint.post("/connections/<name>/keeping")
@needs("admin")
def set_keeping(name: str) -> ResponseReturnValue:
    """Keep this from the next page on; a form that cannot be is shown again with what is wrong."""
    known, asked = current_runtime().database.read(lambda db: _read(db, name))
    typed = Typed(**{part: request.form.get(part, "")[: LONGEST_TEXT + 1] for part in Typed.__annotations__})
    try:
        choice = _choice(typed)
    except WrongChoice as error:
        return _page(known, asked, typed, str(error)), 422
    current_runtime().database.write(lambda db: _set(db, name, choice))
    flash(f"From the next page on: {described(choice)}. What is stored already stays until you apply it.")
    return redirect(url_for("dashboard.show_keeping", name=name))


def _set(db: Connection, name: str, choice: ProfileChoice) -> None:
    known = connection_or_404(db, name)
    if choice == known.choice:
        return
    connections.keep(db, name, choice)
    now, who = current_runtime().clock(), sign_in_guard.operator().email
    note(db, now, who, "connection.keep", name, known.choice.as_json(), choice.as_json())


@blueprint.get("/connections/<name>/minimise")
@needs("admin")
def ask_minimise(name: str) -> str:
    """Ask whether to apply it to what is stored, and say how much that is."""

    def read(db: Connection) -> tuple[Listed, Extent]:
        known = connection_or_404(db, name)
        return known, runs.extent(db, known.id)

    known, extent = current_runtime().database.read(read)
    return render_template(
        "dashboard/connections/minimise.html",
        name=name,
        is_needed=known.keeps is not None,
        extent=extent,
        people=counted_to(runs.MOST_COUNTED, extent.people, "person", "people"),
        described=described(known.choice),
        costs=COSTS,
    )


@blueprint.post("/connections/<name>/minimise")
@needs("admin")
def minimise(name: str) -> ResponseReturnValue:
    """Have the worker apply it to what is stored."""
    now, who = current_runtime().clock(), sign_in_guard.operator().email

    def write(db: Connection) -> bool:
        known = connection_or_404(db, name)
        if known.keeps is not None:
            runs.ask(db, known.id, known.choice, who, now)
            note(db, now, who, "connection.minimise", name, after=known.choice.as_json())
        return known.keeps is not None

    asked = current_runtime().database.write(write)
    flash(
        "The worker goes through what is stored." if asked else f"{name} keeps everything: there is nothing to apply."
    )
    return redirect(url_for("dashboard.show_keeping", name=name))


def _read(db: Connection, name: str) -> tuple[Listed, Minimisation | None]:
    known = connection_or_404(db, name)
    return known, runs.latest(db, known.id)


def _page(known: Listed, asked: Minimisation | None, typed: Typed, wrong: str | None = None) -> str:
    return render_template(
        "dashboard/connections/keeping.html",
        connection=known,
        described=described(known.choice),
        asked=asked,
        typed=typed,
        wrong=wrong,
        ways=list(WAYS.items()),
        costs=COSTS,
        longest=LONGEST_TEXT,
    )


def _typed(choice: ProfileChoice) -> Typed:
    keep = "all" if choice.keep is None else "list" if choice.keep else "none"
    lists = (choice.keep or (), choice.email_fields, choice.phone_fields, tuple(f"{n} = {d}" for n, d in choice.days))
    fields, emails, phones, days = ("\n".join(one) for one in lists)
    return Typed(keep, choice.email, choice.phone, fields, emails, phones, days)


def _choice(typed: Typed) -> ProfileChoice:
    """Raises WrongChoice."""
    if any(len(getattr(typed, part)) > LONGEST_TEXT for part in LISTS):
        raise WrongChoice(f"A list has at most {MOST_FIELDS} fields of {LONGEST_FIELD} characters each.")
    if typed.keep == "list" and not _lines(typed.fields):
        raise WrongChoice("Name the fields that are kept, one on a line, or choose none.")
    given: dict[str, Any] = {"keep": _lines(typed.fields) if typed.keep == "list" else typed.keep}
    given |= {"email": typed.email, "phone": typed.phone}
    given |= {"email_fields": _lines(typed.email_fields), "phone_fields": _lines(typed.phone_fields)}
    return of_json(given | {"days": dict(map(days_of, _lines(typed.days)))})


def _lines(written: str) -> list[str]:
    return [line.strip() for line in written.splitlines() if line.strip()]
