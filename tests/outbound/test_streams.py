"""Whole answers for a file, for standard output and for a caller of the API: whole, or never mistaken for that."""

import json
from pathlib import Path

import pytest

from outbound.downloads.folder import folder_of
from tests.commands.conftest import Terminal, terminal_of
from tests.mixpanel import Answer, Mixpanel
from tests.outbound.test_downloads import EXPORT, lines, profiles
from tests.relay import Relay

DAYS = ("--param", "from_date=2026-01-01", "--param", "to_date=2026-01-01")
GIVEN = {"from_date": "2026-01-01", "to_date": "2026-01-01"}
BROKEN = {
    "words behind it": Answer(body=lines(3) + b"terminated early"),
    "a connection that ends": Answer(body=lines(5000), cut=True),
}


@pytest.fixture
def terminal(relay: Relay) -> Terminal:
    return terminal_of(relay.app)


def post(relay: Relay, path: str, params: dict[str, object]) -> tuple[int, bytes, dict[str, str]]:
    made = terminal_of(relay.app)("tokens", "add", "streams", "--scope", "read", "--scope", "send", "--json")
    headers = {"Authorization": f"Bearer {json.loads(made.output)['token']}"}
    found = relay.client.post(
        f"/api/v1/projects/prod/operations/{path}/answer", json={"params": params}, headers=headers
    )
    return found.status_code, found.data, dict(found.headers)


def test_a_whole_export_is_a_file_of_that_name_and_nothing_beside_it(
    terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(20_000)))
    (tmp_path / "to").mkdir()
    path = tmp_path / "to" / "events.ndjson"
    path.write_text("of yesterday")
    result = terminal("send", "raw-event-export", "--project", "prod", *DAYS, "--output", str(path))
    assert (result.exit_code, path.read_bytes()) == (0, lines(20_000))
    assert "Whole: 20,000 events" in result.stderr
    assert [one.name for one in path.parent.iterdir()] == ["events.ndjson"]


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_broken_export_has_another_name_and_leaves_what_was_there(
    terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path, answer: Answer
) -> None:
    mixpanel.script(EXPORT, answer)
    (tmp_path / "to").mkdir()
    path = tmp_path / "to" / "events.ndjson"
    path.write_text("of yesterday")
    result = terminal("send", "raw-event-export", "--project", "prod", *DAYS, "--output", str(path))
    assert (result.exit_code, path.read_text()) == (4, "of yesterday")
    assert "Broken off after" in result.stderr
    left = path.with_name("events.ndjson.broken-off").read_text().splitlines()
    assert all(json.loads(one)["event"] == "E" for one in left)
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize("answer", [Answer(401, {"error": "no"}), Answer(body={"error": "no"})])
def test_an_answer_that_says_no_is_never_a_file_of_that_name(
    terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path, answer: Answer
) -> None:
    mixpanel.script("/query/insights", answer)
    words = ["send", "insights-query", "--project", "prod", "--param", "bookmark_id=1"]
    result = terminal(*words, "--output", str(tmp_path / "report.json"))
    assert (result.exit_code, (tmp_path / "report.json").exists()) == (4, False)


def test_standard_output_is_the_answer_and_nothing_else(terminal: Terminal, mixpanel: Mixpanel) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(3)))
    result = terminal("send", "raw-event-export", "--project", "prod", *DAYS, "--output", "-")
    assert (result.exit_code, result.stdout_bytes) == (0, lines(3))


def test_standard_output_that_breaks_off_ends_in_half_a_line(terminal: Terminal, mixpanel: Mixpanel) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(3) + b"terminated early"))
    result = terminal("send", "raw-event-export", "--project", "prod", *DAYS, "--output", "-")
    *good, last = result.stdout_bytes.splitlines()
    assert (result.exit_code, len(good)) == (4, 3)
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(last)


def test_a_place_that_cannot_be_written_is_a_sentence_before_anything_is_sent(
    terminal: Terminal, mixpanel: Mixpanel
) -> None:
    result = terminal("send", "raw-event-export", "--project", "prod", *DAYS, "--output", "/no/such/folder/x")
    assert (result.exit_code, mixpanel.calls) == (1, [])
    assert "cannot be written" in result.output


def test_a_caller_of_the_api_gets_all_of_it_as_it_comes(relay: Relay, mixpanel: Mixpanel) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(20_000)))
    status, content, headers = post(relay, "raw-event-export", GIVEN)
    assert (status, content, headers["Content-Type"]) == (200, lines(20_000), "application/x-ndjson")
    assert headers["X-Delivery"].isdigit()


def test_all_pages_of_profiles_come_as_one_answer(relay: Relay, mixpanel: Mixpanel) -> None:
    mixpanel.script("/query/engage", profiles(2500))
    status, content, _ = post(relay, "engage-query", {"every_page": True})
    assert (status, len(content.splitlines())) == (200, 2500)


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_caller_of_the_api_sees_that_it_broke_off(relay: Relay, mixpanel: Mixpanel, answer: Answer) -> None:
    mixpanel.script(EXPORT, answer)
    status, content, _ = post(relay, "raw-event-export", GIVEN)
    *good, last = content.splitlines()
    assert status == 200
    assert all(json.loads(one)["event"] == "E" for one in good)
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(last)


def test_a_call_without_an_answer_is_an_error_with_its_words(relay: Relay, mixpanel: Mixpanel) -> None:
    mixpanel.script(EXPORT, Answer(401, {"error": "no"}))
    status, content, _ = post(relay, "raw-event-export", GIVEN)
    assert (status, "401" in json.loads(content)["error"]["message"]) == (502, True)


def test_a_kept_answer_can_be_fetched_while_it_is_at_hand(relay: Relay, mixpanel: Mixpanel) -> None:
    mixpanel.script(EXPORT, Answer(body=lines(20_000)))
    made = terminal_of(relay.app)("tokens", "add", "fetch", "--scope", "read", "--scope", "send", "--json")
    headers = {"Authorization": f"Bearer {json.loads(made.output)['token']}"}
    sent = relay.client.post(
        "/api/v1/projects/prod/operations/raw-event-export", json={"params": GIVEN}, headers=headers
    )
    path = f"/api/v1/deliveries/{sent.json['delivery']}/answer"  # type: ignore[index]
    found = relay.client.get(path, headers=headers)
    assert (found.status_code, found.data, found.headers["X-Whole"]) == (200, lines(20_000), "yes")
    for file in folder_of(relay.app.extensions["runtime"]).path.iterdir():
        file.unlink()
    assert relay.client.get(path, headers=headers).status_code == 404
