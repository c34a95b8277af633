"""A table in a company's own database: a row for each identity that is in the cohort.

The rows and what was applied to them are written in one transaction. A call that is repeated, late or cut changes
nothing twice, because what it would do is compared with what the database says was done.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from destinations.contract import (
    Answer,
    Budget,
    Change,
    Check,
    DestinationType,
    Feed,
    Opened,
    Refusal,
    Setting,
    Verdict,
)
from destinations.database import address, tables
from destinations.database.order import Mark, Step, step
from destinations.database.refusals import refusal_of
from destinations.database.tables import LONGEST_IDENTITY, POSITION, Statements, Tables
from destinations.transport import TIMEOUT, WrongAddress
from models.columns import is_storable
from outbound import json_depth
from outbound.transport.addresses import for_destinations

TABLE = "cohort_membership"
NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}")  # perhaps with a schema
FAILURES = (SQLAlchemyError, OSError)
# Our own database by its tables: a SQLite file of the relay's own would be locked for its receiver.
OUR_TABLES = {"alembic_version", "membership", "membership_change"}


class SqlAdapter:
    """One table. Raises WrongAddress where the settings cannot be used."""

    def __init__(self, opened: Opened) -> None:
        self._address = address.read(str(opened.settings["url"]))
        self._name = str(opened.settings.get("table") or TABLE)
        if not NAME.fullmatch(self._name) or self._name.endswith(POSITION):
            raise WrongAddress("A table's name has letters, digits and _, and may have a schema before a dot.")
        seconds = float(opened.settings.get("timeout_seconds") or TIMEOUT)
        password = next(iter(opened.secrets.get("password", ())), "")
        self._seconds = seconds
        self._clock: Callable[[], int] = opened.clock
        self._engine: Engine = address.engine(
            self._address, password, for_destinations(private=opened.private), seconds
        )
        self._tables: Tables | None = None

    def check(self) -> Check:
        """Sign in and look at the table; nothing is made or written."""
        if self._address.kind == "sqlite" and not Path(self._address.name).exists():
            return _of_a_missing_file(Path(self._address.name))
        try:
            with self._reading() as connection:
                self._hold_not_ours(connection)
                lacking = tables.missing_columns(connection, tables.tables_of(self._name, connection))
        except WrongAddress as error:
            return Check(ok=False, told=str(error))
        except FAILURES as error:
            return Check(ok=False, told=refusal_of(error).told)
        if lacking:
            return Check(
                ok=False, told=f"The table {self._name} is another one: it lacks {', '.join(sorted(lacking))}."
            )
        told = "will be made with the first change" if lacking is None else "is there"
        return Check(ok=True, told=f"It can be reached. The table {self._name} {told}.")

    def send(self, feed: Feed, changes: Sequence[Change]) -> Answer:
        """Apply changes and their positions in one transaction."""
        verdicts = {change.id: verdict for change in changes if (verdict := _unfit(change)) is not None}
        fit = [change for change in changes if change.id not in verdicts]
        try:
            made, until = self._made(), time.monotonic() + self._seconds
            with self._engine.begin() as connection:
                self._limit(connection)
                steps = _apply(Statements(connection, made, feed, self._clock()), fit)
                if time.monotonic() > until:  # others may have taken this for dead, and gone on
                    raise TimeoutError
        except WrongAddress as error:
            return Answer(refusal=Refusal("gone", "own_database", str(error)))
        except FAILURES as error:
            self._tables = None  # it may have been dropped meanwhile
            return Answer(refusal=refusal_of(error))
        return Answer(verdicts | {change.id: _verdict(steps[change.identity]) for change in fit})

    def erase(self, feed: Feed, change: Change) -> Answer:
        """Delete the row, whoever put it there, and what is kept of the identity."""
        return self.send(feed, [change])

    def members(self, feed: Feed) -> Iterator[str]:
        """Raises SQLAlchemyError and OSError where the database cannot be asked."""
        made, page = self._made(), [""]
        while page:
            with self._reading() as connection:
                page = tables.members_after(connection, made, feed, page[-1])
            yield from page

    def preview(self, feed: Feed, changes: Sequence[Change]) -> str:
        """The rows, as JSON."""
        lines = [
            {"table": self._name, "project_id": feed.project_id, "cohort_id": feed.cohort_id}
            | ({"put": _shown(change)} if change.kind == "entered" else {"delete": change.identity})
            for change in changes
        ]
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)

    def close(self) -> None:
        self._engine.dispose()

    def _made(self) -> Tables:
        if self._tables is None:
            with self._reading() as connection:
                self._hold_not_ours(connection)
            self._tables = tables.create(self._engine, self._name)
        return self._tables

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(reads=True)

    def _hold_not_ours(self, connection: Connection) -> None:
        """Raises WrongAddress."""
        if self._address.kind == "sqlite" and set(inspect(connection).get_table_names()) >= OUR_TABLES:
            raise WrongAddress("This file is Cohort Relay's own database; take another one.")

    def _limit(self, connection: Connection) -> None:
        """Have the server end what takes too long, also where this process stands still."""
        if self._address.kind == "postgresql":
            limit = f"{round(self._seconds * 1000)}ms"
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(text("SELECT set_config(:name, :limit, true)"), {"name": name, "limit": limit})


def _apply(statements: Statements, changes: Sequence[Change]) -> dict[str, Step]:
    """Return what became of each identity."""
    cohort = statements.lock()
    identities = [change.identity for change in changes]
    marks, there = statements.marks(identities), statements.there(identities)
    steps = {
        change.identity: step(change, marks.get(change.identity, Mark()), is_there=change.identity in there)
        for change in changes
    }
    statements.put([change for change in changes if steps[change.identity].effect == "put"])
    statements.remove([identity for identity, made in steps.items() if made.effect in {"remove", "forget"}])
    statements.forget([identity for identity, made in steps.items() if made.effect == "forget"])
    kept = {identity: made.mark for identity, made in steps.items() if made.effect != "forget"}
    furthest = max((change.position for change in changes), default=0)
    statements.keep(kept | {tables.WHOLE_COHORT: Mark(position=max(furthest, cohort.position))})
    return steps


def _verdict(made: Step) -> Verdict:
    told = {
        "overtaken": "A newer change of this identity was there already.",
        "not_ours": "We have not put it there, and leave it alone.",
    }
    return Verdict("applied", made.reason, told.get(made.reason, ""))


def _unfit(change: Change) -> Verdict | None:
    """Return why a change cannot be a row."""
    if change.fields and json_depth.holds_too_deep(dict(change.fields)):
        return Verdict("rejected", "fields_unfit", "Its fields are nested deeper than is kept.")
    for words in (change.identity, change.distinct_id):
        if not words or len(words) > LONGEST_IDENTITY or not is_storable(words):
            told = f"An identity has 1 to {LONGEST_IDENTITY} characters that a database can hold."
            return Verdict("rejected", "identity_unfit", told)
    return None


def _shown(change: Change) -> dict[str, Any]:
    return {
        "identity": change.identity,
        "distinct_id": change.distinct_id,
        "entry_number": change.entry_number,
        "fields": dict(change.fields),
    }


def _of_a_missing_file(file: Path) -> Check:
    if not file.parent.is_dir():
        return Check(ok=False, told="The folder of this file is not there.")
    return Check(ok=True, told="The file will be made with the first change.")


def _open(opened: Opened) -> SqlAdapter:
    return SqlAdapter(opened)


SQL = DestinationType(
    name="sql",
    words="Database",
    help="Keeps a row for each member in a table of yours: PostgreSQL, MariaDB, MySQL or SQLite.",
    family="level",
    once="T",
    settings=(
        Setting(
            "url",
            "Address",
            "url",
            "The database, without a password. Add ?sslmode=verify-full to have its certificate checked.",
            required=True,
            example="postgresql://relay@db.example.com/customers",
        ),
        Setting(
            "table",
            "Table",
            help="Made if it is missing. It may have a schema before a dot.",
            default=TABLE,
            pattern=NAME.pattern,
        ),
        Setting("password", "Password", help="Of the user in the address.", secret=True),
    ),
    open=_open,
    budget=Budget(rate=20, concurrency=2),
    batch=500,
    body_bytes=8 * 1024 * 1024,
    carries_fields=True,
    reads_back=True,
    erases=True,
    promise="Rows and what was applied to them are written in one transaction: a change counts exactly once.",
)
