"""Braze: a boolean attribute of the user says whether they are in the cohort.

201 means queued, not done: `accepted` is all that can be known. The attribute that was set is remembered for each
identity, so that they leave it too after the cohort was renamed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from destinations.contract import Answer, Budget, Change, Check, DestinationType, Feed, Opened, Setting, Verdict
from destinations.transport import HTTP, Reply, encoded, hidden_in
from destinations.vendors import BASE_URL, KEY, alike, base_of, listed, reason_of, rows, secret_of

_DOMAINS = {
    **{f"us-{number:02}": f"rest.iad-{number:02}.braze.com" for number in range(1, 9)},
    "eu-01": "rest.fra-01.braze.eu",
    "eu-02": "rest.fra-02.braze.eu",
    "au-01": "rest.au-01.braze.com",
}
MOST_IN_A_CALL = 75
LONGEST_ATTRIBUTE = 255  # characters
QUEUED = Verdict("accepted", told="Braze has queued it; it says no more.")
STORED = Verdict("accepted", "maintenance", "Braze has stored it until a maintenance is over.")
INVALID = "valid data must be provided"  # how it says that nothing in a call can be used, also with a 401
DATA = frozenset({400, 401})
MAINTENANCE = 202


class BrazeAdapter:
    """One workspace. Raises WrongAddress and ValueError where it cannot be called."""

    def __init__(self, opened: Opened) -> None:
        self._base = base_of(opened, f"https://{_DOMAINS[opened.settings.get('instance') or 'us-01']}")
        self._attribute = str(opened.settings.get("attribute") or "in_{cohort}")
        self._existing_only = bool(opened.settings.get("existing_only"))
        self._headers = {"Authorization": f"Bearer {secret_of(opened, 'api_key', 'API key')}"}
        self._http = HTTP(opened, self._base)

    def check(self) -> Check:
        """Send a call about nobody, which a key that may track is told to be without data."""
        reply = self._http.post_json(f"{self._base}/users/track", {"attributes": []}, self._headers)
        if reply.refusal is None or reply.refusal.kind == "batch" or _is_about_data(reply):
            return Check(ok=True, told="Braze takes this key for tracking users.")
        return Check(ok=False, told=reply.refusal.told)

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Set the attribute of each to true or false."""
        body = {"attributes": self._objects(feed, changes)}
        reply = self._http.post_json(f"{self._base}/users/track", body, self._headers, hidden_in(changes))
        return _judged(reply, changes, self._name(feed))

    def erase(self, _feed: Feed, change: Change) -> Answer:
        """Delete the user's profile, which cannot be undone."""
        body = {"external_ids": [change.identity]}
        reply = self._http.post_json(f"{self._base}/users/delete", body, self._headers, hidden_in([change]))
        if reply.refusal is not None:
            return reply.refused()
        return Answer(alike([change], QUEUED), status=reply.status, text=reply.text)

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        return encoded({"attributes": self._objects(feed, changes)}).decode()

    def close(self) -> None:
        self._http.close()

    def _name(self, feed: Feed) -> str:
        return self._attribute.replace("{cohort}", feed.slug)[:LONGEST_ATTRIBUTE]

    def _objects(self, feed: Feed, changes: Sequence[Change]) -> list[dict[str, Any]]:
        return [self._object(self._name(feed), change) for change in changes]

    def _object(self, name: str, change: Change) -> dict[str, Any]:
        """Whoever enters under another name than before leaves the one before."""
        before = {change.vendor_id: False} if change.vendor_id else {}
        told = {**change.fields, **before, name: change.kind == "entered"}
        only = {"_update_existing_only": True} if self._existing_only else {}
        return {**told, "external_id": change.identity, **only}


