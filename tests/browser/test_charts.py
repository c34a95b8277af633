"""Charts are true to time and to what is known: gaps, days, directions, the moment that is asked about."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.clock import DAY
from tests.browser import chromium, demo
from tests.failing.server import Server

# Of each chart: from when to when its axis reaches, its ticks, and its points.
CHARTS = """() => [...document.querySelectorAll("figure[data-drawn]")].map((figure) => {
    const {scales: {x, y}, data: {datasets}} = Chart.getChart(figure.querySelector("canvas"));
    return {from: x.min, until: x.max, ticks: x.ticks.map(({label}) => label), says: y.ticks.map(({label}) => label),
        points: datasets[0].data, zone: figure.querySelector("figcaption").innerText};
})"""
BLANK = "document.querySelector('#size-over-time canvas').toDataURL()"


@pytest.fixture
def page(running, shown: Server) -> Iterator[Page]:
    context = chromium.context_of(running)
    chromium.sign_in(context, shown.url, demo.email_of("viewer"), demo.PASSWORD)
    yield context.new_page()
    context.close()


def charts(page: Page, url: str) -> list[dict[str, Any]]:
    page.goto(url)
    page.locator("figure[data-drawn]").last.wait_for()
    return page.evaluate(CHARTS)


def test_a_young_cohort_has_its_place_at_the_end_of_thirty_days(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts")
    page.get_by_role("link", name="Active this week").click()
    sizes, _moves = charts(page, page.url)
    assert 29 * DAY < sizes["until"] - sizes["from"] < 32 * DAY
    (point,) = sizes["points"]
    assert point["x"] > sizes["until"] - DAY


def test_the_day_is_marked_on_an_axis_of_hours_and_every_chart_names_its_zone(page: Page, shown: Server) -> None:
    (day,) = charts(page, shown.url)
    assert sum(":" not in tick for tick in day["ticks"]) == 1
    assert day["zone"].endswith("UTC")
    assert all(chart["zone"].endswith("UTC") for chart in charts(page, f"{shown.url}/cohorts/2"))


def test_entries_and_exits_have_their_signs_on_the_axis(page: Page, shown: Server) -> None:
    sizes, moves = charts(page, f"{shown.url}/cohorts/2")
    assert any(tick.startswith("+") for tick in moves["says"])
    assert any(tick.startswith("\N{MINUS SIGN}") for tick in moves["says"])
    assert not any(tick.startswith("+") for tick in sizes["says"])


def test_where_nothing_came_there_is_a_gap(page: Page, shown: Server) -> None:
    """The script is given a table in which three days of ten are silent."""
    page.goto(f"{shown.url}/cohorts/2")
    page.locator("figure[data-drawn]").first.wait_for()
    drawn = page.evaluate(
        """async (day) => {
            const figure = document.querySelector("figure[data-chart=line]");
            [...figure.querySelectorAll("tbody tr")].slice(-8, -5).forEach((row) => { row.dataset.silent = ""; });
            Chart.getChart(figure.querySelector("canvas")).destroy();
            delete figure.dataset.drawn;
            const {src} = [...document.scripts].find((script) => script.src.endsWith("page.js"));
            (await import(src.replace("page.js", "charts.js"))).drawCharts();
            const {data, options} = Chart.getChart(figure.querySelector("canvas"));
            const known = data.datasets[0].data;
            return {empty: known.slice(-8, -5).every(({y}) => y === null), spans: data.datasets[0].spanGaps / day};
        }""",
        DAY,
    )
    assert drawn == {"empty": True, "spans": 2}


def test_the_moment_that_is_asked_about_is_marked_as_soon_as_it_is(page: Page, shown: Server) -> None:
    page.goto(f"{shown.url}/cohorts/2")
    page.locator("figure[data-drawn]").first.wait_for()
    before = page.evaluate(BLANK)
    page.get_by_role("link", name="a week ago").click()
    mark = page.locator("#as-of")
    expect(mark).to_have_attribute("data-at", re.compile(r"\d{13}"))
    day = page.get_by_label("As of (UTC)").input_value()
    expect(mark).to_have_attribute("data-says", f"{day}: {int(mark.get_attribute('data-size') or 0):,}")
    assert page.evaluate(BLANK) != before


def test_a_chart_keeps_its_room_before_it_is_drawn(page: Page, shown: Server, expects) -> None:
    """What is below it stays where it was."""
    expects("chart.umd.min.js")
    page.route("**/chart.umd.min.js", lambda route: route.abort())
    page.goto(f"{shown.url}/cohorts/2")
    place = page.locator("#members").bounding_box()
    page.unroute("**/chart.umd.min.js")
    page.goto(f"{shown.url}/cohorts/2")
    page.locator("figure[data-drawn]").last.wait_for()
    assert page.locator("#members").bounding_box() == place
