"""The list of what a review asked for holds what it promises: tests that are there, and pages that show it."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.browser import chromium, demo, review, screenshots
from tests.failing.server import Server

HERE = Path(__file__).parent
BY_THEIR_PAGE = [row for row in review.ROWS if review.SHOWN in row.tests]


@cache
def names_in(file: str) -> set[str]:
    """The names of a file's tests."""
    return {node.name for node in ast.parse((HERE / file).read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_tests_that_are_there_and_one_of_them_in_a_browser() -> None:
    assert len({row.name for row in review.ROWS}) == len(review.ROWS)
    for row in review.ROWS:
        named = [test.split("::") for test in row.tests]
        assert [name for file, name in named if name not in names_in(file)] == [], row.name
        assert any(not file.startswith("..") for file, _name in named), row.name


def test_every_row_has_a_page_in_the_instance_to_look_at(shown: Server) -> None:
    lacking = [row.name for row in review.ROWS if screenshots.address(shown.instance, row) is None]
    assert lacking == []


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_a_row_shows_what_it_is_about(running, shown: Server, expects, role: str) -> None:
    expects("status of 404 .*/nosuch")
    context = chromium.context_of(running)
    chromium.sign_in(context, shown.url, demo.email_of(role), demo.PASSWORD)
    page = context.new_page()
    for row in BY_THEIR_PAGE:
        if row.role == role:
            screenshots.bring(page, shown.url, shown.instance, row)
    context.close()
