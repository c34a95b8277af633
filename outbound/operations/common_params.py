"""Parameters that many operations share."""

from dataclasses import replace
from typing import Any

from outbound.operations.types import Param

VERBOSE = Param("verbose", "query", "flag", "Verbose", fixed=True, default="1")
STRICT = Param("strict", "query", "flag", "Strict", fixed=True, default="1")
NO_GEOLOCATION = Param("ip", "query", "flag", "IP", fixed=True, default="0")
CALLBACK = Param(
    "callback", "query", "text", "Callback", "Mixpanel answers with JavaScript that calls this function.", most=100
)
REDIRECT = Param(
    "redirect", "query", "text", "Redirect", "Mixpanel no longer documents it; expect it to be ignored.", most=2000
)

DISTINCT_ID = Param(
    "distinct_id",
    "properties",
    "text",
    "Distinct id",
    'The id of whoever did it. For an event of nobody, send JSON with "".',
    required=True,
    example="a81f09c2",
    also=("distinctId", "$distinct_id"),
)
PROFILE_ID = replace(
    DISTINCT_ID,
    name="$distinct_id",
    place="record",
    help="The profile's distinct id.",
    also=("distinct_id", "distinctId"),
)
GROUP_KEY = Param(
    "$group_key",
    "record",
    "text",
    "Group key",
    "A group key of Project Settings, such as company.",
    required=True,
    example="company",
    also=("group_key", "groupKey"),
)
GROUP_ID = Param(
    "$group_id",
    "record",
    "text",
    "Group id",
    "The id of the group.",
    required=True,
    example="acme",
    also=("group_id", "groupId"),
)
EVENT = Param(
    "event",
    "record",
    "text",
    "Event",
    "Its name, as reports show it. Case-sensitive.",
    required=True,
    example="Signed up",
    also=("eventName", "event_name"),
)
TIME = Param(
    "time",
    "properties",
    "time",
    "Time",
    "Seconds or milliseconds since 1970, or a time such as 2026-11-24T09:30:00Z.",
    default="{now}",
)
INSERT_ID = Param(
    "$insert_id",
    "properties",
    "text",
    "Insert id",
    "Two events with the same one are counted once. If empty, it is made from the event's content.",
    most=36,
    also=("insert_id", "insertId"),
)
PROPERTIES = Param(
    "properties",
    "properties",
    "object",
    "Properties",
    "Names and values. Anything that is not JSON is sent as text.",
    example={"plan": "pro", "seats": 3},
)

PROJECT_ID = Param("project_id", "query", "whole", "Project id", fixed=True, also=("projectId",))
WORKSPACE_ID = Param(
    "workspace_id",
    "query",
    "whole",
    "Workspace id",
    "Only for projects with Data Views.",
    least=1,
    also=("workspaceId",),
)
FROM_DATE = Param(
    "from_date", "query", "date", "From", "The first day.", required=True, default="{month_ago}", also=("fromDate",)
)
TO_DATE = Param(
    "to_date", "query", "date", "To", "The last day, included.", required=True, default="{today}", also=("toDate",)
)
WHERE = Param(
    "where",
    "query",
    "code",
    "Where",
    'An expression such as properties["plan"] == "pro".',
)
ON = Param("on", "query", "code", "On", 'An expression to break down by, such as properties["$browser"].')
LIMIT = Param("limit", "query", "whole", "Limit", "How many, at most.", least=1, most=10_000)
INTERVAL = Param("interval", "query", "whole", "Interval", "How many units are put together.", least=1)
TYPE = Param(
    "type",
    "query",
    "choice",
    "Count",
    "All events, people, or the average per person.",
    choices=("general", "unique", "average"),
    default="general",
)
FORMAT = Param("format", "query", "choice", "Format", choices=("json", "csv"))


def one_of(name: str, words: str, *choices: str, **more: Any) -> Param:
    """Describe a parameter that is a choice in the query."""
    return replace(Param(name, "query", "choice", words, choices=choices), **more)


def needed(param: Param, **more: Any) -> Param:
    """Return the same parameter, where it may not be missing."""
    return replace(param, required=True, **more)


def optional(param: Param, **more: Any) -> Param:
    return replace(param, required=False, **more)


def in_form(param: Param, **more: Any) -> Param:
    """Return the same parameter, in the form body."""
    return replace(param, place="form", **more)


USE_TOKEN = Param(
    "use_project_token",
    "call",
    "bool",
    "Use the project's token",
    "Sign in with the token instead of the service account.",
    also=("useProjectToken",),
)
TOKEN_ONLY = replace(USE_TOKEN, choices=("true",), help="Mixpanel takes nothing but the token here, within the event.")
NO_TOKEN = replace(USE_TOKEN, choices=("false",), help="Mixpanel takes no token here: it needs a service account.")
