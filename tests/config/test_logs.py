"""Logs: one event a line, and nothing in it that describes a member or opens a door."""

import io
import json
import logging
import re
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
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


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


@pytest.mark.parametrize("length", [logs.LONGEST, logs.LONGEST + 1, 100 * logs.LONGEST])
def test_a_value_is_logged_up_to_so_many_characters(lines, length: int) -> None:
    assert logs.LONGEST == 4000
    structlog.get_logger().info("said", value="x" * length)
    assert lines()[0]["value"] == "x" * min(length, 4000) + "…" * (length > 4000)


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


SECRET = "ann@example.org"


def fails(depth: int = 0) -> None:
    if depth:
        fails(depth - 1)
    try:
        try:
            raise KeyError(SECRET)  # noqa: TRY301 - what is tested
        except KeyError as error:
            raise LookupError(f"no {SECRET}") from error
    except LookupError:
        raise ExceptionGroup(SECRET, [ValueError(SECRET), OSError(SECRET)])  # noqa: B904 - a context without a cause


@pytest.fixture(params=["json", "text"])
def written(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """All that has been logged so far, in either form."""
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    logs.configure("info", request.param)
    yield file.getvalue
    monkeypatch.undo()
    logs.configure("error", "json")


def failed() -> Exception:
    with pytest.raises(ExceptionGroup) as caught:
        fails()
    return caught.value


WAYS = [
    lambda error: structlog.get_logger().error("fault", exc_info=error),
    lambda error: structlog.get_logger().error("fault", exc_info=(type(error), error, error.__traceback__)),
    lambda error: logging.getLogger("some.library").error("fault", exc_info=error),
]


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_logged_by_its_lines_of_code_and_those_that_led_to_it_without_what_it_says(written, way) -> None:
    way(failed())
    said = written()
    assert "in fails" in said
    assert "raise KeyError(SECRET)" in said, "the line of code"
    assert all(name in said for name in ("KeyError", "LookupError", "ExceptionGroup", "ValueError", "OSError"))
    assert said.index("KeyError") < said.index("LookupError") < said.index("ExceptionGroup")
    assert SECRET not in said


def test_an_error_under_way_is_logged_by_its_lines_of_code(written) -> None:
    try:
        fails()
    except ExceptionGroup:
        structlog.get_logger().exception("fault")
    assert "raise KeyError(SECRET)" in written()
    assert SECRET not in written()


def test_of_an_error_without_a_value_there_are_its_lines(written) -> None:
    error = failed()
    structlog.get_logger().error("fault", exc_info=(type(error), None, error.__traceback__))
    assert "in failed" in written()


def test_a_deep_or_endless_error_is_logged_in_bounds(written) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        fails(500)
    error: BaseException = caught.value
    for _ in range(50):
        outer = RuntimeError(SECRET)
        outer.__cause__, error = error, outer
    caught.value.__context__.__context__ = error  # a ring
    structlog.get_logger().error("fault", exc_info=error, more="x" * 100_000)
    structlog.get_logger().error("fault", exc_info=caught.value)
    assert len(written()) < 100_000
    assert "in fails" in written()


def test_what_came_from_outside_moves_no_cursor_of_whoever_reads_a_log(written) -> None:
    structlog.get_logger().warning("said", cause="a\x1b]0;title\x07\x9b2J\r\u202eb")
    assert not set(written()[len("\x1b[0m") :]) & set("\x07\x9b\r\u202e")
    assert "\x1b]0" not in written()
