"""The language seam: who reads a page decides how its numbers and dates are written, and in which words."""

import re
import subprocess
import sys
from gettext import NullTranslations
from pathlib import Path

import pytest

from blueprints import language
from blueprints.formatting import ordinal
from config import words
from config.clock import DAY
from tests.relay import Browser, Relay

ROOT = Path(__file__).resolve().parents[2]
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
MEMBERS = [f"m{number}" for number in range(1234)]


@pytest.fixture
def dialect() -> str:
    """How a page is written is the same on every database."""
    return "sqlite"


@pytest.fixture
def browser(relay: Relay) -> Browser:
    relay.refresh(MEMBERS)
    return relay.sign_in("viewer")


def size(browser: Browser, header: str | None) -> str:
    """The members of the one cohort, as the list of cohorts writes them."""
    headers = {} if header is None else {"Accept-Language": header}
    found = re.search(r'data-word="Members">([^<]+)<', browser.get("/cohorts", headers=headers).text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("header", "written"),
    [
        (None, "1,234"),
        ("en-US,en;q=0.9", "1,234"),
        ("de-DE,de;q=0.9,en;q=0.5", "1.234"),
        ("fr", "1\u202f234"),
        ("de-XX", "1.234"),  # of the language, where its place is unknown
        ("xx, de;q=0.3", "1.234"),
        ("de;q=0, en", "1,234"),
        ("*", "1,234"),
        ("tlh-KLINGON", "1,234"),
        (f"{'d' * 40}, {'x-' * 5000}", "1,234"),
        ("\u00e4\u00f6;q=;;,,--__, de_", "1,234"),
        ("../../etc/passwd, de/../../x", "1,234"),
    ],
)
def test_numbers_are_written_by_the_readers_locale(browser: Browser, header: str | None, written: str) -> None:
    assert size(browser, header) == written


def test_indians_read_lakhs() -> None:
    """Beside separators there are groups; English words are no reason to write numbers as in America."""
    locale = language.locale_of("en_IN")
    assert language.format_decimal(12_345_678, locale=locale) == "1,23,45,678"


def test_times_are_written_by_the_readers_locale(browser: Browser) -> None:
    browser.submit("/account/time-zone", {"time_zone": "Europe/Berlin"})
    path = "/sessions/1"
    assert "2025-06-15 17:06:40 CEST" in browser.page(path)
    german = browser.get(path, headers=GERMAN).text
    assert "15.06.2025, 17:06:40 CEST" in german
    assert 'title="2025-06-15 15:06:40 UTC"' in german
    assert "2025-06-15 17:06:40 CEST" in browser.get(path, headers={"Accept-Language": "en-GB"}).text


def test_the_words_stay_english_and_the_page_says_so(browser: Browser) -> None:
    assert '<html lang="en"' in browser.get("/cohorts", headers=GERMAN).text


@pytest.mark.parametrize("path", ["/api/v1/cohorts", "/api/v1/cohorts/1/members", "/status.json", "/metrics"])
def test_what_programs_read_is_the_same_for_everybody(relay: Relay, browser: Browser, path: str) -> None:
    headers = {"Authorization": f"Bearer {relay.token}"}
    plain, german = (relay.client.get(path, headers=headers | more) for more in ({}, GERMAN))
    assert re.sub(r"_seconds.*|_total.*|_bytes.*", "", plain.text) == re.sub(
        r"_seconds.*|_total.*|_bytes.*", "", german.text
    )


@pytest.mark.parametrize("end", ["csv", "ndjson"])
def test_so_are_files(relay: Relay, end: str) -> None:
    relay.refresh(MEMBERS)
    browser = relay.sign_in("admin")
    path = f"/cohorts/1/members.{end}"
    plain, german = browser.get(path), browser.get(path, headers=GERMAN)
    assert (plain.status_code, german.status_code) == (200, 200)
    assert plain.text == german.text


def test_whatever_keeps_a_page_is_told_for_whom_it_is(browser: Browser) -> None:
    assert "Accept-Language" in browser.get("/cohorts").headers["Vary"]


def test_a_stranger_makes_nobody_load_a_locale(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_locales", {})
    relay.app.test_client().get("/sign-in", headers=GERMAN)
    assert language._locales == {}


def test_a_process_loads_so_many_locales_and_no_more(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_locales", {})
    monkeypatch.setattr(language, "MOST_LOCALES", 2)
    assert [size(browser, tag) for tag in ("de", "fr", "it", "de")] == ["1.234", "1\u202f234", "1,234", "1.234"]


def test_no_reader_is_left_for_whoever_comes_next(relay: Relay, browser: Browser) -> None:
    browser.get("/cohorts", headers=GERMAN)
    assert words.reader() is words.NOBODY
    assert size(browser, None) == "1,234"


PO = """
msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "%(length)s ago"
msgstr "vor %(length)s"

msgid "%(count)s d"
msgstr "%(count)s T."
"""


def test_a_catalogue_in_its_folder_is_a_language(relay: Relay, browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "translations" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(PO)
    relay.app.extensions["languages"].update(language.found(tmp_path / "translations"))
    relay.clock.forward(2 * DAY)
    browser.sign_in()
    german = browser.get("/cohorts", headers=GERMAN).text
    assert '<html lang="de"' in german
    assert ">vor 2 T.<" in german
    assert ">2 d ago<" in browser.get("/cohorts", headers={"Accept-Language": "fr, en, de"}).text


def test_the_third_is_written_by_the_rules_of_the_words() -> None:
    counts = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 113]
    assert [ordinal(count) for count in counts] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "113th")
    ]


def test_a_count_picks_the_words() -> None:
    assert isinstance(words.reader().words, NullTranslations)
    assert [words.counted(count, "property") for count in (0, 1, 1234)] == [
        "0 properties", "1 property", "1,234 properties",
    ]  # fmt: skip
    assert words.counted_to(10, 11, "person", "people") == "more than 10 people"


def test_the_catalogue_has_every_word_that_the_code_says(tmp_path: Path) -> None:
    """Otherwise: make catalogue."""
    recipe = re.search(r"^\t@\$\(BIN\)/python (-m babel.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    arguments = recipe[1].replace("translations/messages.pot", str(tmp_path / "messages.pot")).split()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    assert (ROOT / "translations" / "messages.pot").read_text() == (tmp_path / "messages.pot").read_text()
