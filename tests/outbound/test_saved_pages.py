"""Saved requests on the pages: saved from the composer and from a call, run, moved, scheduled, removed, as files."""

import io
import json
import re
import zipfile
from typing import Any

import pytest

from outbound.saved import files, requests
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.test_pages import EVENT
from tests.relay import Browser, Relay

TYPED = EVENT | {"k.properties": "plan", "v.properties": "{{plan}}"}
FORM = {
    "name": "Sign up",
    "folder": "Smoke tests",
    "project": "prod",
    "variables": "plan = pro",
    "checks": "status = 200",
}


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


def save(browser: Browser, **changed: str) -> str:
    """Save a request from the composer; the path of its page."""
    asked = browser.post("/send", TYPED | {"do": "save"})
    answer = browser.post(asked.location, FORM | changed)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def kept(relay: Relay) -> list[requests.SavedRequest]:
    return relay.database.read(requests.listed)


def test_what_was_typed_is_saved_and_opens_again(relay: Relay, browser: Browser, mixpanel: Mixpanel) -> None:
    path = save(browser)
    assert "Sign up is saved." in browser.page(path)
    assert mixpanel.calls == []
    composer = browser.page(f"/send?operation=import-events&saved={kept(relay)[0].id}")
    assert re.search(r'name="p.event" [^>]*value="Signed up"', composer)
    assert "{{plan}}" in composer
    (one,) = kept(relay)
    assert (one.folder, one.variables, one.checks, one.created_by) == (
        "Smoke tests",
        {"plan": {"": "pro"}},
        ["status = 200"],
        "operator@example.org",
    )


def test_an_opened_request_is_sent_with_its_variables_and_one_without_a_value_is_told_at_its_field(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    save(browser)
    opened = TYPED | {"saved": str(kept(relay)[0].id)}
    assert browser.post("/send", opened).status_code == 303
    assert mixpanel.calls[0].records[0]["properties"]["plan"] == "pro"
    answer = browser.post("/send", opened | {"p.event": "{{nothing}}"})
    assert answer.status_code == 422
    field = answer.text.split('data-field="params.event"')[1].split("data-field=")[0]
    assert "{{nothing}} has no value" in field
    assert len(mixpanel.calls) == 1


def test_changes_in_the_composer_go_into_the_request_that_was_opened(relay: Relay, browser: Browser) -> None:
    save(browser)
    number = kept(relay)[0].id
    asked = browser.post("/send", TYPED | {"do": "save", "saved": str(number), "p.event": "Signed in"})
    key = str(asked.location).partition("form=")[2]
    assert "Save the changes to it" in browser.page(asked.location)
    answer = browser.post(f"/send/saved/{number}/replace?operation=import-events&form={key}", {})
    assert answer.status_code == 303, answer.text
    (one,) = kept(relay)
    assert (one.name, one.given.params["event"], one.checks) == ("Sign up", "Signed in", ["status = 200"])


def test_a_past_call_is_saved_without_its_credentials(relay: Relay, browser: Browser) -> None:
    sent = browser.post("/send", EVENT)
    number = str(sent.location).rpartition("/")[2]
    assert f"/send/saved/new?delivery={number}" in browser.page(sent.location)
    answer = browser.post(f"/send/saved/new?delivery={number}", FORM | {"variables": ""})
    assert answer.status_code == 303
    assert kept(relay)[0].given.params["event"] == "Signed up"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"folder": "x" * 101}, "folder"),
        ({"project": "none"}, "project"),
        ({"variables": "plan"}, "variables"),
        ({"variables": "1 = 2"}, "variables"),
        ({"checks": "sometimes"}, "checks"),
    ],
)
def test_what_cannot_be_saved_is_told_at_its_field_and_nothing_typed_is_lost(
    relay: Relay, browser: Browser, changed: dict[str, str], field: str
) -> None:
    asked = browser.post("/send", TYPED | {"do": "save"})
    answer = browser.post(asked.location, FORM | changed)
    assert answer.status_code == 422
    around = answer.text.split(f'id="{field}"')[1].split('class="field')[0]
    assert 'class="wrong"' in around
    assert (changed.get("folder") or "Smoke tests") in answer.text
    assert kept(relay) == []


