"""Where backups are kept: a folder or a bucket, behind the same few calls."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from backups.bucket import Bucket
from backups.folder import Folder
from backups.keys import keys_of
from backups.names import SUM, Kept, digest_in, halves, is_name, whole
from backups.sealing import HEAD, key_of
from backups.trouble import NotKept
from config.backups import BUCKET
from config.settings import Settings


class Place(Protocol):
    """Each call raises NotKept. A name is one of `backups.names`."""

    def put(self, source: Path, name: str) -> None:
        """Keep the file under this name: all of it, or nothing by this name."""

    def fetch(self, name: str, target: Path) -> None:
        """Write what is kept under this name to `target`."""

    def head(self, name: str, count: int) -> bytes:
        """Return the first bytes of what is kept under this name."""

    def sizes(self) -> dict[str, int]:
        """Return all that lies there by name, with its size in bytes."""

    def remove(self, name: str) -> None:
        """Remove what is kept under this name, if it is there."""


def opened(address: str, settings: Settings) -> Place:
    """Return the place at this address. Raises NotKept."""
    return Bucket(address, settings) if address.startswith(BUCKET) else Folder(Path(address))


def kept(place: Place) -> list[Kept]:
    """Return the backups that count, the newest first. Raises NotKept."""
    return whole(place.sizes())


def key_names(place: Place, kept: Iterable[Kept], settings: Settings) -> dict[str, str | None]:
    """Return the name of the key that opens each of the encrypted ones; None where none does. Raises NotKept."""
    keys = keys_of(settings)
    found = {one.name: key_of(place.head(one.name, HEAD), keys) for one in kept if one.is_sealed}
    return {name: None if key is None else key.name for name, key in found.items()}


def digest_of(place: Place, name: str, scratch: Path) -> str:
    """Return the checksum beside a backup. Raises NotKept."""
    beside = scratch / f"{name}{SUM}"
    place.fetch(f"{name}{SUM}", beside)
    digest = digest_in(beside.read_text("utf-8", "replace")[:1000])
    if digest is None:
        raise NotKept("The checksum beside it cannot be read.")
    return digest


def prune(place: Place, keep: int, newest: str) -> list[str]:
    """Remove what is beyond the newest `keep`, and the halves of tries before `newest`, which was just verified; return
    the backups that went. Raises NotKept."""
    sizes = place.sizes()
    found = whole(sizes)
    if newest not in {one.name for one in found}:
        raise NotKept("The backup that was just made is not listed there.")
    old = [one.name for one in found[keep:] if one.name != newest]
    for name in old:
        place.remove(f"{name}{SUM}")  # first: from here on it does not count
        place.remove(name)
    before = next(one.at for one in found if one.name == newest)
    for name in halves(sizes, before):
        place.remove(name)
    return old


def split(address: str) -> tuple[str, str] | None:
    """Return the place and the name of an address such as s3://bucket/path/NAME; None where it is not in a bucket."""
    place, _, name = address.rpartition("/")
    return (place, name) if address.startswith(BUCKET) and is_name(name) else None
