"""Counts read as people say them: a number beside a noun goes through `config.counts`, on pages and in sentences."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.counts import counted, plural

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("alerts", "blueprints", "commands", "destinations", "erasure", "outbound", "security", "sync")
NOUNS = (
    "cell change character cohort column copy day destination element event export failure file group hour line "
    "member message minute operator page part person process profile project property query record refusal row "
    "second session sync time token try value"
)
SEEN = re.compile(rf"^ (?:more )?(?:{'|'.join(plural(noun) for noun in NOUNS.split())})\b")
IN_TEMPLATES = re.compile(
    rf"\{{\{{[^}}]*\|(?:number|length)\s*\}}\}} (?:{'|'.join(plural(noun) for noun in NOUNS.split())})\b(?!/)"
)
LIMIT = re.compile(r"(\w+\.)*_?[A-Z][A-Z_]+( // \w+)*|most|.*\.most|limit\.\w+")  # of more than one, always
# Where it is never one: a branch above says so.
NEVER_ONE = {
    "len(same)", "len(cohorts)", "every", "pages.a_cell", "settings.processes", "seconds", "rest", "refusals",
    "outcome.attempts", "lost.projects", "lost.destinations", "-(-seconds // 60)", "-(-seconds // 3600)", "len(found)",
    "len(properties)", "len(value)", "many", "len(parts)", "total", "len(names)", "session.rejected",
    "session.received", "len(found.names)", "heads", "of", "pace", "row.times",
}  # fmt: skip


def sentences(path: Path) -> Iterator[tuple[str, str]]:
    """Every value of an f-string with what follows it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            for value, after in zip(node.values, node.values[1:], strict=False):
                if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
                    yield ast.unparse(value.value), str(after.value)


@pytest.mark.parametrize("room", ROOMS)
def test_a_count_before_a_noun_is_written_by_one_function(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {value}{after[:30]}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for value, after in sentences(path)
        if SEEN.match(after) and not LIMIT.fullmatch(value) and value not in NEVER_ONE
    ]
    assert found == []


def test_so_is_one_in_a_template() -> None:
    found = [
        f"{path.name}: {seen}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for seen in IN_TEMPLATES.findall(path.read_text())
    ]
    assert found == []


@given(count=st.integers(-(10**12), 10**12), noun=st.sampled_from(NOUNS.split()))
def test_one_is_singular_and_all_others_are_not(count: int, noun: str) -> None:
    number, word = counted(count, noun).split(" ")
    assert int(number.replace(",", "")) == count
    assert (word == noun) == (count == 1)


def test_plurals_are_the_usual_ones() -> None:
    assert [plural(noun) for noun in ("copy", "day", "process", "query", "page", "search")] == [
        "copies", "days", "processes", "queries", "pages", "searches",
    ]  # fmt: skip
