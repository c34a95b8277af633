"""`flask import`: choices that are none end it before anything is sent, and unusable files say why."""

import gzip
import json
from pathlib import Path

import pytest

from outbound.request.checks.ids import as_text
from tests.commands.conftest import Terminal, terminal_of
from tests.mixpanel import Mixpanel
from tests.relay import Relay

CSV = "distinct_id,event,time,version\nu1,E,2026-05-01,1.10\n"
JSON = json.dumps({"event": "E", "properties": {"distinct_id": "u1", "time": 1_750_000_000}})


@pytest.fixture
def terminal(relay: Relay) -> Terminal:
    return terminal_of(relay.app)


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        (CSV, ["--kind", "people", "--operator", "set_once"], "set_once"),
        (CSV, ["--operator", "$set_once"], "Events have no operator"),
        (CSV, ["--kind", "groups", "--operator", "$add"], "no $add for groups"),
        (CSV, ["--kind", "everybody"], "everybody"),
        (CSV, ["--column", "version=sku"], "version=sku"),
        (CSV, ["--column", "none=event"], "The file has: distinct_id, event, time, version"),
        (CSV, ["--column", "version=event", "--column", "event=event"], "only one column can be event"),
        (CSV, ["--column", "version=distinct_id", "--column", "distinct_id=property"], "a second distinct_id"),
        (CSV, ["--always", "sku=1"], "cannot stand for every row"),
        (CSV, ["--always", "event"], "no NAME=VALUE"),
        ("who,what\nu1,E\n", [], "The file has: who, what"),
        (JSON, ["--column", "a=event"], "is JSON"),
        (CSV, ["--ignore-time"], "Only updates of user profiles"),
        (CSV, ["--kind", "people", "--time-offset", "2"], "Only events"),
        (CSV, ["--time-offset", "200"], "200"),
    ],
)
def test_a_choice_that_is_none_is_a_usage_error(
    terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path, content: str, words: list[str], says: str
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    result = terminal("import", str(path), "--project", "prod", *words)
    assert (result.exit_code, mixpanel.calls) == (2, [])
    assert says in result.output


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (gzip.compress(CSV.encode() * 50, mtime=0)[:-12], "cut short"),
        (b"a,a\n1,2\n", "one name, a"),
        (CSV.encode("utf-16-le"), "without its mark"),
    ],
)
def test_a_file_that_cannot_be_used_ends_it_with_the_reason(
    terminal: Terminal, tmp_path: Path, content: bytes, says: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    result = terminal("import", str(tmp_path / "file"), "--project", "prod")
    assert result.exit_code == 3
    assert says in result.output


def test_a_column_can_stay_text_and_nobody_can_be_said(terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("event,time,version\nE,2026-05-01 10:00:00.250 UTC,3\n")
    words = ["--column", "version=text", "--always", "distinct_id="]
    assert terminal("import", str(tmp_path / "f.csv"), "--project", "prod", *words, "--json").exit_code == 0
    sent = mixpanel.calls[0].records[0]["properties"]
    assert sent.items() >= {"version": "3", "distinct_id": "", "time": 1777629600250}.items()


def test_what_failed_is_printed_so_that_it_can_be_imported_again(
    terminal: Terminal, mixpanel: Mixpanel, tmp_path: Path
) -> None:
    (tmp_path / "f.csv").write_text('event,time,note\nE,yesterday,a\nE,2026-05-01,"b" c\nE,2026-05-01,d\n')
    words = ["--project", "prod", "--always", "distinct_id=u1"]
    result = terminal("import", str(tmp_path / "f.csv"), *words, "--json")
    told = json.loads(result.output.splitlines()[-1])
    assert (told["accepted"], told["refused"]) == (1, 2)
    again = terminal("import", "--failed", str(told["import"])).stdout.strip()
    (tmp_path / "again.ndjson").write_text(again)
    result = terminal("import", str(tmp_path / "again.ndjson"), "--project", "prod", "--dry-run")
    assert "0 of 1 record can be sent" in result.output
    assert "It is no time" in result.output


@pytest.mark.parametrize(("given", "text"), [(0, "0"), (-1, "-1"), (42.0, "42"), (True, True), ([], []), (1.5, 1.5)])
def test_whole_numbers_are_ids_as_texts_and_nothing_else_is(given: object, text: object) -> None:
    assert as_text(given) == text
    assert type(as_text(given)) is type(text)
