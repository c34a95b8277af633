"""Which call is answered in which shape. Whatever has another one is no table, and is shown as the JSON that it is."""

from collections.abc import Callable, Mapping
from typing import Any

from outbound.answers import lists, series, steps
from outbound.answers.types import AnswerTables
from outbound.operations.types import Operation
from outbound.result.response import NotJSON, read

Reader = Callable[[Mapping[str, Any], Any], AnswerTables | None]

_READERS: dict[str, Reader] = {
    "segmentation-query": series.segments,
    "segmentation-numeric-query": series.segments,
    "segmentation-sum-query": lambda params, body: series.results({**params, "results_sum": True}, body),
    "segmentation-query-average": series.results,
    "list-recent-events": series.segments,
    "query-event-properties": series.segments,
    "insights-query": series.report,
    "funnels-query": steps.funnel,
    "retention-query": steps.retention,
    "retention-frequency-query": steps.frequency,
    "cohorts-list": lists.cohorts,
    "engage-query": lists.profiles,
    "activity-stream-query": lists.activity,
    "raw-event-export": lists.activity,
    "query-top-events": lists.top_events,
    "query-events-top-properties": lists.top_properties,
    "query-months-top-event-names": lists.names("event name"),
    "query-events-top-property-values": lists.names("value"),
}


def tables_of(operation: Operation, params: Mapping[str, Any], text: str) -> AnswerTables | None:
    """Return what an answer holds as tables; None where its shape is not known."""
    if operation.writes:
        return None
    try:
        body = _lines(text) if operation.answer == "ndjson" or params.get("every_page") else read(text)
    except NotJSON:
        return None
    plain = {name: value for name, value in params.items() if isinstance(value, str | int | float)}
    return _READERS.get(operation.id, lists.objects)(plain, body)


def _lines(text: str) -> list[Any]:
    """Return the lines of an answer of one object a line, of which the last may be cut off. Raises NotJSON."""
    lines = text.splitlines()
    found = [read(line) for line in lines[:-1]]
    try:
        return [*found, *(read(line) for line in lines[-1:])]
    except NotJSON:
        if not found:
            raise
        return found
