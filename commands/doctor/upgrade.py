"""`flask doctor --upgrade`: whether the tables fit this code, which migrations wait, and whether they may run while the
version before serves."""

from commands.doctor.check import Check, fail, many, ok, warn
from config.version import VERSION
from models.database import Database, DatabaseUnavailable
from models.maintenance import schema

BACKUP = "Make a backup first (docs/operating.md), then run: flask db upgrade"


def upgrade(database: Database) -> list[Check]:
    """Return what an operator wants to know before an upgrade; nothing is changed."""
    release = ok("release", f"this code is {VERSION}, with tables of revision {schema.newest_revision()}")
    try:
        stored = database.read(schema.stored_revision)
    except DatabaseUnavailable as error:
        return [
            release,
            fail("tables", f"the database cannot be asked: {error.told}", "Mend DATABASE_URL, or start it"),
        ]
    return [release, *_compared(stored)]


def _compared(stored: str | None) -> list[Check]:
    if stored is None:
        return [warn("tables", "the database is empty", "Run: flask db upgrade")]
    if not schema.is_known(stored):
        return [_of_newer_code(stored)]
    waiting = schema.waiting(stored)
    if not waiting:
        return [ok("tables", f"revision {stored}, as this code wants them: nothing to do")]
    found = f"revision {stored}; {many(len(waiting), 'migration')} to run"
    return [warn("tables", found, BACKUP), *(_migration(one) for one in waiting), _together(waiting)]


def _of_newer_code(stored: str) -> Check:
    """Return how tables stand that a later release has made. What they have more harms nobody."""
    if schema.is_new_enough(stored):
        found = f"revision {stored} of a newer release; this code may serve on them, and cannot change them"
        return ok("tables", found)
    return fail(
        "tables", f"revision {stored}, which no release of ours has made", "Is DATABASE_URL the right database?"
    )


def _migration(one: schema.Migration) -> Check:
    if one.contract:
        return warn(
            f"migration {one.revision}", one.sentence, "It takes something away; the last line says what that means"
        )
    return ok(f"migration {one.revision}", f"{one.sentence} (only adds)")


def _together(waiting: list[schema.Migration]) -> Check:
    contracts = [one.revision for one in waiting if one.contract]
    if not contracts:
        return ok(
            "under the old code", "all of them may run while the version before serves, and it may be started again"
        )
    step = "Stop every process of an earlier release first, or upgrade to the release that they name before this one"
    return warn(
        "under the old code", f"{', '.join(contracts)} may not run under code that still uses what they remove", step
    )
