"""What states, reasons and kinds of messages are called, and what each of them means."""

from typing import Any

from flask import url_for

from destinations.identity import PROPERTY
from destinations.registry import TYPES
from destinations.subscriptions import Subscription

# tone, word, and what it means
STATES = {
    "waiting": ("working", "Waiting", "Still to be sent."),
    "sending": ("working", "Sending", "In a call that is under way."),
    "applied": ("in-step", "Applied", "The far end has done it, and said so."),
    "accepted": ("in-step", "Accepted", "The far end only says that it got it."),
    "rejected": ("needs-you", "Rejected", "The far end refuses it, or we do because it could not be right."),
    "parked": ("waiting", "Parked", "No identity yet; sent by itself once Mixpanel exports one."),
    "suppressed": ("off", "Suppressed", "Not sent on purpose: by the rule for coming again, or an erasure."),
    "coalesced": ("off", "Coalesced", "Overtaken by a newer change before it left."),
    "uncertain": ("waiting", "Uncertain", "A call broke off: nobody knows whether it arrived."),
    "dead": ("needs-you", "Dead", "Every try of the plan has failed."),
}
# The class of a cell in the strip.
CELLS = {
    "applied": "received",
    "accepted": "received",
    "sending": "replayed",
    "rejected": "failed",
    "dead": "failed",
    "parked": "parked",
    "uncertain": "parked",
    "suppressed": "ended",
    "coalesced": "ended",
    "waiting": "waits",
    "unplanned": "waits",
}
LEGEND = (
    ("received", "applied or accepted"),
    ("replayed", "in a call now"),
    ("waits", "still to be sent"),
    ("parked", "parked or uncertain"),
    ("failed", "rejected or dead"),
    ("ended", "not sent on purpose"),
)
REPLAYED = ("rejected", "dead", "uncertain", "suppressed")

REASONS = {
    "no_email": "No e-mail is known",
    "no_phone": "No phone number is known",
    "no_distinct_id": "No distinct id is known",
    "no_property": "The property is not exported, or empty",
    "invalid_email": "This cannot be an e-mail address",
    "invalid_phone": "This cannot be a phone number",
    "identity_is_hashed": "The connection hashes it on arrival",
    "identity_is_dropped": "The connection drops it on arrival",
    "identity_is_no_text": "The property is neither a text nor a number",
    "identity_is_too_long": "The identity is longer than 500 bytes",
    "held_by_guard": "Held: too many would be removed at once",
    "kept_by_hand": "Somebody decided that they stay",
    "left_while_parked": "They left before an identity was known",
    "never_there": "They were never told of, so there is nothing to take back",
    "already_there": "They are there already",
    "somebody_else": "Somebody else is there under the same identity",
    "entry_was_suppressed": "Their entry was not told, so there is nothing to take back",
    "reentry_once": "They were told of before, and the rule is once",
    "reentry_cooloff": "They came again sooner than the rule allows",
    "too_large": "It is larger than one call may be",
    "plan_used_up": "Every try of the plan has failed",
    "answer_lost": "The call broke off before its answer came",
    "worker_gone": "The worker ended during the call",
    "no_answer": "No answer came",
    "cannot_open": "It cannot be used as it is set up",
    "address_refused": "The address may not be called",
    "erased": "This person was erased",
}
VERDICTS = {
    "applied": ("in-step", "Applied"),
    "accepted": ("in-step", "Accepted"),
    "partly": ("waiting", "Partly"),
    "rejected": ("needs-you", "Rejected"),
    "retry": ("waiting", "Tried again later"),
    "throttled": ("waiting", "Asked to wait"),
    "unavailable": ("waiting", "Not available"),
    "uncertain": ("waiting", "Uncertain"),
    "unknown": ("waiting", "Uncertain"),
    "batch": ("waiting", "Cut in halves"),
    "size": ("waiting", "Cut in halves"),
    "credentials": ("needs-you", "Credentials refused"),
    "gone": ("needs-you", "Gone"),
}
_KINDS = {"entered": "Entered", "left": "Left", "erased": "Erased"}
_STATUSES = {
    "active": ("in-step", "Active"),
    "backfilling": ("working", "Sending who is in already"),
    "paused": ("off", "Paused"),
    "failing": ("needs-you", "Stopped"),
    "draining": ("off", "Being removed"),
    "leaving": ("off", "Being removed"),
}
_IDENTITIES = {"distinct_id": "distinct id", "email": "e-mail", "phone": "phone number"}
_KINDS_SENT = {"both": "entries and exits", "entered": "entries only", "left": "exits only"}


