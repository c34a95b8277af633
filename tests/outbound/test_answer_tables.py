"""Answers as tables: every shape that Mixpanel documents, and no shape that breaks one."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbound.answers.reading import tables_of
from outbound.answers.types import LONGEST, MOST_COLUMNS, MOST_ROWS, AnswerTables
from outbound.operations import registry
from tests.outbound.test_odd_answers import values

READS = [operation for operation in registry.OPERATIONS.values() if not operation.writes]
DAYS = {"2026-11-01": 40, "2026-11-02": 2}
COUNTRIES = {"data": {"series": [*DAYS], "values": {"DE": DAYS, "FR": {"2026-11-02": 100}}}, "legend_size": 2}
STEPS = [
    {"count": 200, "avg_time": None, "event": "App open", "goal": "App open"},
    {"count": 50, "avg_time": 10, "event": "$custom_event:1", "step_label": "Played"},
]
MORE = [{"count": 100, "event": "App open"}, {"count": 25, "avg_time": 40, "event": "Played"}]


def read(operation_id: str, body: Any, **params: Any) -> AnswerTables | None:
    text = body if isinstance(body, str) else json.dumps(body)
    return tables_of(registry.OPERATIONS[operation_id], params, text)


def told(operation_id: str, body: Any, **params: Any) -> AnswerTables:
    found = read(operation_id, body, **params)
    assert found is not None
    return found


def test_segments_are_columns_by_size_with_dates_as_rows_and_totals() -> None:
    found = told("segmentation-query", COUNTRIES, on='properties["country"]')
    assert found.says == "2 countries, 2 days, 142 events"
    (shown,) = found.tables
    assert [column.name for column in shown.columns] == ["Date", "FR", "DE"]
    assert shown.rows == (("2026-11-01", 0, 40), ("2026-11-02", 100, 2))
    assert (shown.totals, shown.chart) == (("Total", 100, 42), "line")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"on": 'properties["mp_country_code"]'}, "2 values of mp_country_code, 2 days, 142 events"),
        ({"on": "hour(datetime)"}, "2 parts, 2 days, 142 events"),
        ({"unit": "hour"}, "2 event names, 2 hours, 142 events"),
        ({"type": "unique", "on": 'properties["plan"]'}, "2 plans, 2 days"),
        ({"type": ["unique"], "unit": {"a": 1}}, "2 event names, 2 days, 142 events"),
    ],
)
def test_a_sentence_says_what_came(params: dict[str, Any], says: str) -> None:
    assert told("segmentation-query", COUNTRIES, **params).says == says


def test_people_of_several_days_are_not_added() -> None:
    (shown,) = told("segmentation-query", COUNTRIES, type="unique").tables
    assert shown.totals == ()
    assert shown.rows[0] == ("2026-11-01", None, 40)


def test_sums_are_added_and_averages_are_not() -> None:
    body = {"results": {"2026-11-02": 7, "2026-11-01": 4}, "status": "ok"}
    summed, averaged = told("segmentation-sum-query", body), told("segmentation-query-average", body)
    assert (summed.says, summed.tables[0].totals) == ("2 days, 11 in all", ("Total", 11))
    assert (averaged.says, averaged.tables[0].totals) == ("2 days, from 4 to 7", ())
    assert [row[0] for row in summed.tables[0].rows] == ["2026-11-01", "2026-11-02"]


def test_a_funnel_has_its_steps_and_its_days() -> None:
    found = told("funnels-query", {"data": {"2026-11-02": {"steps": MORE}, "2026-11-01": {"steps": STEPS}}})
    assert found.says == "2 steps, 2 days, 75 of 300 came through (25.0%)"
    steps, days = found.tables
    assert steps.rows == (("1. App open", 300, None, 1.0, None), ("2. Played", 75, 0.25, 0.25, 20))
    assert days.rows == (("2026-11-01", 200, 50), ("2026-11-02", 100, 25))
    assert days.totals == ("Total", 300, 75)


def test_a_funnel_that_is_broken_down_has_a_row_for_each_value() -> None:
    day = {"$overall": STEPS, "SE": [{"count": 5}, {"count": 1}], "PL": [{"count": 7}, {"count": 6}]}
    for data in ({"2026-11-01": day, "2026-11-02": day}, {"2026-11-01": {"SE": day["SE"], "PL": day["PL"]}}):
        found = told("funnels-query", {"data": data})
        first = found.tables[0]
        times = len(data)
        assert first.title == "By value"
        assert [row[:3] for row in first.rows] == [("PL", 7 * times, 6 * times), ("SE", 5 * times, times)]
        assert [row[-1] for row in first.rows] == [0.8571, 0.2]
        assert found.says.endswith(", 2 values")
        assert found.tables[1].title == "Steps"
    assert found.tables[1].rows[0][1] == 12


def test_retention_that_is_broken_down_has_a_row_for_each_value() -> None:
    values = {"SE": {"first": 4, "counts": [2, 1]}, "PL": {"first": 9, "counts": [3]}}
    for day in (values, values | {"$overall": {"first": 13, "counts": [5, 1]}}):
        found = told("retention-query", {"2026-11-01": day}, unit="week")
        assert found.tables[0].rows == (("PL", 9, 3, None), ("SE", 4, 2, 1))
        assert found.tables[1].rows == (("2026-11-01", 13, 5, 1),)
        assert found.says == "1 week, 13 people began, 5 came back in the first week (38.5%), 2 values"


def test_retention_and_frequency_are_tables() -> None:
    body = {"2026-11-02": {"counts": [9, 7], "first": 10}, "2026-11-01": {"counts": [2], "first": 2}}
    found = told("retention-query", body, unit="week")
    assert found.says == "2 weeks, 12 people began, 11 came back in the first week (91.7%)"
    assert found.tables[0].rows == (("2026-11-01", 2, 2, None), ("2026-11-02", 10, 9, 7))
    often = told("retention-frequency-query", {"data": {"2026-11-01": [305, 107, 0, 0]}})
    assert often.says == "1 day, up to 305 people, in up to 2 hours of one"
    assert [column.name for column in often.tables[0].columns] == ["Date", "1+ hours", "2+ hours"]


def test_a_saved_report_is_a_series_or_numbers_by_their_names() -> None:
    dated = {"series": {"Viewed": {"2026-11-02T00:00:00-07:00": 5, "2026-11-01T00:00:00-07:00": 9}}}
    found = told("insights-query", dated)
    assert (found.says, found.tables[0].rows) == ("1 line, 2 days", (("2026-11-01", 9), ("2026-11-02", 5)))
    deep = told("insights-query", {"series": {"Viewed": {"DE": {"all": 3}, "FR": {"all": 4}}}})
    assert deep.tables[0].rows == (("Viewed", "DE", "all", 3), ("Viewed", "FR", "all", 4))


def test_cohorts_carry_mixpanels_ids() -> None:
    body = [{"id": 1000, "name": "Paying", "count": 150, "is_visible": 1, "created": "2019-03-19 23:49:51"},
            {"id": 2000, "name": "", "count": 25, "is_visible": 0}]  # fmt: skip
    found = told("cohorts-list", body)
    assert (found.says, found.tables[0].cohorts) == ("2 cohorts, 1 of them hidden", ("1000", "2000"))
    assert found.tables[0].rows[1][:4] == ("(no name)", 25, "hidden", "2000")


def test_profiles_and_what_people_did_have_a_column_a_property() -> None:
    body = {"results": [{"$distinct_id": 4, "$properties": {"plan": "pro", "$email": "a@example.org", "seats": 3}}]}
    found = told("engage-query", body | {"total": 4_210})
    assert found.says == "1 of 4,210 profiles"
    assert [column.name for column in found.tables[0].columns] == ["Distinct id", "$email", "plan", "seats"]
    assert found.tables[0].rows == (("4", "a@example.org", "pro", 3),)
    event = {"event": "Played", "properties": {"time": 1_599_589_453, "distinct_id": "u", "level": [1, 2]}}
    events = told("activity-stream-query", {"results": {"events": [event, event]}})
    assert (events.says, events.tables[0].rows[0]) == (
        "2 events of 1 person", ("2020-09-08 18:24:13 UTC", "Played", "u", "1, 2"),
    )  # fmt: skip


def test_a_profile_or_an_event_a_line_is_read_as_far_as_it_is_whole() -> None:
    line = json.dumps({"event": "Played", "properties": {"time": 1_599_589_453, "distinct_id": "u"}})
    assert told("raw-event-export", f'{line}\n{line}\n{{"event": "Pla…').says == "2 events of 1 person"
    profile = json.dumps({"$distinct_id": "u", "$properties": {"plan": "pro"}})
    assert told("engage-query", f"{profile}\n{profile}\n", every_page=True).says == "2 profiles"


def test_lists_of_names_values_and_properties_are_tables() -> None:
    top = {"events": [{"amount": 75, "event": "pages", "percent_change": -0.2}], "type": "general"}
    assert told("query-top-events", top).says == "1 event name, 75 events today"
    assert told("query-events-top-properties", {"plan": {"count": 295}}).tables[0].rows == (("plan", 295),)
    assert told("query-months-top-event-names", ["b", "a"]).says == "2 event names"
    assert told("query-events-top-property-values", ["cat", 3, None]).says == "3 values"
    assert told("query-jql", [{"key": "a", "value": 3}, {"key": "b"}]).says == "2 rows"
    assert told("cohorts-list", []).says == "No cohort"


@pytest.mark.parametrize("text", ["", "null", "{}", "<html>", "[[]]", '{"data": {}}', "[1, {}]", '"text"', '{"a": [}'])
@pytest.mark.parametrize("operation", READS, ids=lambda one: one.id)
def test_what_is_no_table_is_none(operation: Any, text: str) -> None:
    found = tables_of(operation, {}, text)
    assert found is None or (operation.answer, text) == ("ndjson", "")  # nothing happened


def is_sound(found: AnswerTables | None) -> None:
    for one in found.tables if found is not None else ():
        assert 0 < len(one.columns) <= MOST_COLUMNS
        assert len(one.rows) <= MOST_ROWS
        assert {len(row) for row in one.rows} | {len(one.totals) or len(one.columns)} == {len(one.columns)}
        assert not one.cohorts or len(one.cohorts) == len(one.rows)
        cells = [cell for row in (*one.rows, one.totals) for cell in row]
        assert all(cell is None or isinstance(cell, str | int | float) for cell in cells)
        assert all(len(cell) <= LONGEST + 1 for cell in cells if isinstance(cell, str))


dates = st.sampled_from(["2026-11-01", "2026-11-02", "2026-11-01T00:00:00-07:00", "", "soon"])
numbers = st.one_of(st.integers(), st.floats(allow_nan=False), st.none(), st.booleans(), st.just("5"))
step = st.one_of(values, st.fixed_dictionaries({}, optional={"count": numbers, "avg_time": numbers, "event": values}))
steps_of = st.fixed_dictionaries({"steps": st.lists(step)})
shapes = st.one_of(
    values,
    st.fixed_dictionaries({"data": st.fixed_dictionaries({"series": values, "values": st.dictionaries(
        st.text(max_size=4), st.one_of(values, st.dictionaries(dates, numbers)))})}),
    st.fixed_dictionaries({"data": st.dictionaries(dates, st.one_of(values, steps_of))}),
    st.fixed_dictionaries({"data": st.dictionaries(dates, st.lists(numbers))}),
    st.dictionaries(dates, st.fixed_dictionaries({"counts": st.lists(numbers)}, optional={"first": numbers})),
    st.fixed_dictionaries({"results": st.one_of(st.dictionaries(dates, numbers), st.lists(st.fixed_dictionaries(
        {"$distinct_id": values, "$properties": values})), values)}, optional={"total": values}),
    st.fixed_dictionaries({"results": st.fixed_dictionaries({"events": st.lists(st.fixed_dictionaries(
        {"event": values, "properties": st.one_of(values, st.fixed_dictionaries({"time": numbers}))}))})}),
    st.fixed_dictionaries({"series": st.recursive(numbers, lambda inner: st.dictionaries(dates, inner, max_size=3))}),
    st.fixed_dictionaries({"events": st.lists(st.fixed_dictionaries({"event": values, "amount": numbers}))}),
    st.lists(st.fixed_dictionaries({"id": values}, optional={"name": values, "count": numbers, "is_visible": values})),
    st.dictionaries(st.text(max_size=4), st.fixed_dictionaries({"count": numbers})),
)  # fmt: skip
asked = st.dictionaries(
    st.sampled_from(["on", "unit", "type", "name", "addiction_unit", "every_page"]), values, max_size=3
)


@given(body=shapes, params=asked)
@settings(deadline=None, max_examples=150)
def test_no_shape_of_an_answer_breaks_a_table(body: Any, params: dict[str, Any]) -> None:
    text = json.dumps(body)
    for operation in READS:
        is_sound(tables_of(operation, params, text))


def test_a_huge_answer_is_bounded_and_says_what_was_left_out() -> None:
    body = {"data": {"values": {f"s{number}": DAYS for number in range(300)}}}
    (wide,) = told("segmentation-query", body).tables
    assert (len(wide.columns), wide.columns_left_out) == (MOST_COLUMNS, 301 - MOST_COLUMNS)
    (tall,) = told("query-months-top-event-names", [f"e{number}" for number in range(MOST_ROWS + 7)]).tables
    assert (len(tall.rows), tall.left_out) == (MOST_ROWS, 7)
