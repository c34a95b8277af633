"""Inputs that other lists of these calls ask for, and that are settled here: by the project, or by us.

Under their names the same value passes; another one is refused with the reason, never replaced in silence (seeds/003).
"""

import re
from typing import Any

from outbound.operations.types import Operation, Problem
from outbound.projects import Credentials, Project
from outbound.request.param_values import is_missing

# What stands for a region: the seed's "mixpanel", "eu.mixpanel", "api-eu", "data-eu", and what people write.
_SERVER = re.compile(r"(?:https?://)?(?:api|data)?(?:-(eu|in))?(?:(eu|in)\.)?\.?(?:mixpanel(?:\.com)?)?/*")

_NAMES = {
    "region": "region",
    "region_and_domain": "region",
    "data_and_domain": "region",
    "domain": "region",
    "project_id": "project_id",
    "project_token": "token",
    "token": "token",
    "verbose": "verbose",
    "strict": "strict",
    "connection": "connection",
}


def is_settled(operation: Operation, name: str) -> bool:
    """Tell whether this is no parameter that is asked for, and yet has a value."""
    param = operation.param(name)
    return (param is None or param.fixed) and (_key(name) in _NAMES)


def problem(operation: Operation, project: Project, credentials: Credentials, name: str, value: Any) -> Problem | None:
    """Return what is wrong with the value, None where it is the one that is used."""
    if is_missing(value):
        return None
    kind, field = _NAMES[_key(name)], f"params.{name}"
    reason = _CHECKS[kind](operation, project, credentials, value)
    return Problem("error", field, reason) if reason else None


def _key(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _region(_operation: Operation, project: Project, _credentials: Credentials, value: Any) -> str:
    if region_of(str(value)) == project.region:
        return ""
    return f"The project {project.name} is in the region {project.region}; its calls go there. Choose another project."


def region_of(text: str) -> str:
    """Return the region that a text means, empty where it means none."""
    word = text.strip().lower()
    if word in {"us", "eu", "in"}:
        return word
    found = _SERVER.fullmatch(word)
    return (found[1] or found[2] or "us") if found and word else ""


def _project_id(_operation: Operation, project: Project, _credentials: Credentials, value: Any) -> str:
    if str(value).strip() == project.mixpanel_project_id:
        return ""
    return (
        f"The project {project.name} has another id, {project.mixpanel_project_id}. Choose the project that you mean."
    )


def _token(_operation: Operation, project: Project, credentials: Credentials, value: Any) -> str:
    if credentials.token and str(value).strip() == credentials.token:
        return ""
    return f"This is not the token of the project {project.name}. Choose the project that you mean."


def _always_one(name: str) -> Any:
    def check(operation: Operation, _project: Project, _credentials: Credentials, value: Any) -> str:
        yes = str(value).strip().lower() in {"1", "true", "yes", "on"}
        if operation.param(name) is None:
            return f"Mixpanel has no {name} for this call."
        return "" if yes else f"It is always 1: else Mixpanel does not say what it did with each record ({name})."

    return check


def _connection(_operation: Operation, project: Project, _credentials: Credentials, value: Any) -> str:
    return "" if str(value) == project.name else f"The credentials are those of the project {project.name}."


_CHECKS: dict[str, Any] = {
    "region": _region,
    "project_id": _project_id,
    "token": _token,
    "verbose": _always_one("verbose"),
    "strict": _always_one("strict"),
    "connection": _connection,
}
