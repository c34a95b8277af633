"""The time axis of a chart: true to time, so that a stretch without data is a gap on it."""

from collections.abc import Sequence
from typing import NamedTuple


class TimeAxis(NamedTuple):
    """When the rows of a chart begin, each of them `unit` long, and from when to when it reaches; all in milliseconds
    since 1970. Nothing came in the rows that are `silent`."""

    unit: int
    since: int
    until: int
    starts: Sequence[int]
    silent: Sequence[bool]

    def rows(self, rows: Sequence[Sequence[str | int]]) -> list[tuple[int, bool, Sequence[str | int]]]:
        """Return each row with when it begins, and whether nothing came in it."""
        return list(zip(self.starts, self.silent, rows, strict=True))
