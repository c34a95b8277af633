"""Reading cohorts and profiles (mixpanel-facts 3.8, 3.9, 3.14), and what all reading has in common: it counts towards
60 calls an hour."""

from outbound.operations.common_params import (
    FROM_DATE,
    PROJECT_ID,
    TO_DATE,
    WHERE,
    WORKSPACE_ID,
    in_form,
)
from outbound.operations.types import BodyKind, Example, Operation, Param, Shape

MAINTENANCE = "Mixpanel keeps it as it is and advises against new use; save a report and read it by its id instead."
_PERIOD = (FROM_DATE, TO_DATE)


def query(
    identifier: str,
    name: str,
    words: str,
    path: str,
    *params: Param,
    group: str = "Reports",
    method: str = "GET",
    body: BodyKind = "none",
    shape: Shape = "object",
    note: str = "",
    also: tuple[str, ...] = (),
    examples: tuple[Example, ...] = (),
) -> Operation:
    return Operation(
        identifier,
        name,
        words,
        group,
        "query",
        method,
        path,
        ("service-account",),
        params=(*params, WORKSPACE_ID, PROJECT_ID),
        body=body,
        shape=shape,
        budget="query",
        writes=False,
        note=note,
        also=also,
        examples=examples,
        reference=identifier,
    )


OPERATIONS = (
    query(
        "cohorts-list",
        "List cohorts",
        "All cohorts of the project with their sizes, hidden ones too.",
        "/cohorts/list",
        group="Profiles and cohorts",
        method="POST",
        shape="list",
        examples=(Example("All of them"),),
    ),
    query(
        "engage-query",
        "Query profiles",
        "Profiles, a page of 1,000 at a time: by id, by expression, or of a cohort.",
        "/engage",
        in_form(Param("distinct_id", "form", "text", "Distinct id", "One profile.", also=("distinctId",))),
        Param("distinct_ids", "form", "list", "Distinct ids", "Several profiles.", also=("distinctIds",)),
        in_form(WHERE),
        Param("output_properties", "form", "list", "Properties", "Only these.", also=("outputProperties",)),
        Param(
            "filter_by_cohort",
            "form",
            "json",
            "Of a cohort",
            'The cohort, as {"id": 12345}. Not together with behaviors.',
            also=("filterByCohort",),
            pick="cohorts-list",
        ),
        Param(
            "include_all_users",
            "form",
            "bool",
            "Also without a profile",
            "Of a cohort: also who has no profile.",
            also=("includeAllUsers",),
        ),
        Param(
            "session_id", "form", "text", "Session id", "Of the first answer, for its next pages.", also=("sessionId",)
        ),
        Param("page", "form", "whole", "Page", "From 0; needs the session id above 0.", least=0),
        Param(
            "every_page",
            "call",
            "bool",
            "All pages",
            "From this page to the last one, a profile a line; each page is one of the hour's queries.",
            also=("everyPage",),
        ),
        Param("data_group_id", "form", "text", "Data group", "Query group profiles instead.", also=("dataGroupId",)),
        Param("behaviors", "form", "code", "Behaviors", "Passed on as it is. Not together with a cohort."),
        Param("as_of_timestamp", "form", "whole", "As of", "Only with behaviors.", least=0, also=("asOfTimestamp",)),
        group="Profiles and cohorts",
        method="POST",
        body="form",
        also=("queryProfiles",),
        examples=(
            Example("One profile", {"distinct_id": "test-user-1"}),
            Example("Paying users", {"where": 'properties["plan"] == "pro"', "output_properties": ["$email", "plan"]}),
            Example("A cohort", {"filter_by_cohort": {"id": 12345}, "include_all_users": True}),
        ),
    ),
    query(
        "activity-stream-query",
        "Profile event activity",
        "What some people did, event by event.",
        "/stream/query",
        Param(
            "distinct_ids",
            "query",
            "list",
            "Distinct ids",
            "Whose.",
            required=True,
            example=["test-user-1"],
            also=("distinctIds",),
        ),
        *_PERIOD,
        group="Profiles and cohorts",
        note=MAINTENANCE,
        examples=(Example("One person", {"distinct_ids": ["test-user-1"]}),),
    ),
)
