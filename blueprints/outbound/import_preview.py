"""What an import would become that has not begun: a dry run of its first records, and what there is to set."""

import json
from pathlib import Path
from typing import Any

from blueprints.outbound.formatting import column_target
from models.encryption import DecryptionError
from outbound import projects
from outbound.imports import dry_run, files, jobs, source
from outbound.imports.batches import RecordChecker
from outbound.imports.columns import GENERAL, OWN_NAMES, TARGETS
from outbound.imports.conditions import SIGNS, RecordFilter
from outbound.imports.dry_run import Report
from outbound.imports.jobs import Import
from outbound.imports.kinds import KINDS, OWN_FIELDS
from outbound.readers.errors import UnreadableFile
from outbound.request.checks.categories import told
from outbound.request.checks.profiles import NOT_FOR_GROUPS, OBJECTS
from outbound.request.masking import mask_of
from runtime import current_runtime

LOOKED_AT = 5000  # records that the page looks through before anything is sent


def preview(job: Import) -> dict[str, Any]:
    """Show what the first records of an import that has not begun would become."""
    report, wrong, record_filter = None, "", RecordFilter.of(job.settings)
    try:
        report = looked_through(job, LOOKED_AT, 10 if job.source == "cohort" else 3, record_filter)
    except UnreadableFile as unreadable:
        wrong = str(unreadable)
    except DecryptionError:
        wrong = "The project's credentials cannot be read with this SECRET_KEY. Give them again."
    shown = [json.dumps(sample, ensure_ascii=False) for sample in (report.samples if report else [])]
    return {
        "report": report,
        "left_out": record_filter.left_out,
        "wrong": wrong,
        "samples": shown,
        "values": _values(job),
        "before": _before(job),
        "signs": SIGNS,
        "own_names": OWN_NAMES[job.kind],
        "advice": told(report.advised) if report else [],
        "targets": [(target, column_target(target)) for target in (*TARGETS[job.kind], *GENERAL)],
        "always": TARGETS[job.kind],
        "operators": [sign for sign in (*OBJECTS, "$unset", "$delete") if not _is_for_people_only(job.kind, sign)],
    }


def _is_for_people_only(kind: str, operator: str) -> bool:
    return kind == "groups" and operator in NOT_FOR_GROUPS


def _values(job: Import) -> dict[str, list[str]]:
    """Return some values of each column, or property, of its file."""
    if job.path is None:
        return {}
    try:
        found = files.samples(Path(job.path))
    except (UnreadableFile, OSError):  # told with the dry run
        return {}
    return {name: some for name, some in found.items() if "mapping" in job.settings or name not in OWN_FIELDS}


def _before(job: Import) -> list[Import]:
    """Return the earlier imports of the same file."""
    return current_runtime().database.read(lambda db: jobs.of_same_file(db, job.content_digest, job.id))


def looked_through(job: Import, most: int, samples: int = 3, record_filter: RecordFilter | None = None) -> Report:
    """Make a dry run of its first records. Raises UnreadableFile, DecryptionError."""
    project = current_runtime().database.read(lambda db: projects.by_name(db, job.project), one_statement=True)
    if project is None:
        raise UnreadableFile(f"There is no project {job.project} any more.")
    runtime, passing = current_runtime(), record_filter or RecordFilter.of(job.settings)
    credentials = project.credentials(runtime.cipher)
    checker = RecordChecker(KINDS[job.kind], credentials, project.integration, runtime.clock(), job.settings)
    report = dry_run.dry_run(source.reads(runtime, job, most + 1, passing), checker, most, samples)
    report.is_whole &= report.read + passing.left_out <= most
    mask = mask_of(credentials)
    report.samples = [mask.within(record) for record in report.samples]
    return report
