"""A cohort into a destination: chosen in a form, seen in a preview, and only then started."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from blueprints import rows, urls
from blueprints.dashboard import blueprint
from blueprints.dashboard.destinations import words
from blueprints.dashboard.destinations.routes import destination_or_404, find_usable
from destinations import opening, preview, subscriptions
from destinations.destinations import Destination
from destinations.identity import PROPERTY
from destinations.settings import WrongSettings
from destinations.subscription_terms import Terms
from destinations.subscriptions import NewSubscription, Subscription
from runtime import current_runtime
from security import handover, sign_in_guard
from security.audit import note
from security.roles import needs

MOST_COHORTS = 1000
LONGEST = 30_000  # characters of what is typed into one field
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}

_COHORTS = text("""
    SELECT id, project_id, mixpanel_cohort_id, name, member_count FROM cohort
    ORDER BY lower(coalesce(name, '')), id LIMIT :most""")
_COHORT = text("""
    SELECT id, project_id, mixpanel_cohort_id, name, member_count FROM cohort WHERE id = :id""")


@dataclass(frozen=True)
class Choice:
    """A cohort to choose."""

    id: int
    project_id: str
    mixpanel_cohort_id: str
    name: str | None
    member_count: int

    @property
    def label(self) -> str:
        return f"{self.name or 'Cohort ' + self.mixpanel_cohort_id} ({self.member_count:,}, project {self.project_id})"


@dataclass(frozen=True)
class TypedSubscription:
    """The form as it was typed. `cohort` is our own id of it, `named` the property of an identity that is another
    property; `cooloff` is a length of time in `unit`."""

    cohort: str = ""
    identity: str = "distinct_id"
    named: str = ""
    country: str = ""
    fields: str = ""
    kinds: str = "both"
    reentry: str = "each"
    cooloff: str = "7"
    unit: str = "days"
    start: str = ""
    report: str = ""
    guard: str = str(subscriptions.GUARD_PERCENT)

    @classmethod
    def of_request(cls) -> "TypedSubscription":
        given = {name: request.form.get(name, "").strip()[:LONGEST] for name in cls.__dataclass_fields__}
        return cls(**{name: urls.storable(value) for name, value in given.items()})

    @classmethod
    def of_known(cls, known: Subscription) -> "TypedSubscription":
        """Return the terms of a subscription as somebody would have typed them."""
        seconds = (known.cooloff or 0) // 1000
        unit = next(name for name, length in reversed(UNITS.items()) if seconds % length == 0)
        pairs = [name if name == source else f"{name} = {source}" for name, source in known.fields.items()]
        return cls(
            fields="\n".join(pairs),
            reentry="cooloff" if seconds else known.reentry,
            cooloff=str(seconds // UNITS[unit]) if seconds else cls.cooloff,
            unit=unit,
            report=known.report_event or "",
            guard=str(known.guard_percent),
        )

    def terms(self) -> Terms:
        """Return what may be changed later too; what the form has no field for is None. Raises WrongSettings."""
        errors: dict[str, str] = {}
        if self.reentry == "cooloff" and not (urls.key(self.cooloff) and self.unit in UNITS):
            errors["reentry"] = "Say how long, as a whole number from 1 on."
        found, wrong = _fields(self.fields)
        if wrong:
            errors["fields"] = wrong
        if errors:
            raise WrongSettings(errors)
        guard = urls.key(self.guard, -1) if self.guard else None
        return Terms(found, self._reentry or None, self.report, guard)

    def draft(self, destination: Destination, cohort: Choice | None) -> NewSubscription:
        """Make of it what the engine takes. Raises WrongSettings."""
        errors: dict[str, str] = {}
        if self.identity == "property" and not self.named:
            errors["identity"] = "Name the property that holds the identity."
        if '"' in self.named:
            errors["identity"] = "A property whose name has a quotation mark cannot be an identity."
        if not cohort:
            errors["cohort"] = "Choose a cohort."
        try:
            terms = self.terms()
        except WrongSettings as error:
            raise WrongSettings(errors | error.errors) from None
        if errors or cohort is None:
            raise WrongSettings(errors)
        return NewSubscription(
            destination=destination.name,
            project_id=cohort.project_id,
            cohort_id=cohort.mixpanel_cohort_id,
            identity=f"{PROPERTY}{self.named}" if self.identity == "property" else self.identity,
            country=self.country.upper(),
            kinds=self.kinds,
            start=self.start,
            **terms.given,
        )

    @property
    def _reentry(self) -> str:
        return f"cooloff:{urls.key(self.cooloff) * UNITS[self.unit]}" if self.reentry == "cooloff" else self.reentry


def _fields(given: str) -> tuple[dict[str, str], str]:
    """Read the fields, one a line: a property, or `name = property`. Return them, and what is wrong."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in given.splitlines())):
        name, _sign, source = (part.strip() for part in line.partition("="))
        if not name or ("=" in line and not source):
            return {}, f"A line is a property, or name = property: {line[:60]}"
        if name in found:
            return {}, f"{name[:60]} is there twice."
        found[name] = source or name
    return found, ""


