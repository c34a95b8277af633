"""Whether backups are made, and whether what makes them is there."""

import shutil
from collections.abc import Mapping, Sequence

from backups import places, status
from backups.keys import OLD
from backups.names import Kept
from backups.trouble import NotKept
from commands.doctor.check import Check, fail, many, ok, warn
from config.clock import utc
from runtime import Runtime

NAME = "backups"
MOST_LOOKED_AT = 100  # of which the key is looked for: each is a call to the bucket
MOST_NAMED = 5
ITS_KEY = "Put the key of its time into BACKUP_KEY_OLD, or make another one now: flask backup"


def all_backups(runtime: Runtime) -> list[Check]:
    settings = runtime.settings
    if not settings.backup_to:
        return [ok(NAME, "none on a schedule (BACKUP_TO)")]
    if not settings.on_sqlite and (missing := [one for one in ("pg_dump", "pg_restore") if shutil.which(one) is None]):
        step = "Install PostgreSQL's client, of the server's version or a newer one: apt-get install postgresql-client"
        return [fail(NAME, f"{' and '.join(missing)} not installed", step)]
    try:
        place = places.opened(settings.backup_to, settings)
        kept = places.kept(place)
        keys = places.key_names(place, kept[:MOST_LOOKED_AT], settings)
    except NotKept as error:
        return [fail(NAME, f"{settings.backup_to}: {error}", "Mend BACKUP_TO or its credentials (BACKUP_S3_…)")]
    return [_stand(runtime, kept, keys)]


def _stand(runtime: Runtime, kept: Sequence[Kept], keys: Mapping[str, str | None]) -> Check:
    """`keys` has the name of the key that opens each of the encrypted ones."""
    settings = runtime.settings
    found = runtime.database.read(lambda db: status.read(db, settings, runtime.clock()), one_statement=True)
    kind = "encrypted" if settings.backup_key else "not encrypted (BACKUP_KEY)"
    shown = f"{many(len(kept), 'backup')} in {settings.backup_to}, {kind}, the last good one {utc(found.verified_at)}"
    if found.state in {"failing", "quiet"}:
        return fail(NAME, f"{found.says} {shown}", found.what_to_do)
    if lost := [name for name, key in keys.items() if key is None]:
        what = f"no key opens {many(len(lost), 'backup')}: {', '.join(lost[:MOST_NAMED])}. {shown}"
        return fail(NAME, what, ITS_KEY) if kept[0].name in lost else warn(NAME, what, ITS_KEY)
    if found.verified_at is None:
        return warn(NAME, shown, "A worker makes the first one: flask serve has one, flask work is one")
    old = sum(key is not None and key.startswith(OLD) for key in keys.values())
    return ok(NAME, f"{shown}; {old} of them open with {OLD}" if old else shown)
