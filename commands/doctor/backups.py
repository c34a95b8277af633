"""Whether backups are made, and whether what makes them is there."""

import shutil

from backups import places, status
from backups.trouble import NotKept
from commands.doctor.check import Check, fail, many, ok, warn
from config.clock import utc
from runtime import Runtime

NAME = "backups"


def all_backups(runtime: Runtime) -> list[Check]:
    settings = runtime.settings
    if not settings.backup_to:
        return [ok(NAME, "none on a schedule (BACKUP_TO)")]
    if not settings.on_sqlite and (missing := [one for one in ("pg_dump", "pg_restore") if shutil.which(one) is None]):
        step = "Install PostgreSQL's client, of the server's version or a newer one: apt-get install postgresql-client"
        return [fail(NAME, f"{' and '.join(missing)} not installed", step)]
    try:
        kept = places.kept(places.opened(settings.backup_to, settings))
    except NotKept as error:
        return [fail(NAME, f"{settings.backup_to}: {error}", "Mend BACKUP_TO or its credentials (BACKUP_S3_…)")]
    found = runtime.database.read(lambda db: status.read(db, settings, runtime.clock()), one_statement=True)
    kind = "encrypted" if settings.backup_key else "not encrypted (BACKUP_KEY)"
    shown = f"{many(len(kept), 'backup')} in {settings.backup_to}, {kind}, the last good one {utc(found.verified_at)}"
    if found.state in {"failing", "quiet"}:
        return [fail(NAME, f"{found.says} {shown}", found.what_to_do)]
    if found.verified_at is None:
        return [warn(NAME, shown, "A worker makes the first one: flask serve has one, flask work is one")]
    return [ok(NAME, shown)]
