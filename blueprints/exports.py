"""A whole cohort as CSV or NDJSON, with flat memory however large it is; for the API and for a cohort's page.

Rows are read in short pieces, each in a transaction of its own: one that was open for minutes would hold up SQLite's
checkpoints and PostgreSQL's vacuum. A member who enters or leaves meanwhile may or may not be in the export, as with a
list that is read page by page.

An export that fails half-way must not look complete. Raising cuts the connection on servers that tell their client;
one that ends every reply politely (granian does) would hide it, so that the last line is first made one that every
reader refuses: half a JSON object, an open quote in CSV.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog
from flask import Response, current_app
from sqlalchemy import Connection

from blueprints import members
from blueprints.json_types import encoder, moment
from blueprints.slots import Slots
from models.database import Database, DatabaseUnavailable
from models.maintenance.close_for_writes import is_closed
from models.queries.members import streamed
from runtime import current_runtime
from security.audit import note_most, note_often
from security.client_address import address

log = structlog.get_logger()

Rows = Sequence[Sequence[Any]]  # of models.queries.members.COLUMNS

PIECE = 2000  # members; some 2 MB with all that hangs on them
PIECE_BYTES = 4 * 1024 * 1024  # of profiles, with the one that goes over it
RETRY_AFTER = 10  # seconds

COLUMNS = (
    "distinct_id",
    "email",
    "first_name",
    "last_name",
    "phone_number",
    "entered_at",
    "entry_number",
    "properties",
)


@dataclass(frozen=True)
class Form:
    """How an export is written: its head, a piece of it, and the line that no reader takes for a member."""

    media_type: str
    head: bytes
    lines: Callable[[Rows], bytes]
    broken: bytes


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    """RFC 4180."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def cells(rows: Rows) -> list[tuple[Any, ...]]:
    """The members as rows of COLUMNS."""
    return [(*person, moment(at), entry, properties) for _id, *person, properties, at, entry in map(tuple, rows)]


def _csv_lines(rows: Rows) -> bytes:
    return _csv(cells(rows))


def _json_lines(rows: Rows) -> bytes:
    return encoder.encode_lines(list(map(members.shape, rows)))


CSV = Form("text/csv", _csv([COLUMNS]), _csv_lines, b'"This export broke off and is not complete.')
NDJSON = Form("application/x-ndjson", b"", _json_lines, b'{"error": "This export broke off and is not complete.')


@dataclass(frozen=True)
class File:
    """What an export is called, and whose rows are in it where those are not the present members."""

    name: str = ""
    found: Iterator[Rows] | None = None
    part: str = ""  # which part of the cohort these rows are, in words that stay the same
    of: str = ""  # which one exactly


class TooManyExports(Exception):
    """Too many exports are under way, or too many of one caller's. `retry_after` is in seconds."""

    retry_after = RETRY_AFTER

    def __str__(self) -> str:
        return "Too many exports are under way; try again when one of them has ended."


class Cohort(Protocol):
    """What an export asks of a cohort: our id, Mixpanel's, its name and its size."""

    @property
    def id(self) -> int: ...
    @property
    def project_id(self) -> str: ...
    @property
    def mixpanel_cohort_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def member_count(self) -> int: ...


def export(form: Form, cohort: Cohort, who: str, file: File = File()) -> Response:
    """Return the streamed answer, noted in the audit trail before its first byte. Raises TooManyExports."""
    database = current_runtime().database
    with _slot(who) as held:
        note_taken = _note(who, cohort, form, file)
        slot = held.pop_all()
    found = None if file.found is None else _counted(file.found, note_taken)
    response = Response(_held(slot, stream(database, cohort.id, form, found)), mimetype=form.media_type)
    response.call_on_close(slot.close)  # also where nothing of it was ever read
    name = form.media_type.rpartition("-")[2].rpartition("/")[2]
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name or f"members.{name}"}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _note(who: str, cohort: Cohort, form: Form, file: File) -> Callable[[int], None]:
    """Note who takes how many people away, and from where; one entry an hour for each who, cohort and kind of part. Of
    a part nobody knows the number before it is read: call what is returned with it."""
    runtime, subject = current_runtime(), f"{cohort.name} ({cohort.mixpanel_cohort_id} of project {cohort.project_id})"
    database, now, subject = runtime.database, runtime.clock(), f"{subject}, {file.part}" if file.part else subject
    how_many = {"of": file.of} if file.part else {"members": cohort.member_count}
    after = how_many | {"as": form.media_type, "address": address()}

    def note_taken(members: int) -> None:
        try:
            database.write(lambda db: note_most(db, now, who, "cohort.export", subject, "members", members))
        except DatabaseUnavailable:
            log.warning("export.without_number", who=who, members=members)

    try:
        database.write(lambda db: note_often(db, now, who, "cohort.export", subject, after))
    except DatabaseUnavailable:
        if not database.read(is_closed):
            raise
        # It has moved to PostgreSQL and takes no entry any more; whoever still reads here is in the log.
        log.warning("export.without_entry", who=who, members=cohort.member_count)
    return note_taken


def _counted(found: Iterator[Rows], over: Callable[[int], None]) -> Iterator[Rows]:
    """Hand the rows on, then call `over` with their number, also where nobody reads them to the end."""
    members = 0
    try:
        for rows in found:
            members += len(rows)
            yield rows
    finally:
        over(members)


def _slot(who: str) -> ExitStack:
    """One of the slots for exports, given back by its first `close`. Raises TooManyExports."""
    slots: Slots = current_app.extensions["exports"]
    give_back = slots.take(who)
    if give_back is None:
        raise TooManyExports
    slot = ExitStack()
    slot.callback(give_back)
    return slot


def _held(slot: ExitStack, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with slot:
        yield from pieces


def stream(database: Database, cohort: int, form: Form, found: Iterator[Rows] | None = None) -> Iterator[bytes]:
    """The export piece by piece. Whatever it raises, its last piece has broken the form first."""
    yield form.head
    try:
        yield from map(form.lines, found or pieces(database, cohort))
    except Exception as error:
        log.warning("export.broken_off", error=type(error).__name__)
        yield form.broken
        raise


def pieces(database: Database, cohort: int) -> Iterator[Rows]:
    """All members, some at a time. Raises DatabaseUnavailable."""
    after = 0
    while rows := database.read(partial(_piece, cohort=cohort, after=after), may_lag=True):
        yield rows
        after = rows[-1][0]


def _piece(db: Connection, cohort: int, after: int) -> Rows:
    rows, size = [], 0
    with closing(streamed(db, cohort, after, PIECE)) as found:
        for row in found:
            rows.append(row)
            size += len(row.properties)
            if size >= PIECE_BYTES:
                break
    return rows