def state(name: str) -> tuple[str, str]:
    """Return the tone and the word of a message's state."""
    return STATES[name][:2]


def verdict(name: str | None) -> tuple[str, str]:
    """Return the tone and the word of what came of a call; None is one that is under way."""
    if name is None:
        return "working", "Under way"
    return VERDICTS.get(name, ("waiting", name.replace("_", " ").capitalize()))


def reason(name: str | None) -> str:
    """Return a reason in words: those that the far end has given are as they are."""
    if not name:
        return ""
    if name.startswith("http_"):
        return f"It answered {name.removeprefix('http_')}"
    return REASONS.get(name) or name.replace("_", " ").capitalize()


def kind(name: str) -> str:
    return _KINDS.get(name, name)


def last_word(outcome: Any) -> str:
    """Return what a destination was told when somebody was erased."""
    known = TYPES.get(outcome.type)
    if outcome.kind == "left":
        return "Let them go"
    return "Delete them for good" if known is not None and known.deletes_people else "Forget them"


def identity(name: str) -> str:
    """Return an identity's name in words."""
    return _IDENTITIES.get(name) or f"the property {name.removeprefix(PROPERTY)}"


def kinds(name: str) -> str:
    return _KINDS_SENT.get(name, name)


def reentry(rule: str) -> str:
    """Return the rule for coming again as a sentence."""
    if rule.startswith("cooloff:"):
        return f"Not again within {_length(int(rule.removeprefix('cooloff:')))} of the entry before"
    return {"each": "Every entry is told", "once": "Only the first entry of a person is told"}.get(rule, rule)


def _length(seconds: int) -> str:
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {word}{'s' if seconds != size else ''}"
    return f"{seconds:,} seconds"


def status(known: Subscription) -> tuple[str, str]:
    """Return the tone and the word of how a subscription stands."""
    if known.held and known.status in {"active", "backfilling"}:
        return "held", "Held"
    return _STATUSES.get(known.status, ("off", known.status.capitalize()))


def name_of(known: Subscription) -> str:
    """Return what a subscription is called: its cohort's name."""
    return known.cohort_name or f"Cohort {known.cohort_id}"


def report(name: str) -> str:
    """Return how far the report to Mixpanel is."""
    return {"due": "to be reported", "reported": "reported", "failed": "report failed"}.get(name, name)


def named(cell: str) -> list[str]:
    """Return the states that a cell of the strip stands for."""
    return [name for name, drawn in CELLS.items() if drawn == cell]


def start(name: str) -> str:
    """Return the start rule in words."""
    if name == "present":
        return "Everybody who is in now, then the changes"
    return "Changes from the moment of the start on"


def crumbs(known: Subscription, here: str | None = None) -> list[tuple[str, str | None]]:
    """Return what leads to a page of a subscription, word and address of each; without a word of its own the page is
    the subscription's."""
    own = url_for("dashboard.show_subscription", subscription_id=known.id) if here else None
    return [
        ("Destinations", url_for("dashboard.list_destinations")),
        (known.destination, url_for("dashboard.show_destination", destination_id=known.destination_id)),
        (name_of(known), own),
        *([(here, None)] if here else []),
    ]
