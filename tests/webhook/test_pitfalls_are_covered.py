"""Every sync rule and every pitfall of receiving has a test that carries its number in its name."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

RULES = [f"s{number}" for number in range(1, 15)]
PITFALLS = [f"p{number}" for number in [*range(1, 26), *range(29, 41), *range(42, 45)]]


@cache
def numbers_in_test_names() -> set[str]:
    """What stands at the beginning of the test names, over the syntax tree: ``test_s5_p3_nobody_…`` has s5 and p3."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.update(re.match(r"test_((?:[sp]\d+_)*)", node.name)[1].split("_"))
    return found


@pytest.mark.parametrize("number", [*RULES, *PITFALLS])
def test_the_rule_or_pitfall_has_a_test_of_its_own(number: str) -> None:
    assert number in numbers_in_test_names()


def test_every_rule_has_a_module_that_lists_its_behaviours() -> None:
    for rule in RULES:
        assert list((TESTS / "sync").glob(f"test_{rule}_*.py")), rule
