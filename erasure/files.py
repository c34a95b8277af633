"""The files of the instance folder in which someone may be: uploads that wait for their import or comparison, and long
answers of Mixpanel's."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from erasure.matcher import Mentions
from outbound.readers.encoded import opened
from outbound.readers.errors import UnreadableFile

FOLDERS = ("imports", "comparisons", "downloads")
_PIECE = 1024 * 1024  # characters that are looked at at once
_OVERLAP = 4096

_JOBS = text("""
    SELECT id, path, cohort_id, settings, state, source FROM import_job
    WHERE (state NOT IN ('done', 'cancelled') OR claimed_until > :now)
        AND project NOT IN (SELECT name FROM project WHERE mixpanel_project_id <> :project_id)""")
_COMPARISONS = text("""
    SELECT x.id FROM comparison x JOIN cohort c ON c.id = x.cohort_id
    WHERE c.project_id = :project_id AND x.way <> 'count' AND (x.state IN ('waiting', 'running')
        OR x.claimed_until > :now)""")
# The person by themselves first: they and their cohorts may lie on two nodes (docs/scaling.md).
_INSIDE = text("""
    SELECT m.cohort_id FROM (
        SELECT id FROM person WHERE project_id = :project_id AND distinct_id = :distinct_id LIMIT 1) p
    JOIN cohort c ON c.project_id = :project_id
    JOIN membership m ON m.cohort_id = c.id AND m.person_id = p.id AND m.left_at IS NULL""")
_CALLS = text("""
    SELECT d.id, d.given, d.request,
        EXISTS (SELECT 1 FROM download w WHERE w.delivery_id = d.id AND w.file IS NOT NULL) AS still_comes
    FROM delivery d
    WHERE d.verdict IS NULL AND d.project NOT IN (SELECT name FROM project WHERE mixpanel_project_id <> :project_id)""")


def files(instance: Path) -> Iterator[Path]:
    """Yield all files in which uploads, fetched ids and answers are."""
    for folder in FOLDERS:
        yield from sorted(path for path in (instance / folder).glob("**/*") if path.is_file())


def mentions_within(path: Path, mentions: Mentions) -> bool:
    """Tell whether a file names them; one that is gone, or cannot be read, does not."""
    try:
        return any(map(mentions.within, _texts(path)))
    except (OSError, UnreadableFile):
        return False


def in_the_way(db: Connection, project_id: str, distinct_id: str, mentions: Mentions, now: int) -> list[str]:
    """Return what is under way with this person in it and would write about them again, in words."""
    inside = set(db.execute(_INSIDE, {"project_id": project_id, "distinct_id": distinct_id}).scalars())
    values = {"project_id": project_id, "now": now}
    found = []
    for job in db.execute(_JOBS, values).all():
        sends = job.source == "cohort" and job.cohort_id in inside and job.state not in {"ready", "cancelled"}
        if sends or mentions.within(job.settings) or (job.path and mentions_within(Path(job.path), mentions)):
            found.append(f"import {job.id}")
    found += [f"comparison {identifier}" for identifier in db.execute(_COMPARISONS, values).scalars()]
    for call in db.execute(_CALLS, values).all():
        if call.still_comes:
            found.append(f"call {call.id}, whose answer still comes")
        elif mentions.within(call.given) or mentions.within(call.request):
            found.append(f"call {call.id}")
    return found


def _texts(path: Path) -> Iterator[str]:
    """Yield a file in pieces, each with the end of the one before, unpacked, whatever its encoding."""
    with opened(path, as_it_is=True) as (_start, file):
        reader = codecs.getreader("utf-8")(file, "replace")
        before = ""
        while piece := reader.read(_PIECE, _PIECE):
            yield before + piece
            before = piece[-_OVERLAP:]
