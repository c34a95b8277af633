"""Back to Mixpanel, into one of our projects: an event for each entry and exit, a profile property that says who is in.

Calls go through outbound's sender: its checks, its history, its budget. An event has the same `$insert_id` and time at
every attempt, so that Mixpanel counts it once.
"""

import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from destinations.contract import (
    Answer,
    Budget,
    Change,
    Check,
    DestinationType,
    Feed,
    Opened,
    Refusal,
    RefusalKind,
    Setting,
    Verdict,
)
from destinations.transport import hidden_in, kept
from models.cohorts import Cohort, Membership
from models.encryption import DecryptionError
from models.people import Person
from outbound import credential_check, projects, send
from outbound.operations.registry import OPERATIONS
from outbound.operations.types import CallInput
from outbound.projects import Project
from outbound.transport.attempts import Outcome
from outbound.transport.retry import asked_pause
from runtime import Runtime

SOURCE = "destination"
TELLS = ("events", "property", "both")
NAMESPACE = uuid.UUID("4f1c9a52-7d5e-5b7e-9a6e-2f3f0c5f7a10")
DAY = 86_400
BATCH = 2000  # records that one call to Mixpanel takes
_STATUSES: dict[int, RefusalKind] = {401: "credentials", 403: "credentials", 404: "gone", 429: "throttled", 413: "size"}
# By the verdict of a call in which no record is named.
_KINDS: dict[str, RefusalKind] = {"rejected": "batch", "uncertain": "unknown", "failed": "unavailable"}


