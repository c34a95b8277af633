"""Reading reports and events (mixpanel-facts 3.10, 3.11, 3.14)."""

from dataclasses import replace

from outbound.catalog.params import (
    FORMAT,
    FROM_DATE,
    INTERVAL,
    LIMIT,
    ON,
    TO_DATE,
    TYPE,
    WHERE,
    needed,
    one_of,
    optional,
)
from outbound.catalog.queries import MAINTENANCE, query
from outbound.shape import Example, Operation, Param

SCRIPT = "function main() {\n  return Events({from_date: '2026-11-01', to_date: '2026-11-07'}).groupBy(['name'], mixpanel.reducer.count())\n}"  # noqa: E501

_EVENT = Param("event", "query", "text", "Event", "One event's name.", required=True, example="Signed up")
_EVENTS = Param("event", "query", "list", "Events", "Their names.", required=True, example=["Signed up", "Order paid"])
_NAME = Param("name", "query", "text", "Property", "The property's name.", required=True, example="plan")
_DAY = one_of("unit", "Unit", "hour", "day")
_UNIT = one_of("unit", "Unit", "minute", "hour", "day", "week", "month", required=True, default="day")
_EXPRESSION = needed(ON, example='properties["amount"]')
_PERIOD = (FROM_DATE, TO_DATE)


def _of_events(identifier: str, name: str, words: str, path: str, *params: Param, note: str = "") -> Operation:
    """A report on one event."""
    given = {one.name: one.example for one in params if one.required and one.example is not None}
    example = Example("Sign-ups of the last month", {"event": "Signed up"} | given)
    return query(identifier, name, words, path, _EVENT, *_PERIOD, *params, note=note, examples=(example,))


REPORTS = (
    query(
        "insights-query",
        "Query a saved report",
        "The numbers of a saved Insights report.",
        "/insights",
        Param(
            "bookmark_id",
            "query",
            "whole",
            "Report id",
            "The last number in the report's address.",
            required=True,
            example=12345678,
            least=1,
            also=("bookmarkId",),
        ),
        also=("queryInsightsSavedReports",),
        examples=(Example("A report", {"bookmark_id": 12345678}),),
    ),
    query(
        "funnels-list-saved",
        "List saved funnels",
        "The saved funnels of the project, with their ids.",
        "/funnels/list",
        note=MAINTENANCE,
        also=("listSavedFunnels", "funnels"),
        examples=(Example("All of them"),),
    ),
    query(
        "funnels-query",
        "Query a saved funnel",
        "How many came through each step, by day.",
        "/funnels",
        Param(
            "funnel_id",
            "query",
            "whole",
            "Funnel",
            "Which saved funnel.",
            required=True,
            example=7509,
            least=1,
            also=("funnelId",),
            pick="funnels-list-saved",
        ),
        *_PERIOD,
        Param("length", "query", "whole", "Length", "How long people may take, at most 90 days.", least=1),
        one_of("length_unit", "Length unit", "day", "hour", "minute", "second", also=("lengthUnit",)),
        INTERVAL,
        one_of("unit", "Unit", "day", "week", "month"),
        ON,
        WHERE,
        replace(LIMIT, help="Values of the breakdown, at most; only with On."),
        note=MAINTENANCE,
        also=("queryFunnelSavedReports",),
        examples=(Example("The last month", {"funnel_id": 7509}),),
    ),
    query(
        "retention-query",
        "Retention",
        "How many came back, and when.",
        "/retention",
        *_PERIOD,
        one_of("retention_type", "Kind", "birth", "compounded", default="birth", also=("retentionType",)),
        Param("born_event", "query", "text", "First event", "Needed for the kind birth.", also=("bornEvent",)),
        Param("event", "query", "text", "Returning event", "Any event where it is empty."),
        replace(WHERE, name="born_where", words="First event where", also=("bornWhere",)),
        WHERE,
        INTERVAL,
        Param("interval_count", "query", "whole", "Intervals", "How many.", least=1, also=("intervalCount",)),
        one_of("unit", "Unit", "day", "week", "month"),
        Param(
            "unbounded_retention",
            "query",
            "bool",
            "Unbounded",
            "Counts also who came back later.",
            also=("unboundedRetention",),
        ),
        ON,
        LIMIT,
        examples=(Example("After a sign-up", {"born_event": "Signed up"}),),
    ),
    query(
        "retention-frequency-query",
        "Frequency",
        "How often people came back within a day, a week or a month.",
        "/retention/addiction",
        *_PERIOD,
        one_of("unit", "Unit", "day", "week", "month", required=True, default="day"),
        one_of("addiction_unit", "Counted by", "hour", "day", required=True, default="hour", also=("addictionUnit",)),
        Param("event", "query", "text", "Event", "Any event where it is empty."),
        WHERE,
        ON,
        LIMIT,
        examples=(Example("Of the last month", {"event": "Order paid"}),),
    ),
    _of_events(
        "segmentation-query",
        "Segmentation",
        "One event over time, broken down by an expression.",
        "/segmentation",
        ON,
        one_of("unit", "Unit", "minute", "hour", "day", "month"),
        INTERVAL,
        WHERE,
        LIMIT,
        optional(TYPE, default=None),
        one_of("format", "Format", "csv"),
        note=MAINTENANCE,
    ),
    _of_events(
        "segmentation-numeric-query",
        "Segmentation by numbers",
        "One event over time, in ranges of a number.",
        "/segmentation/numeric",
        _EXPRESSION,
        _DAY,
        WHERE,
        optional(TYPE, default=None),
    ),
    _of_events(
        "segmentation-sum-query",
        "Segmentation: sum",
        "The sum of a number over time.",
        "/segmentation/sum",
        _EXPRESSION,
        _DAY,
        WHERE,
    ),
    _of_events(
        "segmentation-query-average",
        "Segmentation: average",
        "The average of a number over time.",
        "/segmentation/average",
        _EXPRESSION,
        _DAY,
        WHERE,
    ),
    query(
        "query-jql",
        "Run a JQL script",
        "Run a script of your own over events and people. Two minutes, 5 GB read, 2 GB answered, at most.",
        "/jql",
        Param("script", "form", "code", "Script", "A function main().", required=True, example=SCRIPT),
        Param("params", "form", "object", "Params", "What the script sees as params."),
        method="POST",
        body="form",
        note=MAINTENANCE,
        also=("customJQLQuery",),
        examples=(Example("Events by name", {"script": SCRIPT}),),
    ),
)

