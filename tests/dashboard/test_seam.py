"""No word of a page goes past the seam: not in a template, and not on a page that Python has words on."""

import html
import re
from collections.abc import Iterator
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from jinja2 import Environment, nodes
from werkzeug.exceptions import HTTPException

from blueprints import time_zone
from config.clock import now
from outbound.operations.registry import OPERATIONS
from tests.played_demo import Demo
from tests.relay import Browser, Relay, TestClock

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"

# What still goes past it. Both lists only get shorter: what is done is taken off, and says so when it is not.
BARE_FOLDERS: tuple[str, ...] = ()
BARE_PAGES = {
    "dashboard.ask_erase",
    "dashboard.cohort_rejected",
    "dashboard.new_channel",
    "dashboard.new_destination",
    "dashboard.show_account",
    "dashboard.show_audit",
    "dashboard.show_cohort",
    "dashboard.show_connection",
    "dashboard.show_failure",
    "dashboard.show_keeping",
    "dashboard.show_kept_about_people",
    "dashboard.show_person",
    "dashboard.show_session",
    "dashboard.show_settings",
    "outbound.compose",
    "outbound.new_project",
}

SHOWN = {"title", "aria-label", "placeholder", "alt", "data-word"}  # attributes that are read
NO_WORDS = {"code", "kbd", "pre", "script", "style", "textarea"}  # elements whose text is the same in every language
WORD = re.compile(r"[A-Za-z]{2,}")
SENTENCE = re.compile(r"^[A-Z“][A-Za-z-]+|^[^ ]*[a-z]{2,}[,.:;]? [a-z]{2,}")
PIECES = {"Cohort Relay", "UTC", "JSON", "CSV", "NDJSON", "UTF-8"}
NOT_SHOWN = {"url_for", "gettext", "ngettext", "_", "dict", "may", "get"}  # calls whose strings nobody reads
ATTRIBUTE = re.compile(r"[\w-]+=\"[^\"]*\"")  # of a macro that writes attributes
ENTITY = re.compile(r"&(?!#?\w+;)")
VALUE = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands where an expression was
ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def words(text: str) -> str:
    """What is left of a text without the names that are no words."""
    for piece in PIECES:
        text = text.replace(piece, "")
    return text.strip() if WORD.search(text) else ""


class Bare(HTMLParser):
    """Texts and attributes that a reader sees, outside of the brackets of `Bracketed`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NO_WORDS:
            self._open.append(tag)
        outside = not self._depth
        shown = [self._cut(value or "") for name, value in attrs if outside and name in SHOWN]
        self.found += [text for text in shown if text]

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        left = self._cut(ATTRIBUTE.sub("", data))
        if left and not self._open:
            self.found.append(left)

    def _cut(self, text: str) -> str:
        """What of it is outside of all brackets; a bracket may close in another element than it opened in."""
        left = ""
        for letter in text:
            self._depth += (letter == "⟦") - (letter == "⟧")
            left += "" if self._depth or letter == "⟧" else letter
        return words(left)


def bare_of(page: str) -> list[str]:
    parser = Bare()
    parser.feed(page)
    return parser.found


def strings(node: nodes.Node) -> Iterator[str]:
    """The strings of an expression that may be shown."""
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str) and SENTENCE.search(node.value):
            yield words(node.value)
    elif isinstance(node, nodes.Call) and getattr(node.node, "name", getattr(node.node, "attr", "")) in NOT_SHOWN:
        for argument in node.kwargs:
            yield from strings(argument.value)
    elif isinstance(node, nodes.Filter | nodes.Test | nodes.Getitem):
        if node.node is not None:
            yield from strings(node.node)
    elif not isinstance(node, nodes.Compare):
        for inner in node.iter_child_nodes():
            yield from strings(inner)


def bare_in(path: Path) -> list[str]:
    """The words of a template that do not go through the seam."""
    tree, page, found = ENVIRONMENT.parse(path.read_text()), "", []
    for output in tree.find_all(nodes.Output):
        for piece in output.nodes:
            page += piece.data if isinstance(piece, nodes.TemplateData) else VALUE
    for node in tree.find_all((nodes.Output, nodes.Assign, nodes.For, nodes.CallBlock, nodes.Macro, nodes.If)):
        inner = {
            nodes.Output: lambda one: one.nodes,
            nodes.Assign: lambda one: [one.node],
            nodes.For: lambda one: [one.iter],
            nodes.CallBlock: lambda one: [one.call],
            nodes.Macro: lambda one: one.defaults,
            nodes.If: lambda one: [one.test],
        }[type(node)](node)
        found += [text for one in inner if not isinstance(one, nodes.TemplateData) for text in strings(one) if text]
    return [text for text in bare_of(page) if text.replace(VALUE, "").strip()] + found


@pytest.mark.parametrize(
    ("template", "bare"),
    [
        ("<p>Nobody {{ x }} is here</p>", ["Nobody \ufffc is here"]),
        ('<p title="A word">{{ _("Nobody") }}</p>', ["A word"]),
        ("<p>{% trans x=1 %}Nobody <b>{{ x }}</b>{% endtrans %}: <code>flask serve</code></p>", []),
        ('{{ p.empty(_("Nobody"), "Come again") }}', ["Come again"]),
        ('{% set crumbs = [("Cohorts", url_for("dashboard.list_cohorts"))] %}', ["Cohorts"]),
        ('{{ x if x == "Decide" else _("Open") }} {{ count|plural("person", "people") }}', []),
        ('<td class="number{{ " quiet none" if not x }}">{{ x }}</td>', []),
        ('{% macro copy(value, label="Copy it") %}{{ value }}{% endmacro %}', ["Copy it"]),
    ],
)
def test_bare_words_are_found(tmp_path: Path, template: str, bare: list[str]) -> None:
    path = tmp_path / "one.html"
    path.write_text(template)
    assert bare_in(path) == bare


def test_no_word_of_a_template_goes_past_the_seam() -> None:
    found = {str(path.relative_to(TEMPLATES)): bare_in(path) for path in sorted(TEMPLATES.rglob("*.html"))}
    bare = {name: texts for name, texts in found.items() if texts}
    assert {name: texts for name, texts in bare.items() if not name.startswith(BARE_FOLDERS)} == {}
    assert [folder for folder in BARE_FOLDERS if not any(name.startswith(folder) for name in bare)] == [], "take it off"


def test_no_sentence_of_the_seam_breaks_its_page() -> None:
    """A sentence is put into pages as it is, and into attributes; what it names is escaped."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        for call in ENVIRONMENT.parse(path.read_text()).find_all(nodes.Call):
            if getattr(call.node, "name", "") in {"_", "gettext", "ngettext"}:
                for sentence in (one.value for one in call.args if isinstance(one, nodes.Const)):
                    assert not ENTITY.search(str(sentence)), f"{path}: {sentence}"
                    assert str(sentence).count("<") == len(re.findall(r"</?[a-z]", str(sentence))), (
                        f"{path}: {sentence}"
                    )


