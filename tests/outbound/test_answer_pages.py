"""Pages of answers: a table that can be sorted and downloaded, the JSON in a second tab, and never an error."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from models import Delivery
from outbound.operations.types import Operation
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.test_answer_tables import COUNTRIES, READS, shapes
from tests.relay import Browser, Relay

SEGMENTS = {"operation": "segmentation-query", "project": "prod", "p.event": "Signed up", "p.from_date": "2026-11-01"}
SEGMENTS |= {"p.to_date": "2026-11-02", "p.on": 'properties["country"]'}
PATH = "/query/segmentation"
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def asked(browser: Browser, mixpanel: Mixpanel, path: str, body: Any, **typed: str) -> str:
    """The address of the page of a call that was answered so."""
    mixpanel.script(path, Answer(body=body))
    return browser.post("/send", SEGMENTS | typed).location


def first_cells(page: str) -> list[str]:
    return re.findall(r'<tr data-at="\d+"><th scope="row"[^>]*>([^<]*)</th>', page)


def test_the_verdict_says_what_came_instead_of_that_something_did(browser: Browser, mixpanel: Mixpanel) -> None:
    page = browser.get(asked(browser, mixpanel, PATH, COUNTRIES)).text
    assert "2 countries, 2 days, 142 events" in page
    assert "Mixpanel answered.</p>" not in page
    assert 'data-chart="line"' in page
    assert re.search(r"<tfoot>.*Total.*100.*42.*</tfoot>", page, re.DOTALL)


def test_heads_sort_and_the_rest_of_the_page_stays(browser: Browser, mixpanel: Mixpanel) -> None:
    where = asked(browser, mixpanel, PATH, COUNTRIES)
    assert first_cells(browser.get(where).text) == ["2026-11-01", "2026-11-02"]
    by_size = browser.get(f"{where}?sort=-0.1").text
    assert first_cells(by_size) == ["2026-11-02", "2026-11-01"]
    assert 'aria-sort="descending"' in by_size
    assert f'href="{where}?view=table&amp;sort=0.1"' in by_size
    for odd in ("0.99", "7.0", "x", "-", "--0.1", "0.1.1", "9" * 400):
        assert first_cells(browser.get(f"{where}?sort={odd}").text) == ["2026-11-01", "2026-11-02"]


def test_the_json_is_a_second_tab_that_folds(browser: Browser, mixpanel: Mixpanel) -> None:
    page = browser.get(asked(browser, mixpanel, PATH, COUNTRIES) + "?view=json").text
    shown = page[page.index('id="answer-json"') : page.index("</section>")]
    assert shown.count("<details open>") == shown.count("</details>") == 6
    assert "<tfoot>" not in page


def test_the_table_is_downloaded_as_csv_and_that_is_in_the_audit(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    body = {"data": {"values": {"=1+1": {"2026-11-01": 5}}}}
    where = asked(browser, mixpanel, PATH, body)
    found = browser.get(f"{where}/answer.csv")
    assert found.text == BOM + "Date,'=1+1\r\n2026-11-01,5\r\n"
    assert found.headers["Content-Disposition"].startswith('attachment; filename="segmentation-query-')
    assert "answer.download" in relay.sign_in("admin").get("/audit").text
    assert json.loads(browser.get(f"{where}/answer").text) == body
    for odd in ("1", "x", "-1", "9" * 400):
        assert browser.get(f"{where}/answer.csv?table={odd}").status_code == 404


def test_a_viewer_reads_the_table_and_downloads_nothing(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    where = asked(browser, mixpanel, PATH, COUNTRIES)
    viewer = relay.sign_in("viewer")
    assert "2 countries" in viewer.get(where).text
    assert "answer.csv" not in viewer.get(where).text
    assert viewer.get(f"{where}/answer.csv").status_code == 403


def test_a_cohort_of_mixpanels_leads_to_ours(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    relay.add([1], cohort="1000", project="2891273")
    relay.add([1], cohort="2000", project="another")
    listed = [{"id": 1000, "name": "Paying", "count": 150}, {"id": 2000, "name": "Other", "count": 1}]
    page = browser.get(asked(browser, mixpanel, "/query/cohorts/list", listed, operation="cohorts-list")).text
    assert re.search(r'<th scope="row"><a href="/cohorts/\d+">Paying</a>', page)
    assert '<th scope="row">Other</th>' in page


def test_a_long_answer_is_shown_in_part_and_says_so(browser: Browser, mixpanel: Mixpanel) -> None:
    days = {f"2026-{month:02}-{day:02}": day for month in range(1, 13) for day in range(1, 29)}
    body = {"data": {"values": {f"segment-{number}": days for number in range(40)}}}
    where = asked(browser, mixpanel, PATH, body)
    page = browser.get(where).text
    assert "The first 123 of 336 rows. The first 13 of 41 columns. The CSV has all of them." in page
    assert len(page) < 200_000
    assert browser.get(f"{where}/answer.csv").text.count("\r\n") == 337


def test_an_answer_beyond_what_the_history_keeps_is_read_from_its_file(browser: Browser, mixpanel: Mixpanel) -> None:
    names = [f"event-{number}-{'x' * 100}" for number in range(4_000)]
    where = asked(browser, mixpanel, "/query/events/names", names, operation="query-months-top-event-names")
    page = browser.get(where).text
    assert "4,000 event names" in page
    assert len(page) < 400_000


@given(body=shapes, operation=st.sampled_from(READS))
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_shape_of_an_answer_breaks_its_page(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, body: Any, operation: Operation
) -> None:
    where = asked(browser, mixpanel, PATH, body)
    relay.database.write(lambda db: db.execute(update(Delivery).values(operation=operation.id)))
    for view in ("?sort=-0.1", "?view=json", "/answer.csv"):
        assert browser.get(where + view).status_code in {200, 404}
