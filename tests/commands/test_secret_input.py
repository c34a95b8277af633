"""Secrets come by standard input: among the arguments every user of the machine would read them."""

from collections.abc import Iterator

import click
import pytest

from commands import COMMANDS
from tests.commands.conftest import Terminal
from tests.relay import Relay

SECRET_WORDS = ("token", "password", "secret", "credential", "login")
SEEN = "in the process list"


def options(command: click.Command, path: str) -> Iterator[tuple[str, click.Parameter]]:
    for below in getattr(command, "commands", {}).values():
        yield from options(below, f"{path} {below.name}")
    yield from ((path, parameter) for parameter in command.params)


EVERY = [one for command in COMMANDS for one in options(command, str(command.name))]


def test_whatever_takes_a_secret_as_an_argument_can_take_it_by_standard_input_and_warns() -> None:
    """Arguments are never secrets; an option that is one has a sibling that reads a line, and says what it does."""
    names = {path: {name for at, one in EVERY if at == path for name in one.opts} for path, _one in EVERY}
    found = set()
    for path, one in EVERY:
        if not any(word in name for name in one.opts for word in SECRET_WORDS) or getattr(one, "is_flag", False):
            continue
        assert isinstance(one, click.Option), f"{path}: {one.name}"
        assert f"{one.opts[0]}-stdin" in names[path], f"{path} {one.opts[0]}"
        assert getattr(one.callback, "__name__", "") == "seen", f"{path} {one.opts[0]}"
        found.add((path, one.opts[0]))
    assert ("projects add", "--token") in found
    assert ("simulate", "--password") in found


@pytest.mark.parametrize("words", [["--token", "tok-1"], ["--token-stdin"]])
def test_a_projects_token_is_taken_both_ways_and_only_one_is_silent(relay: Relay, words: list[str]) -> None:
    add = ["projects", "add", "eu", "--region", "eu", "--project-id", "7", *words]
    result = relay.app.test_cli_runner().invoke(args=add, input="tok-1\n")
    assert result.exit_code == 0, result.output
    assert (SEEN in result.stderr) == (words[0] == "--token")
    assert "tok-1" not in result.output


def test_two_secrets_are_two_lines(relay: Relay) -> None:
    add = "projects add eu --region eu --project-id 7 --token-stdin --username a --secret-stdin"
    result = relay.app.test_cli_runner().invoke(args=add.split(), input="tok-1\n")
    assert (result.exit_code, "No secret came on standard input." in result.output) == (1, True)


def test_no_two_ways_at_once(terminal: Terminal) -> None:
    words = ["--region", "eu", "--project-id", "7", "--token", "a", "--token-stdin"]
    assert terminal("projects", "add", "eu", *words).exit_code == 2


def test_an_address_with_a_password_warns_and_comes_by_standard_input(relay: Relay) -> None:
    address = "postgresql://relay:hidden@127.0.0.1:1/nowhere"
    by_argument = relay.app.test_cli_runner().invoke(args=["migrate-data", "--to", address])
    by_input = relay.app.test_cli_runner().invoke(args=["migrate-data", "--to", "-"], input=f"{address}\n")
    assert (SEEN in by_argument.stderr, SEEN in by_input.stderr) == (True, False)
    assert "hidden" not in by_argument.output + by_input.output
    assert by_argument.exit_code == by_input.exit_code > 0
