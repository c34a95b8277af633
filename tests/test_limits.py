"""Every bound that the documents promise names the test that holds it."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\|([^|]+)\|([^|]+)\|([^|]+)\| `([\w/.]+)::(\w+)` \|$")


def rows() -> list[str]:
    lines = (ROOT / "docs" / "limits.md").read_text().splitlines()
    return [line for line in lines if line.startswith("|")][2:]


@cache
def defined_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_bound_names_a_test_that_is_there() -> None:
    assert len(rows()) > 20
    for row in rows():
        found = ROW.match(row)
        assert found, row
        path, name = ROOT / found[4], found[5]
        assert path.is_file(), row
        assert name in defined_in(path), row
