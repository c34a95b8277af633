"""What a downloaded answer is called."""

from outbound.deliveries import Delivery
from outbound.downloads.progress import Download

_ENDINGS = {"raw-event-export": "ndjson"}


def name_of(one: Delivery, found: Download) -> str:
    """A file's name that says which call it answers, and whether it is whole."""
    ending = _ENDINGS.get(one.operation, "ndjson" if found.records is not None else "txt")
    if found.records is None and (one.answer or "").lstrip()[:1] in {"{", "["}:
        ending = "json"
    return f"{one.operation}-{one.id}{'' if found.state == 'whole' else '.broken-off'}.{ending}"