def _judged(reply: Reply, changes: Sequence[Change], name: str) -> Answer:
    """Where an error names no object, nobody knows of whom it is: those that are not named stay uncertain."""
    body = reply.object
    named, all_named = _errors(body, changes)
    if reply.refusal is not None:
        if reply.status in DATA and _is_about_data(reply):
            return _of_refused_data(reply, changes, named)
        return reply.refused()
    if reply.status == MAINTENANCE or body.get("message") == "queued":
        return Answer(alike(changes, _remembering(STORED, name)), status=reply.status, text=reply.text)
    if body.get("message") != "success":
        return reply.refused("unavailable", "no_success", "It answered as if all were well, but reports no success.")
    fine = alike(changes, _remembering(QUEUED, name)) if all_named else {}
    return Answer(fine | named, status=reply.status, text=reply.text)


def _of_refused_data(reply: Reply, changes: Sequence[Change], named: Mapping[int, Verdict]) -> Answer:
    """The whole call was refused for its data, with a 401 too: that is nothing against the key."""
    refused = reply.refused("batch", "invalid_data", "Braze can use nothing of this call.").refusal
    return Answer(named, None if len(named) == len(changes) else refused, reply.status, reply.text)


def _errors(body: Mapping[str, Any], changes: Sequence[Change]) -> tuple[dict[int, Verdict], bool]:
    """Return the verdicts of those that errors name by their place, and whether each error names one."""
    errors = body.get("errors")
    found: dict[int, Verdict] = {}
    all_named = True
    for error in listed(errors):
        place = error.get("index") if isinstance(error, dict) and error.get("input_array") == "attributes" else None
        if isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(changes):
            reason = reason_of(error.get("type"), "invalid")
            found[changes[place].id] = Verdict("rejected", reason, "Braze does not take this user or attribute.")
        else:
            all_named = False
    return found, all_named


def _is_about_data(reply: Reply) -> bool:
    errors = reply.object.get("errors")
    by_place = [error for error in rows(errors) if "input_array" in error]
    return bool(by_place) or str(reply.object.get("message", "")).lower().startswith(INVALID)


def _remembering(verdict: Verdict, name: str) -> Verdict:
    return Verdict(verdict.outcome, verdict.reason, verdict.told, name)


def _open(opened: Opened) -> BrazeAdapter:
    return BrazeAdapter(opened)


BRAZE = DestinationType(
    name="braze",
    words="Braze",
    help="Sets a boolean attribute of each user: true while they are in the cohort, false once they have left.",
    family="level",
    once="A",
    settings=(
        Setting(
            "instance",
            "Instance",
            "choice",
            "As the address of your dashboard says: dashboard-03.braze.com is us-03, dashboard-01.braze.eu is eu-01.",
            default="us-01",
            choices=tuple(_DOMAINS),
        ),
        Setting(
            "attribute",
            "Attribute",
            help="The custom attribute. {cohort} in it is the cohort's name in small letters, digits and underscores.",
            default="in_{cohort}",
            example="in_{cohort}",
            pattern=r"(?a:\w{0,100}(?:\{cohort\})?\w{0,100})",
        ),
        Setting(
            "existing_only",
            "Known users only",
            "flag",
            "On: nobody whom Braze does not know gets a profile there.",
            default=False,
        ),
        Setting(
            "batch",
            "Users in one call",
            "number",
            "75; some plans of Braze allow 50.",
            default=MOST_IN_A_CALL,
            least=1,
            most=MOST_IN_A_CALL,
        ),
        BASE_URL,
        Setting(
            "api_key",
            "REST API key",
            help="At Settings, APIs and Identifiers, API Keys: with users.track, and users.delete for erasures.",
            required=True,
            secret=True,
            pattern=KEY,
        ),
    ),
    open=_open,
    budget=Budget(rate=250, concurrency=4),
    batch=MOST_IN_A_CALL,
    batch_setting="batch",
    success="accepted",
    carries_fields=True,
    erases=True,
    deletes_people=True,
    promise="An attribute that is set again stays what it is, so a repeat changes nothing.",
)
