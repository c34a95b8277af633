"""What commands print of what came from outside moves no cursor and adds no line of its own."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from commands import errors
from tests.relay import Relay

HOSTILE = "7\x1b]0;title\x07\x1b[2J\r\u202e\x9bz"
OBEYED = set("\x1b\x07\r\u202e\x9b")


def run(callback, *arguments: str):
    command = errors.told(click.command()(callback), keyed=False)
    return CliRunner().invoke(command, arguments, color=True)


def test_what_a_command_prints_is_shown_and_not_obeyed() -> None:
    def says() -> None:
        click.echo(HOSTILE)
        click.echo(f"beside {HOSTILE}", err=True)
        print(HOSTILE)  # noqa: T201 - whatever way is taken

    result = run(says)
    assert result.output.count("\\x1b[2J") == 3
    assert not OBEYED & set(result.output)


def test_an_error_of_a_command_is_shown_and_not_obeyed() -> None:
    def fails() -> None:
        raise click.ClickException(HOSTILE)

    result = run(fails)
    assert result.exit_code == 1
    assert "\\x1b[2J" in result.output
    assert not OBEYED & set(result.output)


def test_bytes_for_another_program_go_through_as_they_are() -> None:
    def gives() -> None:
        click.echo(HOSTILE.encode(), nl=False)

    assert run(gives).stdout_bytes == HOSTILE.encode()


def test_json_stays_json() -> None:
    def gives() -> None:
        click.echo(json.dumps({"a": "\u202e\x07"}, ensure_ascii=False))

    assert json.loads(run(gives).output) == {"a": "\u202e\x07"}


def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    def opens() -> None:
        (tmp_path / "a\x1bb" / "c").read_text()

    result = run(opens)
    assert result.exit_code == 1
    assert "cannot be read or written: No such file or directory (as user" in result.output
    assert "\\x1bb" in result.output


@pytest.mark.parametrize("command", ["doctor"])
def test_a_hostile_cohort_is_shown_by_the_doctor(relay: Relay, command: str) -> None:
    relay.post("nonsense", [], cohort=HOSTILE)
    relay.refresh(["ada"], cohort=HOSTILE, name=HOSTILE)
    relay.post("members", 7, cohort=HOSTILE)
    result = relay.app.test_cli_runner().invoke(args=[command], color=True)
    assert not OBEYED & set(result.output)