EVENTS = (
    query(
        "list-recent-events",
        "Event counts",
        "How often events happened, by minute, hour, day, week or month.",
        "/events",
        _EVENTS,
        needed(TYPE),
        _UNIT,
        INTERVAL,
        *_PERIOD,
        FORMAT,
        group="Event reports",
        examples=(Example("Two events", {"event": ["Signed up", "Order paid"]}),),
    ),
    query(
        "query-top-events",
        "Today's top events",
        "The events of today that happened most, and how they changed.",
        "/events/top",
        needed(TYPE),
        LIMIT,
        group="Event reports",
        examples=(Example("Today"),),
    ),
    query(
        "query-months-top-event-names",
        "Event names",
        "The names of the most frequent events of the last 31 days.",
        "/events/names",
        needed(TYPE),
        LIMIT,
        group="Event reports",
        examples=(Example("All names"),),
    ),
    query(
        "query-event-properties",
        "Event counts by property",
        "How often an event happened, by the values of a property.",
        "/events/properties",
        _EVENT,
        _NAME,
        Param("values", "query", "list", "Values", "Only these."),
        needed(TYPE),
        _UNIT,
        INTERVAL,
        *_PERIOD,
        FORMAT,
        LIMIT,
        group="Event reports",
        examples=(Example("Sign-ups by plan", {"event": "Signed up", "name": "plan"}),),
    ),
    query(
        "query-events-top-properties",
        "Properties of an event",
        "The names of an event's most frequent properties.",
        "/events/properties/top",
        _EVENT,
        LIMIT,
        group="Event reports",
        examples=(Example("Of sign-ups", {"event": "Signed up"}),),
    ),
    query(
        "query-events-top-property-values",
        "Values of a property",
        "The most frequent values of an event's property.",
        "/events/properties/values",
        _EVENT,
        _NAME,
        LIMIT,
        group="Event reports",
        examples=(Example("Plans of sign-ups", {"event": "Signed up", "name": "plan"}),),
    ),
)

OPERATIONS = (*REPORTS, *EVENTS)
