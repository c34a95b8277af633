"""Why an event that was sent cannot be read back: what its own record says first, then what is likely.

Sources: mixpanel-facts 2.1 (hosts), 3.3 (`/track` takes any token, five days), 3.12 (export), 4.1 to 4.5.
"""

from collections.abc import Iterator
from typing import Any

from config.clock import DAY, HOUR
from config.counts import counted
from outbound.deliveries import Delivery
from outbound.delivery_check.event import Sought
from outbound.projects import Project
from outbound.request.checks.ids import is_illegal, is_insert_id
from outbound.request.masking import MASK
from outbound.transport.hosts import REGIONS

TRACKED = 5 * DAY  # what is older, /track drops
KEPT = 730 * DAY  # projects keep events for two years

NO_ACCOUNT = (
    "The project {name} has no service account here, and Mixpanel lets events be read back with nothing else. "
    "Add one to the project, then look again."
)
NO_PROJECT = "There is no project {name} here any more, so its events cannot be read back."
SEALED = "The project's credentials cannot be read with this SECRET_KEY. Give them again, then look again."
FAULT = "Our process failed while it looked. The log says how."
ODD = "Mixpanel's answer is no list of events, or broke off: nothing follows from what is not in it."
STOPPED = "Somebody stopped the look-out before the event was seen."
BUDGET = "The hourly budget of exports for this project is spent (60 an hour); the look waits until one is free."
FLOODED = (
    "The export gave {count:,} other events instead of the one that was asked for, "
    "so that it could not be looked through to the end."
)

_REFUSED = {
    401: "Mixpanel does not know the project's service account (401): its username or secret is wrong, it has expired, "
    "or it belongs to another region.",
    402: "Mixpanel says that this plan has no right to export events (402).",
    403: "Mixpanel refuses the export (403): the service account has no role in this project that may export, or the "
    "plan has no raw export.",
    404: "Mixpanel does not know this project at its region's export host (404): look at the project id and the "
    "region.",
    400: "Mixpanel refuses the question (400).",
}
_UNKNOWN = "Whether the event landed is not known."


def refused(status: int, words: str) -> str:
    """Return the sentences for a look that Mixpanel refused: looking again would change nothing."""
    said = _REFUSED.get(status, f"Mixpanel refuses the export ({status}).")
    return "\n".join([said, words, _UNKNOWN] if words else [said, _UNKNOWN])


def unanswered(words: str) -> str:
    """Return the last look had no answer that says anything."""
    return "\n".join(["Mixpanel could not be asked.", *([words] if words else []), _UNKNOWN])


def merged(distinct_id: str) -> str:
    return f'Mixpanel keeps it under another distinct id, "{distinct_id}": the ids were merged.'


def copies(count: int) -> str:
    return f"The export shows {counted(count, 'copy')} of it; reports count them once."


def missing(delivery: Delivery, record: dict[str, Any], wanted: Sought, project: Project, now: int) -> list[str]:
    """Sentences, the likeliest cause first."""
    certain = [*_of_call(delivery), *_of_record(delivery, record, wanted)]
    return certain + list(_likely(delivery, project, now, surely=bool(certain)))


def _of_call(delivery: Delivery) -> Iterator[str]:
    if delivery.verdict in {"uncertain", "failed"}:
        yield "Mixpanel never confirmed this call, so it was probably not stored. The same event may be sent again."


def _of_record(delivery: Delivery, record: dict[str, Any], wanted: Sought) -> Iterator[str]:
    properties = record.get("properties") or {}
    tracked = delivery.operation == "track-event"
    token = properties.get("token")
    if token is not None and token != MASK:
        yield "It carries the token of another project than the one that was looked in."
    if properties.get("$ignore") not in (None, "", False):
        yield "It has the property $ignore, with which Mixpanel drops an event in silence."
    for name in ("distinct_id", "$user_id", "$device_id"):
        if is_illegal(properties.get(name)):
            yield f'Its {name} "{properties[name]}" is one of the ids that Mixpanel throws away.'
    if not is_insert_id(wanted.insert_id) or is_illegal(wanted.insert_id):
        yield "Its $insert_id is none that Mixpanel keeps (1 to 36 letters, digits or -), so it may be there without."
    yield from _of_time(wanted.at, delivery.at, tracked=tracked)


def _of_time(at: int, sent_at: int, *, tracked: bool) -> Iterator[str]:
    if tracked and at < sent_at - TRACKED:
        yield "It was older than 5 days, and /track drops such events without a word. Import it instead."
    elif at < sent_at - KEPT:
        yield "It is more than two years old, which is longer than projects keep events."
    if at > sent_at + HOUR:
        yield "Its time was more than an hour ahead, which Mixpanel refuses or moves to the present."


def _likely(delivery: Delivery, project: Project, now: int, *, surely: bool) -> Iterator[str]:
    """Yield what is not in the record. `surely` says that something in it explains enough already."""
    tracked = delivery.operation == "track-event"
    if tracked and not surely:
        yield (
            f"The token: /track answers 1 to any. Compare the one of {project.name} with Mixpanel's Project Settings, "
            "and the project id too."
        )
    if not surely:
        yield (
            f"The region: {project.name} is set to {REGIONS.get(project.region, project.region)}. Events that reach "
            "another region's host are dropped in silence."
        )
        yield "A rule in the project: Lexicon can drop or hide events, and a service account may see only part of them."
    if now - delivery.at < DAY:
        yield "Still on its way: exports sometimes lag by more than these minutes. Look again later."
