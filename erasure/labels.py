"""What an erasure removes, in words, for every door alike."""

from collections.abc import Mapping

# Kind: what one of them is called, and many.
KINDS = {
    "profiles": ("profile, with its id", "profiles, with their ids"),
    "cohorts": ("present membership of a cohort", "present memberships of cohorts"),
    "stays": ("stay in a cohort", "stays in cohorts"),
    "changes": ("entry of the change log", "entries of the change log"),
    "rejected_members": (
        "page with a rejected member that holds their id",
        "pages with rejected members that hold their id",
    ),
    "landings": ("look-out for an event", "look-outs for events"),
    "calls": ("call to Mixpanel that mentions them", "calls to Mixpanel that mention them"),
    "failed_records": ("failed record of an import", "failed records of imports"),
    "imports": ("import whose settings mention them", "imports whose settings mention them"),
    "comparisons": ("comparison that lists them", "comparisons that list them"),
    "audit_entries": ("entry of the audit trail", "entries of the audit trail"),
    "failures": ("failure that mentions them", "failures that mention them"),
    "refused_requests": ("refused call that holds them", "refused calls that hold them"),
    "alerts": ("alert that mentions them", "alerts that mention them"),
    "attempts": (
        "call to a destination whose answer mentions them",
        "calls to destinations whose answers mention them",
    ),
    "messages": ("message about them, which loses their identity", "messages about them, which lose their identity"),
    "saved_runs": ("run of a saved request that mentions them", "runs of saved requests that mention them"),
    "saved_results": (
        "saved request whose newest run mentions them",
        "saved requests whose newest run mentions them",
    ),
    "saved_requests": ("saved request that is about them, deleted", "saved requests that are about them, deleted"),
    "simulated_exports": ("simulated export", "simulated exports"),
    "files": ("uploaded file, deleted whole", "uploaded files, deleted whole"),
}

AGAIN = (
    "Whoever Mixpanel sends under this id again is a new person, with entry number 1. Delete the profile in Mixpanel "
    "first, or the next export brings them back."
)


def told(counts: Mapping[str, int]) -> list[str]:
    """`3 calls to Mixpanel that mention them`, for each kind that there is some of."""
    return [f"{counts[kind]:,} {words[counts[kind] != 1]}" for kind, words in KINDS.items() if counts.get(kind)]