class Bracketed(NullTranslations):
    """The language of this test: English in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


NAMES = {
    "cohort": ("name",),
    "person": ("distinct_id", "email", "first_name", "last_name", "properties"),
    "connection": ("name",),
    "operator": ("email",),
    "api_token": ("name",),
}
SENTENCES = {"cohort": ("description",), "failure": ("message",)}
IS_WORD = re.compile(r"[(“]*[A-Za-z][a-z'-]+[.,:;?!)”]*")  # no id, address, setting or field
MOST_OF_A_KIND = 2  # pages that one route is asked for


class Walk:
    """The demo's pages, in the language in brackets."""

    def __init__(self, demo: Demo) -> None:
        demo.app.extensions["languages"]["en"] = Bracketed()
        self._app = demo.app
        self._client: FlaskClient = Browser(Relay(demo.app, TestClock(now()), "walk"), "admin").client
        self._names = {*time_zone.names(), *OPERATIONS} | {
            piece for one in values(demo, NAMES) for piece in re.split(r"[\s\"{}:,]+", one)
        }
        self._sentences = values(demo, SENTENCES)

    def pages(self) -> Iterator[tuple[str, list[str]]]:
        """Each page that links lead to, by its route, with what is bare on it."""
        waiting, seen, times = ["/"], set(), dict[str, int]()
        while waiting:
            path = waiting.pop(0)
            route = self._route(path)
            if path in seen or not route or times.get(route, 0) >= MOST_OF_A_KIND:
                continue
            seen.add(path)
            times[route] = times.get(route, 0) + 1
            response = self._client.get(path)
            if response.mimetype == "text/html":
                waiting += [html.unescape(one) for one in re.findall(r'(?:href|hx-get)="(/[^"#]*)', response.text)]
                yield route, [text for text in bare_of(response.text) if self._is_said(text)]

    def _route(self, path: str) -> str:
        try:
            return str(self._app.url_map.bind("localhost").match(path.split("?", 1)[0])[0])
        except HTTPException:
            return ""

    def _is_said(self, text: str) -> bool:
        """Whether there are words in it that nobody has stored."""
        pieces = () if text in self._sentences else text.split()
        return any(IS_WORD.fullmatch(piece) and piece.strip(".,:;()“”") not in self._names for piece in pieces)


def values(demo: Demo, columns: dict[str, tuple[str, ...]]) -> set[str]:
    return {
        str(value)
        for table, names in columns.items()
        for name in names
        for value in demo.column(f"SELECT DISTINCT {name} FROM {table}")
    }


@pytest.mark.slow
def test_no_word_on_a_page_goes_past_the_seam(played_demo: Path, tmp_path: Path) -> None:
    demo = Demo(played_demo, tmp_path)
    bare: dict[str, set[str]] = {}
    for route, texts in Walk(demo).pages():
        bare.setdefault(route, set()).update(texts)
    demo.database.dispose()
    assert len(bare) > 40
    assert {route: texts for route, texts in bare.items() if texts and route not in BARE_PAGES} == {}
    assert {route for route in BARE_PAGES if not bare.get(route)} == set(), "take it off"


@pytest.fixture
def dialect() -> str:
    """What a page says is the same on every database."""
    return "sqlite"


def test_what_a_sentence_names_is_escaped(relay: Relay) -> None:
    relay.refresh(["ada"], name="<b>Paying</b> & %s users")
    browser = relay.sign_in("admin")
    for path in ("/", "/cohorts", "/cohorts/1", "/sessions", "/sessions/1", "/connections/crm"):
        page = browser.page(path)
        assert "<b>Paying" not in page, path
        assert "&lt;b&gt;Paying&lt;/b&gt; &amp; %s users" in page or path == "/", path


def test_what_programs_read_is_in_no_readers_language(relay: Relay) -> None:
    relay.app.extensions["languages"]["en"] = Bracketed()
    refused = relay.post_raw("[]")
    relay.refresh(["ada"])
    answers = [refused, *(relay.api(path) for path in ("/cohorts", "/cohorts/1", "/sessions", "/failures", "/nothing"))]
    assert "⟦" in relay.sign_in("admin").page("/cohorts")
    assert [answer.text for answer in answers if "⟦" in answer.text] == []
    stored = relay.rows("SELECT message, cause FROM failure") + relay.rows("SELECT name FROM cohort")
    assert "⟦" not in str(stored)
