"""How commands end: one table of numbers, which the docs repeat and every command keeps to."""

import ast
import re
from pathlib import Path

import click
import pytest

from commands.exit_codes import FAILED, MEANINGS, NOBODY, USAGE
from tests.commands.conftest import Terminal

ROOT = Path(__file__).resolve().parents[2]


def test_the_docs_have_the_same_table() -> None:
    section = (ROOT / "docs/operating.md").read_text().split("## How commands end")[1].split("##")[0]
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", section, re.MULTILINE)
    assert [(int(number), meaning) for number, meaning in rows] == list(MEANINGS.items())


def test_click_means_the_same_by_its_own() -> None:
    assert (click.ClickException.exit_code, click.UsageError.exit_code) == (FAILED, USAGE)


@pytest.mark.parametrize("path", sorted((ROOT / "commands").rglob("*.py")), ids=lambda path: str(path.stem))
def test_no_command_ends_with_a_number_of_its_own(path: Path) -> None:
    """Neither with a literal nor with the number of a failure, which is for click to give."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and re.fullmatch(r"SystemExit|(.*\.)?exit", ast.unparse(node.func)):
            numbers = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
            assert not [one for one in numbers if isinstance(one, int)], f"{path}:{node.lineno}"
            assert "FAILED" not in ast.unparse(node), f"{path}:{node.lineno}"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["connections", "rotate", "nobody"], FAILED),
        (["tokens", "remove", "nobody"], FAILED),
        (["send", "track-event", "--project", "nobody"], FAILED),
        (["import", "--resume", "9"], FAILED),
        (["people", "erase", "1", "nobody", "--yes"], FAILED),
        (["people", "erased", "1", "nobody"], NOBODY),
        (["connections", "add"], USAGE),
        (["import", "not-there.csv", "--project", "nobody"], USAGE),
        (["nothing-like-it"], USAGE),
    ],
)
def test_each_ending_has_one_meaning(terminal: Terminal, words: list[str], code: int) -> None:
    assert terminal(*words).exit_code == code
