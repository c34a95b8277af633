"""What is asked once before a call is made: where it takes something away, adds a second time, or is the first of this
sign-in that writes to a real project."""

from dataclasses import dataclass

from flask import session

from config.words import counted
from outbound import resend
from outbound.deliveries import Delivery
from outbound.operations.types import Operation
from outbound.send import PreparedCall
from outbound.transport.retry import is_repeatable, only_reads
from runtime import current_runtime

SEEN = "sent_to"  # in the session's cookie: Mixpanel's ids of the projects that were confirmed
MOST_SEEN = 40
TAKE_AWAY = frozenset({"cancel-warehouse-pipeline", "identity-merge", "replace-lookup-table"})
NOUNS = {"imported-event": "event", "tracked-event": "event", "profile": "update", "group": "update"}
FIRST = (
    "It is the first call of this sign-in that writes to this project, and it is a real one: what is sent stays there."
)
ADDS = "It adds a second time: what the first one added stays."
AS_NEW = "It is a new event, which happens now and counts beside the first one."
UNKNOWN = (
    "Nobody knows whether Mixpanel stored it the first time. Where it did, it counts twice from then on: look at the "
    "profile in Mixpanel first."
)


@dataclass(frozen=True)
class Question:
    """`asks` names the project and how much is sent, `why` the consequence; `destroys` is what cannot be undone."""

    asks: str
    why: str
    destroys: bool = False


def takes_away(operation: Operation) -> bool:
    """Whether it destroys something, or cannot be taken back."""
    return operation.operator == "$delete" or operation.method == "DELETE" or operation.id in TAKE_AWAY


def before_sending(call: PreparedCall) -> Question | None:
    """What is asked before a call of the composer; None where it goes at once."""
    operation = call.composed.operation
    if takes_away(operation):
        return Question(_asked(call), f"{operation.words} This cannot be taken back.", destroys=True)
    return Question(_asked(call), FIRST) if _is_first(call) else None


def before_again(call: PreparedCall, known: Delivery, *, as_new: bool) -> Question | None:
    """What is asked before a call is made once more; None where that changes nothing."""
    operation = call.composed.operation
    if takes_away(operation) or known.verdict == "uncertain":
        why = UNKNOWN if known.verdict == "uncertain" else f"{operation.words} This cannot be taken back."
        return Question(_asked(call), why, destroys=True)
    if as_new and resend.has_both(operation):
        return Question(_asked(call), AS_NEW)
    if not is_repeatable(call.composed) and not only_reads(call.composed):
        return Question(_asked(call), ADDS)
    return Question(_asked(call), FIRST) if _is_first(call) else None


def note_sent(call: PreparedCall) -> None:
    """Remember for this sign-in that somebody means this project."""
    if _is_first(call):
        session[SEEN] = [*session.get(SEEN, []), call.project.mixpanel_project_id][-MOST_SEEN:]


def _is_first(call: PreparedCall) -> bool:
    is_real = not current_runtime().settings.mixpanel_base_url and not only_reads(call.composed)
    return is_real and call.project.mixpanel_project_id not in session.get(SEEN, [])


def _asked(call: PreparedCall) -> str:
    """`Send 2 events to prod (2891273)?`"""
    count = len(call.composed.records)
    word = NOUNS.get(call.composed.operation.record or "", "record")
    what = counted(count, word) if count else f"“{call.composed.operation.name}”"
    return f"Send {what} to {call.project.name} ({call.project.mixpanel_project_id})?"
