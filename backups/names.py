"""What backups are called, and the file beside each that makes it one.

    cohort-relay-20260512T083000Z-9f86d081.db           a copy of SQLite
    cohort-relay-20260512T083000Z-9f86d081.dump.sealed  a dump of PostgreSQL, encrypted
    cohort-relay-20260512T083000Z-9f86d081.db.sha256    its checksum, as `sha256sum -c` takes it

Names sort by time. The checksum is written last, once the backup was read back and opened: what has none beside it is
half a file, and counts for nothing.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

SUM = ".sha256"
SEALED = ".sealed"
_NAME = re.compile(r"cohort-relay-(\d{8}T\d{6}Z)-[0-9a-f]{8}\.(?:db|dump)(?:\.sealed)?")
_WRITTEN = "%Y%m%dT%H%M%SZ"
_SUM = re.compile(r"([0-9a-f]{64})  (\S{1,200})\s*")


@dataclass(frozen=True)
class Kept:
    """A backup that is kept, with its size in bytes."""

    name: str
    size: int

    @property
    def is_sealed(self) -> bool:
        return self.name.endswith(SEALED)

    @property
    def at(self) -> int:
        """The moment that it holds, in milliseconds since 1970."""
        return moment_of(self.name)


def new_name(now: int, *, on_sqlite: bool, sealed: bool) -> str:
    """Return a name that no other backup has."""
    when = datetime.fromtimestamp(now / 1000, UTC).strftime(_WRITTEN)
    kind = "db" if on_sqlite else "dump"
    return f"cohort-relay-{when}-{secrets.token_hex(4)}.{kind}{SEALED if sealed else ''}"


def is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def moment_of(name: str) -> int:
    """Return when a backup with this name was begun. Raises ValueError where it is no such name."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(name)
    return round(datetime.strptime(found[1], _WRITTEN).replace(tzinfo=UTC).timestamp() * 1000)


def whole(sizes: dict[str, int]) -> list[Kept]:
    """Return those that count, the newest first, of all that lies in a place by name and size."""
    names = sorted((name for name in sizes if is_name(name) and f"{name}{SUM}" in sizes), reverse=True)
    return [Kept(name, sizes[name]) for name in names]


def halves(names: Iterable[str], before: int) -> list[str]:
    """Return what tries from before a moment have left: files without a checksum, and checksums without a file."""
    found = set(names)
    lone = {name for name in found if is_name(name) and f"{name}{SUM}" not in found}
    lone |= {name for name in found if is_name(name.removesuffix(SUM)) and name.removesuffix(SUM) not in found}
    return sorted(name for name in lone if moment_of(name.removesuffix(SUM)) < before)


def sum_line(digest: str, name: str) -> str:
    return f"{digest}  {name}\n"


def digest_in(line: str) -> str | None:
    """Return the digest that a checksum file says; None where it says none."""
    found = _SUM.fullmatch(line)
    return found[1] if found else None
