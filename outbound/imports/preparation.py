"""What all batches of an import share, made whole before the first of them is sent."""

from dataclasses import dataclass, replace

from outbound import projects, send
from outbound.imports import jobs
from outbound.imports.batches import Batch, RecordChecker
from outbound.imports.jobs import Import
from outbound.imports.kinds import KINDS
from outbound.operations.types import CallInput, Composed
from outbound.projects import Credentials, Project
from outbound.request.compose import compose
from outbound.request.masking import Mask, mask_of
from outbound.transport.client import Client
from runtime import Runtime

SAMPLE = {
    "events": [{"event": "e", "properties": {"time": 1_700_000_000, "distinct_id": "u", "$insert_id": "i"}}],
    "people": [{"$distinct_id": "u", "$set": {"a": 1}}],
    "groups": [{"$group_key": "k", "$group_id": "g", "$set": {"a": 1}}],
}


class CannotGoOn(Exception):
    """The import cannot go on; says why, for people."""


@dataclass(frozen=True)
class Preparation:
    """`template` is the request of a batch but for its records. `left_open` are the batches of an earlier process whose
    answer nobody heard: their delivery, and their first and last place."""

    project: Project
    mask: Mask
    client: Client
    template: Composed
    checker: RecordChecker
    left_open: list[tuple[int, int, int]]

    def request_of(self, batch: Batch) -> Composed:
        """Return the request that sends these records."""
        request = replace(self.template.outgoing, body=batch.body)
        return replace(self.template, request=request, records=tuple(batch.records), encoded=tuple(batch.encoded))


def prepare(runtime: Runtime, job: Import) -> Preparation:
    """Look up the project, open its credentials, and make what all batches share. Raises CannotGoOn, and
    models.encryption.DecryptionError."""
    project = runtime.database.read(lambda db: projects.by_name(db, job.project), one_statement=True)
    if project is None:
        raise CannotGoOn(f"There is no project {job.project} any more.")
    credentials = project.credentials(runtime.cipher)
    return Preparation(
        project,
        mask_of(credentials),
        send.client_of(runtime, project),
        _template(runtime, job, project, credentials),
        RecordChecker(KINDS[job.kind], credentials, project.integration, job.created_at, job.settings),
        runtime.database.read(lambda db: jobs.left_open(db, job.id)),
    )


def _template(runtime: Runtime, job: Import, project: Project, credentials: Credentials) -> Composed:
    operation, sample = KINDS[job.kind].operation, CallInput(body=SAMPLE[job.kind])
    base_url = runtime.settings.mixpanel_base_url
    composed = compose(operation, project, credentials, sample, runtime.clock(), base_url)
    if composed.request is None:
        raise CannotGoOn(next(problem.message for problem in composed.problems if problem.level == "error"))
    return replace(composed, request=replace(composed.request, gzip=operation.gzip))
