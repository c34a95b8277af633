"""The counts of a session (S14): what is in them, and every way in which they change."""

from dataclasses import dataclass

from sync.apply.cohorts import CohortState
from sync.contract.page import Page


@dataclass(frozen=True)
class EarlierPage:
    """What an earlier version of a page has contributed."""

    body_digest: bytes
    received: int
    unchanged: int
    rejected: int


@dataclass
class SessionCounts:
    """Members that a session's pages brought, what became of them, and its own changes of the cohort's log.

    Received are those that were named and those that were rejected. The changes from `first_change` to `last_change`
    of the log are this session's, mixed with those of others; 0 for none.
    """

    received: int
    entered: int
    left_count: int
    unchanged: int
    rejected: int
    replayed: int
    first_change: int
    last_change: int

    def count_rejected(self, page: Page, earlier: EarlierPage | None) -> None:
        """Count the rejected members of a page, in place of those of its earlier version."""
        self.rejected += page.rejected_count - (earlier.rejected if earlier else 0)

    def count_version(self, page: Page, unchanged: int, earlier: EarlierPage | None) -> None:
        """Count a page of which the latest version alone counts: a refresh's, and one that is only recorded."""
        self.received += len(page.members) + page.rejected_count - (earlier.received if earlier else 0)
        self.unchanged += unchanged - (earlier.unchanged if earlier else 0)

    def count_addition(self, page: Page, new: int, earlier: EarlierPage | None) -> None:
        """Count a page of a diff, every version of which was applied. `new` members were named by no page before."""
        self.received += new + page.rejected_count - (earlier.rejected if earlier else 0)
        self.unchanged = self.received - self.rejected - self.entered - self.left_count

    def count_changes(self, cohort: CohortState, entered: int, left: int) -> None:
        """Count entries and exits that were just appended to the end of the cohort's log."""
        self.entered += entered
        self.left_count += left
        if entered or left:
            self.first_change = self.first_change or cohort.change_count - entered - left + 1
            self.last_change = cohort.change_count

    def count_exactly(self, named: int, entered: int) -> None:
        """Make the counts those of sets, once all pages are here: `named` different people, of whom `entered` have
        entered by this session."""
        self.received = named + self.rejected
        self.unchanged = named - entered
