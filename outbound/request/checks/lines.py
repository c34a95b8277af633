"""Bodies with a record on each line: every line is looked at, and the first wrong ones are named with their number."""

from collections.abc import Iterable, Iterator
from typing import IO

from config.counts import counted
from outbound.operations.types import Problem
from outbound.readers.objects import ReadRecord, is_lines, of_lines
from outbound.request.checks.events import check_event

NAMED = 5  # wrong lines that are named
MOST_EVENTS = 2000
MOST_BYTES = 10 * 1024 * 1024
START = 64 * 1024


def wrong_lines(found: Iterable[ReadRecord]) -> Iterator[str]:
    """Yield what is wrong with the first lines that hold no record, and how many more there are."""
    yield from _named(f"Line {item.line}: {item.wrong}" for item in found if item.record is None)


def events_of(file: IO[bytes], size: int, now: int) -> list[Problem]:
    """Return what Mixpanel would refuse of a body of `/import` with an event on each line; nothing is said of a body
    that has none."""
    start = file.read(START)
    file.seek(0)
    if not start.lstrip().startswith(b"{") or not is_lines(start):
        return []
    count = Counted(of_lines(file))
    found = [Problem("advice", "body", words) for words in _named(_of_events(count, now))]
    if count.many > MOST_EVENTS or size > MOST_BYTES:
        much = f"{counted(count.many, 'event')} in {counted(size, 'byte')}"
        words = f"{much}; Mixpanel takes {MOST_EVENTS:,} and 10 MB a call. Import them instead."
        found.insert(0, Problem("advice", "body", words))
    return found


class Counted:
    """Lines as they are read, with how many there were."""

    def __init__(self, found: Iterator[ReadRecord]) -> None:
        self._found = found
        self.many = 0

    def __iter__(self) -> Iterator[ReadRecord]:
        for item in self._found:
            self.many += 1
            yield item


def _of_events(found: Iterable[ReadRecord], now: int) -> Iterator[str]:
    for item in found:
        if item.record is None:
            yield f"Line {item.line}: {item.wrong}"
            continue
        wrong = check_event("imported-event", item.record, now)
        if wrong:
            yield f"Line {item.line}, {wrong[0].field}: {wrong[0].message}"


def _named(wrong: Iterable[str]) -> Iterator[str]:
    more = 0
    for place, words in enumerate(wrong):
        if place < NAMED:
            yield words
        else:
            more += 1
    if more:
        yield f"{more:,} more {'line is' if more == 1 else 'lines are'} wrong."
