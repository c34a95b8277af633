"""A folder of this machine. Every step down is taken by the folder before it and never through a symlink, so that no
path leads out."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from destinations.contract import Check, Refusal, RefusalKind
from destinations.files.place import NotWritten
from destinations.transport import WrongAddress

FOLDER_MODE, FILE_MODE = 0o750, 0o640
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MEANINGS: dict[int, tuple[RefusalKind, str]] = {
    errno.ENOENT: ("gone", "The folder is not there."),
    errno.ENOTDIR: ("gone", "Where a folder should be is something else, or a symlink."),
    errno.ELOOP: ("gone", "Where a file should be is a symlink."),
    errno.EISDIR: ("gone", "Where a file should be is a folder."),
    errno.EACCES: ("credentials", "The relay may not write there."),
    errno.EPERM: ("credentials", "The relay may not write there."),
    errno.EROFS: ("credentials", "What is there cannot be written to."),
}


class Folder:
    """Raises WrongAddress where the path does not begin at the root."""

    def __init__(self, path: str) -> None:
        if not Path(path).is_absolute() or "\0" in path:
            raise WrongAddress("A folder is named from the root: /var/lib/cohorts.")
        self._path = path

    def check(self) -> Check:
        if not Path(self._path).is_dir():
            return Check(ok=False, told="The folder is not there.")
        if not os.access(self._path, os.W_OK | os.X_OK):
            return Check(ok=False, told="The relay may not write there.")
        return Check(ok=True, told="The folder is there and can be written to.")

    def write(self, files: list[tuple[str, bytes]]) -> None:
        try:
            for path, data in files:
                with self._inside(path) as (folder, name):
                    _replace(folder, name, data)
        except OSError as error:
            kind, told = _MEANINGS.get(error.errno or 0, ("unavailable", "The file could not be written."))
            reason = errno.errorcode.get(error.errno or 0, "not_written").lower()
            raise NotWritten(Refusal(kind, reason, f"{told} ({reason.upper()})")) from None

    def close(self) -> None:
        """Nothing is held."""

    @contextmanager
    def _inside(self, path: str) -> Iterator[tuple[int, str]]:
        """Yield the folder of a path, made where it is missing, and the name in it."""
        *folders, name = path.split("/")
        current = os.open(self._path, _FOLDER)
        try:
            for folder in folders:
                below = _below(current, folder)
                os.close(current)
                current = below
            yield current, name
        finally:
            os.close(current)


def _below(current: int, folder: str) -> int:
    try:
        os.mkdir(folder, FOLDER_MODE, dir_fd=current)
        os.fsync(current)
    except FileExistsError:
        pass
    return os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=current)


def _replace(folder: int, name: str, data: bytes) -> None:
    """Write beside it, then move: whoever reads sees the file of before or this one. The same content always has the
    same name beside it, so that a crash leaves one at most."""
    beside = f".{name}.part"
    with os.fdopen(os.open(beside, _FILE, FILE_MODE, dir_fd=folder), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
