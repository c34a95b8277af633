"""Times on pages, in the terminal and in logs: one way for people, one for programs."""

import html
import re
from collections.abc import Iterator

import pytest

from tests.browser import places
from tests.commands.conftest import terminal_of
from tests.dashboard.test_routes import stocked
from tests.relay import Relay

__all__ = ["stocked"]

A_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*(?: UTC)?")
FOR_PEOPLE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
FOR_PROGRAMS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# What is typed or sent, and what explains how to type it.
NOT_OURS = re.compile(
    r"(?s)<option\b.*?</option>|<(pre|textarea|script|input|code)\b.*?(?:</\1>|>)|<p class=\"hint\".*?</p>"
)


def words(page: str) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", " ", NOT_OURS.sub(" ", page)))
    return " ".join(text.split())


def strange(text: str) -> Iterator[str]:
    """Times that are not written as for people, and a UTC that belongs to none and to no column."""
    yield from (found for found in A_TIME.findall(text) if not FOR_PEOPLE.fullmatch(found.rstrip(".,;:)")))
    yield from re.findall(r"(?<!\d\d:\d\d:\d\d)(?<!,) UTC\b|UTC UTC", text)


@pytest.mark.slow
def test_pages_write_times_in_one_way(stocked: Relay) -> None:
    browser = stocked.sign_in("admin")
    cohort = f"/cohorts/{stocked.cohort()['id']}"
    seen = 0
    for path in [*places.pages(stocked.app), f"{cohort}?as_of=2025-06-15T15:30"]:
        page = browser.get(path).text
        assert list(strange(words(page))) == [], path
        for moment in re.findall(r'<time[^>]* datetime="([^"]*)"', page):
            seen += 1
            assert FOR_PROGRAMS.fullmatch(moment), path
        for title in re.findall(r'<time[^>]* title="([^"]*)"', page):
            assert FOR_PEOPLE.fullmatch(title), path
    assert seen > 50


def test_the_terminal_writes_times_for_people_and_json_for_programs(stocked: Relay) -> None:
    terminal = terminal_of(stocked.app)
    terminal("operators", "list")
    seen = 0
    for words_of in (("connections", "list"), ("tokens", "list"), ("operators", "list"), ("doctor",)):
        said = terminal(*words_of).output
        assert list(strange(said)) == [], words_of
        seen += len(FOR_PEOPLE.findall(said))
    for words_of in (("connections", "list"), ("tokens", "list"), ("operators", "list")):
        said = terminal(*words_of, "--json").output
        found = re.findall(r"\d{4}-\d\d-\d\d[T ][^\s\"]*", said)
        assert found == [one for one in found if FOR_PROGRAMS.fullmatch(one)]
    assert seen > 3
