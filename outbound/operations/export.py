"""Raw events, one JSON object a line (mixpanel-facts 3.12)."""

from dataclasses import replace

from outbound.operations.common_params import FROM_DATE, LIMIT, PROJECT_ID, TO_DATE, WHERE
from outbound.operations.types import Example, Operation, Param

OPERATIONS = (
    Operation(
        "raw-event-export",
        "Export raw events",
        "Events as Mixpanel keeps them, one JSON object a line. Not yet without duplicates.",
        "Export",
        "export",
        "GET",
        "/export",
        ("service-account",),
        params=(
            replace(FROM_DATE, default="{today}"),
            TO_DATE,
            Param(
                "event", "query", "list", "Events", "Only these.", example=["Signed up"], also=("eventName", "events")
            ),
            WHERE,
            replace(LIMIT, help="Events, at most.", most=100_000),
            Param("time_in_ms", "query", "bool", "Times in milliseconds", "Else in seconds.", also=("timeInMs",)),
            Param(
                "gzip",
                "call",
                "bool",
                "Packed on the way",
                "Mixpanel packs its answer with gzip; what you get is unpacked.",
                default=True,
                also=("gzipEncoding", "gzip_encoding"),
            ),
            PROJECT_ID,
        ),
        answer="ndjson",
        budget="export",
        writes=False,
        note="60 exports an hour, 3 a second.",
        also=("downloadData",),
        examples=(
            Example("Today", {"from_date": "{today}", "to_date": "{today}", "limit": 100}),
            Example(
                "Sign-ups of the last month", {"from_date": "{month_ago}", "to_date": "{today}", "event": ["Signed up"]}
            ),
        ),
        reference="raw-event-export",
    ),
)
