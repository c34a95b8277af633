"""Logs: one event a line, and nothing in it that describes a member or opens a door."""

import io
import json
import logging
from pathlib import Path

import pytest
import structlog

from config import logs


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch):
    """What has been logged so far, line by line."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logs.configure("info", "json")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    monkeypatch.undo()
    logs.configure("error", "json")


def test_an_event_is_one_line_of_json_with_its_level_and_time(lines) -> None:
    structlog.get_logger().info("page.applied", pages=3)
    (line,) = lines()
    assert (line["event"], line["level"], line["pages"]) == ("page.applied", "info", 3)
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("key", ["email", "$email", "Authorization", "password", "token", "members", "distinct_id"])
def test_p29_a_sensitive_key_is_masked_wherever_it_is_logged(lines, key: str) -> None:
    structlog.get_logger().warning("careless", **{key: "ann@example.org"})
    assert lines()[0][key] == "[masked]"


def test_a_request_id_is_on_every_line_of_its_request(lines) -> None:
    for current in ("r-1", None):
        logs.request_id.set(current)
        structlog.get_logger().info("said")
    assert [line.get("request_id") for line in lines()] == ["r-1", None]


def test_what_libraries_log_has_the_same_form(lines) -> None:
    logging.getLogger("some.library").warning("slow")
    assert lines()[0]["event"] == "slow"


def test_less_than_the_level_is_not_logged(lines) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("some.library").info("chatter")
    assert lines() == []


def test_a_log_on_a_full_disk_fails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - its end is an error of its own
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", full)
        logs.configure("info", "json")
        for _ in range(3):
            structlog.get_logger().info("said")
    with pytest.raises(OSError, match="No space left"):
        full.close()
    logs.configure("error", "json")
