"""The folder of kept answers: files that only we may read, bounded in size together and in age."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outbound.downloads.scan import BrokenOff

QUIET = 15 * 60_000  # milliseconds after which a file that no row knows is nobody's
FULL = "there is no more room for answers (setting MAX_DOWNLOADS_MB)"


@dataclass(frozen=True)
class Folder:
    """`most` bytes in all files together."""

    path: Path
    most: int

    def new(self) -> tuple[str, IO[bytes]]:
        """A name, and the open file. Raises BrokenOff where it cannot be made."""
        name = secrets.token_hex(16)
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise BrokenOff(f"it cannot be kept: {error.strerror}") from None
        return name, os.fdopen(handle, "wb")

    def file(self, name: str) -> Path | None:
        """The file, None where it is gone."""
        path = self.path / name
        return path if path.parent == self.path and path.is_file() else None

    def used(self) -> int:
        return sum(size for size, _ in self._sizes().values())

    def make_room(self, size: int, spared: Iterable[str]) -> None:
        """Remove the oldest files but `spared` ones until `size` more bytes fit. Raises BrokenOff where they do not."""
        found, kept = self._sizes(), set(spared)
        free = self.most - sum(one for one, _ in found.values())
        for name, (one, _age) in sorted(found.items(), key=lambda item: item[1][1]):
            if free >= size:
                return
            if name not in kept:
                self.remove(name)
                free += one
        if free < size:
            raise BrokenOff(FULL)

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def remove_old(self, name: str, now: int) -> None:
        """A file that nobody has written to for a while; `now` is in milliseconds."""
        found = self._sizes().get(name)
        if found is not None and abs(now - found[1] * 1000) > QUIET:
            self.remove(name)

    def names(self) -> set[str]:
        return set(self._sizes())

    def _sizes(self) -> dict[str, tuple[int, float]]:
        """Bytes, and when it was written, by name."""
        found = {}
        for path in self.path.iterdir() if self.path.is_dir() else ():
            try:
                told = path.stat()
            except FileNotFoundError:
                continue
            found[path.name] = (told.st_size, told.st_mtime)
        return found
