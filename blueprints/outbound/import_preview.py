"""What an import would become that has not begun: a dry run of its first records, and what there is to set."""

import json
from typing import Any

from blueprints.outbound.formatting import column_target
from models.encryption import DecryptionError
from outbound import projects
from outbound.imports import dry_run, source
from outbound.imports.batches import RecordChecker
from outbound.imports.columns import GENERAL, TARGETS
from outbound.imports.dry_run import Report
from outbound.imports.jobs import Import
from outbound.imports.kinds import KINDS
from outbound.imports.options import Options
from outbound.readers.errors import UnreadableFile
from outbound.request.checks.categories import told
from outbound.request.checks.profiles import NOT_FOR_GROUPS, OBJECTS
from outbound.request.masking import mask_of
from runtime import current_runtime

LOOKED_AT = 5000  # records that the page looks through before anything is sent


def preview(job: Import) -> dict[str, Any]:
    """Show what the first records of an import that has not begun would become."""
    report, wrong = None, ""
    try:
        report = looked_through(job, LOOKED_AT, 10 if job.source == "cohort" else 3)
    except UnreadableFile as unreadable:
        wrong = str(unreadable)
    except DecryptionError:
        wrong = "The project's credentials cannot be read with this SECRET_KEY. Give them again."
    samples = [json.dumps(sample, ensure_ascii=False) for sample in (report.samples if report else [])]
    return {
        "report": report,
        "wrong": wrong,
        "samples": samples,
        "advice": told(report.advised) if report else [],
        "targets": [(target, column_target(target)) for target in (*TARGETS[job.kind], *GENERAL)],
        "always": TARGETS[job.kind],
        "operators": [sign for sign in (*OBJECTS, "$unset", "$delete") if not _is_for_people_only(job.kind, sign)],
    }


def _is_for_people_only(kind: str, operator: str) -> bool:
    return kind == "groups" and operator in NOT_FOR_GROUPS


def looked_through(job: Import, most: int, samples: int = 3) -> Report:
    """Make a dry run of its first records. Raises UnreadableFile, DecryptionError."""
    project = current_runtime().database.read(lambda db: projects.by_name(db, job.project), one_statement=True)
    if project is None:
        raise UnreadableFile(f"There is no project {job.project} any more.")
    runtime = current_runtime()
    credentials = project.credentials(runtime.cipher)
    options = Options.of(job.settings)
    checker = RecordChecker(KINDS[job.kind], credentials, project.integration, runtime.clock(), options)
    report = dry_run.dry_run(source.reads(runtime, job), checker, most, samples)
    mask = mask_of(credentials)
    report.samples = [mask.within(record) for record in report.samples]
    return report