class MixpanelAdapter:
    """One project."""

    def __init__(self, opened: Opened) -> None:
        runtime: Runtime = opened.resources["runtime"]
        self._runtime = runtime.with_settings(send_attempts=1)  # when it is tried again is the engine's
        self._settings = opened.settings
        self._who = f"destination {opened.destination}"

    def check(self) -> Check:
        """Ask Mixpanel whether the project's credentials may import, by an event that it refuses to store."""
        project = self._project()
        if project is None:
            return Check(ok=False, told=self._none().told)
        try:
            found = [one for one in credential_check.check(self._runtime, project, self._who) if one.use == "importing"]
        except DecryptionError:
            return Check(ok=False, told=SEALED)
        works = any(finding.works for finding in found)
        return Check(ok=works, told="It may import." if works else " ".join(finding.words for finding in found) or NONE)

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Send the events of changes, then who of them is in now."""
        project = self._project()
        if project is None:
            return Answer(refusal=self._none())
        answer = Answer({change.id: Verdict("applied") for change in changes})
        if self._tells("events"):
            answer = self._call(project, "import-events", changes, self._events(feed, changes))
        left = [change for change in changes if _is_applied(answer, change)]
        if self._tells("property") and left:
            told = self._call(project, "profile-batch-update", left, self._updates(feed, left))
            return Answer({**answer.verdicts, **told.verdicts}, told.refusal, told.status, told.text)
        return answer

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        events = self._events(feed, changes) if self._tells("events") else []
        name = self._property(feed)
        updates = [
            {"$distinct_id": change.identity, "$set": {name: change.kind == "entered"}}
            for change in (changes if self._tells("property") else [])
        ]
        return msgspec.json.format(msgspec.json.encode([*events, *updates]), indent=1).decode()

    def close(self) -> None:
        """Nothing is held: each call opens its own connection."""

    def _tells(self, what: str) -> bool:
        return str(self._settings.get("tell") or "events") in {what, "both"}

    def _property(self, feed: Feed) -> str:
        return str(self._settings.get("property") or PROPERTY).replace("{cohort}", feed.slug)

    def _project(self) -> Project | None:
        name = str(self._settings["project"])
        return self._runtime.database.read(lambda db: projects.by_name(db, name))

    def _none(self) -> Refusal:
        return Refusal(
            "gone", "no_project", f"There is no project {self._settings['project']} here: see flask projects."
        )

    def _events(self, feed: Feed, changes: Sequence[Change]) -> list[dict[str, Any]]:
        names = {
            "entered": self._settings.get("entered_event") or ENTERED,
            "left": self._settings.get("left_event") or LEFT,
        }
        return [_event(feed, change, str(names[change.kind])) for change in changes if change.kind in names]

    def _updates(self, feed: Feed, changes: Sequence[Change]) -> list[dict[str, Any]]:
        """Profiles are told the present: a message that is sent late must not undo what is newer."""
        name, ids = self._property(feed), [change.distinct_id for change in changes]
        members = self._runtime.database.read(partial(_members, feed=feed, ids=ids))
        return [{"$distinct_id": change.identity, "$set": {name: change.distinct_id in members}} for change in changes]

    def _call(
        self, project: Project, operation: str, changes: Sequence[Change], records: list[dict[str, Any]]
    ) -> Answer:
        """Send a record for each change, but those that our own checks know to be refused."""
        runtime = self._runtime
        try:
            call = send.ready(runtime, project, OPERATIONS[operation], CallInput(body=records))
            stops = call.composed.stops(force=False)
            refused = {changes[stop.index].id: _unfit() for stop in stops if stop.index is not None}
            if len(refused) == len(changes):
                return Answer(refused)
            if refused:
                fit = [(one, record) for one, record in zip(changes, records, strict=True) if one.id not in refused]
                rest = self._call(project, operation, [one for one, _ in fit], [record for _, record in fit])
                return Answer({**refused, **rest.verdicts}, rest.refusal, rest.status, rest.text)
            if stops:
                return Answer(refusal=Refusal("credentials", "incomplete", stops[0].message))
            outcome = send.send(runtime, call, self._who, SOURCE)[1]
        except DecryptionError:
            return Answer(refusal=Refusal("credentials", "sealed", SEALED))
        return _judged(runtime, outcome, changes)


def _event(feed: Feed, change: Change, name: str) -> dict[str, Any]:
    ours = {
        "distinct_id": change.identity,
        "time": change.at,
        "$insert_id": str(uuid.uuid5(NAMESPACE, f"{change.key}/{name}")),
        "cohort_id": feed.cohort_id,
        "cohort_name": feed.cohort_name,
        "entry_number": change.entry_number,
    }
    return {"event": name, "properties": {**change.fields, **ours}}


def _members(db: Connection, feed: Feed, ids: Sequence[str]) -> set[str]:
    """Return which of these people are in the cohort now."""
    found = (
        select(Person.distinct_id)
        .join(Cohort, Cohort.project_id == Person.project_id)
        .join(Membership, (Membership.cohort_id == Cohort.id) & (Membership.person_id == Person.id))
        .where(Cohort.project_id == feed.project_id, Cohort.mixpanel_cohort_id == feed.cohort_id)
        .where(Membership.left_at.is_(None), Person.distinct_id.in_(ids))
    )
    return set(db.execute(found).scalars())


def _judged(runtime: Runtime, outcome: Outcome, changes: Sequence[Change]) -> Answer:
    """Mixpanel names the records that it refuses; where it names none, its answer is about the call."""
    text = kept(outcome.answer.text if outcome.answer else "", (), hidden_in(changes))
    rejected = Verdict("rejected", "refused_by_mixpanel", "Mixpanel refused it; the history of calls says why.")
    named = {changes[record.index].id for record in outcome.failed_records if record.index < len(changes)}
    if outcome.verdict == "accepted" or (outcome.verdict in {"partly", "rejected"} and named):
        verdicts = {change.id: rejected if change.id in named else Verdict("applied") for change in changes}
        return Answer(verdicts, status=outcome.status, text=text)
    words = kept(outcome.words, (), hidden_in(changes))  # they repeat what Mixpanel says
    return Answer(refusal=_refusal(runtime, outcome, words), status=outcome.status, text=text)


def _refusal(runtime: Runtime, outcome: Outcome, words: str) -> Refusal:
    if outcome.frees_at is not None:
        return Refusal("throttled", "budget", words, max(1.0, (outcome.frees_at - runtime.clock()) / 1000))
    status = outcome.status
    kind = _STATUSES.get(status or 0) or _KINDS.get(outcome.verdict, "unknown")
    wait = asked_pause(outcome.answer, runtime.clock()) if outcome.answer and kind == "throttled" else None
    return Refusal(kind, f"http_{status}" if status else "no_answer", words, wait or None)


def _is_applied(answer: Answer, change: Change) -> bool:
    verdict = answer.verdicts.get(change.id)
    return answer.refusal is None and verdict is not None and verdict.outcome == "applied"


def _unfit() -> Verdict:
    return Verdict("rejected", "unfit", "Mixpanel would drop it: the id, or something in its fields.")


def _open(opened: Opened) -> MixpanelAdapter:
    return MixpanelAdapter(opened)


ENTERED, LEFT, PROPERTY = "Cohort Entered", "Cohort Left", "in_{cohort}"
SEALED = "Its credentials were sealed under another SECRET_KEY: give them again."
NONE = "The project has no credentials yet."

MIXPANEL = DestinationType(
    name="mixpanel",
    words="Mixpanel",
    help="Sends entries and exits back into one of your projects: as events, as a profile property, or both.",
    family="edge",
    once="B",
    settings=(
        Setting("project", "Project", help="Its name here, as flask projects lists it.", required=True, example="prod"),
        Setting(
            "tell",
            "What is sent",
            "choice",
            "Events, a property of the profile, or both.",
            default="events",
            choices=TELLS,
        ),
        Setting("entered_event", "Event on entry", help="Its name.", default=ENTERED),
        Setting("left_event", "Event on exit", help="Its name.", default=LEFT),
        Setting(
            "property",
            "Profile property",
            help="True while they are in. {cohort} is the cohort's name in small letters, digits and underscores.",
            default=PROPERTY,
        ),
    ),
    open=_open,
    budget=Budget(rate=10, concurrency=2),
    batch=BATCH,
    body_bytes=8 * 1024 * 1024,
    window=5 * DAY,
    carries_fields=True,
    promise="An event has one $insert_id and one time over all its attempts: Mixpanel counts it once.",
)
