"""What may be changed of a subscription that runs: what goes along, whom it tells again, what it reports, its guard.

The next calls go by the new terms; whom it has told is not told again. Without a rule for coming again nobody keeps
whom it has told: a rule counts from its first call on. Whom it is about (cohort, destination, identity, kinds of
changes) stays: that would be another subscription, which begins anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from sqlalchemy import Connection, text

from destinations import as_json, destinations, subscriptions
from destinations.settings import WrongSettings
from destinations.subscriptions import NewSubscription, Subscription

_CHANGE = text("""
    UPDATE subscription SET fields = :fields, reentry = :reentry, report_event = :report_event,
        guard_percent = :guard_percent
    WHERE id = :id""")


@dataclass(frozen=True)
class Terms:
    """The terms that are given; None leaves one as it is. An empty `report_event` reports nothing any more."""

    fields: Mapping[str, str] | None = None
    reentry: str | None = None
    report_event: str | None = None
    guard_percent: int | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Return those that are given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Note(Protocol):
    """How an entry of the audit trail is left, by whoever changes the terms."""

    def __call__(
        self, action: str, subject: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> None: ...


def change(db: Connection, known: Subscription, terms: Terms, note: Note) -> dict[str, Any]:
    """Change the terms, and leave a note where something is different; return what is, as it is now. Raises
    WrongSettings, whose errors are by field, and KeyError for a type that this version does not know."""
    before, after = _change(db, known, terms)
    if after:
        note("subscription.change", as_json.subject(known), before, after)
    return after


def _change(db: Connection, known: Subscription, terms: Terms) -> tuple[dict[str, Any], dict[str, Any]]:
    destinations.locked(db, known.destination_id)  # as whatever plans or claims holds it
    draft = replace(_draft(known), **terms.given)
    wrong = subscriptions.wrong_terms(known.kind, draft)
    if wrong:
        raise WrongSettings(wrong)
    before, after = _terms(_draft(known)), _terms(draft)
    values = after | {"fields": json.dumps(after["fields"]), "report_event": draft.report_event or None}
    db.execute(_CHANGE, values | {"id": known.id})
    changed = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _draft(known: Subscription) -> NewSubscription:
    """Return it as a form would give it, where nothing is an empty text."""
    given = {one.name: getattr(known, one.name) for one in fields(NewSubscription)}
    return NewSubscription(**given | {name: given[name] or "" for name in ("country", "report_event")})


def _terms(draft: NewSubscription) -> dict[str, Any]:
    return {
        "fields": dict(draft.fields),
        "reentry": draft.reentry,
        "report_event": draft.report_event,
        "guard_percent": draft.guard_percent,
    }
