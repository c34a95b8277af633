"""Imports for people: what the page and the terminal propose, warn of and take, as Mixpanel's own export."""

import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Terminal, terminal_of
from tests.mixpanel import Mixpanel
from tests.outbound.conftest import runtime_of
from tests.outbound.test_import_pages import held, lines, upload, work
from tests.relay import Browser, Relay

PEOPLE = "id,E-mail,Phone,seats\nu1,ada@example.com,41791,3\nu2,bob@example.com,,4\n"
# As GET /export writes an event: times in seconds, Mixpanel's own properties, its own $insert_id.
EXPORTED = [
    {
        "event": "Signed up",
        "properties": {
            "time": 1_750_000_000 + number,
            "distinct_id": f"u{number}",
            "$browser": "Firefox",
            "$insert_id": f"3f8a91c2d47b1e{number:02}",
            "mp_processing_time_ms": 1_750_000_000_123,
            "$import": True,
            "plan": {"name": "pro", "seats": [1, 2.5, None]},
        },
    }
    for number in range(5)
]


@pytest.fixture
def browser(relay: Relay) -> Browser:
    return relay.sign_in("operator")


@pytest.fixture
def terminal(relay: Relay) -> Terminal:
    return terminal_of(relay.app)


def sent(mixpanel: Mixpanel) -> list[dict[str, Any]]:
    return [one for call in mixpanel.calls for one in call.records]


