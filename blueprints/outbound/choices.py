"""Pick-lists: what Mixpanel itself has to choose from for a field, its funnels, pipelines, lookup tables or cohorts."""

from dataclasses import dataclass

from models.encryption import DecryptionError
from outbound import send
from outbound.operations import choices as operation_choices
from outbound.operations import registry
from outbound.operations.choices import Choice
from outbound.operations.types import CallInput, Param
from outbound.projects import Project
from outbound.result.response import parsed
from outbound.transport.attempts import Outcome
from runtime import current_runtime


@dataclass(frozen=True)
class Offer:
    """The choices for one parameter; where there are none, `words` say why."""

    name: str = ""
    choices: tuple[Choice, ...] = ()
    words: str = ""


NOTHING = Offer()


def offer(project: Project, param: Param, who: str) -> Offer:
    """Ask Mixpanel, once: somebody waits for the page, and may press the button again."""
    listing = registry.OPERATIONS[param.pick]
    runtime = current_runtime().with_settings(send_attempts=1)
    try:
        call = send.ready(runtime, project, listing, CallInput())
    except DecryptionError:
        return Offer(param.name, words="The project's credentials cannot be read with this SECRET_KEY.")
    stops = call.composed.stops(force=False)
    if stops:
        return Offer(param.name, words=stops[0].message)
    _delivery, outcome = send.send(runtime, call, who, "dashboard")
    return _read(project, param, outcome)


def _read(project: Project, param: Param, outcome: Outcome) -> Offer:
    if outcome.verdict != "accepted" or outcome.answer is None:
        return Offer(param.name, words=outcome.words)
    found = tuple(operation_choices.choices(param.pick, parsed(outcome.answer)))
    return Offer(param.name, found, "" if found else f"Mixpanel lists none in {project.name}.")
