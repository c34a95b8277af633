"""What a backup holds, ready to take the place of what is stored: fetched, compared with its checksum, and opened."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backups import copies, places
from backups.keys import keys_of
from backups.names import SUM, digest_in
from backups.sealing import is_sealed, open_sealed
from backups.trouble import NoBackup, NotKept
from config.backups import BUCKET
from config.settings import Settings


@dataclass(frozen=True)
class Opened:
    """A copy that can be used, and the revision of its tables. `checked` says that a checksum lay beside it and holds,
    `key` which one opened it; None where it was not encrypted."""

    file: Path
    revision: str
    checked: bool
    key: str | None


@contextmanager
def opened(address: str, settings: Settings) -> Iterator[Opened]:
    """Yield the backup at this address, a file or s3://bucket/path/NAME, opened in a folder that goes afterwards.
    Raises NoBackup, NotKept, NotMade, OSError."""
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.instance) as folder:
        scratch = Path(folder)
        file, digest = _fetched(address, settings, scratch) if address.startswith(BUCKET) else _local(Path(address))
        if digest is not None and copies.digest(file) != digest:
            raise NoBackup("It is damaged: its checksum is another one.")
        key = None
        if is_sealed(file):
            plain = scratch / "opened"
            key, file = open_sealed(file, keys_of(settings), plain).name, plain
        yield Opened(file, copies.revision_in(file, settings), digest is not None, key)


def _fetched(address: str, settings: Settings, scratch: Path) -> tuple[Path, str]:
    found = places.split(address)
    if found is None:
        raise NotKept("In a bucket a backup is named as flask backup --list shows it: s3://bucket/path/NAME.")
    place, name = places.opened(found[0], settings), found[1]
    digest = places.digest_of(place, name, scratch)
    place.fetch(name, scratch / name)
    return scratch / name, digest


def _local(file: Path) -> tuple[Path, str | None]:
    """Return the file, and the checksum that lies beside it, if one does. Raises NoBackup."""
    beside = file.with_name(f"{file.name}{SUM}")
    if not beside.exists():
        return file, None
    digest = digest_in(beside.read_text("utf-8", "replace")[:1000])
    if digest is None:
        raise NoBackup(f"The checksum beside it, {beside.name}, cannot be read.")
    return file, digest
