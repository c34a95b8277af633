"""Every pattern of the house takes a time that grows with the text, whoever wrote it and whatever stands in it."""

import ast
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from blueprints.outbound.formatting import SHOWN, json_shown
from destinations.registry import TYPES
from erasure.matcher import Mentions
from outbound.imports.members import WrongTemplate, checked, filled
from tests.growth import grows_faster
from tests.test_architecture import ROOMS, ROOT, sources

pytestmark = pytest.mark.slow

CALLS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
# Patterns that are made when they are needed, of words that are escaped, or that stand in a description; each has a
# test of its own here or there.
MADE = {
    "config/parsers.py",
    "destinations/settings.py",
    "destinations/transport.py",
    "erasure/matcher.py",
    "outbound/request/snippets.py",
    "security/signed_in_browsers.py",
}

TELLING = "\"\\'{}()[]<>:;,.@=/*-_0aeE \t\n#%&?|+`$"
PREFIXES = ("", '"', "{{", "f(", "0", "a@", "<", "/**/", "[", ",")

# Such as were here: each takes a square, or a cube, of the length of some text.
SLOW = (
    r'("(?:[^"\\]|\\.)*")(\s*:)?',
    r"\{\{\s*([\w.$ -]+?)\s*\}\}",
    r"""\\*["']123\\*["']""",
    r"(?:^|[,;\t\[])\s*123",
    r"^\s*(?:/\*\*/)?\s*[\w$.]+\((.*)\)\s*;?\s*$",
)


def calls(path: Path) -> Iterator[ast.expr]:
    """The pattern of every call of `re` in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "re":
                yield node.args[0]


def patterns() -> list[tuple[str, str]]:
    """Where each pattern stands, and the pattern; an empty one where it is made and not on the list."""
    found = []
    for room in ROOMS:
        for path in sources(room):
            place = str(path.relative_to(ROOT))
            for pattern in calls(path):
                if isinstance(pattern, ast.Constant):
                    written = pattern.value
                    found.append((place, written.decode("latin-1") if isinstance(written, bytes) else written))
                elif place not in MADE:
                    found.append((place, ""))
    return found


def hostile(pattern: str) -> Iterator[Callable[[int], str]]:
    """Texts of any length from what the pattern speaks of: a beginning, one or two characters again and again, an end
    that spoils it. Beginnings of which the pattern does not speak would be one more of the same."""
    letters = sorted({one for one in pattern if one in TELLING} | {'"', "\\", " ", "a", "0", "\n"})
    units = [*letters, *(one + other for one, other in product(letters, repeat=2) if one != other)]
    prefixes = [one for one in reversed(PREFIXES) if set(one) - set("af0") <= set(pattern)]
    for prefix, unit in product(prefixes, units):
        yield lambda size, prefix=prefix, unit=unit: prefix + unit * (size // len(unit)) + "\0"  # type: ignore[misc]


def is_slow(pattern: str) -> bool:
    """Whether the time of some text grows faster than the text."""
    for flags in (0, re.DOTALL | re.MULTILINE) if set(".^$") & set(pattern) else (0,):
        work = re.compile(pattern, flags).findall
        for make in hostile(pattern):
            if grows_faster(work, make):
                return True
    return False


@pytest.mark.parametrize("pattern", SLOW)
def test_a_slow_pattern_would_be_found(pattern: str) -> None:
    assert is_slow(pattern)


@pytest.mark.parametrize(("place", "pattern"), patterns())
def test_no_pattern_takes_longer_than_the_text_is_long(place: str, pattern: str) -> None:
    assert pattern, f"{place}: a pattern that no test can read"
    assert not is_slow(pattern), place


def test_no_pattern_of_a_setting_takes_longer_than_the_text_is_long() -> None:
    slow = {
        setting.name
        for kind in TYPES.values()
        for setting in kind.settings
        if setting.pattern and is_slow(setting.pattern)
    }
    assert slow == set()


def in_scripts() -> list[tuple[str, str]]:
    """The patterns of the browser's scripts, in Python's words."""
    literal = re.compile(r"(?<=[(=,:!&|?] |.\()/((?![/*])(?:[^\n/\\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/[gimsuy]*")
    scripts = [path for path in sorted((ROOT / "static").glob("*.js")) if not path.name.endswith(".min.js")]
    found = [(path.name, one) for path in scripts for one in literal.findall(path.read_text())]
    return [(name, one.replace("[^]", r"[\s\S]").replace("$)", r"\Z)")) for name, one in found]


def test_every_pattern_of_a_script_is_looked_at() -> None:
    assert {"compose.js"} <= {name for name, _pattern in in_scripts()}
    assert any("true|false|null" in pattern for _name, pattern in in_scripts())


@pytest.mark.parametrize(("script", "pattern"), in_scripts())
def test_no_pattern_of_a_script_takes_longer_than_the_text_is_long(script: str, pattern: str) -> None:
    assert not is_slow(pattern), script


UNITS = (
    '"',
    '\\"',
    "\\",
    "{",
    "{{ ",
    "[",
    " ",
    "\t",
    "\n",
    "0",
    "-",
    '":',
    "a",
    ", ",
    "{{now}} ",
    "123",
    "123 ",
    " 123",
    "_id:",
)


def texts() -> Iterator[Callable[[int], str]]:
    for prefix, unit in product(("", '"', '["', "{{", "[123"), UNITS):
        yield lambda size, prefix=prefix, unit=unit: prefix + unit * (size // len(unit))  # type: ignore[misc]


def template(text: str) -> object:
    with pytest.raises(WrongTemplate):
        checked({"a": text})
    return filled({"a": text}, {})


@pytest.mark.parametrize(
    "work",
    [
        json_shown,
        template,
        Mentions("123", "ada@example.com", "+49 151 2345678").within,
        Mentions("a", "a@0", "0000000").within,
        Mentions("{{ ").within,
    ],
    ids=["json", "template", "a number", "a person", "braces"],
)
def test_no_text_of_somebodys_takes_longer_to_look_at_than_it_is_long(work: Callable[[str], object]) -> None:
    slow = [make(20) for make in texts() if grows_faster(work, make)]
    assert slow == []


def test_json_without_an_end_is_shown_whole_and_a_long_one_is_cut() -> None:
    assert "".join(re.split(r"<[^>]+>", json_shown('{"a": "b\\" c'))) == "{&#34;a&#34;: &#34;b\\&#34; c"
    for long in (f'{{"a": "{"x" * SHOWN}"}}', "x" * SHOWN * 2, "[" * SHOWN * 2, "[[[1]," * SHOWN):
        assert len(json_shown(long)) < SHOWN * 6
        assert "more." in json_shown(long)
