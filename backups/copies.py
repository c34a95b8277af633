"""A copy of the database as it is at one moment, and the proof that a copy can be opened: SQLite's own online backup,
and PostgreSQL's own programs, which must be installed."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, BinaryIO

from sqlalchemy import text

from backups.sealing import PIECE, Sealer
from backups.trouble import NoBackup, NotMade, Stopped, told
from config.database_url import environment_of_programs, sqlite_file, without_password
from config.settings import Settings
from models.database import Database
from models.maintenance import backup

SPARE = 64 * 1024 * 1024  # bytes of the disk that the relay itself may need meanwhile
GRACE = 30  # seconds that a program has to end by itself
DUMP = b"PGDMP"  # how one in the custom format begins
SAID = 300  # characters that are kept of what a program says
Halted = Callable[[], bool]


def copy(database: Database, settings: Settings, target: Path, key: str, halted: Halted) -> None:
    """Write all that is stored to `target`, under `key` unless that is empty. Raises NotMade, Stopped,
    DatabaseUnavailable."""
    _hold_room(database, settings, target.parent)
    try:
        with open(target, "xb", opener=_for_us_alone) as file:
            sealer = Sealer(file, key) if key else None
            write = sealer.write if sealer else file.write
            if settings.on_sqlite:
                _copy_sqlite(sqlite_file(settings.database_url), target.with_name("plain.db"), write, halted)
            else:
                _dump(settings, write, halted)
            if sealer:
                sealer.end()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotMade(f"In {target.parent}: {told(error)}") from None


def revision_in(path: Path, settings: Settings) -> str:
    """Open a copy, read all of it, and return the revision of its tables. Raises NoBackup, NotMade."""
    if settings.on_sqlite:
        return backup.revision_of(path, thorough=True)
    with path.open("rb") as file:
        is_dump = file.read(len(DUMP)) == DUMP
    if not is_dump:
        raise NoBackup("It is no dump of PostgreSQL in the custom format.")
    _ran(["pg_restore", f"--file={os.devnull}", str(path)], "The dump is damaged")
    said = _ran(["pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path)], "The dump is damaged")
    rows = said.partition("FROM stdin;\n")[2].splitlines()
    if not rows or not rows[0].isalnum():
        raise NoBackup("It is no copy of Cohort Relay's database.")
    return rows[0]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def restore_dump(path: Path, settings: Settings) -> None:
    """Put what a dump of PostgreSQL holds in the place of what is stored: all of it, or nothing where something does
    not fit. Raises NoBackup, NotMade."""
    words = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    target = f"--dbname={without_password(settings.database_url)}"
    _ran(
        ["pg_restore", *words, target, str(path)], "Nothing was changed", environment_of_programs(settings.database_url)
    )


def needed(program: str) -> str:
    """Return where one of PostgreSQL's programs is. Raises NotMade."""
    found = shutil.which(program)
    if found is None:
        raise NotMade(
            f"{program} is not installed: it comes with PostgreSQL's client (Debian: apt-get install"
            " postgresql-client), of the server's version or a newer one."
        )
    return found


def _copy_sqlite(stored: Path, plain: Path, write: Callable[[bytes], object], halted: Halted) -> None:
    try:
        backup.copy(stored, plain, alone=True)
        with plain.open("rb") as file:
            _pour(file, write, halted)
    finally:
        plain.unlink(missing_ok=True)


def _dump(settings: Settings, write: Callable[[bytes], object], halted: Halted) -> None:
    """Run pg_dump into a pipe: it ends with us, also where we are killed."""
    words = [needed("pg_dump"), "--format=custom", f"--dbname={without_password(settings.database_url)}"]
    with tempfile.TemporaryFile() as said:
        program = subprocess.Popen(  # noqa: S603 - no shell, and the words are settings
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment_of_programs(settings.database_url),
        )
        try:
            assert program.stdout is not None  # noqa: S101 - it is a pipe
            _pour(program.stdout, write, halted)
            code = program.wait(GRACE)
        finally:
            program.kill()
            program.wait()
        if code:
            raise NotMade(f"pg_dump did not come to its end: {_said(said)}")


def _pour(source: IO[bytes], write: Callable[[bytes], object], halted: Halted) -> None:
    while piece := source.read(PIECE):
        write(piece)
        if halted():
            raise Stopped


def _ran(words: Sequence[str], trouble: str, environ: Mapping[str, str] | None = None) -> str:
    """Return what a program writes. Raises NoBackup with `trouble` and what it says where it fails, NotMade where it is
    missing."""
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are our own, settings and a path
            [needed(words[0]), *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            check=False,
            env=environ,
        )
        if done.returncode:
            raise NoBackup(f"{trouble}: {_said(said)}")
    return done.stdout.decode("utf-8", "replace")


def _said(said: BinaryIO | IO[bytes]) -> str:
    """Return the last line of an error, which names hosts, users and tables, and no value of a row."""
    said.seek(0)
    lines = said.read(64 * 1024).decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if "error:" in line]
    return ((errors or lines or ["it said nothing"])[0])[:SAID]


def _hold_room(database: Database, settings: Settings, folder: Path) -> None:
    """Refuse to begin what would fill the disk that the relay itself may lie on. Raises NotMade."""
    if settings.on_sqlite:
        stored = sqlite_file(settings.database_url)
        size = 2 * sum(
            path.stat().st_size for path in (stored, stored.with_name(f"{stored.name}-wal")) if path.exists()
        )
    else:
        asked = text("SELECT pg_database_size(current_database())")
        size = database.read(lambda db: int(db.execute(asked).scalar_one()), one_statement=True) // 2
    free = shutil.disk_usage(folder).free
    if free < size + SPARE:
        raise NotMade(
            f"There is not room enough in {folder}: making and proving a backup takes some {(size + SPARE) >> 20:,} MB,"
            f" and {free >> 20:,} MB are free."
        )


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
