"""Bodies that are files: looked through once as they come, kept on the disk while somebody composes their call, and
gone an hour after they were used last."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from outbound.imports.uploads import new_file
from outbound.operations.types import BodyFile, Operation, Problem
from outbound.readers.encoded import opened
from outbound.readers.errors import UnreadableFile
from outbound.request.checks import lines, lookup

MOST_BYTES = 100 * 1024 * 1024
MOST_FILES = 20  # at once, of all operators
LASTS = 3600  # seconds
TAKING = frozenset({"csv", "raw", "records"})  # kinds of bodies that may be files
PIECE = 256 * 1024
LONGEST_NAME = 200


def folder_of(uploads: Path) -> Path:
    """Return the folder of bodies among the uploads."""
    return uploads / "bodies"


def takes_file(operation: Operation) -> bool:
    return operation.body in TAKING


def keep(folder: Path, source: IO[bytes], name: str, operation: Operation, now: int) -> BodyFile:
    """Keep a file as a body of this operation, with what is wrong in it. A table and records are kept as UTF-8,
    unpacked; a raw body stays as it is. Raises UnreadableFile, OSError."""
    tidy(folder)
    if folder.is_dir() and sum(1 for _ in folder.iterdir()) >= MOST_FILES:
        raise UnreadableFile(
            f"As many files as may be kept ({MOST_FILES}) wait already. Each goes an hour after it was used last."
        )
    with new_file(folder) as path:
        size = _copied(source, path, as_it_is=operation.body == "raw")
        if not size:
            raise UnreadableFile("The file is empty.")
        file = BodyFile(path, name.replace("\0", "")[:LONGEST_NAME], size)
        return replace(file, problems=tuple(_checked(file, operation, now)))


def _copied(source: IO[bytes], path: Path, *, as_it_is: bool) -> int:
    """Return how many bytes were written."""
    if as_it_is:
        return _written(source, path)
    with opened(source) as (_start, plain):
        return _written(plain, path)


def _written(source: IO[bytes], path: Path) -> int:
    size = 0
    with path.open("wb") as kept:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > MOST_BYTES:
                raise UnreadableFile(
                    f"It is larger than {MOST_BYTES // 1024 // 1024} MB, which is all that can be sent."
                )
            kept.write(piece)
    return size


def _checked(file: BodyFile, operation: Operation, now: int) -> Iterator[Problem]:
    if operation.body == "csv":
        yield from lookup.problems_of(file.path)
    elif operation.body == "raw":
        with file.path.open("rb") as content:
            yield from lines.events_of(content, file.size, now)


def use(path: Path) -> bool:
    """Tell whether it is still there, and keep it for another hour."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def tidy(folder: Path, clock: Callable[[], float] = time.time) -> None:
    """Remove what nobody has used for an hour."""
    for path in folder.glob("*") if folder.is_dir() else ():
        try:
            if path.stat().st_mtime < clock() - LASTS:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            continue
