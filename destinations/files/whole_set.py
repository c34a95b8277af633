"""A file of everybody who is in a set, which the next one replaces, and its manifest."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from config.clock import iso
from destinations.contract import Change, Feed
from destinations.files.content import File, with_manifest
from destinations.files.members import Member
from outbound.spreadsheets import disarmed

COLUMNS = ("project_id", "cohort_id", "cohort_name", "identity", "distinct_id", "entry_number", "entered_at", "fields")
MOST_BYTES = 256 * 1024 * 1024  # of a file, which is held in memory until it is written


class TooLarge(Exception):
    """The set makes a larger file than is held in memory."""


def set_file(feed: Feed, members: Iterable[Member], changes: Sequence[Change], form: str, *, packed: bool) -> File:
    """Return the file of a set after these changes; `form` is ndjson or csv. Raises TooLarge."""
    counted = _Counted(members)
    data = _joined(lines(feed, counted, form), packed=packed)
    return with_manifest(feed, changes, ("set", f"{form}{'.gz' if packed else ''}"), data, {"members": counted.count})


def lines(feed: Feed, members: Iterable[Member], form: str) -> Iterator[bytes]:
    """Yield a line for each member; of CSV one with the names before them."""
    if form != "csv":
        yield from (f"{_json(_row(feed, member))}\n".encode("utf-8", "replace") for member in members)
        return
    yield _csv(COLUMNS)
    for member in members:
        row = _row(feed, member)
        yield _csv([disarmed(value) for value in (row | {"fields": _json(row["fields"])}).values()])


class _Counted:
    """Members, and how many have been read."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members, self.count = members, 0

    def __iter__(self) -> Iterator[Member]:
        for member in self._members:
            self.count += 1
            yield member


def _joined(found: Iterator[bytes], *, packed: bool) -> bytes:
    """Raises TooLarge."""
    kept = io.BytesIO()
    into = gzip.GzipFile("", "wb", 6, kept, mtime=0) if packed else kept
    for line in found:
        into.write(line)
        if kept.tell() > MOST_BYTES:
            raise TooLarge
    if packed:
        into.close()
    return kept.getvalue()


def _row(feed: Feed, member: Member) -> dict[str, object]:
    return {
        "project_id": feed.project_id,
        "cohort_id": feed.cohort_id,
        "cohort_name": feed.cohort_name,
        "identity": member.identity,
        "distinct_id": member.distinct_id,
        "entry_number": member.entry_number,
        "entered_at": None if member.entered_at is None else iso(member.entered_at),
        "fields": dict(member.fields),
    }


def _csv(cells: Sequence[object]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue().encode("utf-8", "replace")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
