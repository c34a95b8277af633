"""What a project's credentials work for, found by asking Mixpanel. Nothing is stored there: the event that is sent
lacks what `/import` requires, so that Mixpanel refuses it (400) after it has looked at the credentials (401)."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from outbound import projects, send
from outbound.operations import registry
from outbound.operations.types import CallInput
from outbound.projects import Credentials, Project
from outbound.request.compose import compose
from outbound.send import PreparedCall
from outbound.transport.attempts import Outcome
from runtime import Runtime

REFUSED_EVENT = [{"event": "Credentials check", "properties": {"$insert_id": "cohort-relay-check"}}]
BAD, UNAUTHORIZED = 400, 401


@dataclass(frozen=True)
class Finding:
    """Whether a credential works for a use; None where that was not to be found out. `words` is a sentence."""

    credential: str
    use: str
    works: bool | None
    words: str


def check(runtime: Runtime, project: Project, who: str) -> list[Finding]:
    """Ask Mixpanel, and keep what it says with the project. Raises models.encryption.DecryptionError."""
    found = list(_findings(runtime, project, project.credentials(runtime.cipher), who))
    report = json.dumps([asdict(item) for item in found])
    now = runtime.clock()
    runtime.database.write(lambda db: projects.note_check(db, project, report, now))
    return found


def known(project: Project) -> list[Finding]:
    """Return what the last check found."""
    return [Finding(**finding) for finding in json.loads(project.checked or "[]")]


def _findings(runtime: Runtime, project: Project, all_of_it: Credentials, who: str) -> Iterator[Finding]:
    if all_of_it.username and all_of_it.secret:
        alone = replace(all_of_it, token="")
        outcome = _call(runtime, project, alone, "me", CallInput(), who)
        yield _signs_in(project, outcome)
        if outcome.verdict == "accepted":
            yield _queries(_call(runtime, project, alone, "cohorts-list", CallInput(), who))
            yield _imports("service account", _call(runtime, project, alone, "import-events", _refused(), who))
    else:
        yield Finding("service account", "queries, exports, lookup tables", None, "There is none in this project yet.")
    if all_of_it.token:
        yield _imports("token", _call(runtime, project, Credentials(all_of_it.token), "import-events", _refused(), who))
    else:
        yield Finding("token", "events and profiles", None, "There is none in this project yet.")


def _refused() -> CallInput:
    return CallInput(body=REFUSED_EVENT)


def _call(
    runtime: Runtime, project: Project, used: Credentials, operation_id: str, given: CallInput, who: str
) -> Outcome:
    """Make a call with some of the credentials; none of them may stand in what is kept of it."""
    operation = registry.OPERATIONS[operation_id]
    composed = compose(operation, project, used, given, runtime.clock(), runtime.settings.mixpanel_base_url)
    return send.send(runtime, PreparedCall(project, project.credentials(runtime.cipher), composed), who, "check")[1]


def _signs_in(project: Project, outcome: Outcome) -> Finding:
    if outcome.verdict != "accepted" or outcome.answer is None:
        return Finding("service account", "signing in", _no(outcome), outcome.words)
    projects_of = _projects_of(send.answer_json(outcome.answer.text))
    if projects_of and project.mixpanel_project_id not in projects_of:
        words = f"It signs in, but has no role in the project {project.mixpanel_project_id}."
        return Finding("service account", "signing in", False, words)
    return Finding("service account", "signing in", True, "Mixpanel knows it.")


def _projects_of(answer: Any) -> set[str]:
    results = answer.get("results") if isinstance(answer, dict) else None
    found = results.get("projects") if isinstance(results, dict) else None
    return {str(item) for item in found} if isinstance(found, dict) else set()


def _queries(outcome: Outcome) -> Finding:
    works = True if outcome.verdict == "accepted" else _no(outcome)
    words = "It may run queries (one of the hour's 60 was used to see that)." if works else outcome.words
    return Finding("service account", "queries", works, words)


def _imports(credential: str, outcome: Outcome) -> Finding:
    """Mixpanel refuses the event, which it only looks at once it knows the sender."""
    if outcome.status == BAD:
        return Finding(credential, "importing", True, "Mixpanel takes it. The event of this check was not stored.")
    if outcome.verdict in {"accepted", "partly"}:
        words = "Mixpanel took an event that it should have refused: this is no strict import."
        return Finding(credential, "importing", None, words)
    return Finding(credential, "importing", _no(outcome), outcome.words)


def _no(outcome: Outcome) -> bool | None:
    """False where Mixpanel refused, None where it could not be asked."""
    return False if outcome.verdict == "rejected" else None
