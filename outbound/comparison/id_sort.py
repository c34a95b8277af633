"""Sets of ids of any size, compared with little memory: sorted runs, spilled to files, merged.

An id is one line of JSON, so that it may hold anything. Both sides are written by the same rule, so that their order is
the same.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path
from types import TracebackType
from typing import IO

RUN = 200_000  # ids that are sorted in memory at once: some 20 MB
KEPT = 10_000  # ids of each side that a report lists


def line(identifier: str) -> str:
    """Return an id as it stands in a file."""
    return json.dumps(identifier) + "\n"


def unline(written: str) -> str:
    found: str = json.loads(written)
    return found


class SortedIds(AbstractContextManager["SortedIds"]):
    """Ids in any order and any number of times; comes back sorted, each once. Files are removed at the end."""

    def __init__(self, run: int = RUN) -> None:
        self._run = run
        self._here: set[str] = set()
        self._spilled: list[IO[str]] = []
        self._files = ExitStack()

    def add(self, lines: Iterable[str]) -> None:
        """`lines` are ids as `line` writes them."""
        for written in lines:
            self._here.add(written)
            if len(self._here) >= self._run:
                self._spill()

    def __iter__(self) -> Iterator[str]:
        for file in self._spilled:
            file.seek(0)
        before = None
        for written in merge(sorted(self._here), *self._spilled):
            if written != before:
                yield written
            before = written

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._files.close()

    def _spill(self) -> None:
        file = self._files.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))  # noqa: SIM115 - closed with all
        file.writelines(sorted(self._here))
        self._spilled.append(file)
        self._here = set()


@dataclass
class Difference:
    """`missing` are those only there, `extra` those only here; of each the first `KEPT` ids are listed."""

    here: int = 0
    there: int = 0
    equal: int = 0
    missing: int = 0
    extra: int = 0
    missing_ids: list[str] = field(default_factory=list)
    extra_ids: list[str] = field(default_factory=list)


def difference(here: Iterable[str], there: Iterable[str], kept: int = KEPT) -> Difference:
    """Compare the ids of two sides, each sorted and without doubles."""
    found = Difference()
    left, right = iter(here), iter(there)
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        if ours == theirs:
            found.equal += 1
            ours, theirs = next(left, None), next(right, None)
        elif theirs is None or (ours is not None and ours < theirs):
            found.extra += 1
            _keep(found.extra_ids, ours, kept)
            ours = next(left, None)
        else:
            found.missing += 1
            _keep(found.missing_ids, theirs, kept)
            theirs = next(right, None)
    found.here, found.there = found.equal + found.extra, found.equal + found.missing
    return found


def _keep(kept: list[str], written: str | None, most: int) -> None:
    if written is not None and len(kept) < most:
        kept.append(unline(written))


class IdFile:
    """Their ids as they come: one file a comparison, which goes on where the last page ended.

    A worker that dies may leave half a page; `truncate` cuts the file to what was noted with the page before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def truncate(self, size: int) -> bool:
        """Make it hold exactly its first `size` bytes; False (and empty) where it has less."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        there = self.path.stat().st_size if self.path.exists() else 0
        kept = size if there >= size else 0
        with self.path.open("ab") as file:
            file.truncate(kept)
        return kept == size

    def add(self, identifiers: Iterable[str]) -> int:
        """Append them; returns the file's size."""
        with self.path.open("a", encoding="ascii", newline="") as file:
            file.writelines(map(line, identifiers))
        return self.path.stat().st_size

    def lines(self) -> Iterator[str]:
        with self.path.open(encoding="ascii", newline="\n") as file:
            yield from file

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
