"""Uploads on disk: they go with the import that needed them, and those that no import or comparison needs go too."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from config.clock import DAY
from models.database import Database
from outbound.imports.jobs import Import

DRAFT_DAYS = 7  # an import that nobody began
ALONE = 3600  # seconds after which a file has no row because it never gets one
EXPIRED = f"Nobody began it within {DRAFT_DAYS} days, so that its file was removed. Upload it again."

_EXPIRE = text("""
    UPDATE import_job SET state = 'cancelled', ended_at = :now, message = :words
    WHERE state = 'ready' AND created_at < :before""")
_NEEDED = text("""
    SELECT path FROM import_job
    WHERE source = 'upload' AND path IS NOT NULL AND (state <> 'cancelled' OR claimed_until > :now)""")
_COMPARED = text("SELECT report FROM comparison WHERE state IN ('waiting', 'running') AND report IS NOT NULL")


@contextmanager
def new_file(folder: Path) -> Iterator[Path]:
    """Yield where a file may be kept; it stays where nothing goes wrong with it, and is removed whatever does."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / secrets.token_hex(16)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def discard(job: Import | None) -> None:
    """Remove the upload of an import that is cancelled and that nobody works on. Raises OSError."""
    if job is not None and job.state == "cancelled" and job.claimed_by is None and job.source == "upload" and job.path:
        Path(job.path).unlink(missing_ok=True)


def tidy(database: Database, folder: Path, now: int) -> None:
    """End imports that nobody began, and remove files that nothing needs. `now` is in milliseconds."""
    before = now - DRAFT_DAYS * DAY
    database.write(lambda db: db.execute(_EXPIRE, {"now": now, "before": before, "words": EXPIRED}))
    there = [path for path in folder.glob("*") if _is_alone(path)] if folder.is_dir() else []
    needed = database.read(lambda db: _needed(db, now))
    for path in there:
        if path.name not in needed:
            path.unlink(missing_ok=True)


def _is_alone(path: Path) -> bool:
    """Tell whether its row would be there, if it had one."""
    try:
        return path.is_file() and path.stat().st_mtime < time.time() - ALONE
    except FileNotFoundError:
        return False


def _needed(db: Connection, now: int) -> set[str]:
    paths = set(db.execute(_NEEDED, {"now": now}).scalars())
    reports = (json.loads(report) for report in db.execute(_COMPARED).scalars())
    paths |= {str(report["file"]) for report in reports if "file" in report}
    return {Path(path).name for path in paths}