@blueprint.get("/destinations/<int:destination_id>/subscribe")
@needs("operator")
def new_subscription(destination_id: int) -> ResponseReturnValue:
    """The form; as it was typed where the address has the key of a draft."""
    known = find_usable(destination_id)
    kept = _kept(destination_id)
    level = known.kind.family == "level"
    fresh = TypedSubscription(
        cohort=request.args.get("cohort", ""),
        identity="distinct_id" if "any" in known.kind.identities else known.kind.identities[0],
        start="present" if level else "now",
    )
    return _form(known, kept or fresh, {})


@blueprint.post("/destinations/<int:destination_id>/subscribe")
@needs("operator")
def preview_subscription(destination_id: int) -> ResponseReturnValue:
    """Check the form; what it would send is shown on a page of its own, which starts nothing."""
    known, typed = find_usable(destination_id), TypedSubscription.of_request()
    try:
        preview.preview(current_runtime(), typed.draft(known, _cohort(typed.cohort)))
    except WrongSettings as error:
        return _form(known, typed, error.errors), 422
    except opening.CannotOpen as error:
        return _form(known, typed, {"": str(error)}), 422
    key = handover.leave("form", [destination_id, asdict(typed)])
    return redirect(url_for("dashboard.show_preview", destination_id=destination_id, draft=key), 303)


@blueprint.get("/destinations/<int:destination_id>/preview")
@needs("operator")
def show_preview(destination_id: int) -> ResponseReturnValue:
    """What would be sent: ten masked bodies, how many people, who has no identity, how many calls and how long."""
    known, typed = find_usable(destination_id), _kept(destination_id)
    if typed is None:
        flash(handover.GONE)
        return redirect(url_for("dashboard.new_subscription", destination_id=destination_id))
    cohort = _cohort(typed.cohort)
    try:
        draft = typed.draft(known, cohort)
        seen = preview.preview(current_runtime(), draft)
    except (WrongSettings, opening.CannotOpen) as error:
        return _form(known, typed, error.errors if isinstance(error, WrongSettings) else {"": str(error)}), 422
    return render_template(
        "dashboard/destinations/preview.html",
        destination=known,
        kind=known.kind,
        cohort=cohort,
        draft=draft,
        seen=seen,
        bodies=[_indented(body) for body in seen.bodies],
        key=request.args["draft"],
        words=words,
    )


@blueprint.post("/destinations/<int:destination_id>/start")
@needs("operator")
def start_subscription(destination_id: int) -> ResponseReturnValue:
    """Start what the preview has shown."""
    runtime, known = current_runtime(), find_usable(destination_id)
    typed = _kept(destination_id)
    if typed is None:
        flash(handover.GONE)
        return redirect(url_for("dashboard.new_subscription", destination_id=destination_id), 303)
    who, cohort = sign_in_guard.operator().email, _cohort(typed.cohort)

    def write(db: Connection) -> int:
        destination_or_404(db, destination_id)
        added = subscriptions.add(db, draft, runtime.clock())
        after = {"cohort": f"{draft.project_id}/{draft.cohort_id}", "identity": draft.identity, "start": draft.start}
        note(db, runtime.clock(), who, "subscription.add", known.name, after=after)
        return added

    try:
        draft = typed.draft(known, cohort)
        added = runtime.database.write(write)
    except WrongSettings as error:
        return _form(known, typed, error.errors), 422
    flash("It has started. This page shows what is planned, sent and applied.")
    return redirect(url_for("dashboard.show_subscription", subscription_id=added), 303)


def _indented(body: str) -> str:
    """Return a body as people read JSON, and any other as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _kept(destination_id: int) -> TypedSubscription | None:
    """Return the draft that the address or the form has a key for; it can be gone back to."""
    key = request.values.get("draft", "")
    kept = handover.find("form", key) if key else None
    if not isinstance(kept, list) or len(kept) != 2 or kept[0] != destination_id:  # noqa: PLR2004 - a pair
        return None
    return TypedSubscription(**kept[1])


def _cohort(given: str) -> Choice | None:
    values = {"id": urls.key(given)}
    return current_runtime().database.read(lambda db: rows.one_or_none(db.execute(_COHORT, values), Choice))


def _form(known: Destination, typed: TypedSubscription, wrong: dict[str, str]) -> str:
    def read(db: Connection) -> tuple[list[Choice], set[int]]:
        found = rows.every(db.execute(_COHORTS, {"most": MOST_COHORTS}), Choice)
        return found, {subscription.cohort for subscription in subscriptions.listed(db, known)}

    cohorts, taken = current_runtime().database.read(read)
    return render_template(
        "dashboard/destinations/subscribe.html",
        destination=known,
        kind=known.kind,
        cohorts=[cohort for cohort in cohorts if cohort.id not in taken],
        typed=typed,
        wrong=wrong,
        identities=_identities(known),
        **_words(),
    )


def _identities(known: Destination) -> list[tuple[str, str]]:
    takes = known.kind.identities
    found = [("distinct_id", "Distinct id")] if "any" in takes else []
    found += [("email", "E-mail")] if {"any", "email"} & set(takes) else []
    found += [("phone", "Phone number")] if {"any", "phone"} & set(takes) else []
    return [*found, ("property", "Another property")]


def _words() -> dict[str, Any]:
    return {
        "kinds": [("both", "Entries and exits"), ("entered", "Entries only"), ("left", "Exits only")],
        "units": list(UNITS),
    }
