"""What probably explains a difference, the likeliest cause first, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from config.clock import MINUTE
from config.counts import counted
from outbound.comparison.id_sort import Difference
from outbound.comparison.local import Facts, IdCounts

CYCLE = 35 * MINUTE  # Mixpanel syncs every 30 minutes


@dataclass(frozen=True)
class Findings:
    """What a comparison found out. `missing` and `extra` say what is known of the ids of each side, `moved` how often
    the cohort changed meanwhile."""

    way: str
    facts: Facts
    found: Difference
    missing: IdCounts
    extra: IdCounts
    moved: int
    now: int

    @property
    def is_late(self) -> bool:
        """Whether Mixpanel's next export should have come already."""
        return self.facts.last_synced_at is None or self.now - self.facts.last_synced_at > CYCLE


def explained(seen: Findings) -> tuple[list[str], list[str]]:
    """Sentences: causes, and steps. Both are empty where the two sides are equal."""
    if _is_equal(seen.way, seen.found):
        return [], []
    return [*_of_sync(seen), *_of_ids(seen)], list(_steps(seen))


def _is_equal(way: str, found: Difference) -> bool:
    return found.here == found.there if way == "count" else not found.missing and not found.extra


def _of_sync(seen: Findings) -> Iterator[str]:
    facts = seen.facts
    if facts.unfinished == "held":
        yield "A refresh of this cohort is held until somebody decides: what would leave is still here."
    elif facts.unfinished:
        yield f"An export of this cohort is under way here ({facts.unfinished}); it is not complete yet."
    if seen.moved:
        yield f"The cohort has changed {counted(seen.moved, 'time')} here while Mixpanel was asked."
    if facts.last_synced_at is None:
        yield "No export of this cohort has been completed here yet."
    elif seen.is_late:
        minutes = (seen.now - facts.last_synced_at) // MINUTE
        ago = counted(minutes, "minute")
        yield f"The last export was {ago} ago, longer than Mixpanel's cycle: the sync may be paused."
    else:
        yield "Mixpanel computes its own side anew; what has changed since the last export comes with the next one."
    if facts.rejected:
        yield f"{counted(facts.rejected, 'member')} came that cannot be kept; see the cohort's page Rejected."


def _of_ids(seen: Findings) -> Iterator[str]:
    if seen.missing.left:
        yield f"{seen.missing.left:,} of those missing here were members and have left: a removal came, or a refresh."
    strangers = seen.missing.asked - seen.missing.people
    if strangers:
        yield f"{strangers:,} of those missing here were never sent to us: they are new, or the sync leaves them out."
    if seen.extra.entered_since:
        yield f"{seen.extra.entered_since:,} of those extra here entered after the comparison began."
    if seen.found.missing and seen.found.extra:
        yield "Ids may have been merged: exports name the canonical id, lists may still have the other."


def _steps(seen: Findings) -> Iterator[str]:
    if seen.facts.unfinished == "held":
        yield "Decide about the held refresh on the cohort's page."
    if seen.is_late:
        yield "Look at the sync in Mixpanel under Data, Destinations: start it again where it is paused."
    else:
        yield "Compare again after the next export; a difference that stays is worth a look."
    if seen.way == "count":
        yield "Compare who is in it, by ids or by Mixpanel's CSV, to see whom it concerns."
    else:
        yield "A full refresh in Mixpanel (stop the sync, start it again) makes both sides equal."