def test_the_page_shows_values_of_each_column_and_proposes_mixpanels_own_names(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    place = upload(browser, PEOPLE, "people", "people.csv").location
    page = browser.get(place).text
    assert "<code>ada@example.com</code> <code>bob@example.com</code>" in page
    assert re.search(r'name="called.1"[^>]* value="\$email"', page)
    form = {"column.0": "$distinct_id", "column.1": "text", "called.1": "$email", "column.2": "skip"}
    form |= {"column.3": "property", "called.3": "licences", "tag.name": "batch", "tag.value": "7"}
    more = {"filter.name": ["seats", ""], "filter.sign": [">=", "="], "filter.value": ["4", ""], "operator": "$set"}
    assert browser.post(f"{place}/columns", form | more).status_code == 303
    page = browser.get(place).text
    assert "1 record does not pass the filter" in page
    browser.post(f"{place}/start", {})
    work(relay)
    (only,) = sent(mixpanel)
    assert (only["$distinct_id"], only["$set"]) == ("u2", {"$email": "bob@example.com", "licences": 4, "batch": 7})
    assert "not let pass by the filter" in browser.get(place).text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"called.1": "seats"}, "would both be seats"),
        ({"tag.name": "seats", "tag.value": "1"}, "replace the column"),
        ({"filter.name": "nobody", "filter.sign": "=", "filter.value": "x"}, "no column nobody"),
        ({"filter.name": "seats", "filter.sign": "<", "filter.value": "few"}, "a number or a time"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(browser: Browser, form: dict[str, str], says: str) -> None:
    place = upload(browser, PEOPLE, "people", "people.csv").location
    columns = {f"column.{n}": target for n, target in enumerate(["$distinct_id", "text", "text", "property"])}
    answer = browser.post(f"{place}/columns", columns | form)
    assert answer.status_code == 422
    assert says in answer.text
    assert all(f'value="{typed}"' in answer.text for typed in form.values() if typed not in {"=", "<"})


def test_properties_of_json_are_renamed_and_dropped_on_the_page(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    place = upload(browser, lines(*EXPORTED)).location
    page = browser.get(place).text
    names = re.findall(r'name="name\.(\d+)" value="([^"]*)"', page)
    form = {f"name.{place}": name for place, name in names} | {f"column.{place}": "keep" for place, _ in names}
    at = {name: place for place, name in names}
    form |= {f"called.{at['plan']}": "tariff", f"column.{at['mp_processing_time_ms']}": "skip"}
    browser.post(f"{place}/columns", form)
    browser.post(f"{place}/start", {})
    work(relay)
    expected = [dict(one["properties"]) for one in EXPORTED]  # type: ignore[call-overload]
    for one in expected:
        one["tariff"] = one.pop("plan")
        del one["mp_processing_time_ms"]
    found = [{name: one["properties"][name] for name in expected[0]} for one in sent(mixpanel)]
    assert found == expected
    assert all("plan" not in one["properties"] for one in sent(mixpanel))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_export_of_mixpanels_own_is_a_source_as_it_is(
    relay: Relay, browser: Browser, mixpanel: Mixpanel, packed: bool
) -> None:
    content = lines(*EXPORTED).encode()
    file = (io.BytesIO(gzip.compress(content) if packed else content), "export.jsonl.gz")
    form = {"project": "prod", "kind": "events", "file": file}
    place = browser.post("/send/imports", form, content_type="multipart/form-data").location
    assert "All 5 records can be sent" in browser.get(place).text
    browser.post(f"{place}/start", {})
    work(relay)
    assert [one["event"] for one in sent(mixpanel)] == ["Signed up"] * 5
    for before, after in zip(EXPORTED, sent(mixpanel), strict=True):
        assert after["properties"].items() >= before["properties"].items()  # type: ignore[attr-defined]
        assert set(after["properties"]) - set(before["properties"]) <= {"ip", "$source"}


def test_profiles_as_mixpanel_exports_them_are_a_source_as_they_are(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    found = {"$distinct_id": "u1", "$properties": {"$email": "ada@example.com", "seats": 3}}
    place = upload(browser, lines(found), "people").location
    browser.post(f"{place}/start", {})
    work(relay)
    assert sent(mixpanel)[0]["$set"] == found["$properties"]


def test_a_file_that_was_imported_before_is_told_with_a_link_and_stops_nobody(
    relay: Relay, browser: Browser, mixpanel: Mixpanel
) -> None:
    first = upload(browser, lines(*EXPORTED)).location
    assert "was imported before" not in browser.get(upload(browser, lines(*EXPORTED)).location).text  # not begun
    browser.post(f"{first}/start", {})
    work(relay)
    packed = (io.BytesIO(gzip.compress(lines(*EXPORTED).encode())), "other-name.gz")
    form = {"project": "prod", "kind": "events", "file": packed}
    again = browser.post("/send/imports", form, content_type="multipart/form-data").location
    page = browser.get(again).text
    assert "This file was imported before" in page
    assert f'href="{first}"' in page
    assert browser.post(f"{again}/start", {}).status_code == 303
    work(relay)
    assert len(sent(mixpanel)) == 10
    assert "was imported before" not in browser.get(upload(browser, lines(*EXPORTED[1:])).location).text


def test_the_terminal_maps_filters_tags_and_says_what_it_proposes(
    terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text(PEOPLE)
    words = ["import", tmp_path / "p.csv", "--project", "prod", "--kind", "people", "--json"]
    words += ["--rename", "seats=licences", "--drop", "Phone", "--filter", "seats>=4", "--tag", "batch=7"]
    result = terminal(*words)
    assert result.exit_code == 0
    assert "E-mail is sent as $email" in result.stderr
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["accepted"], told["left_out"]) == (1, 1)
    assert sent(mixpanel)[0]["$set"] == {"$email": "bob@example.com", "licences": 4, "batch": 7}
    again = terminal(*words, "--dry-run")
    assert "was imported before: import 1 to prod" in again.stderr
    assert json.loads(again.stdout.splitlines()[-1])["left_out"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--filter", "seats"], "no condition"),
        (["--filter", "none=1"], "no column none"),
        (["--drop", "none"], "no column none"),
        (["--rename", "seats=$email"], "would both be $email"),
        (["--tag", "batch"], "no NAME=VALUE"),
        (["--tag", "$distinct_id=1"], "cannot be $distinct_id"),
    ],
)
def test_a_change_that_is_none_is_a_usage_error(
    terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path, words: list[str], says: str
) -> None:
    (tmp_path / "p.csv").write_text(PEOPLE.replace("E-mail", "$email"))
    result = terminal("import", tmp_path / "p.csv", "--project", "prod", "--kind", "people", *words)
    assert (result.exit_code, mixpanel.calls) == (2, [])
    assert says in result.output


@pytest.mark.parametrize(("content", "code", "left"), [(lines(*EXPORTED), 0, 1), ("", 3, 0)], ids=["whole", "empty"])
def test_standard_input_is_kept_like_an_upload(
    relay: Relay, mixpanel: Mixpanel, content: str, code: int, left: int
) -> None:
    with relay.app.app_context():
        words = ["import", "-", "--project", "prod"]
        result = relay.app.test_cli_runner().invoke(args=words, input=content)
        assert result.exit_code == code
        assert (len(sent(mixpanel)), len(held(relay)) if runtime_of(relay).uploads.is_dir() else 0) == (left * 5, left)
        result = relay.app.test_cli_runner().invoke(args=[*words, "--dry-run"], input=content)
        assert len(held(relay)) == left
