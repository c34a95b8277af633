"""`flask send --saved` as CI runs it, against the practice Mixpanel: what it ends with, its reasons, its JUnit file."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from simulator.stand_in.answers import Mixpanel
from simulator.stand_in.server import Server
from tests.commands.conftest import Terminal, terminal_of
from tests.conftest import MakeRelay
from tests.outbound.conftest import add_project
from tests.relay import Relay

SIGN_UP = {
    "name": "Sign up",
    "folder": "Smoke tests",
    "operation": "import-events",
    "project": "prod",
    "body": [{"event": "Signed up", "properties": {"time": "{{now}}", "distinct_id": "u1", "plan": "{{plan}}"}}],
    "variables": {"plan": "pro"},
    "checks": ["status = 200", "verdict = accepted", "answer.num_records_imported = 1", "ms <= 20000"],
}


@pytest.fixture
def relay(make_relay: MakeRelay) -> Iterator[Relay]:
    server = Server(("127.0.0.1", 0), Mixpanel(list, lambda *_page: []), lambda _line: None)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made = make_relay(mixpanel_base_url=f"http://127.0.0.1:{server.server_address[1]}", send_pause_seconds=0)
    add_project(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def terminal(relay: Relay, tmp_path: Path) -> Terminal:
    found = terminal_of(relay.app)
    folder = tmp_path / "requests"
    folder.mkdir()
    (folder / "sign-up.json").write_text(json.dumps(SIGN_UP))
    assert found("saved", "import", folder).output == "1 new, 0 were there already.\n"
    return found


def junit(folder: Path) -> ET.Element:
    return ET.parse(folder / "junit.xml").getroot()  # noqa: S314 - we wrote it


def test_it_ends_with_0_where_every_check_holds(terminal: Terminal, tmp_path: Path) -> None:
    result = terminal("send", "--saved", "Sign up", "--set", "plan=team", "--junit", tmp_path / "junit.xml")
    assert (result.exit_code, result.output.splitlines()[-1][:15]) == (0, "passed  Sign up"), result.output
    case = junit(tmp_path).find("testsuite/testcase")
    assert case is not None
    assert (case.attrib["classname"], case.attrib["name"], list(case)) == ("Smoke tests", "Sign up", [])


def test_it_ends_with_1_and_the_reason_where_a_check_fails(terminal: Terminal, tmp_path: Path) -> None:
    words = ["--expect", "answer.num_records_imported = 2", "--junit", tmp_path / "junit.xml"]
    result = terminal("send", "--saved", "Sign up", *words)
    assert result.exit_code == 1
    assert "FAILED  Sign up" in result.output
    assert "answer.num_records_imported is 1, not 2." in result.output
    suites = junit(tmp_path)
    assert (suites.attrib["tests"], suites.attrib["failures"]) == ("1", "1")
    failure = suites.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == "answer.num_records_imported is 1, not 2."


def test_a_folder_is_run_and_each_result_is_an_object(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps(SIGN_UP | {"name": "Bad", "variables": {}}))
    terminal("saved", "import", tmp_path / "bad.json")
    result = terminal("send", "--folder", "Smoke tests", "--json")
    found = [json.loads(line) for line in result.output.splitlines()]
    assert (result.exit_code, [(one["saved"], one["passed"]) for one in found]) == (
        1,
        [("Bad", False), ("Sign up", True)],
    )
    assert "{{plan}} has no value" in found[0]["reason"]
    assert found[0]["delivery"] is None
    assert "FAILED     Smoke tests/Bad" in terminal("saved", "list").output


def test_what_is_exported_is_what_was_imported(terminal: Terminal, tmp_path: Path) -> None:
    for into in ("one", "two"):
        assert terminal("saved", "export", tmp_path / into).exit_code == 0
    written = (tmp_path / "one" / "smoke-tests" / "sign-up.json").read_bytes()
    assert json.loads(written) == SIGN_UP
    assert written == (tmp_path / "two" / "smoke-tests" / "sign-up.json").read_bytes()
    assert terminal("saved", "import", tmp_path / "one").output == "0 new, 1 were there already.\n"


def test_where_one_file_cannot_be_used_nothing_is_imported(relay: Relay, terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(SIGN_UP | {"name": "New"}))
    (folder / "b.json").write_text("{}")
    result = terminal("saved", "import", folder)
    assert (result.exit_code, "b.json" in result.output) == (3, True)
    assert "New" not in terminal("saved", "list").output


def test_schedules_and_removals_are_in_the_audit_trail(relay: Relay, terminal: Terminal) -> None:
    assert terminal("saved", "schedule", "Sign up", "--every-minutes", "60").exit_code == 0
    assert json.loads(terminal("saved", "list", "--json").output)[0]["every_minutes"] == 60
    assert terminal("saved", "schedule", "Sign up").exit_code == 2
    assert terminal("saved", "schedule", "Sign up", "--never").exit_code == 0
    assert terminal("saved", "remove", "Sign up").exit_code == 0
    found = [row["action"] for row in relay.rows("SELECT action FROM audit_entry ORDER BY id")]
    assert found == ["saved.add", "saved.schedule", "saved.schedule", "saved.remove"]


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        (["--saved", "None"], 1),
        (["--saved", "Sign up", "--expect", "nonsense"], 2),
        (["import-events", "--saved", "Sign up"], 2),
        (["--project", "prod"], 2),
        (["import-events", "--project", "prod", "--expect", "status = 200"], 2),
        (["--saved", "Sign up", "--project", "none"], 1),
    ],
)
def test_what_is_no_run_says_so(terminal: Terminal, words: list[str], ends: int) -> None:
    assert terminal("send", *words).exit_code == ends
