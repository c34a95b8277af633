"""Where the records of an import come from: its file, or its cohort."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outbound.imports import files, jobs, members
from outbound.imports.columns import Columns
from outbound.imports.conditions import RecordFilter
from outbound.imports.jobs import Import
from outbound.readers.errors import UnreadableFile
from outbound.readers.objects import ReadRecord
from runtime import Runtime


def reads(
    runtime: Runtime, job: Import, limit: int | None = None, record_filter: RecordFilter | None = None
) -> Iterator[ReadRecord]:
    """Yield all records by place that pass the import's filter, of the first `limit` if it is given. Whoever
    wants to know how many did not hands the filter in. Raises UnreadableFile, also midway."""
    if job.source == "cohort" and job.cohort_id is not None:
        return members.reads(runtime.database, job.cohort_id, job.settings["template"], job.created_at, limit)
    if job.path is None:
        raise UnreadableFile("The file is not here any more.")
    return _file(runtime, Path(job.path), job, limit, record_filter or RecordFilter.of(job.settings))


def _file(
    runtime: Runtime, path: Path, job: Import, limit: int | None, record_filter: RecordFilter
) -> Iterator[ReadRecord]:
    try:
        _confirm(runtime, path, job)
        yield from files.reads(path, columns_of(job.kind, job.settings), record_filter, limit)
    except OSError as error:
        raise UnreadableFile(f"The file cannot be read: {error.strerror}.") from None


def _confirm(runtime: Runtime, path: Path, job: Import) -> None:
    """Look whether the file is still the one that the import was made for. One that was noted under an earlier key, or
    by its plain digest before there was one, is noted anew. Raises UnreadableFile, OSError."""
    found, *earlier = files.fingerprints(path, runtime.cipher.digests)
    if found == job.fingerprint:
        return
    if job.fingerprint not in {*earlier, files.plain_fingerprint(path)}:
        raise UnreadableFile("The file is not the same any more, or SECRET_KEY is another one. Import it anew.")
    runtime.database.write(lambda db: jobs.note_file(db, job.id, found))


def columns_of(kind: str, settings: dict[str, Any]) -> Columns:
    """Return how the rows of a CSV become records."""
    mapping, always = settings.get("mapping", {}), settings.get("always", {})
    return Columns(kind, mapping, always, settings.get("operator", "$set"), settings.get("names", {}))
