"""The folder of kept answers: files that only we may read, bounded in size together and in age."""

import fcntl
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outbound.downloads.errors import BrokenOff
from runtime import Runtime

QUIET = 900  # seconds within which the row of a file is written behind it
FULL = "there is no more room for answers (setting MAX_DOWNLOADS_MB)"


def folder_of(runtime: Runtime) -> "Folder":
    """Return the folder of this relay, which MAX_DOWNLOADS_MB bounds."""
    return Folder(runtime.settings.instance / "downloads", runtime.settings.max_downloads_mb * 1024 * 1024)


@dataclass(frozen=True)
class Folder:
    """`most` bytes in all files together. A file that is being written is locked, so that nobody removes it; a lock
    ends with its process."""

    path: Path
    most: int

    def new(self) -> tuple[str, IO[bytes]]:
        """Return a name, and the open file. Raises BrokenOff where it cannot be made."""
        name = secrets.token_hex(16)
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            raise BrokenOff(f"it cannot be kept: {error.strerror}") from None
        return name, os.fdopen(handle, "wb")

    def file(self, name: str) -> Path | None:
        """Return the file, None where it is gone."""
        path = self.path / name
        return path if name and path.parent == self.path and path.is_file() else None

    def used(self) -> int:
        """Count the bytes in all files."""
        return sum(size for size, _ in self._sizes().values())

    def make_room(self, size: int) -> None:
        """Remove the oldest files that nobody writes until `size` more bytes fit. Raises BrokenOff where they never
        will."""
        found = self._sizes()
        free = self.most - sum(one for one, _ in found.values())
        if free >= size:
            return
        idle = [name for name in sorted(found, key=lambda name: found[name][1]) if not self._is_written(name)]
        if free + sum(found[name][0] for name in idle) < size:
            raise BrokenOff(FULL)
        for name in idle:
            if free >= size:
                return
            self.remove(name)
            free += found[name][0]

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def quiet(self) -> set[str]:
        """Return all files that nobody is writing, or has just written."""
        before = time.time() - QUIET
        return {name for name, (_, at) in self._sizes().items() if at < before and not self._is_written(name)}

    def _is_written(self, name: str) -> bool:
        try:
            with (self.path / name).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

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
