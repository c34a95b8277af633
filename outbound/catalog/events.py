"""Events: `/track` for what happens now, `/import` for everything (mixpanel-facts 3.2, 3.3)."""

from outbound.catalog.params import (
    CALLBACK,
    DISTINCT_ID,
    EVENT,
    INSERT_ID,
    PROJECT_ID,
    PROPERTIES,
    REDIRECT,
    STRICT,
    TIME,
    VERBOSE,
    needed,
    optional,
)
from outbound.shape import Example, Operation, Param

OPERATIONS = (
    Operation(
        "track-event",
        "Track an event",
        "Send events of the last five days, as an app or a browser would.",
        "Events",
        "api",
        "POST",
        "/track",
        ("token-in-body",),
        params=(
            EVENT,
            optional(DISTINCT_ID),
            optional(TIME),
            INSERT_ID,
            PROPERTIES,
            VERBOSE,
            Param(
                "ip",
                "query",
                "flag",
                "Use our address for the place",
                "1 places the event where this server is.",
                default="0",
            ),
            Param("img", "query", "flag", "Answer with a pixel", "1 makes the answer unreadable: a picture."),
            CALLBACK,
            REDIRECT,
        ),
        body="records",
        record="tracked-event",
        answer="track",
        gzip=True,
        note="Mixpanel takes any token here, also a wrong one, and drops events that are older than five days.",
        also=("trackEvents", "trackEvent"),
        examples=(
            Example("A sign-up", {"event": "Signed up", "distinct_id": "test-user-1", "properties": {"plan": "pro"}}),
            Example(
                "A purchase",
                {
                    "event": "Order paid",
                    "distinct_id": "test-user-1",
                    "properties": {"amount": 49.9, "currency": "EUR"},
                },
            ),
        ),
        reference="track-event",
    ),
    Operation(
        "import-events",
        "Import events",
        "Send events of any time from a server, each checked and answered for by Mixpanel.",
        "Events",
        "api",
        "POST",
        "/import",
        ("service-account", "token-as-username"),
        params=(EVENT, DISTINCT_ID, needed(TIME), INSERT_ID, PROPERTIES, STRICT, PROJECT_ID),
        body="records",
        record="imported-event",
        answer="import",
        gzip=True,
        also=("importEvents",),
        examples=(
            Example("A sign-up", {"event": "Signed up", "distinct_id": "test-user-1", "properties": {"plan": "pro"}}),
            Example(
                "Two events as JSON",
                body=[
                    {"event": "Signed up", "properties": {"time": "{now}", "distinct_id": "test-user-1"}},
                    {
                        "event": "Invited",
                        "properties": {"time": "{now}", "distinct_id": "test-user-2", "by": "test-user-1"},
                    },
                ],
            ),
        ),
        reference="import-events",
    ),
)
