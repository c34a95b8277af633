"""Where the records of an import come from: its file, or its cohort."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outbound.imports import files, members
from outbound.imports.columns import Columns
from outbound.imports.jobs import Import
from outbound.readers.errors import Unreadable
from outbound.readers.objects import Found
from runtime import Runtime


def reads(runtime: Runtime, job: Import, limit: int | None = None) -> Iterator[Found]:
    """All records by place, at most `limit` of a cohort. Raises files.Unreadable, also midway."""
    if job.source == "cohort" and job.cohort_id is not None:
        return members.reads(runtime.database, job.cohort_id, job.settings["template"], job.created_at, limit)
    if job.path is None:
        raise Unreadable("The file is not here any more.")
    return _file(Path(job.path), job)


def _file(path: Path, job: Import) -> Iterator[Found]:
    try:
        if files.fingerprint(path) != job.fingerprint:
            raise Unreadable("The file is not the same any more. Import it anew.")
        yield from files.reads(path, columns_of(job.kind, job.settings))
    except OSError as error:
        raise Unreadable(f"The file cannot be read: {error.strerror}.") from None


def columns_of(kind: str, settings: dict[str, Any]) -> Columns:
    """How the rows of a CSV become records."""
    mapping, always = settings.get("mapping", {}), settings.get("always", {})
    return Columns(kind, mapping, always, settings.get("operator", "$set"))
