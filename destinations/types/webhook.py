"""A signed webhook, as Standard Webhooks 1.0 describes it: any receiver of it can verify ours.

An event is told with the id of its message, which is the same at every attempt, so that a receiver that remembers ids
acts once. The signature is made for each attempt, by every secret that is live.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from config.clock import SECOND, iso
from destinations.contract import (
    WEBHOOK_PAUSES,
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
from destinations.transport import FIRST_REFUSAL, HTTP, REDIRECTS, Reply, encoded, hidden_in

SECRET_BYTES = 32
MOST_IN_A_CALL = 1000
MOST_BYTES = 4 * 1024 * 1024  # the standard recommends 20 kB, which one event never needs
GONE, TOO_LARGE, FIRST_TROUBLE = 410, 413, 500
ABOUT_CONTENT = frozenset({400, 409, 413, 415, 422})  # one event of many may be what is refused
NOT_FINAL = frozenset({408, 425, 429})
TYPES = {"entered": "cohort.member.entered", "left": "cohort.member.left", "erased": "person.erased"}


def new_secret() -> str:
    """Return a signing secret as the standard writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


class WebhookAdapter:
    """One endpoint. Raises WrongAddress where its url cannot be called."""

    def __init__(self, opened: Opened) -> None:
        self._url = str(opened.settings["url"])
        self._in_batches = int(opened.settings.get("batch") or 1) > 1
        self._signers = [Webhook(secret) for secret in opened.secrets.get("secret", ())]
        self._clock: Callable[[], int] = opened.clock
        self._http = HTTP(opened, self._url)

    def check(self) -> Check:
        """Ask for the head of the address, which tells it of nobody."""
        reply = self._http.call("HEAD", self._url)
        if reply.status is None or REDIRECTS <= reply.status < FIRST_REFUSAL or reply.status == GONE:
            return Check(ok=False, told=reply.refusal.told if reply.refusal else "It did not answer.")
        return Check(ok=True, told=f"It answers ({reply.status} to a call without an event).")

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Post one event, or a batch of them."""
        if not self._signers:
            return Answer(refusal=Refusal("credentials", "no_secret", "It has no live secret to sign with: rotate it."))
        body = encoded(self._body(feed, changes))
        reply = self._http.call("POST", self._url, body, self._headers(_id_of(changes), body), hidden_in(changes))
        return _judged(reply, changes)

    def erase(self, feed: Feed, change: Change) -> Answer:
        """Tell that somebody has to be forgotten: `person.erased`."""
        return self.send(feed, [change])

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        return encoded(self._body(feed, changes)).decode()

    def close(self) -> None:
        self._http.close()

    def _body(self, feed: Feed, changes: Sequence[Change]) -> dict[str, Any]:
        if not self._in_batches:
            return _event(feed, changes[0])
        told = [{"id": change.key} | _event(feed, change) for change in changes]
        newest = max(change.at for change in changes)
        return {"type": "cohort.members.changed", "timestamp": iso(newest), "data": {"changes": told}}

    def _headers(self, call_id: str, body: bytes) -> dict[str, str]:
        # The library drops a time zone instead of converting it, so that it must be given UTC.
        at, text = datetime.fromtimestamp(self._clock() // SECOND, UTC), body.decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": call_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signer.sign(call_id, at, text) for signer in self._signers),
        }


def _event(feed: Feed, change: Change) -> dict[str, Any]:
    data = {
        "project_id": feed.project_id,
        "cohort_id": feed.cohort_id,
        "cohort_name": feed.cohort_name,
        "distinct_id": change.distinct_id,
        "entry_number": change.entry_number,
        "session_id": change.session_id,
        "fields": dict(change.fields),
    }
    return {"type": TYPES[change.kind], "timestamp": iso(change.at), "data": data}


def _id_of(changes: Sequence[Change]) -> str:
    """Return the id of a call: its message's, or one that the same messages always have together."""
    if len(changes) == 1:
        return changes[0].key
    return f"dlb_{hashlib.sha256(' '.join(change.key for change in changes).encode()).hexdigest()[:32]}"


def _judged(reply: Reply, changes: Sequence[Change]) -> Answer:
    """2xx is applied and 410 the end of the endpoint; what is asked of us later, and a redirect, is tried again; any
    other 4xx refuses the event."""
    status = reply.status
    if status is None:
        return reply.refused()
    if status < REDIRECTS:
        applied = Verdict("applied", told=f"It answered {status}.")
        return Answer({change.id: applied for change in changes}, status=status, text=reply.text)
    if status == GONE:
        return reply.refused("gone", told="It answered 410: the endpoint is no more, and wants no further calls.")
    if status < FIRST_REFUSAL or status >= FIRST_TROUBLE or status in NOT_FINAL:
        return reply.refused()
    if len(changes) > 1 and status in ABOUT_CONTENT:
        return reply.refused("size" if status == TOO_LARGE else "batch")
    rejected = Verdict("rejected", f"http_{status}", f"It answered {status}: it refuses the event.")
    return Answer({change.id: rejected for change in changes}, status=status, text=reply.text)


def _open(opened: Opened) -> WebhookAdapter:
    return WebhookAdapter(opened)


WEBHOOK = DestinationType(
    name="webhook",
    words="Webhook",
    help="Posts each entry and exit as signed JSON to an address of yours (Standard Webhooks 1.0).",
    family="edge",
    once="B",
    settings=(
        Setting(
            "url",
            "Address",
            "url",
            "The address of your receiver. Redirects are not followed.",
            required=True,
            example="https://hooks.example.com/cohorts",
        ),
        Setting(
            "batch",
            "Events in one call",
            "number",
            "1 sends each event by itself; more send a list of events, one call for up to so many.",
            default=1,
            least=1,
            most=MOST_IN_A_CALL,
        ),
        Setting(
            "secret",
            "Signing secret",
            help="Verifies our signature. After a rotation both secrets sign for a time.",
            secret=True,
            make=new_secret,
        ),
    ),
    open=_open,
    budget=Budget(rate=50, concurrency=8),
    retry_seconds=WEBHOOK_PAUSES,
    batch=MOST_IN_A_CALL,
    batch_setting="batch",
    body_bytes=MOST_BYTES,
    carries_fields=True,
    erases=True,
    promise="A message has one webhook-id over all its attempts: a receiver that remembers ids acts on it once.",
)
