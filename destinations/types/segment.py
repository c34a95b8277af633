"""Segment's HTTP tracking API, and RudderStack's, which is the same: an event for each entry and exit.

Segment answers 200 to nearly everything, whatever becomes of it, so that a good answer only means `accepted`. A message
has one `messageId` over all its attempts, by which repeats are dropped for about a day.
"""

from collections.abc import Sequence
from typing import Any

from config.clock import iso
from destinations.contract import (
    Answer,
    Budget,
    Change,
    Check,
    DestinationType,
    Feed,
    Opened,
    Refusal,
    Setting,
    Verdict,
)
from destinations.transport import FIRST_REFUSAL, HTTP, REDIRECTS, encoded, hidden_in
from destinations.vendors import BASE_URL, KEY, alike, base_of, basic, cannot_erase, joined, secret_of

VENDORS = "https://api.segment.io/v1"
DAY = 86_400  # seconds in which repeats are dropped
MOST_IN_A_CALL = 1000  # changes; 2,500 events are allowed, and a change may be two
LARGEST_EVENT, LARGEST_CALL = 32 * 1024, 500 * 1024
ENTERED, LEFT = "Audience Entered", "Audience Exited"
CALLS = {"track": ("track",), "identify": ("identify",), "both": ("identify", "track")}
HANDED_OVER = Verdict("accepted", told="It was handed over; the answer says no more.")
TOO_LARGE = Verdict("rejected", "event_too_large", "An event may have 32 KB; this one has more, for its fields.")


class SegmentAdapter:
    """One source. Raises WrongAddress and ValueError where it cannot be called."""

    def __init__(self, opened: Opened) -> None:
        base = base_of(opened, opened.settings.get("url") or VENDORS)
        self._url = f"{base if base.endswith('/v1') else f'{base}/v1'}/batch"
        self._calls = CALLS[opened.settings.get("calls") or "track"]
        names = {"entered": opened.settings.get("entered_event"), "left": opened.settings.get("left_event")}
        self._names = {"entered": names["entered"] or ENTERED, "left": names["left"] or LEFT}
        self._key = basic(secret_of(opened, "write_key", "write key"), "")
        self._http = HTTP(opened, self._url, unheard="unknown")

    def check(self) -> Check:
        """Send a batch without an event."""
        reply = self._http.post_json(self._url, {"batch": []}, self._headers, [self._key])
        status = reply.status
        if status is None or (reply.refusal and reply.refusal.kind in {"credentials", "gone", "unavailable"}):
            return Check(ok=False, told=reply.refusal.told if reply.refusal else "It did not answer.")
        if REDIRECTS <= status < FIRST_REFUSAL:
            return Check(ok=False, told=f"It answered {status}, and redirects are not followed.")
        told = "Segment takes any write key without a word: look for a test in its debugger."
        return Check(ok=True, told=f"It answers ({status}). {told}")

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Post the events of all changes but those that are too large."""
        erased = cannot_erase(changes, "Segment deletes people elsewhere only: at Privacy, Deletion.")
        told = [change for change in changes if change.id not in erased]
        large = [change for change in told if _largest(self._events(feed, change)) > LARGEST_EVENT]
        fit = [change for change in told if change not in large]
        unsent = Answer(erased | alike(large, TOO_LARGE))
        return joined(unsent, *([self._posted(feed, fit, changes)] if fit else []))

    def _posted(self, feed: Feed, fit: Sequence[Change], changes: Sequence[Change]) -> Answer:
        body = self.preview(feed, fit).encode()
        if len(body) > LARGEST_CALL and len(fit) > 1:
            return Answer(refusal=Refusal("size", "call_too_large", "One call may have 500 KB."))
        reply = self._http.call("POST", self._url, body, self._headers, [self._key, *hidden_in(changes)])
        if reply.refusal is not None:
            return reply.refused()
        if reply.object.get("success") is False:
            return reply.refused("batch", "not_taken", "It says that it took nothing.")
        return Answer(alike(fit, HANDED_OVER), status=reply.status, text=reply.text)

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        return encoded({"batch": [event for change in changes for event in self._events(feed, change)]}).decode()

    def close(self) -> None:
        self._http.close()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "Authorization": f"Basic {self._key}"}

    def _events(self, feed: Feed, change: Change) -> list[dict[str, Any]]:
        return [self._event(call, feed, change) for call in self._calls]

    def _event(self, call: str, feed: Feed, change: Change) -> dict[str, Any]:
        is_in = change.kind == "entered"
        event = {
            "type": call,
            "userId": change.identity,
            "messageId": f"cr-{change.key}-{call[0]}",
            "timestamp": iso(change.at),
            "context": {"library": {"name": "cohort-relay"}},
        }
        if call == "identify":
            return event | {"traits": {**change.fields, feed.slug: is_in}}
        told = {"audience_key": feed.slug, "cohort_id": feed.cohort_id, "entry_number": change.entry_number}
        name = self._names["entered" if is_in else "left"]
        return event | {"event": name, "properties": {**change.fields, **told, feed.slug: is_in}}


def _largest(events: Sequence[Any]) -> int:
    return max(len(encoded(event)) for event in events)


def _open(opened: Opened) -> SegmentAdapter:
    return SegmentAdapter(opened)


SEGMENT = DestinationType(
    name="segment",
    words="Segment, RudderStack",
    help="Sends an event for each entry and exit, or sets a trait, as Segment's own audiences do.",
    family="edge",
    once="B",
    settings=(
        Setting(
            "url",
            "Address",
            "url",
            "In the EU https://events.eu1.segmentapis.com/v1: the wrong region shows no error. For RudderStack its data"
            " plane, at Connections in the dashboard.",
            default=VENDORS,
            example=VENDORS,
        ),
        Setting(
            "calls",
            "Calls",
            "choice",
            "track sends an event, identify sets the cohort's name to true or false as a trait of the person.",
            default="track",
            choices=tuple(CALLS),
        ),
        Setting("entered_event", "Event on entry", help="The name of the track call.", default=ENTERED),
        Setting("left_event", "Event on exit", help="The name of the track call.", default=LEFT),
        BASE_URL,
        Setting(
            "write_key",
            "Write key",
            help="In Segment at Connections, Sources, an HTTP API source, Settings, API Keys.",
            required=True,
            secret=True,
            pattern=KEY,
        ),
    ),
    open=_open,
    budget=Budget(rate=50, concurrency=4),
    batch=MOST_IN_A_CALL,
    body_bytes=LARGEST_CALL,
    window=DAY,
    success="accepted",
    carries_fields=True,
    promise="A message has one messageId over all its attempts: Segment drops repeats of it for about a day.",
)
