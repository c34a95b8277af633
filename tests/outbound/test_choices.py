"""Pick-lists in the composer: funnels, pipelines, lookup tables and cohorts are asked from Mixpanel and offered."""

import html
from typing import Any

import pytest

from tests.mixpanel import Answer, Mixpanel
from tests.relay import Browser, Relay


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


@pytest.mark.parametrize(
    ("operation", "name", "path", "answer", "key"),
    [
        ("funnels-query", "funnel_id", "/query/funnels/list", [{"funnel_id": 7509, "name": "Sign <up>"}], "7509"),
        (
            "get-warehouse-pipeline-status",
            "name",
            "/pipelines/nessie/pipeline/jobs",
            {"12": [{"name": "daily", "schedules": []}]},
            "daily",
        ),
        (
            "replace-lookup-table",
            "id",
            "/api/lookup-tables",
            {"code": 200, "results": [{"id": "t-1", "name": "Plans"}]},
            "t-1",
        ),
        (
            "engage-query",
            "filter_by_cohort",
            "/query/cohorts/list",
            [{"id": 9, "name": "VIP", "count": 4}],
            '{"id": 9}',
        ),
    ],
)
def test_what_mixpanel_has_to_choose_from_is_asked_for_and_offered(
    browser: Browser, mixpanel: Mixpanel, operation: str, name: str, path: str, answer: Any, key: str
) -> None:
    mixpanel.script(path, Answer(200, answer))
    form = {"operation": operation, "project": "prod", "do": f"pick:{name}"}
    page = browser.submit("/send", form).text
    assert len(mixpanel.to(path)) == 1
    field = page.split(f'data-field="params.{name}"')[1].split("data-field=")[0]
    assert f'<option value="{html.escape(key)}">' in field.replace("&#34;", "&quot;")
    assert "<up>" not in page


def test_a_list_that_mixpanel_does_not_give_says_why_and_leaves_the_field(browser: Browser, mixpanel: Mixpanel) -> None:
    form = {
        "operation": "funnels-query",
        "project": "prod",
        "do": "pick:funnel_id",
        "p.funnel_id": "12",
        "p.where": "kept",
    }
    mixpanel.script("/query/funnels/list", Answer(401, {"error": "Invalid credentials"}))
    page = browser.submit("/send", form).text
    assert "does not know these credentials" in page
    assert 'value="12"' in page
    assert ">kept</textarea>" in page
    mixpanel.script("/query/funnels/list", Answer(200, []))
    assert "Mixpanel lists none in prod." in browser.submit("/send", form).text
    assert browser.post("/send", form | {"do": "pick:unit"}).status_code == 400


def test_a_viewer_asks_mixpanel_for_no_list(relay: Relay, mixpanel: Mixpanel) -> None:
    form = {"operation": "funnels-query", "project": "prod", "do": "pick:funnel_id"}
    assert relay.sign_in("viewer").post("/send", form).status_code == 403
    assert mixpanel.calls == []
