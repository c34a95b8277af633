"""A folder for backups, say of another disk or machine that is mounted there. It is never made: where a mount is
missing, a new folder would fill the disk below it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backups.trouble import NotKept, told

PART = ".part"


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, source: Path, name: str) -> None:
        with self._telling():
            self._tidy()
            beside = self.path / f".{name}{PART}"
            try:
                with source.open("rb") as file, open(beside, "xb", opener=_for_us_alone) as target:
                    shutil.copyfileobj(file, target, 1024 * 1024)
                    target.flush()
                    os.fsync(target.fileno())
                beside.rename(self.path / name)
            finally:
                beside.unlink(missing_ok=True)
            _sync(self.path)

    def fetch(self, name: str, target: Path) -> None:
        with self._telling():
            shutil.copyfile(self.path / name, target)

    def head(self, name: str, count: int) -> bytes:
        with self._telling(), (self.path / name).open("rb") as file:
            return file.read(count)

    def sizes(self) -> dict[str, int]:
        with self._telling():
            return dict(self._files())

    def _files(self) -> Iterator[tuple[str, int]]:
        for one in self.path.iterdir():
            with suppress(FileNotFoundError):  # another worker has removed it since
                if one.is_file():
                    yield one.name, one.stat().st_size

    def remove(self, name: str) -> None:
        with self._telling():
            (self.path / name).unlink(missing_ok=True)

    def _tidy(self) -> None:
        """What tries that were killed have left has no name that counts, and only one is under way."""
        for left in self.path.glob(f".cohort-relay-*{PART}"):
            left.unlink(missing_ok=True)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            what = "The folder" if not self.path.is_dir() else f"{error.filename}"
            raise NotKept(f"{what} is not there.") from None
        except OSError as error:
            raise NotKept(f"In the folder: {told(error)}") from None


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
