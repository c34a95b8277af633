"""What a file of changes holds, and what it is called. Both come from the changes alone, never from a clock, so that
the same changes make the same file again, and overwrite it."""

import csv
import gzip
import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.clock import iso
from destinations.contract import Change, Feed
from outbound.spreadsheets import disarmed

TYPES = {"entered": "cohort.member.entered", "left": "cohort.member.left", "erased": "person.erased"}
COLUMNS = (
    *("id", "type", "timestamp", "project_id", "cohort_id", "cohort_name", "identity", "distinct_id"),
    *("entry_number", "session_id", "fields"),
)
LONGEST_PART = 80  # characters of a part of a path
_UNSAFE = re.compile(r"[^A-Za-z0-9-]")


@dataclass(frozen=True)
class File:
    """A file by its path, `/` between its parts, and its manifest, which is written after it."""

    path: str
    data: bytes
    manifest_path: str
    manifest: bytes


def file_of(feed: Feed, changes: Sequence[Change], form: str, *, packed: bool) -> File:
    """Return the file of these changes; `form` is ndjson or csv."""
    text = lines(feed, changes, form)
    data = gzip.compress(text, 6, mtime=0) if packed else text
    session, first = min(change.session_id for change in changes), min(change.id for change in changes)
    stem = f"session-{session:010}-{first:012}-{_digest(changes)}"
    counts = {"changes": len(changes)} | {kind: sum(change.kind == kind for change in changes) for kind in TYPES}
    return with_manifest(feed, changes, (stem, f"{form}{'.gz' if packed else ''}"), data, counts)


def with_manifest(
    feed: Feed, changes: Sequence[Change], name: tuple[str, str], data: bytes, counts: dict[str, int]
) -> File:
    """Return a file and the manifest that says what is in it; `name` is in two parts, the second its ending. Of
    `changes` it names the sessions."""
    folder, (stem, ending) = f"{safe(feed.project_id)}/{safe(feed.cohort_id)}", name
    manifest = {
        "file": f"{stem}.{ending}",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        **counts,
        "sessions": sorted({change.session_id for change in changes}),
        "project_id": feed.project_id,
        "cohort_id": feed.cohort_id,
        "cohort_name": feed.cohort_name,
    }
    written = json.dumps(manifest, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    return File(f"{folder}/{stem}.{ending}", data, f"{folder}/{stem}.manifest.json", written + b"\n")


def lines(feed: Feed, changes: Sequence[Change], form: str) -> bytes:
    """Return the changes in the order of their messages, a line each."""
    rows = [_row(feed, change) for change in sorted(changes, key=lambda change: change.id)]
    text = _csv(rows) if form == "csv" else "".join(f"{_json(row)}\n" for row in rows)
    return text.encode("utf-8", "replace")


def safe(part: str) -> str:
    """Return a text as a part of a path: letters, digits and `-`; whatever else is told by its number, and what is
    long by its digest."""
    found = _UNSAFE.sub(lambda sign: f"_{ord(sign[0]):x}_", part)
    return found if 0 < len(found) <= LONGEST_PART else f"_{hashlib.sha256(part.encode()).hexdigest()}"


def _row(feed: Feed, change: Change) -> dict[str, Any]:
    return {
        "id": change.key,
        "type": TYPES[change.kind],
        "timestamp": iso(change.at),
        "project_id": feed.project_id,
        "cohort_id": feed.cohort_id,
        "cohort_name": feed.cohort_name,
        "identity": change.identity,
        "distinct_id": change.distinct_id,
        "entry_number": change.entry_number,
        "session_id": change.session_id,
        "fields": dict(change.fields),
    }


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    """RFC 4180, with names; no cell is a formula."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(disarmed(value) for value in (row | {"fields": _json(row["fields"])}).values())
    return written.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _digest(changes: Sequence[Change]) -> str:
    return hashlib.sha256(" ".join(sorted(change.key for change in changes)).encode()).hexdigest()[:12]
