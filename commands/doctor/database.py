"""Whether the database can be used: reached, written, new enough, with its tables and under its key."""

import sqlite3

from sqlalchemy import Connection, text

from commands.doctor.check import Check, fail, many, ok, warn
from config.database_url import sqlite_file, where
from config.settings import Settings
from models.database import Database, DatabaseUnavailable
from models.maintenance.close_for_writes import SENTENCE, is_closed
from models.maintenance.schema import is_new_enough, newest_revision, stored_revision
from models.replica import MOST_BEHIND
from outbound import projects
from runtime import Runtime
from security import key_check

OLDEST_SQLITE = (3, 35, 0)  # RETURNING
OLDEST_POSTGRESQL = 120000  # MATERIALIZED in WITH


def database(settings: Settings, stored: Database) -> Check:
    """Check whether the database can be reached and written, and is new enough."""
    url = settings.database_url
    found = str(sqlite_file(url)) if settings.on_sqlite else where(url)
    try:
        version, too_old = stored.write(_sqlite_version if settings.on_sqlite else _postgresql_version)
    except DatabaseUnavailable as error:
        step = "Start it, free its disk, or mend DATABASE_URL"
        return fail("database", f"{found} cannot be written: {error.told}", step)
    if stored.read(is_closed):
        step = "Set DATABASE_URL to PostgreSQL's address, or go back with flask migrate-data --reopen"
        return fail("database", f"{found} is {SENTENCE}", step)
    if too_old:
        return fail("database", f"{version} is too old", "SQLite 3.35 or PostgreSQL 12 is the oldest that works")
    through = ", through a pooler" if stored.is_pooled else ""
    return ok("database", f"{version}, {found}{through}")


def replica(settings: Settings, stored: Database) -> Check | None:
    """Check whether the replica that is to answer follows the primary; None where there is none."""
    if stored.replica is None:
        return None
    stored.replica.look()
    found, behind = where(settings.database_read_url), stored.replica.behind
    step = "Look at the standby's log; until it follows the primary answers everything"
    if behind is None:
        return warn("replica", f"{found} does not answer, or is no standby", step)
    if behind > MOST_BEHIND:
        return warn("replica", f"{found} is more than {MOST_BEHIND:.0f} s behind", step)
    return ok("replica", f"{found}, {behind:.0f} s behind")


def _sqlite_version(_db: Connection) -> tuple[str, bool]:
    return f"SQLite {sqlite3.sqlite_version}", sqlite3.sqlite_version_info < OLDEST_SQLITE


def _postgresql_version(db: Connection) -> tuple[str, bool]:
    number = int(db.execute(text("SHOW server_version_num")).scalar_one())
    return f"PostgreSQL {number // 10000}.{number % 10000}", number < OLDEST_POSTGRESQL


def revision(stored: Database) -> Check:
    found, wanted = stored.read(stored_revision), newest_revision()
    if not is_new_enough(found):
        return fail("tables", f"at revision {found or 'none'}, wanted {wanted}", "Run flask db upgrade")
    if found != wanted:
        step = "Restart the relay on the new version; a worker or server of this one may go on until then"
        return warn("tables", f"at revision {found}, newer than this version's {wanted}", step)
    return ok("tables", f"at revision {found}")


def secret_key(runtime: Runtime) -> Check:
    """Check whether SECRET_KEY is the one that the database was filled with."""
    found = runtime.database.read(lambda db: key_check.is_right(db, *runtime.settings.secret_keys))
    if found is False:
        runtime.settings.forget_made_key()
        what, _, step = key_check.sentence(runtime).partition(" Put the earlier key back: ")
        return fail("secret key", what, f"Put the earlier key back: {step}")
    if lost := runtime.database.read(lambda db: projects.undecryptable(db, runtime.cipher)):
        found_so = f"credentials of {many(len(lost), 'project')} cannot be opened with it: {', '.join(lost[:5])}"
        return fail("secret key", found_so, f"Give them again: flask projects change {lost[0]}")
    return ok("secret key", "the database's own" if found else "the database has none yet, and takes this one at start")