def test_it_is_run_and_its_failure_shows_on_its_page_and_in_the_list(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    path = save(browser)
    mixpanel.script("/api/import", Answer(401, {"code": 401, "error": "Invalid credentials"}))
    sent = browser.post(f"{path}/run", {"project": "prod", "set.plan": "team"})
    assert "/send/history/" in sent.location
    assert mixpanel.calls[0].records[0]["properties"]["plan"] == "team"
    page = browser.page(path)
    assert "The newest run failed" in page
    assert "The status is 401, not 200." in page
    assert "Failed" in browser.page("/send/saved")


def test_a_run_without_a_value_sends_nothing_and_says_so(browser: Browser, mixpanel: Mixpanel) -> None:
    path = save(browser, variables="")
    answer = browser.post(f"{path}/run", {"project": "prod"})
    assert answer.status_code == 422
    assert "{{plan}} has no value" in answer.text
    assert browser.post(f"{path}/run", {"project": "none"}).status_code == 422
    assert mixpanel.calls == []


def test_a_run_that_takes_something_away_asks_first(browser: Browser, mixpanel: Mixpanel) -> None:
    typed = {"operation": "delete-profile", "project": "prod", "p.$distinct_id": "u1", "do": "save"}
    path = browser.post(browser.post("/send", typed).location, FORM | {"variables": "", "checks": ""}).location
    answer = browser.post(f"{path}/run", {"project": "prod"})
    assert (answer.status_code, str(answer.location).endswith("/run"), mixpanel.calls) == (303, True, [])
    assert "This cannot be taken back." in browser.page(answer.location)
    assert browser.post(f"{path}/run", {"project": "prod", "sure": "yes"}).status_code == 303
    assert len(mixpanel.calls) == 1


def test_it_is_renamed_and_moved_scheduled_and_deleted_after_a_question(relay: Relay, browser: Browser) -> None:
    path = save(browser)
    assert browser.post(f"{path}/edit", FORM | {"name": "Register", "folder": "A / B"}).status_code == 303
    assert (kept(relay)[0].name, kept(relay)[0].folder) == ("Register", "A/B")
    assert browser.post(f"{path}/schedule", {"every": "3600000"}).status_code == 303
    assert kept(relay)[0].every_ms == 3_600_000
    assert browser.post(f"{path}/schedule", {"every": "1"}).status_code == 422
    assert "does not run every 1 h any more" in browser.page(f"{path}/remove")
    assert browser.post(f"{path}/remove", {}).status_code == 303
    assert kept(relay) == []
    done = [
        row["action"] for row in relay.rows("SELECT action FROM audit_entry WHERE action LIKE 'saved.%' ORDER BY id")
    ]
    assert done == ["saved.add", "saved.change", "saved.schedule", "saved.remove"]


def test_the_list_is_by_folder_and_found_by_words(browser: Browser) -> None:
    save(browser)
    save(browser, name="Upgrade", folder="")
    whole, found = browser.page("/send/saved"), browser.page("/send/saved?text=SMOKE")
    assert whole.index("Upgrade") < whole.index("Sign up</a>")
    assert "No folder" in whole
    assert ("Sign up</a>" in found, "Upgrade</a>" in found) == (True, False)
    assert "Nothing matches" in browser.page("/send/saved?text=none")


def upload(browser: Browser, *contents: tuple[str, bytes]) -> Any:
    return browser.post("/send/saved/import", {"files": [(io.BytesIO(content), name) for name, content in contents]})


def test_files_are_exported_and_read_back(relay: Relay, browser: Browser) -> None:
    path = save(browser)
    packed = browser.get("/send/saved/requests.zip").data
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == ["smoke-tests/sign-up.json"]
    one = browser.get(f"{path}/request.json")
    assert 'filename="sign-up.json"' in one.headers["Content-Disposition"]
    before = kept(relay)[0].draft
    browser.post(f"{path}/remove", {})
    assert upload(browser, ("all.zip", packed)).status_code == 303
    assert kept(relay)[0].draft == before
    assert one.text == files.written(kept(relay)[0].draft)


@pytest.mark.parametrize("content", [b"{}", b"PK\x03\x04 no zip", b"\xff\xfe"])
def test_where_one_file_cannot_be_read_none_is_imported(relay: Relay, browser: Browser, content: bytes) -> None:
    good = json.dumps({"name": "New", "operation": "import-events"}).encode()
    answer = upload(browser, ("good.json", good), ("bad.json", content))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert kept(relay) == []


def test_a_viewer_looks_and_changes_nothing(relay: Relay, browser: Browser) -> None:
    path = save(browser)
    viewer = relay.sign_in("viewer")
    assert "Sign up" in viewer.page(path)
    assert viewer.post(f"{path}/run", {"project": "prod"}).status_code == 403
