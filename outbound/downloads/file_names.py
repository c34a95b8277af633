"""What a downloaded answer is called."""

from outbound.deliveries import Delivery
from outbound.downloads.progress import Download

_ENDINGS = {"raw-event-export": "ndjson"}


def name_of(delivery: Delivery, found: Download) -> str:
    """Return a file's name that says which call it answers, and whether it is whole."""
    ending = _ENDINGS.get(delivery.operation, "ndjson" if found.records is not None else "txt")
    if found.records is None and (delivery.answer or "").lstrip()[:1] in {"{", "["}:
        ending = "json"
    return f"{delivery.operation}-{delivery.id}{'' if found.state == 'whole' else '.broken-off'}.{ending}"
