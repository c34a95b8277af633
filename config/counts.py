"""Counts in words, the same in every room: `1 page`, `31 days`, `2 properties`."""


def counted(count: float, one: str, many: str = "") -> str:
    """Write a number of things, with separators and the noun that goes with it."""
    return f"{count:,} {one if count == 1 else many or plural(one)}"


def counted_to(most: int, count: int, one: str, many: str = "") -> str:
    """Write a number of things that were counted to `most` and one more."""
    return f"more than {counted(most, one, many)}" if count > most else counted(count, one, many)


def plural(noun: str) -> str:
    """Return the usual plural of a noun."""
    if noun.endswith("y") and noun[-2:-1] not in set("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def in_bytes(count: int) -> str:
    """Write a size: `214 KB`, `1.5 GB`."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}" if count < 10 * unit else f"{count // unit} {name}"
    return counted(count, "byte")
