"""One index probe a row, on both databases.

PostgreSQL's planner takes a table that grew since its statistics for an empty one, and hashes the whole of it for every
step; LATERAL with OFFSET 0 keeps it to the index (as `sync.dialects.postgresql` does for pages). SQLite only probes.
"""


def probes(*found: tuple[str, str, str, bool]) -> dict[str, str]:
    """Return SQL that joins, by dialect. Each of `found` is a name, what is selected (`p.email FROM person p`), the
    condition, and whether a row must be there."""
    return {
        "sqlite": " ".join(_joined(name, select, condition, must) for name, select, condition, must in found),
        "postgresql": " ".join(_lateral(name, select, condition, must) for name, select, condition, must in found),
    }


def _joined(name: str, select: str, condition: str, must: bool) -> str:
    table = select.rpartition(" FROM ")[2].split()[0]
    return f"{'' if must else 'LEFT '}JOIN {table} {name} ON {condition}"


def _lateral(name: str, select: str, condition: str, must: bool) -> str:
    probe = f"(SELECT {select} WHERE {condition} OFFSET 0) {name}"
    return f"{'' if must else 'LEFT '}JOIN LATERAL {probe} ON true"
