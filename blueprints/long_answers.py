"""Long answers of Mixpanel, for the page of their call and for the API alike: whether one is kept, and its end."""

from sqlalchemy import Connection

from outbound.deliveries import Delivery
from outbound.downloads import progress as downloads
from outbound.downloads.folder import folder_of
from outbound.downloads.progress import Download
from runtime import current_runtime
from security.audit import note


def is_at_hand(found: Download) -> bool:
    """Whether its file can be downloaded now."""
    return folder_of(current_runtime()).file(found.file or "") is not None


def cancel(delivery: Delivery, who: str) -> bool:
    """Take no more of it, in the name of `who`; False where the call has ended."""
    runtime = current_runtime()
    now = runtime.clock()

    def write(db: Connection) -> bool:
        asked = downloads.cancel(db, delivery.id, now)
        if asked:
            note(db, now, who, "answer.cancel", f"call {delivery.id}, {delivery.operation}")
        return asked

    return runtime.database.write(write)
